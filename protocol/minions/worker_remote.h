/*
 * worker_remote - the worker of worker.h on servers elsewhere: each job a chat completion.
 *
 * A job that must be a JobOutput is asked with its schema, and without where a server does not
 * know of such. What ended at max_tokens is_cut; what a server refuses for the job's own sake,
 * or several failed on, is_failed. WORKER_SCORE is an error: chat completions give no scores.
 */
#ifndef MINIONS_WORKER_REMOTE_H
#define MINIONS_WORKER_REMOTE_H

#include "protocol/minions/worker.h"
#include "protocol/minions/worker_fleet.h"

/* What worker_fleet_open says; ERR_MEMORY. Its model counts as one that can generate. */
MUST_USE enum status worker_remote_init(struct worker *worker,
                                        const struct worker_fleet_options *options,
                                        struct error *err);
void worker_remote_deinit(struct worker *worker); /* safe on a zeroed struct */

/* How many jobs failed so far; *reason says why the last one did, valid until deinit. */
uint32_t worker_remote_failed(const struct worker *worker, const char **reason);

/* What went to other machines so far. */
void worker_remote_bytes(const struct worker *worker, struct worker_fleet_bytes *bytes);

/* Writes the members of a job's request but for the model: the body of a fleet's request. */
void worker_remote_write(const struct worker_job *job, struct text_buf *body);
/* Reads a completion into the job; its reply lies in the arena. ERR_MEMORY. */
MUST_USE enum status worker_remote_read(struct text body, struct worker_job *job,
                                        struct arena *arena, struct error *err);

#endif
