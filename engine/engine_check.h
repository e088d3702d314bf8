/*
 * engine_check - is a job one that the engine can run? A part of engine/engine.
 *
 * Nothing gets to the engine thread that was not found valid here, so that no request can
 * fail there in a way that touches another's.
 */
#ifndef ENGINE_ENGINE_CHECK_H
#define ENGINE_ENGINE_CHECK_H

#include "engine/engine.h"

struct engine_check_limits {
    uint32_t vocab;
    uint32_t tokens_max; /* prompt and output of one sequence */
    bool has_tokenizer;
};

/* Fills *checked with the job as it will run: defaults made explicit, max_tokens no more than
 * what the prompt leaves of tokens_max. ERR_LIMIT, ERR_FORMAT: one sentence that names the
 * field, its value and the limit. */
MUST_USE enum status engine_check_job(const struct engine_job *job,
                                      const struct engine_check_limits *limits,
                                      struct engine_job *checked, struct error *err);

#endif
