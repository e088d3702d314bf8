/*
 * flights - the requests that the engine works on, and their way back to who asked.
 *
 *     exchange, ask --flights_start--> the engine's jobs --flights_turn--> reply, stream
 *
 * A flight is one request: a job for each of its prompts, a choice for each sample of a job. It
 * lands, answered or ended, when the last of them is over; when the client is gone its jobs are
 * cancelled, and it lands with their last events as any other.
 *
 * Owner    an exchange belongs to its flight from a flights_start that answers OK until the
 *          flight has landed.
 * Thread   start and cancel from any thread, turn from one.
 */
#ifndef API_FLIGHTS_H
#define API_FLIGHTS_H

#include "base/error.h"
#include "protocol/api/admission.h"
#include "protocol/api/ask.h"
#include "protocol/api/http.h"
#include "protocol/api/metrics.h"
#include "protocol/api/reply.h"

struct flights;

/* Room for as many flights as admission holds on engine, told to metrics; admission_leave is
 * called as each lands. ERR_MEMORY, ERR_LIMIT. */
MUST_USE enum status flights_open(struct flights **flights, struct engine *engine,
                                  struct admission *admission, struct metrics *metrics,
                                  struct error *err);
/* What still flies lands first, cancelled. NULL is fine. */
void flights_close(struct flights *flights);

/* Hands the jobs of an ask that was let in to the engine. ERR_LIMIT / ERR_FORMAT: what is wrong
 * with it, in one sentence; ERR_MEMORY; the exchange, and the leave, are then still the
 * caller's. */
MUST_USE enum status flights_start(struct flights *flights, struct http_exchange *exchange,
                                   const struct ask *ask, const struct reply_wire *wire,
                                   struct error *err);

/* Waits up to wait_ms for events and delivers them. False: nothing came. */
bool flights_turn(struct flights *flights, int wait_ms);

/* The client of this tag (http_gone) is gone. */
void flights_cancel(struct flights *flights, uint64_t tag);

uint32_t flights_count(struct flights *flights);

#endif
