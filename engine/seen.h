/*
 * seen - the tokens that a sequence's penalties and biases concern, with how often each is in
 * the output: what kernels/sample.h reads, kept up token by token.
 *
 *     of a job        those of its prompt (where a penalty is on) and those with a bias
 *     of a sequence   a copy of that, and the tokens of its output as they come
 *
 * Memory   the caller's; a sequence's list has room for its job's and one per token of output.
 */
#ifndef ENGINE_SEEN_H
#define ENGINE_SEEN_H

#include "engine/engine.h"
#include "kernels/sample.h"

struct seen {
    struct sample_seen *list; /* [count] by token, each once */
    uint32_t count;
    bool grows; /* a penalty is on: tokens of the output count */
};

/* Whether the job has a penalty that depends on what was said before. */
bool seen_is_wanted(const struct engine_job *ask);

/* The job's list: *list is malloc'd, NULL where it is empty. False: no memory. */
MUST_USE bool seen_of_job(const struct engine_job *ask, struct sample_seen **list,
                          uint32_t *count);

/* A token of output more. */
void seen_add(struct seen *seen, token_id token);

#endif
