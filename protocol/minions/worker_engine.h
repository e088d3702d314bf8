/* worker_engine - the worker of worker.h on an open engine. */
#ifndef MINIONS_WORKER_ENGINE_H
#define MINIONS_WORKER_ENGINE_H

#include "engine/engine.h"
#include "protocol/minions/worker.h"

/* A worker on engine, which the caller keeps open until worker_engine_deinit; that cancels what
 * is still on its way. ERR_LIMIT the model has no tokenizer, or the engine no port left;
 * ERR_MEMORY. */
MUST_USE enum status worker_engine_init(struct worker *worker, struct engine *engine,
                                        struct error *err);
void worker_engine_deinit(struct worker *worker); /* safe on a zeroed struct */

#endif
