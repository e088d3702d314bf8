/*
 * worker - the local model, as the rounds see it: prompts in, replies and scores out.
 *
 * A table of two functions, so that a round runs the same against the engine, against servers
 * elsewhere and against a scripted worker in a test. worker_engine.h fills it from an open
 * engine. Jobs go in as one list and are handed back one by one, in the order in which they
 * end, so that whoever runs them (jobs_run) can note each before it waits for the next.
 *
 * Thread   one thread at a time; progress may be read from any.
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
    struct text chunk;   /* what it is about: is_output's citation is copied from it, and jobs
                            with an equal one go to one place; may be empty */
    struct text opening; /* WRITE: the reply begins so (not repeated in reply); may be empty */
    bool is_output; /* WRITE: hold the reply to a JobOutput, its citation copied from chunk */
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

/* Where a run of jobs stands; written by jobs_run, read by whoever shows it. */
struct worker_progress {
    _Atomic uint32_t jobs_done, jobs_total;
    _Atomic uint64_t tokens; /* read and written, those shared not counted */
};

struct worker {
    void *self;
    /* Takes up count jobs, in the order given where there is a choice. Jobs and list stay where
     * they are until all have come back; replies lie in the arena. One list at a time. */
    enum status (*start)(void *self, struct worker_job *const *jobs, uint32_t count,
                         struct arena *arena, struct error *err);
    /* Waits until one more is over and gives it; NULL when none is left. A job that fails alone
     * is marked is_failed; an error ends the whole list, and the worker is not to be used
     * again. */
    enum status (*next)(void *self, struct worker_job **done, struct error *err);
    uint64_t parameters; /* of the model: decides whether it extracts or generates */
};

#endif
