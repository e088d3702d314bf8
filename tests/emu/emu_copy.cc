/* emu_copy - one queue per thread, oldest copy first. */
#include "tests/emu/emu_copy.h"

#include "tests/emu/emu_block.h"
#include "tests/emu/emu_memory.h"
#include "tests/emu/emu_report.h"
#include "tests/emu/emu_shared.h"
#include "tests/emu/emu_trace.h"

#include <string.h>

enum { COPY_BYTES = 16, QUEUE_MAX = 512 };

struct copy {
    unsigned char *to;
    uint64_t group; /* it is closed when the thread has committed more groups */
    const void *pc;
    unsigned char bytes[COPY_BYTES];
};

static struct queue {
    uint64_t committed; /* groups */
    int first, count;
    struct copy copies[QUEUE_MAX]; /* a ring */
} queues[EMU_THREADS_MAX];

void emu_copy_reset(void)
{
    for (int t = 0; t < emu_block.threads; t++)
        queues[t].committed = 0, queues[t].first = queues[t].count = 0;
}

void emu_copy_check_end(int thread)
{
    const struct queue *queue = &queues[thread];
    if (queue->count == 0)
        return;
    const struct copy *copy = &queue->copies[queue->first];
    char who[48];
    emu_report_add(EMU_COPY, copy->pc, nullptr, "%s ends with %d copies not waited for%s",
                   emu_block_name_thread(thread, who, sizeof who), queue->count,
                   copy->group == queue->committed ? ", nor committed" : "");
}

static bool check(const void *to, const void *from, int bytes, const void *pc)
{
    char who[48];
    emu_block_name_thread(emu_block.running->number, who, sizeof who);
    const bool is_aligned = reinterpret_cast<uintptr_t>(to) % 16 == 0 &&
                            reinterpret_cast<uintptr_t>(from) % 16 == 0;
    if (bytes < 0 || bytes > COPY_BYTES || !is_aligned) {
        emu_report_add(EMU_COPY, pc, nullptr,
                       "%s copies %d bytes from %p to %p; want 0 to 16, both aligned to 16",
                       who, bytes, from, to);
        return false;
    }
    if (!emu_memory_is_live(from, bytes ? static_cast<size_t>(bytes) : 1)) {
        emu_report_add(EMU_OVERRUN, pc, nullptr,
                       "%s copies %d bytes from %p, which are not all in one device buffer",
                       who, bytes, from);
        return false;
    }
    if (!emu_shared_is_inside(to, COPY_BYTES)) {
        emu_report_add(EMU_COPY, pc, nullptr, "%s copies to %p, which is not shared memory",
                       who, to);
        return false;
    }
    return true;
}

void emu_copy_async16(void *to_shared, const void *from, int bytes)
{
    const void *pc = __builtin_return_address(0);
    struct queue *queue = &queues[emu_block.running->number];
    if (!check(to_shared, from, bytes, pc))
        emu_block_end();
    if (queue->count == QUEUE_MAX) {
        emu_report_add(EMU_COPY, pc, nullptr, "thread %d has %d copies under way",
                       emu_block.running->number, QUEUE_MAX);
        emu_block_end();
    }
    emu_trace_copy(to_shared, from, bytes, pc);
    struct copy *copy = &queue->copies[(queue->first + queue->count++) % QUEUE_MAX];
    copy->to = static_cast<unsigned char *>(to_shared);
    copy->group = queue->committed;
    copy->pc = pc;
    memset(copy->bytes, 0, COPY_BYTES);
    memcpy(copy->bytes, from, static_cast<size_t>(bytes));
    memset(to_shared, 0xff, COPY_BYTES);
}

void emu_copy_commit(void)
{
    queues[emu_block.running->number].committed++;
}

void emu_copy_wait(int pending)
{
    struct queue *queue = &queues[emu_block.running->number];
    const uint64_t flying = static_cast<uint64_t>(pending);
    const uint64_t landing = queue->committed > flying ? queue->committed - flying : 0;
    while (queue->count > 0) {
        const struct copy *copy = &queue->copies[queue->first];
        if (copy->group >= landing)
            return;
        memcpy(copy->to, copy->bytes, COPY_BYTES);
        emu_trace_land(copy->to, copy->pc);
        queue->first = (queue->first + 1) % QUEUE_MAX;
        queue->count--;
    }
}
