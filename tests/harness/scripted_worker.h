/*
 * scripted_worker - a worker of worker.h whose jobs are answered by a function of the test.
 *
 *     struct scripted_worker scripted = {.answer = answer, .self = anything};
 *     const struct worker worker = scripted_worker(&scripted);
 */
#ifndef HARNESS_SCRIPTED_WORKER_H
#define HARNESS_SCRIPTED_WORKER_H

#include "protocol/minions/worker.h"

struct scripted_worker {
    void (*answer)(void *self, struct worker_job *job, struct arena *arena);
    void *self;
    uint64_t parameters;

    struct worker_job *const *jobs; /* [count] in hand */
    uint32_t count, done;
    uint32_t total; /* answered in all lists so far */
    struct arena *arena;
};

struct worker scripted_worker(struct scripted_worker *scripted);

#endif
