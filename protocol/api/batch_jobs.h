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
#include "protocol/api/ask_run.h"
#include "protocol/api/batch_file.h"
#include "protocol/api/endpoints.h"

#include <stdbool.h>

enum { BATCH_JOBS_MAX = 2048 };

struct batch_job {
    struct text_buf custom_id;
    struct ask_run run;
    const struct endpoint *endpoint;
    uint64_t *engine_ids; /* [submitted] */
    uint32_t submitted, open_ends;
    size_t line; /* of the input */
    bool is_used, is_cancelled;
    bool is_refused; /* answered already; the engine has still to end what it took of it */
};

/* The body of a result and its status: 200, 400, or 500 where it is our fault. 0: none yet. */
struct batch_jobs_answer {
    struct text_buf body;
    int status_code;
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

/* Hands a request to the engine. It is answered at once where there is something wrong with it,
 * or nothing for the engine to do. ERR_DEVICE, ERR_MEMORY; fewer than BATCH_JOBS_MAX run. */
MUST_USE enum status batch_jobs_start(struct batch_jobs *jobs,
                                      const struct batch_file_request *request, size_t line,
                                      struct batch_jobs_answer *answer, struct error *err);
/* Takes an event. The job that is over by it, to be worded and freed; else NULL. */
struct batch_job *batch_jobs_take(struct batch_jobs *jobs, const struct engine_event *event);
/* Its result. ERR_DEVICE: there is none, a later run has it; ERR_MEMORY. */
MUST_USE enum status batch_jobs_word(struct batch_jobs *jobs, struct batch_job *job,
                                     struct batch_jobs_answer *answer, struct error *err);
bool batch_jobs_was_cancelled(const struct batch_job *job);
void batch_jobs_free(struct batch_jobs *jobs, struct batch_job *job);
void batch_jobs_cancel(struct batch_jobs *jobs); /* all: their events still come */

#endif
