/*
 * device_launch - which kernels an operation launches, and what the device makes of them: for
 * benches.
 *
 *     struct device_launch_list list = {.count = 0};
 *     device_launch_watch(device, &list);
 *     ... one operation ...
 *     device_launch_watch(device, NULL);
 *
 * Accelerators alone launch; on the CPU the list stays empty.
 */
#ifndef KERNELS_DEVICE_LAUNCH_H
#define KERNELS_DEVICE_LAUNCH_H

#include "kernels/device.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { DEVICE_LAUNCHES_MAX = 16 };

struct device_launch {
    const char *name;     /* the kernel as its source has it; a constant of the program */
    const void *function; /* what the device knows it by; NULL on the emulator */
    int64_t blocks;
    int32_t threads;     /* of a block */
    size_t shared_bytes; /* asked for at the launch, per block */
};

struct device_launch_list {
    struct device_launch items[DEVICE_LAUNCHES_MAX];
    int32_t count; /* launches past DEVICE_LAUNCHES_MAX are counted and not kept */
};

/* Launches from now on are added to list, which the device keeps until NULL is given. */
void device_launch_watch(struct device *device, struct device_launch_list *list);

/* Called at each launch, by kernels/parts alone. The emulator's tests launch without a device:
 * NULL is let pass. */
void device_launch_note(struct device *device, const struct device_launch *launch);

struct device_launch_facts {
    int32_t registers;   /* of a thread */
    size_t static_bytes; /* shared memory of a block that the launch did not ask for */
    size_t local_bytes;  /* of a thread: what was spilled, and arrays */
    int32_t resident;    /* blocks that one multiprocessor holds at once */
    int32_t threads_max; /* of a multiprocessor */
};

/* What the device's compiler and its limits make of a launch. False: nobody knows, as on the
 * emulator; *facts is then zero. */
MUST_USE bool device_launch_look(struct device *device, const struct device_launch *launch,
                                 struct device_launch_facts *facts);

#ifdef __cplusplus
}
#endif
#endif
