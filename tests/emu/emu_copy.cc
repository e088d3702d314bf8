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
} queues[EMU_THREADS_MAX];
static struct copy copies[EMU_THREADS_MAX][QUEUE_MAX]; /* a ring per thread */

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
    const struct copy *copy = &copies[emu_block.running->number][queue->first];
    char who[48];
    emu_report_add(EMU_COPY, copy->pc, nullptr, "%s ends with %d copies not waited for%s",
                   emu_block_name_thread(thread, who, sizeof who), queue->count,
                   copy->group == queue->committed ? ", nor committed" : "");
}

/* Why there can be no such copy; NULL: there can. */
static const char *refusal(const void *to, const void *from, int bytes)
{
    if (bytes < 0 || bytes > COPY_BYTES)
        return "copies are of 0 to 16 bytes";
    if (reinterpret_cast<uintptr_t>(to) % 16 != 0 ||
        reinterpret_cast<uintptr_t>(from) % 16 != 0)
        return "both places must be aligned to 16";
    if (!emu_shared_is_inside(to, COPY_BYTES))
        return "the destination is not shared memory";
    return nullptr;
}

static void check(const void *to, const void *from, int bytes, const void *pc)
{
    const char *why = refusal(to, from, bytes);
    enum emu_kind kind = EMU_COPY;
    char who[48];
    if (!why && !emu_memory_is_live(from, bytes ? static_cast<size_t>(bytes) : 1)) {
        why = "the source is not all in one live device buffer";
        kind = EMU_OVERRUN;
    }
    if (!why)
        return;
    emu_report_add(kind, pc, nullptr, "%s copies %d bytes from %p to %p: %s",
                   emu_block_name_thread(emu_block.running->number, who, sizeof who), bytes,
                   from, to, why);
    emu_block_end();
}

void emu_copy_async16(void *to_shared, const void *from, int bytes)
{
    const void *pc = __builtin_return_address(0);
    struct queue *queue = &queues[emu_block.running->number];
    check(to_shared, from, bytes, pc);
    if (queue->count == QUEUE_MAX) {
        emu_report_add(EMU_COPY, pc, nullptr, "thread %d has %d copies under way",
                       emu_block.running->number, QUEUE_MAX);
        emu_block_end();
    }
    emu_trace_copy(to_shared, from, bytes, pc);
    struct copy *copy =
        &copies[emu_block.running->number][(queue->first + queue->count++) % QUEUE_MAX];
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
        const struct copy *copy = &copies[emu_block.running->number][queue->first];
        if (copy->group >= landing)
            return;
        memcpy(copy->to, copy->bytes, COPY_BYTES);
        emu_trace_land(copy->to, copy->pc);
        queue->first = (queue->first + 1) % QUEUE_MAX;
        queue->count--;
    }
}
