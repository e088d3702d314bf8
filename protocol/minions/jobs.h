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
#include "protocol/minions/news.h"
#include "protocol/minions/worker.h"

#include <stdint.h>

enum { JOBS_MAX = 2048, JOBS_OUTPUT_TOKENS_MAX = 1024 };

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
    struct queue *news; /* of struct news; NULL: nobody watches */
    uint32_t round;     /* from 1, for news */
};

/* Makes it the list with each job samples times in a row (in the arena). ERR_LIMIT past
 * JOBS_MAX. */
MUST_USE enum status jobs_repeat(struct dsl_jobs *jobs, uint32_t samples, struct arena *arena,
                                 struct error *err);

/* Writes to order[0 .. count-1] the positions of jobs by chunk, then task, then position. */
void jobs_order(const struct dsl_jobs *jobs, uint32_t *order);

/* Runs every job on a generating worker; outcomes[i] is that of jobs->list[i]. Texts lie in the
 * arena or in the jobs' chunks. */
MUST_USE enum status jobs_generate(const struct jobs_context *context,
                                   const struct dsl_jobs *jobs, struct jobs_outcome *outcomes,
                                   struct error *err);

/* The jobs whose reply could be read, with their outputs as transform_outputs sees them, in the
 * same order, in the arena. */
MUST_USE enum status jobs_readable(const struct dsl_jobs *jobs,
                                   const struct jobs_outcome *outcomes, struct arena *arena,
                                   struct dsl_finished *finished, struct error *err);

/* Runs worker jobs and adds them to the ledger: shared by everyone who asks the worker. Those
 * that the journal knows are not run again. One that failed is not written there: a resumed run
 * tries it again. */
MUST_USE enum status jobs_run(const struct jobs_context *context, struct worker_job *jobs,
                              uint32_t count, struct error *err);

#endif
