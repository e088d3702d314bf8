/*
 * queue - the only thing two threads share: a bounded line of fixed-size items.
 *
 * Items are copied in and out. A full queue makes the pusher wait or say no, as it chooses; an
 * empty one makes the puller wait up to a time. Closing wakes everybody: pushes are refused,
 * pulls drain what is left.
 *
 * Owner    queue_init allocates, queue_deinit frees; no thread may be inside then.
 * Thread   any number of pushers and pullers.
 */
#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

#include "base/error.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { QUEUE_FOREVER = -1 };

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t can_push, can_pull;
    uint8_t *items; /* [capacity][item_size] */
    size_t item_size;
    uint32_t capacity, first, count;
    bool closed;
};

/* ERR_MEMORY when there is no room for capacity items of item_size bytes. */
MUST_USE enum status queue_init(struct queue *queue, uint32_t capacity, size_t item_size,
                                struct error *err);
void queue_deinit(struct queue *queue);

/* Waits up to wait_ms (0: not at all, QUEUE_FOREVER) for room. False: full or closed. */
MUST_USE bool queue_push(struct queue *queue, const void *item, int wait_ms);
/* Waits up to wait_ms for an item. False: empty in that time, or closed and drained. */
MUST_USE bool queue_pull(struct queue *queue, void *item, int wait_ms);
void queue_close(struct queue *queue);
uint32_t queue_count(struct queue *queue);

#ifdef __cplusplus
}
#endif
#endif
