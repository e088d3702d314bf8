/*
 * batch_jobs - a batch's requests in the engine, many at once, and the replies they become:
 * what `cohort batch` and the server's batches have in common.
 *
 * Without a seed of its own, a request's stream hangs on its custom_id alone: whatever runs
 * beside it, and in whichever run, its text is the same.
 *
 * Owner    batch_jobs_init allocates, batch_jobs_deinit frees; the engine has then ended all of
 *          them, or nobody polls any more.
 * Thread   one, that which polls the port.
 */
#ifndef API_BATCH_JOBS_H
#define API_BATCH_JOBS_H

#include "base/arena.h"
#include "base/error.h"
#include "engine/engine.h"
#include "protocol/api/batch_file.h"
#include "protocol/api/reply.h"

#include <stdbool.h>

enum { BATCH_JOBS_MAX = 2048 };

struct batch_job {
    struct text_buf custom_id;
    struct reply reply;
    uint64_t engine_id;
    size_t line; /* of the input */
    bool is_used;
};

struct batch_jobs {
    struct engine *engine;
    struct engine_port *port; /* NULL: the engine's own */
    int32_t priority;         /* added to each request's */
    struct arena arena;       /* of one request's parsing */
    struct batch_job *table;  /* [BATCH_JOBS_MAX] */
    uint32_t running, samples;
};

MUST_USE enum status batch_jobs_init(struct batch_jobs *jobs, struct engine *engine,
                                     struct engine_port *port, struct error *err);
void batch_jobs_deinit(struct batch_jobs *jobs); /* safe on a zeroed struct */

/* Hands a request to the engine. What is wrong with it is its result: then refusal gets a body,
 * of status 400. ERR_DEVICE, ERR_MEMORY; fewer than BATCH_JOBS_MAX run. */
MUST_USE enum status batch_jobs_start(struct batch_jobs *jobs,
                                      const struct batch_file_request *request, size_t line,
                                      struct text_buf *refusal, struct error *err);
/* Takes an event. The job that is over by it, to be worded and freed; else NULL. */
struct batch_job *batch_jobs_take(struct batch_jobs *jobs, const struct engine_event *event);
/* The body of its result, and its status: 200, or 500 where it is our fault. ERR_DEVICE: there
 * is none, a later run has it; ERR_MEMORY. */
MUST_USE enum status batch_jobs_word(struct batch_jobs *jobs, struct batch_job *job,
                                     struct text_buf *body, int *status_code,
                                     struct error *err);
bool batch_jobs_was_cancelled(const struct batch_job *job);
void batch_jobs_free(struct batch_jobs *jobs, struct batch_job *job);
void batch_jobs_cancel(struct batch_jobs *jobs); /* all: their events still come */

#endif
