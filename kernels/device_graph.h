/*
 * device_graph - a sequence of ops recorded once and run again with one call.
 *
 *     device_graph_begin(device);
 *     ... ops: recorded, not run ...
 *     device_graph_end(device, slot);
 *     device_graph_run(device, slot);
 *
 * A recording holds the ops' arguments as they were: grids, counts and addresses. What changes
 * from run to run must lie in device memory, at the same place, uploaded before. Uploads,
 * downloads and waits may not be recorded.
 */
#ifndef KERNELS_DEVICE_GRAPH_H
#define KERNELS_DEVICE_GRAPH_H

#include "kernels/device.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { DEVICE_GRAPH_SLOTS = 32 };

/* False where ops run as they are called (CPU, emulator): nothing below may be called then. */
bool device_graph_is_possible(const struct device *device);

MUST_USE enum status device_graph_begin(struct device *device);
/* Ends the recording, also after an op in it has failed, and keeps it in that slot (0 ..
 * DEVICE_GRAPH_SLOTS - 1), in the place of what was there. ERR_DEVICE: what was called cannot
 * be recorded; the slot is empty then. */
MUST_USE enum status device_graph_end(struct device *device, uint32_t slot);
/* Runs what the slot holds, in order with all other work. ERR_DEVICE: it is empty. */
MUST_USE enum status device_graph_run(struct device *device, uint32_t slot);

#ifdef __cplusplus
}
#endif
#endif
