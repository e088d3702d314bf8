/* merge_heap - see merge_heap.h. */
#include "tokenizer/merge_heap.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 256 };

void merge_heap_deinit(struct merge_heap *heap)
{
    free(heap->items);
    *heap = (struct merge_heap){0};
}

bool merge_heap_push(struct merge_heap *heap, struct merge_candidate item)
{
    if (heap->count == heap->capacity) {
        const size_t capacity = heap->capacity ? 2 * heap->capacity : FIRST_CAPACITY;
        struct merge_candidate *items = reallocarray(heap->items, capacity, sizeof *items);
        if (!items)
            return false;
        heap->items = items;
        heap->capacity = capacity;
    }
    size_t at = heap->count++;
    while (at > 0 && heap->items[(at - 1) / 2].order > item.order) {
        heap->items[at] = heap->items[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap->items[at] = item;
    return true;
}

bool merge_heap_pull(struct merge_heap *heap, struct merge_candidate *item)
{
    if (heap->count == 0)
        return false;
    *item = heap->items[0];
    const struct merge_candidate last = heap->items[--heap->count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= heap->count)
            break;
        if (child + 1 < heap->count && heap->items[child + 1].order < heap->items[child].order)
            child++;
        if (heap->items[child].order >= last.order)
            break;
        heap->items[at] = heap->items[child];
        at = child;
    }
    heap->items[at] = last;
    return true;
}
