/*
 * supervisor_remote - the paid side of a round: a frontier model that never sees the documents.
 *
 *     advise -> program (-> program with a fault)* -> decide -> program for the next round ...
 *
 * What it is sent: the question, the documents' names and sizes, faults of its own programs,
 * and the text that its transform_outputs made of the workers' answers (at most
 * SUPERVISOR_REMOTE_FINDINGS_MAX bytes). Its replies are untrusted input.
 *
 * Owner    the caller's struct; supervisor_remote_deinit frees what it grew.
 */
#ifndef MINIONS_SUPERVISOR_REMOTE_H
#define MINIONS_SUPERVISOR_REMOTE_H

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "protocol/dsl/dsl.h"
#include "protocol/minions/documents.h"
#include "protocol/minions/prompts.h"
#include "protocol/minions/remote.h"

#include <stdbool.h>
#include <stdint.h>

enum { SUPERVISOR_REMOTE_FINDINGS_MAX = 64 << 10 };

/* Zero it, then set the first five. */
struct supervisor_remote {
    struct remote *remote;
    struct text question;
    const struct documents *documents;
    uint32_t rounds_max;
    struct prompts_wishes wishes;

    struct remote_reply advice, program, decision; /* the last of each */
    struct text_buf advice_prompt, program_prompt; /* what they answered */
    struct text_buf feedback, scratchpad;          /* carried to the next round */
};

struct supervisor_remote_decision {
    bool is_final;          /* else another round is wanted */
    struct text_buf answer; /* is_final; the caller's (text_buf_deinit) */
};

void supervisor_remote_deinit(struct supervisor_remote *supervisor);

/* Asks for advice, once, before the first program. */
MUST_USE enum status supervisor_remote_advise(struct supervisor_remote *supervisor,
                                              struct error *err);

/* Asks for the program of a round; with a fault, for the last one again, corrected. *source is
 * valid until the next call. */
MUST_USE enum status supervisor_remote_program(struct supervisor_remote *supervisor,
                                               uint32_t round, const struct dsl_fault *fault,
                                               struct text *source, struct error *err);

/* Hands over the findings and reads the decision; one that cannot be read is asked for once
 * more. ERR_REMOTE when that one cannot be read either, or there is no answer though
 * must_answer. */
MUST_USE enum status supervisor_remote_decide(struct supervisor_remote *supervisor,
                                              struct text findings, bool must_answer,
                                              struct supervisor_remote_decision *decision,
                                              struct error *err);

/* A member of a decision as text, in place of what out held: strings as they are, numbers and
 * truth values spelled out. */
void supervisor_remote_value(const struct json *value, struct text_buf *out);

/* Makes all calls of a run of one round with a remote that is dry (remote_options.is_dry):
 * afterwards remote_dry holds what would be sent, placeholders where replies and findings come
 * in. */
MUST_USE enum status supervisor_remote_rehearse(struct supervisor_remote *supervisor,
                                                struct error *err);

#endif
