/*
 * flight - one request in the engine: the inside of flights.h, shared by its files.
 *
 *     flights        the table, the turn: events as they come
 *     flights_start  take-off: an ask as jobs of the engine
 *     flight         what both need: a free one, what it says, its landing
 *
 * Whoever brings a flight's count of open ends to zero lands it: flights_start holds one end
 * while it submits, each sample is one, and so is each prompt whose own log-probabilities are
 * told: for those a second job is submitted, which scores it. So a flight cannot land under the
 * hands of the thread that starts it, and no lock is held while the engine takes a job.
 */
#ifndef API_FLIGHT_H
#define API_FLIGHT_H

#include "protocol/api/ask_run.h"
#include "protocol/api/flights.h"

#include <pthread.h>
#include <stdatomic.h>

enum { FLIGHT_EVENTS = 256 }; /* taken from the engine at once */

/* A job's tag: the flight's slot << 32, beside ask_run's. A client's (http_gone): its
 * generation << 32, beside the slot. */
struct flight {
    uint32_t slot, generation; /* generation: how often the slot was used */
    bool is_used;
    bool is_touched; /* in this turn */
    bool is_refused; /* at take-off: the exchange is not ours */
    struct http_exchange *exchange;
    const struct reply_wire *wire;
    struct ask_run run;
    struct text_buf out; /* to be sent at the end of a turn */
    bool is_stream, is_mute;
    atomic_bool has_begun; /* taken off: the exchange may be written to */
    atomic_bool is_cancelled;
    atomic_uint open_ends;
    atomic_uint submitted;
    uint64_t *job_ids; /* [submitted] */
    uint32_t flying;   /* ends of what was submitted; the starting thread's */
    uint32_t ended;    /* in this turn */
    uint32_t key;      /* whose it is */
    struct flight *next_free, *next_touched;
};

struct flights {
    struct engine *engine;
    struct engine_port *port;
    struct metrics *metrics;
    struct admission *admission;
    pthread_mutex_t lock; /* of the free list, and of who may cancel */
    struct flight *table; /* [count] */
    struct flight *free;
    uint32_t count, used;
    struct flight *touched; /* the turn's */
    struct engine_event events[FLIGHT_EVENTS];
};

/* A zeroed one. NULL: all are used. */
struct flight *flight_take(struct flights *flights);
void flight_free(struct flights *flights, struct flight *flight);

/* What the stream is told, if it is one. */
void flight_send_piece(struct flight *flight, const struct reply_piece *piece);
void flight_send_choice_end(struct flight *flight, uint32_t choice, struct text_buf *out);

/* Calls its jobs back, once; it lands with their last events. */
void flight_cancel(struct flights *flights, struct flight *flight);
/* count of its ends are over. Lands it with the last of them: it is answered, and free. */
void flight_close_ends(struct flights *flights, struct flight *flight, uint32_t count);

#endif
