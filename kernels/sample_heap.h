/*
 * sample_heap - tokens of which the best are wanted, one after the other, in order.
 *
 * A binary heap: greatest key at the top, of equal ones the lowest token. To put n tokens
 * in order takes n; each taken off the top, log n.
 */
#ifndef KERNELS_SAMPLE_HEAP_H
#define KERNELS_SAMPLE_HEAP_H

#include "base/token.h"

#include <stdbool.h>
#include <stdint.h>

struct sample_heap_item {
    float key; /* no NaN */
    token_id token;
};

/* Whether a stands before b in the order from the best down. */
static inline bool sample_heap_is_before(const struct sample_heap_item *a,
                                         const struct sample_heap_item *b)
{
    return a->key > b->key || (a->key == b->key && a->token < b->token);
}

/* Puts heap[at] where it belongs among its descendants. */
static inline void sample_heap_sink(struct sample_heap_item *heap, int32_t count, int32_t at)
{
    const struct sample_heap_item sinking = heap[at];
    for (;;) {
        int32_t child = 2 * at + 1;
        if (child >= count)
            break;
        if (child + 1 < count && sample_heap_is_before(&heap[child + 1], &heap[child]))
            child++;
        if (!sample_heap_is_before(&heap[child], &sinking))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = sinking;
}

/* Makes a heap of items in any order. */
static inline void sample_heap_make(struct sample_heap_item *heap, int32_t count)
{
    for (int32_t at = count / 2 - 1; at >= 0; at--)
        sample_heap_sink(heap, count, at);
}

/* Takes the best off the top and puts it in the place that becomes free behind the heap. */
static inline struct sample_heap_item sample_heap_pop(struct sample_heap_item *heap,
                                                      int32_t count)
{
    const struct sample_heap_item best = heap[0];
    heap[0] = heap[count - 1];
    heap[count - 1] = best;
    sample_heap_sink(heap, count - 1, 0);
    return best;
}

#endif
