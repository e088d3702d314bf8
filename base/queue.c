/* queue - see queue.h. */
#include "base/queue.h"

#include "base/checked.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The moment wait_ms from now, on the clock that the conditions use. */
static struct timespec deadline_of(int wait_ms)
{
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += wait_ms / 1000;
    at.tv_nsec += wait_ms % 1000 * 1000000L;
    if (at.tv_nsec >= 1000000000L) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000L;
    }
    return at;
}

/* Sleeps once on condition; false when the time is over. */
static bool wait_once(struct queue *queue, pthread_cond_t *condition, int wait_ms,
                      const struct timespec *deadline)
{
    if (wait_ms == 0)
        return false;
    if (wait_ms < 0)
        return pthread_cond_wait(condition, &queue->lock) == 0;
    return pthread_cond_timedwait(condition, &queue->lock, deadline) != ETIMEDOUT;
}

static uint8_t *slot(struct queue *queue, uint32_t index)
{
    const uint64_t at = (uint64_t)queue->first + index;
    return queue->items + (size_t)(at % queue->capacity) * queue->item_size;
}

enum status queue_init(struct queue *queue, uint32_t capacity, size_t item_size,
                       struct error *err)
{
    size_t bytes;
    pthread_condattr_t monotonic;
    assert(capacity > 0 && item_size > 0);
    *queue = (struct queue){.capacity = capacity, .item_size = item_size};
    if (!checked_mul_size(capacity, item_size, &bytes) || !(queue->items = malloc(bytes)))
        FAIL(err, ERR_MEMORY, "queue: no room for %u items of %zu bytes", capacity, item_size);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->can_push, &monotonic);
    pthread_cond_init(&queue->can_pull, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return OK;
}

void queue_deinit(struct queue *queue)
{
    if (!queue->items)
        return;
    pthread_cond_destroy(&queue->can_pull);
    pthread_cond_destroy(&queue->can_push);
    pthread_mutex_destroy(&queue->lock);
    free(queue->items);
    *queue = (struct queue){0};
}

bool queue_push(struct queue *queue, const void *item, int wait_ms)
{
    const struct timespec deadline = deadline_of(wait_ms > 0 ? wait_ms : 0);
    pthread_mutex_lock(&queue->lock);
    while (!queue->closed && queue->count == queue->capacity) {
        if (!wait_once(queue, &queue->can_push, wait_ms, &deadline))
            break;
    }
    const bool taken = !queue->closed && queue->count < queue->capacity;
    if (taken) {
        memcpy(slot(queue, queue->count), item, queue->item_size);
        queue->count++;
        pthread_cond_signal(&queue->can_pull);
    }
    pthread_mutex_unlock(&queue->lock);
    return taken;
}

bool queue_pull(struct queue *queue, void *item, int wait_ms)
{
    const struct timespec deadline = deadline_of(wait_ms > 0 ? wait_ms : 0);
    pthread_mutex_lock(&queue->lock);
    while (!queue->closed && queue->count == 0) {
        if (!wait_once(queue, &queue->can_pull, wait_ms, &deadline))
            break;
    }
    const bool given = queue->count > 0;
    if (given) {
        memcpy(item, slot(queue, 0), queue->item_size);
        queue->count--; /* an empty line begins where memory is at hand */
        queue->first = queue->count > 0 ? (queue->first + 1) % queue->capacity : 0;
        pthread_cond_signal(&queue->can_push);
    }
    pthread_mutex_unlock(&queue->lock);
    return given;
}

void queue_close(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    pthread_cond_broadcast(&queue->can_push);
    pthread_cond_broadcast(&queue->can_pull);
    pthread_mutex_unlock(&queue->lock);
}

uint32_t queue_count(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    const uint32_t count = queue->count;
    pthread_mutex_unlock(&queue->lock);
    return count;
}
