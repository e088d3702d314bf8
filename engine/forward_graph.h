/*
 * forward_graph - which recorded graph belongs to which shape of step. A part of
 * engine/forward.
 *
 * A shape that comes for the first time is run op by op, which also loads its kernels; the
 * second time it is recorded. When all slots are taken, the one used longest ago gives way.
 */
#ifndef ENGINE_FORWARD_GRAPH_H
#define ENGINE_FORWARD_GRAPH_H

#include "engine/batch_pad.h"
#include "kernels/device_graph.h"

enum forward_graph_state { FORWARD_GRAPH_NEW, FORWARD_GRAPH_SEEN, FORWARD_GRAPH_RECORDED };

struct forward_graph_slot {
    struct batch_pad_shape shape; /* rows 0: the slot is free */
    uint64_t last_use;
    bool is_recorded;
};

struct forward_graph {
    struct forward_graph_slot slots[DEVICE_GRAPH_SLOTS];
    uint64_t uses;
    bool is_off; /* something could not be recorded: steps run op by op */
};

/* The shape's slot, taken for it when it is new. */
enum forward_graph_state forward_graph_find(struct forward_graph *graph,
                                            const struct batch_pad_shape *shape,
                                            uint32_t *slot);
/* The recording of that slot was made. */
void forward_graph_recorded(struct forward_graph *graph, uint32_t slot);

#endif
