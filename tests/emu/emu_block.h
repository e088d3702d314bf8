/*
 * emu_block - the block that runs now: its threads, whose turn it is, and where they meet.
 *
 * All lanes of a warp come to a meeting (a collective or a barrier) before one goes on: the
 * last to come does the work for all. A barrier is a meeting of warps after that. Accesses are
 * ordered by warp syncs and barriers alone, as CUDA has it; shuffles and matrix operations
 * order nothing. To know what is ordered, `time` grows at each of these events and
 * sees[v][w] is the time before which all that warp w did is seen by warp v.
 *
 * Always true: a lane is in exactly one of ready, met, paused, exited of its warp.
 */
#ifndef TESTS_EMU_BLOCK_H
#define TESTS_EMU_BLOCK_H

#include "kernels/device_emu.h"
#include "kernels/parts/simt_emu_runtime.h"
#include "tests/emu/emu_fiber.h"

enum { EMU_LANES = 32, EMU_WARPS_MAX = 32, EMU_THREADS_MAX = EMU_LANES * EMU_WARPS_MAX };
enum { EMU_BARRIERS = 16, EMU_TIME_MAX = (1 << 21) - 8 };

enum emu_meeting {
    EMU_BALLOT,
    EMU_SHUFFLE,
    EMU_MAX,
    EMU_SUM,
    EMU_LDMATRIX,
    EMU_LDMATRIX_TRANSPOSED,
    EMU_MMA_F16,
    EMU_MMA_S8,
    EMU_WARP_SYNC,
    EMU_BARRIER /* + id */
};

struct emu_thread {
    struct emu_fiber fiber;
    struct emu_index index;
    int number, lane;
    struct emu_warp *warp;
};

struct emu_warp {
    int number;
    uint32_t lanes; /* those that exist */
    uint32_t ready, met, paused, exited;
    int meeting, line; /* of those who met */
    int barrier_threads;
    int favourite; /* the lane that EMU_LANE_AHEAD prefers */
    bool is_ahead; /* the favourite has had its turn */
    const void *pc[EMU_LANES];
    uint64_t in[EMU_LANES], out[EMU_LANES]; /* operands and results of small meetings */
};

struct emu_block {
    struct emu_thread *running; /* NULL: the launcher */
    struct emu_fiber launcher;
    const struct emu_launch *launch;
    int threads, warp_count, alive;
    uint64_t number;       /* of blocks since the process began, from 1 */
    uint64_t launch_first; /* the number of this launch's first block */
    bool is_ended;         /* by a finding */
    bool has_forgotten;    /* times were too many: what is earlier in the block is ordered */
    uint32_t ready_warps;
    uint32_t at_barrier[EMU_BARRIERS]; /* warps */
    uint64_t random;
    uint32_t time, full_time; /* full_time: all before it is ordered for everybody */
    uint32_t sees[EMU_WARPS_MAX][EMU_WARPS_MAX];
    struct emu_warp warp[EMU_WARPS_MAX];
    struct emu_thread thread[EMU_THREADS_MAX + 1]; /* each has a neighbour */
};

extern "C" struct emu_index emu_block_index;
extern struct emu_block emu_block;
extern struct device_emu_options emu_block_options;

/* Maps what a launch of so many threads wants. False: no room. */
bool emu_block_prepare(const struct emu_launch *launch);

/* Runs one block to its end. False: a finding ended it. */
bool emu_block_run(struct emu_index index);

/* Comes to a meeting. True for the last lane, which does the work and calls emu_block_part;
 * false for the others, once that is done. */
bool emu_block_join(int meeting, int line, const void *pc);
void emu_block_part(void);

/* Lets others run until this warp's other lanes have come as far (see emu_request). */
void emu_block_pause(void);

/* Ends the launch; does not return. For use inside a thread. */
[[noreturn]] void emu_block_end(void);

/* "thread 35 (warp 1, lane 3)" of the block and its index, for findings. */
const char *emu_block_name_thread(int thread, char *text, size_t bytes);

static inline uint64_t emu_block_random(uint64_t *state)
{
    uint64_t x = *state; /* xorshift, never 0 */
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return *state = x;
}

/* Whether what thread `before` did at `stamp` is ordered before what `thread` does now. */
static inline bool emu_block_is_ordered(int before, uint32_t stamp,
                                        const struct emu_thread *now)
{
    return before == now->number || stamp < emu_block.full_time ||
           stamp < emu_block.sees[now->warp->number][before / EMU_LANES];
}

#endif
