/*
 * kbench_launch - what an operation launches: threads, registers, shared memory, occupancy.
 *
 * Occupancy is the warps that a multiprocessor holds at once, of those that it could. On a GPU
 * the driver tells it. The emulator has no registers and no driver: there it is the most that
 * threads and shared memory allow on sm_89, and the kernel's registers may allow less (they are
 * in the table that tests/gate prints).
 */
#ifndef TOOLS_KBENCH_LAUNCH_H
#define TOOLS_KBENCH_LAUNCH_H

#include "kernels/device_launch.h"

enum { KBENCH_LAUNCH_ALL = 384, KBENCH_LAUNCH_NAME = 48 };

struct kbench_launch {
    int32_t count; /* launches of one run; 0: nothing is known */
    /* Of the launch with the most threads in all: */
    char name[KBENCH_LAUNCH_NAME];
    int64_t blocks;
    int32_t threads, registers; /* registers 0: not known */
    size_t static_bytes, dynamic_bytes, local_bytes;
    double occupancy;            /* 0 .. 1 */
    bool is_told;                /* by the driver; false: the bound of sm_89 */
    char all[KBENCH_LAUNCH_ALL]; /* each launch in words, with "; " between; cut if long */
};

/* What the launches of one run were. */
void kbench_launch_fill(struct kbench_launch *launch, struct device *device,
                        const struct device_launch_list *list);

/* Blocks of so many threads and bytes of shared memory that a multiprocessor of sm_89 holds,
 * were registers without end; 0: it holds none. */
int32_t kbench_launch_resident(int32_t threads, size_t shared_bytes);

#endif
