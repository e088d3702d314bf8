/*
 * supervisor_local - the supervisor when there is none to pay: a program of ours, and the
 * local model for the last sentence.
 *
 * The program goes the same way as a remote one's, through the language and its limits: it
 * maps the question over overlapping chunks and lists the answers. The local model then
 * writes the answer from the best passages. Small models make things up, so what they write
 * is shown only when its words and numbers stand in those passages or in the question;
 * otherwise the best passage itself is the answer.
 */
#ifndef MINIONS_SUPERVISOR_LOCAL_H
#define MINIONS_SUPERVISOR_LOCAL_H

#include "base/error.h"
#include "base/text.h"
#include "protocol/minions/jobs.h"
#include "protocol/minions/prompts.h"

#include <stdbool.h>
#include <stdint.h>

enum { SUPERVISOR_LOCAL_PASSAGES_MAX = 3, SUPERVISOR_LOCAL_ANSWER_TOKENS = 60 };

/* Appends the program that asks question of every chunk, or of those wished for. */
void supervisor_local_program(struct text_buf *buf, struct text question,
                              const struct prompts_wishes *wishes);

/* What the answer is written from: passages, best first, at least one. */
struct supervisor_local_sources {
    struct text question;
    const struct text *passages; /* [count], the first SUPERVISOR_LOCAL_PASSAGES_MAX are used */
    uint32_t count;
    struct text notes; /* what generating workers answered; may be empty */
};

/* Appends the answer. *is_quoted: the best passage is quoted, for what the model wrote was
 * not grounded. */
MUST_USE enum status supervisor_local_answer(const struct jobs_context *context,
                                             const struct supervisor_local_sources *sources,
                                             struct text_buf *answer, bool *is_quoted,
                                             struct error *err);

/* Whether the question is about what is in the passages and notes at all, by its words. */
bool supervisor_local_bears_on(const struct supervisor_local_sources *sources);

/* Whether what was written stands on the passages: it says something beyond the question, its
 * numbers are in them and so are most words beside these, no name is new, most of its content
 * words are in them or in the question, those it adds stand near the same words there, and it
 * denies what the best passage denies. */
bool supervisor_local_is_grounded(struct text written,
                                  const struct supervisor_local_sources *sources);

#endif
