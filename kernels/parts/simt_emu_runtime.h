/*
 * simt_emu_runtime - what the emulator (tests/emu) does for simt_emu.h.
 *
 * Values travel in registers, so that a kernel's local arrays never have their address taken
 * and are not traced. `line` is the caller's source line: lanes of a warp that meet must come
 * from the same one. The places named in findings are return addresses.
 */
#ifndef KERNELS_PARTS_SIMT_EMU_RUNTIME_H
#define KERNELS_PARTS_SIMT_EMU_RUNTIME_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct emu_index {
    unsigned x, y, z;
};

struct emu_16 { /* sixteen bytes in two registers */
    uint64_t low, high;
};

struct emu_floats {
    float value[4];
};

struct emu_launch {
    const char *name;
    struct emu_index grid;
    int threads;
    size_t shared_bytes;
    void (*body)(void *context); /* one thread's whole life */
    void *context;
};

/* Constant for a thread, which is all that a kernel sees of them; the emulator sets them. */
extern const struct emu_index threadIdx __asm__("emu_block_thread_index");
extern const struct emu_index blockIdx __asm__("emu_block_index");
extern const struct emu_index blockDim __asm__("emu_block_threads");
extern const struct emu_index gridDim __asm__("emu_block_grid");

extern "C" {

/* Runs all blocks. ERR_LIMIT: threads or shared memory beyond a block's; ERR_DEVICE: ended by
 * a finding, now or in an earlier launch. */
enum status emu_launch_run(const struct emu_launch *launch);

void emu_block_barrier(int id, int threads, int line); /* id 0: the whole block */
void emu_block_warp_sync(int line);

uint32_t emu_warp_ballot(bool vote, int line);
uint64_t emu_warp_shuffle_xor(uint64_t value, int mask, int line);
struct emu_floats emu_warp_shuffle_floats_xor(struct emu_floats value, int mask, int line);
uint64_t emu_warp_shuffle(uint64_t value, int lane, int line);
uint64_t emu_warp_shuffle_up(uint64_t value, int delta, int line);
uint64_t emu_warp_max(uint64_t value, int line);
uint64_t emu_warp_sum(uint64_t value, int line);
struct emu_16 emu_warp_ldmatrix(const void *row, int line);
struct emu_16 emu_warp_ldmatrix_transposed(const void *row, int line);
struct emu_floats emu_warp_mma_f16(struct emu_floats c, struct emu_16 a, uint64_t b, int line);
struct emu_16 emu_warp_mma_s8(struct emu_16 c, struct emu_16 a, uint64_t b, int line);

extern const bool emu_number_has_fma __asm__("emu_number_fma");
float emu_number_exp2(float value);
float emu_number_reciprocal(float value);

/* The place of the piece `number` of count elements, for every thread the same. */
void *emu_shared_take(int number, int count, size_t element_bytes);
uint32_t emu_shared_address(const void *shared);

void emu_copy_async16(void *to_shared, const void *from, int bytes);
void emu_copy_commit(void);
void emu_copy_wait(int pending);

struct emu_16 emu_trace_load16(const void *from);
void emu_trace_store16(void *to, struct emu_16 value);
int32_t emu_trace_atomic_add(int32_t *place, int32_t value);
uint64_t emu_trace_atomic_max(uint64_t *place, uint64_t value);
}

#endif
