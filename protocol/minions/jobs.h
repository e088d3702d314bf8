/*
 * jobs - from the program's job manifests to worker jobs, and their outcomes.
 *
 * The order in which a program's loops emitted the manifests means nothing here: jobs are
 * handed to the worker chunk by chunk, so that all that share a chunk are in flight together.
 */
#ifndef MINIONS_JOBS_H
#define MINIONS_JOBS_H

#include "base/arena.h"
#include "base/error.h"
#include "protocol/dsl/dsl.h"
#include "protocol/minions/job_output.h"
#include "protocol/minions/journal.h"
#include "protocol/minions/ledger.h"
#include "protocol/minions/worker.h"

#include <stdint.h>

enum { JOBS_MAX = 2048, JOBS_OUTPUT_TOKENS_MAX = 512 };

/* What came of one job. */
struct jobs_outcome {
    struct job_output output;
    struct text sample; /* the reply's JSON object as the worker wrote it */
    double score;       /* an extracting worker's; 0 from a generating one */
};

/* All that a run of jobs needs from outside; progress and journal may be NULL. */
struct jobs_context {
    const struct worker *worker;
    struct journal *journal;
    struct arena *arena;
    struct worker_progress *progress;
    struct ledger *ledger;
    uint64_t seed;
};

/* The list with each job samples times in a row (in the arena; the list itself for 1).
 * ERR_LIMIT past JOBS_MAX. */
MUST_USE enum status jobs_repeat(const struct dsl_job **jobs, uint32_t *count, uint32_t samples,
                                 struct arena *arena, struct error *err);

/* Writes to order[0 .. count-1] the positions of jobs by chunk, then task, then position. */
void jobs_order(const struct dsl_job *jobs, uint32_t count, uint32_t *order);

/* Runs every job on a generating worker; outcomes[i] is that of jobs[i]. Texts lie in the
 * arena or in the jobs' chunks. */
MUST_USE enum status jobs_generate(const struct jobs_context *context,
                                   const struct dsl_job *jobs, uint32_t count,
                                   struct jobs_outcome *outcomes, struct error *err);

/* The jobs whose reply could be read, with their outputs as transform_outputs sees them, in
 * the same order; arrays have room for count. Gives how many. */
uint32_t jobs_readable(const struct dsl_job *jobs, const struct jobs_outcome *outcomes,
                       uint32_t count, struct dsl_job *kept, struct dsl_output *outputs);

/* Runs worker jobs and adds them to the ledger: shared by everyone who asks the worker. Those
 * that the journal knows are not run again. */
MUST_USE enum status jobs_run(const struct jobs_context *context, struct worker_job *jobs,
                              uint32_t count, struct error *err);

#endif
