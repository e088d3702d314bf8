/*
 * worker - the local model, as the rounds see it: prompts in, replies and scores out.
 *
 * A table of one function, so that a round runs the same against the engine and against a
 * scripted worker in a test. worker_engine.h fills it from an open engine.
 *
 * Thread   worker_run from one thread; progress may be read from any.
 */
#ifndef MINIONS_WORKER_H
#define MINIONS_WORKER_H

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum worker_kind {
    WORKER_WRITE, /* prompt is a user's message; the reply is written */
    WORKER_SCORE  /* how likely target is right after prompt */
};

struct worker_job {
    enum worker_kind kind;
    struct text prompt;  /* data: never holds special tokens */
    struct text target;  /* SCORE */
    struct text opening; /* WRITE: the reply begins so (not repeated in reply); may be empty */
    bool is_output;      /* WRITE: hold the reply to the JobOutput shape */
    uint32_t max_tokens; /* WRITE */
    float temperature;   /* WRITE; 0: greedy */
    uint64_t seed;
    uint32_t key; /* which job of its run this is, for the random stream */

    /* What came of it; filled by the run. */
    struct text reply; /* WRITE, in the arena */
    bool is_cut;       /* WRITE: stopped by max_tokens */
    bool is_failed;    /* it did not fit the context, or the model failed on it */
    double score;      /* SCORE: mean log-probability per token of target, nats */
    uint32_t target_tokens, prompt_tokens, cached_tokens, output_tokens;
};

/* Where a run stands; written by the run, read by whoever shows it. */
struct worker_progress {
    _Atomic uint32_t jobs_done, jobs_total;
    _Atomic uint64_t tokens; /* read and written, those shared not counted */
};

struct worker {
    void *self;
    /* Runs count jobs to their end, in the order given where the engine has a choice. Replies
     * lie in the arena. progress may be NULL. A job that fails alone is marked is_failed; an
     * error ends the whole run, and the worker is not to be used again. */
    enum status (*run)(void *self, struct worker_job *jobs, uint32_t count, struct arena *arena,
                       struct worker_progress *progress, struct error *err);
    uint64_t parameters; /* of the model: decides whether it extracts or generates */
};

#endif
