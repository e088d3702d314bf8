/*
 * step_fake - a forward pass for tests that needs no model and sees every mistake of a batch.
 *
 * Its KV cache holds (token, position) per slot. For each row that wants logits it finds the
 * row's whole sequence through the attention work list, as a real kernel would, and answers
 * with a token that is a function of that sequence alone. On the way it asserts that each row
 * has each of its splits exactly once, that every key it sees is there, and that copies and
 * limits are kept. So equal text in any company means that pages, copies and lists are right.
 *
 * It works as a device does that is ahead of its host: what rows, samples and results find is
 * what was there when they were given, and results may be asked for after the next rows.
 */
#ifndef TESTS_HARNESS_STEP_FAKE_H
#define TESTS_HARNESS_STEP_FAKE_H

#include "engine/step.h"

enum {
    STEP_FAKE_VOCAB = 1000,
    STEP_FAKE_CONTEXT = 4096,
    STEP_FAKE_RESULTS = 4096,
    STEP_FAKE_COPIES = 2,
    STEP_FAKE_HIDDEN = 2 /* a hidden state: a hash of the tokens up to it, its position */
};

struct step_fake_slot {
    token_id token;
    int32_t position;
};

struct step_fake {
    int32_t page_count;
    struct step_fake_slot *slots; /* [page_count * KV_PAGE_TOKENS] */
    struct sample_result chosen[STEP_FAKE_RESULTS], sent[STEP_FAKE_RESULTS];
    int32_t result_count;
    const struct batch *batch; /* of the last rows, while they are the last */
    float hidden[STEP_FAKE_RESULTS][STEP_FAKE_HIDDEN];
    uint64_t rows, steps, heads, copies,
        ahead;             /* ahead: rows given before their token is known */
    bool is_unsettled;     /* results wait to be asked for */
    int32_t fail_at;       /* the step that fails; 0: none */
    enum status fail_with; /* how */
    token_id none_of;      /* > 0: tokens that are multiples of it come as TOKEN_NONE */
    bool checks;           /* off: for timing the host alone */
};

bool step_fake_init(struct step_fake *fake, int32_t page_count);
void step_fake_deinit(struct step_fake *fake);

/* The token that follows these, for one sample of a job. With seed STEP_FAKE_COPIES mostly the
 * one that followed the last token where that stood first. */
token_id step_fake_next(const token_id *tokens, uint32_t count, uint64_t seed, uint32_t sample);

/* What the fake takes for the hidden state behind these. */
void step_fake_state(const token_id *tokens, uint32_t count, float hidden[STEP_FAKE_HIDDEN]);

/* The functions of struct step_device; context is the fake. */
enum status step_fake_rows(void *context, const struct batch *batch, struct error *err);
enum status step_fake_samples(void *context, const struct batch *batch, struct error *err);
enum status step_fake_hidden(void *context, const float **hidden, struct error *err);
enum status step_fake_results(void *context, struct sample_result *results, struct error *err);

#endif
