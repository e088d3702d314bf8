/*
 * merge_heap - candidates for merging, best first: a binary heap.
 *
 * Both kinds of tokenizer repeat "merge the best pair of neighbours". Best is the smallest
 * order: rank or score in the high 32 bits, place in the text in the low ones, so that of
 * equals the leftmost is first. What no longer holds when it comes out is the caller's to see.
 *
 * Owner    zero it before first use; merge_heap_deinit frees.
 */
#ifndef TOKENIZER_MERGE_HEAP_H
#define TOKENIZER_MERGE_HEAP_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct merge_candidate {
    uint64_t order;
    uint32_t first, second; /* the caller's: what the candidate was when it was pushed */
};

struct merge_heap {
    struct merge_candidate *items; /* malloc'ed */
    size_t count, capacity;
};

void merge_heap_deinit(struct merge_heap *heap);
MUST_USE bool merge_heap_push(struct merge_heap *heap, struct merge_candidate item);
/* False when the heap is empty. */
bool merge_heap_pull(struct merge_heap *heap, struct merge_candidate *item);

#endif
