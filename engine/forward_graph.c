/* forward_graph - see forward_graph.h. */
#include "engine/forward_graph.h"

#include <assert.h>

static bool is_same(const struct batch_pad_shape *a, const struct batch_pad_shape *b)
{
    return a->rows == b->rows && a->items == b->items && a->partials == b->partials;
}

enum forward_graph_state forward_graph_find(struct forward_graph *graph,
                                            const struct batch_pad_shape *shape, uint32_t *slot)
{
    uint32_t oldest = 0;
    assert(shape->rows > 0);
    for (uint32_t i = 0; i < DEVICE_GRAPH_SLOTS; i++) {
        struct forward_graph_slot *at = &graph->slots[i];
        if (is_same(&at->shape, shape)) {
            at->last_use = ++graph->uses;
            *slot = i;
            return at->is_recorded ? FORWARD_GRAPH_RECORDED : FORWARD_GRAPH_SEEN;
        }
        if (at->last_use < graph->slots[oldest].last_use)
            oldest = i;
    }
    graph->slots[oldest] =
        (struct forward_graph_slot){.shape = *shape, .last_use = ++graph->uses};
    *slot = oldest;
    return FORWARD_GRAPH_NEW;
}

void forward_graph_recorded(struct forward_graph *graph, uint32_t slot)
{
    assert(slot < DEVICE_GRAPH_SLOTS && graph->slots[slot].shape.rows > 0);
    graph->slots[slot].is_recorded = true;
}
