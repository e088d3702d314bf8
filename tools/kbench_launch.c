/*
 * kbench_launch - see kbench_launch.h.
 *
 * Limits of a multiprocessor of sm_89: CUDA C++ Programming Guide, "Technical Specifications
 * per Compute Capability"; of the shared memory 1 KB per block is the system's.
 */
#include "tools/kbench_launch.h"

#include <stdio.h>
#include <string.h>

enum {
    SM_THREADS = 1536,
    SM_BLOCKS = 24,
    SM_SHARED = 100 * 1024,
    BLOCK_SHARED_RESERVED = 1024,
    WARP = 32
};

int32_t kbench_launch_resident(int32_t threads, size_t shared_bytes)
{
    if (threads < 1 || threads > SM_THREADS)
        return 0;
    const int32_t whole = (threads + WARP - 1) / WARP * WARP;
    const int32_t by_threads = SM_THREADS / whole;
    const size_t by_shared = SM_SHARED / (shared_bytes + BLOCK_SHARED_RESERVED);
    int32_t resident = by_threads < SM_BLOCKS ? by_threads : SM_BLOCKS;
    if (by_shared < (size_t)resident)
        resident = (int32_t)by_shared;
    return resident;
}

/* Without the brackets that the launch macro wants around a name with commas. */
static void copy_name(char *name, size_t size, const char *from)
{
    const size_t length = strlen(from);
    const bool has_brackets = length > 1 && from[0] == '(' && from[length - 1] == ')';
    (void)snprintf(name, size, "%.*s", (int)(has_brackets ? length - 2 : length),
                   has_brackets ? from + 1 : from);
}

static struct kbench_launch look(struct device *device, const struct device_launch *from)
{
    struct device_launch_facts facts;
    struct kbench_launch launch = {
        .blocks = from->blocks, .threads = from->threads, .dynamic_bytes = from->shared_bytes};
    copy_name(launch.name, sizeof launch.name, from->name);
    launch.is_told = device_launch_look(device, from, &facts);
    const int32_t warps = (from->threads + WARP - 1) / WARP;
    const int32_t resident = launch.is_told
                                 ? facts.resident
                                 : kbench_launch_resident(from->threads, from->shared_bytes);
    const int32_t threads_max = launch.is_told ? facts.threads_max : SM_THREADS;
    launch.registers = facts.registers;
    launch.static_bytes = facts.static_bytes;
    launch.local_bytes = facts.local_bytes;
    if (threads_max > 0)
        launch.occupancy = (double)(resident * warps * WARP) / threads_max;
    return launch;
}

static void tell(const struct kbench_launch *launch, char *all, size_t size)
{
    const size_t at = strlen(all);
    int length = snprintf(all + at, size - at, "%s%s %lldx%d thr", at > 0 ? "; " : "",
                          launch->name, (long long)launch->blocks, launch->threads);
    if (launch->registers > 0 && length > 0 && at + (size_t)length < size)
        length += snprintf(all + at + length, size - at - (size_t)length, ", %d reg",
                           launch->registers);
    if (length > 0 && at + (size_t)length < size)
        (void)snprintf(all + at + length, size - at - (size_t)length, ", %zu+%zu B, %s%.0f %%",
                       launch->static_bytes, launch->dynamic_bytes,
                       launch->is_told ? "" : "at most ", 100 * launch->occupancy);
}

void kbench_launch_fill(struct kbench_launch *launch, struct device *device,
                        const struct device_launch_list *list)
{
    char all[KBENCH_LAUNCH_ALL] = "";
    int64_t most = -1;
    *launch = (struct kbench_launch){.count = 0};
    for (int32_t i = 0; i < list->count && i < DEVICE_LAUNCHES_MAX; i++) {
        const struct kbench_launch one = look(device, &list->items[i]);
        const int64_t threads = one.blocks * one.threads;
        tell(&one, all, sizeof all);
        if (threads <= most)
            continue;
        most = threads;
        *launch = one;
    }
    launch->count = list->count;
    memcpy(launch->all, all, sizeof all);
}
