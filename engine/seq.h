/*
 * seq - a job inside the engine, and each of its samples as one sequence of tokens.
 *
 * A job is one block of memory, made by the thread that submits it and freed by the thread
 * that polls its last event; in between it belongs to the engine thread. The block holds the
 * prompt, the stop strings, the vector of a job that embeds, and for each sample a struct seq
 * with room for its output and for the tokens that its penalties and biases concern.
 *
 * A sequence waits (no slot, no pages) or runs (a slot and the pages for all tokens it knows).
 * Preempted, it gives its pages back and waits again with its output kept: the keys and values
 * are computed again, and since a row's result does not depend on its company the text goes
 * on as if nothing had happened.
 *
 * Samples of one job that start together are computed as one until the prompt's end: sample
 * 0 of the group leads, `forks` others follow it and then hold the same pages. Who writes in
 * a page that others hold takes a fresh one and copies.
 *
 * Always true of a running sequence:
 *     tokens 0 .. ready-1 have keys and values in pages[0 ..], or will have when the device has
 *     done what it was given: whatever is given to it later comes after that
 *     pages[i] is a node of the prefix tree with these tokens, or held outside the tree
 *     a node on its path that is not filled has one owner at most
 */
#ifndef ENGINE_SEQ_H
#define ENGINE_SEQ_H

#include "base/queue.h"
#include "engine/constraint_table.h"
#include "engine/draft.h"
#include "engine/engine.h"
#include "engine/kv_prefix.h"
#include "engine/seen.h"
#include "engine/stop.h"
#include "tokenizer/tokenizer.h"

enum { SEQ_NO_RESULT = -1 };

struct seq {
    struct seq_job *job;
    uint32_t sample;   /* which of the job's samples */
    uint32_t forks;    /* samples after this one that split off when the prompt is computed */
    token_id *outputs; /* [job->output_max] */
    uint32_t output_count;

    int32_t slot;   /* while running; KV_PREFIX_NONE while waiting */
    kv_page *pages; /* the slot's table */
    uint32_t page_count;
    uint32_t ready;    /* tokens whose keys and values are there */
    kv_page part_page; /* held until the beginning of pages[part_index] is copied from it */
    uint32_t part_index, part_tokens; /* which page, and how many tokens of it */
    bool part_copied;

    /* Of the step that the device was given last: logits rows head_row .. + head_count - 1 are
     * those of positions head_first .., until something is drawn from them. */
    int32_t head_row;
    uint32_t head_first, head_count; /* head_count 0: none */
    struct draft draft;
    token_id drafted[DRAFT_MAX]; /* [draft_planned] guesses at what follows the last token; the
                                    first draft_count of them are with the device, and nothing
                                    more is until it has told how many are right */
    uint32_t draft_planned, draft_count;
    bool draft_forced;     /* they are what the shape forces, and not copied */
    uint32_t forced_trust; /* how many of those are guessed at once */
    token_id forced_next;  /* the first of them, where none is guessed; or TOKEN_NONE */
    int32_t result;        /* its next token is drawn, as that result, and not known yet; or
                       SEQ_NO_RESULT */

    struct seen seen;                    /* for its penalties and biases */
    struct constraint_text *constrained; /* where the text of a job with a constraint stands */
    struct stop_state stop;
    struct tokenizer_stream stream;
    double score;
    uint32_t scored_count, told_count; /* targets in score; and of which an event told */

    struct seq *line_before, *line_after; /* neighbours by rank, while waiting */
    uint64_t mates_seen;                  /* private to waiting.c */
};

struct seq_job {
    struct engine_job ask;    /* its prompt lies in this block; its stops and biases are NULL:
                                 what they say is below, and in the sequences' seen */
    struct queue *outbox;     /* where its events go; NULL: to the step's */
    uint64_t id;              /* also the order of arrival */
    uint64_t rank;            /* the order of service: arrival, moved by priority */
    double deadline_s;        /* by the step's clock; 0: none */
    uint32_t output_max;      /* tokens of output per sample */
    uint32_t samples_left;    /* not ended yet */
    uint32_t computed_tokens; /* rows computed at positions of the prompt */
    struct stop_rules stops;
    struct constraint *constraint; /* that the job holds, or NULL */
    struct constraint *chunk;      /* that it copies from, held too; or NULL */
    uint32_t vector_size;          /* ENGINE_EMBED: of both, else 0 */
    double *sums;                  /* over the positions that are done */
    float *vector;                 /* what they make */
    struct seq *seqs;              /* [ask.sample_count] */
};

/* Copies a job that was found valid into one block; seq_job_free takes it. output_max is what
 * of ask.max_tokens the context leaves room for; for ENGINE_EMBED hidden is the size of the
 * vector. NULL: no memory. */
struct seq_job *seq_job_new(const struct engine_job *ask, uint64_t id, uint32_t output_max,
                            uint32_t hidden);
/* Lets go of its constraint, too. NULL is fine. Any thread. */
void seq_job_free(struct seq_job *job);

/* Writes tokens first .. first+count-1 of prompt and output; the one that is drawn and not
 * known as EMBED_CHOSEN(result); past the last one, what is drafted. */
void seq_tokens(const struct seq *seq, uint32_t first, uint32_t count, token_id *out);
/* Tokens of output, the one that is drawn and not known among them. */
uint32_t seq_drawn(const struct seq *seq);
/* Tokens whose keys and values are needed before the next result: all, but for a score job not
 * the last, which nobody attends from. */
uint32_t seq_total(const struct seq *seq);
/* Whether nothing of it needs computing any more: it ends when its results are known. */
bool seq_is_ending(const struct seq *seq);
/* The tokens, for draft.h. */
struct draft_text seq_draft_text(const struct seq *seq);
/* The first position whose logits, or for ENGINE_EMBED hidden state, are wanted. */
uint32_t seq_heads_from(const struct seq *seq);

/* What admitting this sequence asks of the pool. */
struct seq_need {
    uint32_t fresh;    /* pages to take */
    uint32_t reviving; /* pages found that only the tree holds */
};
struct seq_need seq_need(const struct seq *seq, const struct kv_prefix *prefix,
                         kv_page *scratch);

/* Gives a waiting sequence its slot and pages: what the tree has is shared, the rest is
 * taken and published with this slot as owner. pages is the slot's table and becomes the
 * sequence's. The pool must have what seq_need said; of what is left then, spare pages are not
 * touched. */
void seq_admit(struct seq *seq, struct kv_prefix *prefix, int32_t slot, kv_page *pages,
               uint32_t spare);

/* Moves ready past what others have computed meanwhile, and makes this sequence the owner of
 * the page at ready when that has none. Returns the slot that computes that page for us, or
 * KV_PREFIX_NONE when it is our own to compute. */
int32_t seq_catch_up(struct seq *seq, struct kv_prefix *prefix);

/* Of pages from index first on: how far (in tokens) they are computed by owner, in one run. */
uint32_t seq_owned_until(const struct seq *seq, const struct kv_prefix *prefix,
                         uint32_t first_page, int32_t owner);

/* A page copy that must be done before the step's rows. */
struct seq_copy {
    kv_page from, to; /* KV_PREFIX_NONE: none */
};

/* Whether appending a token needs a fresh page. */
bool seq_wants_page(const struct seq *seq, const struct kv_prefix *prefix);
/* Takes that page; true with *copy filled. False: no page is free. */
MUST_USE bool seq_make_room(struct seq *seq, struct kv_prefix *prefix, struct seq_copy *copy);

/* Where the copy from part_page stands. */
enum seq_part {
    SEQ_PART_NONE,  /* nothing to copy, now or later */
    SEQ_PART_LATER, /* pages before it, or the page to copy from, are being computed */
    SEQ_PART_NOW    /* can be copied */
};
enum seq_part seq_part(struct seq *seq, struct kv_prefix *prefix);

/* SEQ_PART_NOW: the copy to make, and ready moves past it. seq_part_done, when the step is
 * over, lets go of the page copied from. */
struct seq_copy seq_part_copy(struct seq *seq);
void seq_part_done(struct seq *seq, struct kv_prefix *prefix);

/* Tokens ready .. until-1 were computed. */
void seq_computed(struct seq *seq, struct kv_prefix *prefix, uint32_t until);

/* Gives a fork the leader's pages, as one more holder, and its own slot and table. */
void seq_fork(struct seq *fork, const struct seq *leader, struct kv_prefix *prefix,
              int32_t slot, kv_page *pages);

/* ENGINE_EMBED: adds the hidden state of the next position that is wanted. */
void seq_embed_add(struct seq *seq, const float *hidden);
/* Makes the vector. False: a number in it is not one. */
bool seq_embed_end(struct seq *seq);

/* Forgets what was scored or pooled so far: it is computed, and added, again. */
void seq_forget(struct seq *seq);

/* Lets go of slot and pages. Whole computed pages are left in the tree to be found again. What
 * was computed past the last known token counts for nothing. */
void seq_release(struct seq *seq, struct kv_prefix *prefix);

#endif
