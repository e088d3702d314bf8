/*
 * emu_block - turns and meetings.
 *
 * A thread runs until it must wait; it then chooses who is next and switches there directly.
 * The launcher's stack is entered again only when all have exited or a finding ends the block.
 */
#include "tests/emu/emu_block.h"

#include "tests/emu/emu_copy.h"
#include "tests/emu/emu_report.h"
#include "tests/emu/emu_request.h"
#include "tests/emu/emu_shared.h"

#include <stdio.h>
#include <string.h>

struct emu_block emu_block;
struct device_emu_options emu_block_options = {DEVICE_EMU_LOCKSTEP, 1, true, 0, 0};

extern "C" {
struct emu_index emu_block_thread_index, emu_block_index, emu_block_threads, emu_block_grid;
}

static const char *const meeting_names[] = {
    "ballot",        "shuffle",      "warp max", "warp sum", "ldmatrix", "transposed ldmatrix",
    "mma of halves", "mma of bytes", "warp sync"};

static const char *name_meeting(int meeting, char (&text)[32])
{
    if (meeting < EMU_BARRIER)
        return meeting_names[meeting];
    snprintf(text, sizeof text, "barrier %d", meeting - EMU_BARRIER);
    return text;
}

const char *emu_block_name_thread(int thread, char *text, size_t bytes)
{
    snprintf(text, bytes, "thread %d (warp %d, lane %d)", thread, thread / EMU_LANES,
             thread % EMU_LANES);
    return text;
}

void emu_block_end(void)
{
    struct emu_thread *self = emu_block.running;
    emu_block.is_ended = true;
    emu_block.running = nullptr;
    emu_fiber_switch(&self->fiber, &emu_block.launcher, true);
    __builtin_unreachable();
}

/* ---- whose turn ---- */

static inline int lowest(uint32_t mask)
{
    return __builtin_ctz(mask);
}

static inline int highest(uint32_t mask)
{
    return 31 - __builtin_clz(mask);
}

/* A random member of mask. */
static int any_of(uint32_t mask)
{
    const int turn = static_cast<int>(emu_block_random(&emu_block.random) >> 40 & 31);
    const uint32_t turned = mask >> turn | mask << (32 - turn) % 32;
    return (lowest(turned) + turn) % 32;
}

/* The first warp at or after `from` that is ready, in a circle. */
static int next_warp(int from)
{
    const uint32_t after = from < 32 ? emu_block.ready_warps >> from << from : 0;
    return lowest(after ? after : emu_block.ready_warps);
}

static int previous_warp(int from)
{
    const uint32_t before =
        from < 0 ? 0 : emu_block.ready_warps & (0xffffffffu >> (EMU_WARPS_MAX - 1 - from));
    return highest(before ? before : emu_block.ready_warps);
}

/* A warp whose favourite lane has not had its turn, else any. */
static struct emu_thread *choose_ahead(void)
{
    for (uint32_t left = emu_block.ready_warps; left; left &= left - 1) {
        struct emu_warp *warp = &emu_block.warp[lowest(left)];
        if (!warp->is_ahead && (warp->ready >> warp->favourite & 1)) {
            warp->is_ahead = true;
            return &emu_block.thread[warp->number * EMU_LANES + warp->favourite];
        }
    }
    struct emu_warp *warp = &emu_block.warp[any_of(emu_block.ready_warps)];
    return &emu_block.thread[warp->number * EMU_LANES + any_of(warp->ready)];
}

/* `warp` has just run; `met` says that its lanes have all come to a meeting. */
static struct emu_thread *choose(const struct emu_warp *warp, bool met)
{
    const bool stays = warp->ready != 0 && !met;
    int lane;
    switch (emu_block_options.schedule) {
    case DEVICE_EMU_GREEDY:
        if (warp->ready == 0)
            warp = &emu_block.warp[any_of(emu_block.ready_warps)];
        lane = any_of(warp->ready);
        break;
    case DEVICE_EMU_REVERSE:
        if (!stays)
            warp = &emu_block.warp[previous_warp(warp->number - 1)];
        lane = highest(warp->ready);
        break;
    case DEVICE_EMU_LANE_AHEAD:
        return choose_ahead();
    default:
        if (!stays)
            warp = &emu_block.warp[next_warp(warp->number + 1)];
        lane = lowest(warp->ready);
        break;
    }
    return &emu_block.thread[warp->number * EMU_LANES + lane];
}

static inline void enter(struct emu_thread *thread)
{
    emu_block.running = thread;
    emu_block_thread_index = thread->index;
}

/* Not inlined, as all that only a finding comes to: its texts would lie on the stack of every
 * switch, and what 32 stacks touch there must fit in the L1 cache. */
static __attribute__((noinline)) void report_deadlock(void)
{
    char text[160] = "", name[32];
    size_t used = 0;
    const void *pc = nullptr, *other = nullptr;
    for (int w = 0; w < emu_block.warp_count; w++) {
        const struct emu_warp *warp = &emu_block.warp[w];
        if (warp->met == 0)
            continue;
        const void *at = warp->pc[lowest(warp->met)];
        if (used < sizeof text - 48)
            used += static_cast<size_t>(snprintf(text + used, sizeof text - used,
                                                 "%s warp %d at %s", used ? "," : "", w,
                                                 name_meeting(warp->meeting, name)));
        if (pc == nullptr)
            pc = at;
        else if (at != pc)
            other = at;
    }
    emu_report_add(EMU_DEADLOCK, pc, other, "nobody can run:%s wait", text);
}

/* Asks for what a switch to the thread will read, its registers and its last frames. There may
 * be no such thread. */
static inline void stack_prefetch(const struct emu_thread *thread)
{
    enum { LINE_BYTES = 64, LINES = 5 };
    const uintptr_t top = reinterpret_cast<uintptr_t>(thread->fiber.top);
    for (uintptr_t line = 0; line < LINES; line++)
        __builtin_prefetch(reinterpret_cast<const void *>(top + LINE_BYTES * line));
}

static void turn_over(bool met, bool ends)
{
    struct emu_thread *self = emu_block.running;
    if (emu_block.ready_warps == 0) {
        report_deadlock();
        emu_block_end();
    }
    struct emu_thread *next = choose(self->warp, met);
    if (next == self)
        return;
    enter(next);
    stack_prefetch(next + 1); /* whose turn it is after next's, most often */
    emu_fiber_switch(&self->fiber, &next->fiber, ends);
}

/* ---- a warp's lanes ---- */

static inline void set_ready(struct emu_warp *warp, uint32_t lanes)
{
    warp->ready |= lanes;
    warp->is_ahead = false;
    emu_block.ready_warps |= 1u << warp->number;
}

/* The running lane leaves ready. When those left all pause, they go on. */
static inline void unset_ready(struct emu_thread *self)
{
    struct emu_warp *warp = self->warp;
    warp->ready &= ~(1u << self->lane);
    if (warp->ready)
        return;
    emu_block.ready_warps &= ~(1u << warp->number);
    if (warp->paused) {
        const uint32_t paused = warp->paused;
        emu_request_flush(warp->number);
        warp->paused = 0;
        set_ready(warp, paused);
    }
}

void emu_block_pause(void)
{
    struct emu_thread *self = emu_block.running;
    self->warp->paused |= 1u << self->lane;
    unset_ready(self);
    turn_over(false, false);
}

static __attribute__((noinline)) void check_meeting(const struct emu_thread *self, int meeting,
                                                    int line, const void *pc)
{
    const struct emu_warp *warp = self->warp;
    char name[32], other[32], who[48];
    emu_block_name_thread(self->number, who, sizeof who);
    if (warp->met && (warp->meeting != meeting || warp->line != line)) {
        emu_report_add(EMU_DIVERGENT, pc, warp->pc[lowest(warp->met)],
                       "%s comes to %s while lane %d waits at %s", who,
                       name_meeting(meeting, name), lowest(warp->met),
                       name_meeting(warp->meeting, other));
        emu_block_end();
    }
    const uint32_t missing = warp->exited | ~warp->lanes;
    if (missing) {
        emu_report_add(EMU_EXITED, pc, nullptr, "%s comes to %s, which lane %d %s", who,
                       name_meeting(meeting, name), lowest(missing),
                       warp->exited ? "has exited before" : "is not there for");
        emu_block_end();
    }
}

bool emu_block_join(int meeting, int line, const void *pc)
{
    struct emu_thread *self = emu_block.running;
    struct emu_warp *warp = self->warp;
    if ((warp->met && (warp->meeting != meeting || warp->line != line)) || warp->exited ||
        warp->lanes != 0xffffffffu)
        check_meeting(self, meeting, line, pc);
    warp->meeting = meeting;
    warp->line = line;
    warp->pc[self->lane] = pc;
    warp->met |= 1u << self->lane;
    if (warp->met == 0xffffffffu) {
        emu_request_flush(warp->number);
        return true;
    }
    unset_ready(self);
    turn_over(false, false);
    return false;
}

void emu_block_part(void)
{
    struct emu_warp *warp = emu_block.running->warp;
    warp->met = 0;
    set_ready(warp, warp->lanes);
    turn_over(true, false);
}

/* ---- warp sync and barriers ---- */

/* Keeps the time small enough for the shadow's stamps: forgets which accesses were when. */
static void time_step(void)
{
    if (++emu_block.time < EMU_TIME_MAX)
        return;
    emu_shared_forget_times();
    emu_block.has_forgotten = true;
    emu_block.time = 2;
    emu_block.full_time = 2;
    memset(emu_block.sees, 0, sizeof emu_block.sees);
}

void emu_block_warp_sync(int line)
{
    const void *pc = __builtin_return_address(0);
    if (!emu_block_join(EMU_WARP_SYNC, line, pc))
        return;
    const int w = emu_block.running->warp->number;
    time_step();
    emu_block.sees[w][w] = emu_block.time;
    emu_block_part();
}

/* Everything that any of these warps did or has seen is now seen by all of them. */
static void barrier_order(uint32_t warps)
{
    uint32_t seen[EMU_WARPS_MAX] = {0};
    time_step();
    for (uint32_t left = warps; left; left &= left - 1)
        for (int w = 0; w < EMU_WARPS_MAX; w++) {
            const uint32_t sees = emu_block.sees[lowest(left)][w];
            seen[w] = sees > seen[w] ? sees : seen[w];
        }
    for (uint32_t left = warps; left; left &= left - 1)
        seen[lowest(left)] = emu_block.time;
    for (uint32_t left = warps; left; left &= left - 1)
        memcpy(emu_block.sees[lowest(left)], seen, sizeof seen);
    if (warps == 0xffffffffu >> (EMU_WARPS_MAX - emu_block.warp_count))
        emu_block.full_time = emu_block.time;
}

static __attribute__((noinline)) void barrier_check(int id, int threads, const void *pc)
{
    if (threads % EMU_LANES || threads < EMU_LANES || threads > emu_block.threads || id < 0 ||
        id >= EMU_BARRIERS) {
        emu_report_add(EMU_BADBARRIER, pc, nullptr,
                       "barrier %d of %d threads in a block of %d; want number 1 to 15 and a "
                       "multiple of 32",
                       id, threads, emu_block.threads);
        emu_block_end();
    }
    if (id == 0 && emu_block.alive < emu_block.threads) {
        emu_report_add(EMU_EXITED, pc, nullptr,
                       "a barrier of the whole block, of which %d threads have exited",
                       emu_block.threads - emu_block.alive);
        emu_block_end();
    }
}

/* The last lane of a warp: the warp itself arrives. */
static void barrier_arrive(struct emu_warp *warp, int id, int threads)
{
    const uint32_t before = emu_block.at_barrier[id];
    const void *pc = warp->pc[emu_block.running->lane];
    if (before && emu_block.warp[lowest(before)].barrier_threads != threads) {
        const struct emu_warp *other = &emu_block.warp[lowest(before)];
        emu_report_add(EMU_BADBARRIER, pc, other->pc[0],
                       "barrier %d of %d threads, where warp %d waits for %d", id, threads,
                       other->number, other->barrier_threads);
        emu_block_end();
    }
    warp->barrier_threads = threads;
    const uint32_t warps = before | 1u << warp->number;
    emu_request_barrier();
    if (__builtin_popcount(warps) * EMU_LANES < threads) {
        emu_block.at_barrier[id] = warps;
        unset_ready(emu_block.running);
        turn_over(true, false);
        return;
    }
    emu_block.at_barrier[id] = 0;
    barrier_order(warps);
    for (uint32_t left = warps; left; left &= left - 1) {
        struct emu_warp *other = &emu_block.warp[lowest(left)];
        other->met = 0;
        set_ready(other, other->lanes);
    }
    turn_over(true, false);
}

void emu_block_barrier(int id, int threads, int line)
{
    const void *pc = __builtin_return_address(0);
    if (id == 0)
        threads = emu_block.threads;
    barrier_check(id, threads, pc);
    if (emu_block_join(EMU_BARRIER + id, line, pc))
        barrier_arrive(emu_block.running->warp, id, threads);
}

/* ---- the life of a block ---- */

static void thread_exit(struct emu_thread *self)
{
    struct emu_warp *warp = self->warp;
    char name[32], who[48];
    emu_copy_check_end(self->number);
    uint32_t waiting = emu_block.at_barrier[0];
    const struct emu_warp *other = waiting ? &emu_block.warp[lowest(waiting)] : warp;
    if (other->met) {
        emu_report_add(EMU_EXITED, other->pc[lowest(other->met)], nullptr,
                       "%s exits while lane %d of warp %d waits at %s",
                       emu_block_name_thread(self->number, who, sizeof who), lowest(other->met),
                       other->number, name_meeting(other->meeting, name));
        emu_block_end();
    }
    warp->exited |= 1u << self->lane;
    if (warp->exited == warp->lanes)
        emu_request_flush(warp->number);
    emu_block.alive--;
    unset_ready(self);
}

static void thread_start(void)
{
    emu_fiber_begun();
    emu_block.launch->body(emu_block.launch->context);
    struct emu_thread *self = emu_block.running;
    thread_exit(self);
    if (emu_block.alive)
        turn_over(false, true);
    emu_block.running = nullptr;
    emu_fiber_switch(&self->fiber, &emu_block.launcher, true);
    __builtin_unreachable();
}

bool emu_block_prepare(const struct emu_launch *launch)
{
    struct emu_block *block = &emu_block;
    if (!emu_fiber_map(&block->thread[0].fiber, launch->threads, sizeof block->thread[0]))
        return false;
    block->launch = launch;
    block->threads = launch->threads;
    block->warp_count = (launch->threads + EMU_LANES - 1) / EMU_LANES;
    emu_block_threads = {static_cast<unsigned>(launch->threads), 1, 1};
    emu_block_grid = launch->grid;
    for (int t = 0; t < launch->threads; t++) {
        struct emu_thread *thread = &block->thread[t];
        thread->index = {static_cast<unsigned>(t), 0, 0};
        thread->number = t;
        thread->lane = t % EMU_LANES;
        thread->warp = &block->warp[t / EMU_LANES];
    }
    return true;
}

bool emu_block_run(struct emu_index index)
{
    struct emu_block *block = &emu_block;
    emu_block_index = index;
    block->number++;
    block->alive = block->threads;
    block->is_ended = false;
    block->has_forgotten = false;
    block->ready_warps = 0;
    block->time = 2;
    block->full_time = 1;
    memset(block->at_barrier, 0, sizeof block->at_barrier);
    memset(block->sees, 0, sizeof block->sees);
    for (int w = 0; w < block->warp_count; w++) {
        struct emu_warp *warp = &block->warp[w];
        const int lanes = block->threads - w * EMU_LANES;
        warp->number = w;
        warp->lanes = lanes >= EMU_LANES ? 0xffffffffu : (1u << lanes) - 1;
        warp->ready = warp->met = warp->paused = warp->exited = 0;
        warp->favourite = any_of(warp->lanes);
        set_ready(warp, warp->lanes);
    }
    for (int t = 0; t < block->threads; t++)
        emu_fiber_reset(&block->thread[t].fiber, thread_start, t);
    /* The warp "before" the first by the schedule has just run. */
    const bool is_reverse = emu_block_options.schedule == DEVICE_EMU_REVERSE;
    struct emu_thread *first =
        choose(&block->warp[is_reverse ? 0 : block->warp_count - 1], true);
    enter(first);
    emu_fiber_switch(&block->launcher, &first->fiber, false);
    return !block->is_ended;
}
