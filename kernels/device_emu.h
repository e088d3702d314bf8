/*
 * device_emu - the emulated device (tests/emu) as tests and benches steer it.
 *
 * Kernels run as one fiber per thread, block after block. Traced, each access to shared and
 * device memory is checked: races and missing barriers, reads of what nobody wrote, overruns,
 * host memory touched by a kernel; divergent collectives and deadlocks are always checked.
 * A finding is a sentence with kernel, file and line.
 *
 * Thread   state of the process; one thread launches.
 */
#ifndef KERNELS_DEVICE_EMU_H
#define KERNELS_DEVICE_EMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of shared memory that a block may have, as on sm_89; launches that ask for more are
 * refused with ERR_LIMIT. */
enum { DEVICE_EMU_SHARED_MAX = 101376 };

/* In which order threads get their turn. */
enum device_emu_schedule {
    DEVICE_EMU_LOCKSTEP,   /* warps and lanes in order, each to its next meeting point */
    DEVICE_EMU_GREEDY,     /* a random warp runs until a barrier stops it */
    DEVICE_EMU_REVERSE,    /* last warp and last lane first */
    DEVICE_EMU_LANE_AHEAD, /* one lane of each warp runs as far ahead as it can */
    DEVICE_EMU_SCHEDULES
};

struct device_emu_options {
    enum device_emu_schedule schedule;
    uint64_t seed;
    bool is_traced;      /* false: several times faster, races and overruns go unseen */
    size_t memory_bytes; /* that the device has, for tests of a full one; 0: the host's */
    /* 0: exp2 and reciprocal are correctly rounded. Else off by as much as the PTX ISA allows,
     * each number in another way (tests/emu/emu_number.cc). */
    uint32_t approximation;
};

/* For the launches from now on. At start: lock-step, seed 1, traced. */
void device_emu_configure(const struct device_emu_options *options);

/* Findings since the last clear, and the first of them as text ("" when there is none). */
uint64_t device_emu_findings(void);
const char *device_emu_report(void);
void device_emu_clear(void);

/* What traced launches of one kernel did since the last clear. */
struct device_emu_counters {
    uint64_t launches, blocks;
    uint64_t shared_requests, shared_wavefronts, shared_conflicts; /* per warp access */
    uint64_t global_requests, global_sectors, global_bytes; /* 32-byte sectors, bytes asked */
    uint64_t barriers, mma_f16, mma_s8;                     /* per warp */
    uint64_t shared_bytes;                                  /* largest block */
};

/* Sums over all kernels whose name contains `kernel`; false when none was launched. */
bool device_emu_count(const char *kernel, struct device_emu_counters *counters);

/* The name of the index-th kernel since the process began, and its sums across all clears;
 * NULL past the last. Untraced launches count as launches and nothing else; shared_bytes is
 * the most that any launch asked for, refused ones and untraced ones included. */
const char *device_emu_total(int32_t index, struct device_emu_counters *counters);

/* The kernels of device_emu_count by place: a line of text for each place in the code that
 * asked for memory, most bank conflicts first, with file and line. Writes at most `bytes`, NUL
 * included; returns the length of the text. */
size_t device_emu_lines(const char *kernel, char *text, size_t bytes);

#ifdef __cplusplus
}
#endif
#endif
