/*
 * batches - the server's batches at work: one after the other, in a thread of its own, with
 * many requests in the engine at once and behind whoever waits for an answer.
 *
 * Batch requests wait in the engine's line behind others (BATCHES_PRIORITY) and take at most
 * three quarters of the sequences that run side by side, so that one who asks finds room. What
 * is answered is in the store before the next answers are looked at; a server that was killed
 * goes on with the rest.
 *
 * Owner    batches_open gives, batches_close takes; the engine stays open until then.
 */
#ifndef API_BATCHES_H
#define API_BATCHES_H

#include "base/error.h"
#include "engine/engine.h"
#include "protocol/api/store.h"

enum { BATCHES_PRIORITY = -50, BATCHES_LINES_MAX = 50000 };

struct batches;

/* Goes on with what the store at path has. Errors: store_open's. ERR_LIMIT: no port is free. */
MUST_USE enum status batches_open(struct batches **batches, struct engine *engine,
                                  const char *path, struct error *err);
/* What runs ends within a step, and is gone on with at the next open. NULL is fine. */
void batches_close(struct batches *batches);

struct store *batches_store(struct batches *batches);
/* A batch was added to the store, or cancelled in it. */
void batches_wake(struct batches *batches);

#endif
