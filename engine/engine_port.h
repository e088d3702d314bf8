/*
 * engine_port - an engine's outbox with who polls it: the inside of engine.h's struct
 * engine_port. Every engine has one of its own, which engine_poll reads; others are opened by
 * further threads that wait for their own jobs.
 */
#ifndef ENGINE_ENGINE_PORT_H
#define ENGINE_ENGINE_PORT_H

#include "base/queue.h"
#include "engine/engine.h"
#include "engine/step.h"

#include <stdatomic.h>

enum {
    ENGINE_PORT_POLL_MAX = 256,    /* events of one poll */
    ENGINE_PORT_OUTBOX_MAX = 16384 /* events waiting for the poller */
};

struct engine_port {
    struct engine *engine;
    struct queue outbox;     /* of struct step_event */
    atomic_uint outstanding; /* jobs submitted whose last event was not polled */
    struct step_event polled[ENGINE_PORT_POLL_MAX]; /* texts lie here until the next poll */
    uint32_t polled_count; /* whose jobs are freed then: vectors lie in them */
};

MUST_USE enum status engine_port_init(struct engine_port *port, struct engine *engine,
                                      struct error *err);
/* Frees the jobs that lie in it; the engine thread pushes no more. Safe on a zeroed struct. */
void engine_port_deinit(struct engine_port *port);

/* engine_port_poll, and how many of the events were a job's last. */
size_t engine_port_take(struct engine_port *port, struct engine_event *events, size_t max,
                        int wait_ms, uint32_t *jobs_ended);

#endif
