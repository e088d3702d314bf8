/*
 * device_backend - what an accelerator fills in behind device.h. For device.c alone.
 *
 * state is what open gives; the meanings are those of the functions in device.h.
 */
#ifndef KERNELS_DEVICE_BACKEND_H
#define KERNELS_DEVICE_BACKEND_H

#include "kernels/device_launch.h"
#include "kernels/device_timer.h"

#ifdef __cplusplus
extern "C" {
#endif

struct device_backend {
    enum status (*open)(void **state, struct error *err);
    void (*close)(void *state);
    void *(*alloc)(void *state, size_t bytes); /* zeroed, aligned to 64 */
    void (*free)(void *state, void *memory, size_t bytes);
    enum status (*upload)(void *state, void *to, const void *from, size_t bytes);
    enum status (*download)(void *state, void *to, const void *from, size_t bytes);
    enum status (*fetch_begin)(void *state, const void *from, size_t bytes);
    enum status (*fetch_end)(void *state, void *to, size_t bytes);
    enum status (*wait)(void *state, struct error *err);
    void *(*stream)(void *state);
    int32_t (*multiprocessors)(void *state);

    /* device_timer.h; NULL where work is done when an op returns: the host's clock then. */
    enum status (*mark)(void *state, uint32_t index);
    enum status (*elapsed)(void *state, uint32_t from, uint32_t to, double *us,
                           struct error *err);
    void (*facts)(void *state, struct device_timer_facts *facts); /* may be NULL */

    /* device_graph.h; NULL where ops cannot be recorded. */
    enum status (*graph_begin)(void *state);
    enum status (*graph_end)(void *state, uint32_t slot);
    enum status (*graph_run)(void *state, uint32_t slot);

    /* device_launch.h; NULL where nobody knows. */
    enum status (*launch_facts)(void *state, const struct device_launch *launch,
                                struct device_launch_facts *facts);
};

/* What this machine has to spare and in all; 0 where the system does not say. */
void device_host_memory(size_t *free_bytes, size_t *total_bytes);
/* Cores that this process may use, a container's quota counted. */
uint32_t device_host_cores(void);

/* Defined where the build has them: kernels/device_cuda.cu, tests/emu. */
const struct device_backend *device_cuda_backend(void);
const struct device_backend *device_emu_backend(void);

#ifdef __cplusplus
}
#endif
#endif
