/*
 * simt_emu - the wrappers of simt.cuh under the emulator (tests/emu), for g++ and clang++.
 *
 * Names, signatures and meanings are those of simt_cuda.cuh and simt_cuda_numbers.cuh, where
 * the comments are. All are inlined, so that the emulator's return address lies in the kernel.
 * Bodies touch no memory of the kernel but through the emulator: each access is reported once.
 */
#ifndef KERNELS_PARTS_SIMT_EMU_H
#define KERNELS_PARTS_SIMT_EMU_H

#include "kernels/half.h"
#include "kernels/parts/simt_emu_runtime.h"

#define SIMT_OP(name) name##_emu
#ifndef SIMT /* tests/emu/faults.py has its own */
    #define SIMT static inline __attribute__((always_inline))
#endif
#define SIMT_KERNEL(threads, blocks) static __attribute__((noinline)) void
#define SIMT_EMU_UNTRACED            __attribute__((no_sanitize("thread")))
#define SIMT_UNROLL

struct dim3 {
    unsigned x, y, z;
    dim3(unsigned width, unsigned height = 1, unsigned depth = 1)
        : x(width), y(height), z(depth)
    {
    }
};

/* The same bits as another type; what To has more is zero. */
template <class To, class From> SIMT To simt_emu_bits(const From &from)
{
    To to{};
    __builtin_memcpy(&to, &from, sizeof to < sizeof from ? sizeof to : sizeof from);
    return to;
}

/* Keeps a call from becoming a jump, which would lose its return address. */
SIMT void simt_emu_return()
{
    __asm__ volatile("" ::: "memory");
}

/* ---- shared memory ---- */

struct simt_shared {
    int pieces;
};

SIMT struct simt_shared simt_shared_begin()
{
    return {0};
}

template <class T> SIMT T *simt_shared_take(struct simt_shared &shared, int count)
{
    return static_cast<T *>(emu_shared_take(shared.pieces++, count, sizeof(T)));
}

SIMT uint32_t simt_shared_address(const void *shared)
{
    return emu_shared_address(shared);
}

/* ---- barriers, votes, shuffles ---- */

SIMT void simt_barrier(int line = __builtin_LINE())
{
    emu_block_barrier(0, 0, line);
    simt_emu_return();
}

SIMT void simt_barrier_of(int id, int threads, int line = __builtin_LINE())
{
    emu_block_barrier(id, threads, line);
    simt_emu_return();
}

SIMT void simt_warp_sync(int line = __builtin_LINE())
{
    emu_block_warp_sync(line);
    simt_emu_return();
}

SIMT uint32_t simt_ballot(bool vote, int line = __builtin_LINE())
{
    return emu_warp_ballot(vote, line);
}

template <class T> SIMT T simt_shuffle_xor(T value, int mask, int line = __builtin_LINE())
{
    return simt_emu_bits<T>(emu_warp_shuffle_xor(simt_emu_bits<uint64_t>(value), mask, line));
}

/* Four numbers at a meeting: meetings are what takes the emulator's time. */
template <unsigned N>
SIMT void simt_shuffle_xor(const float (&value)[N], int mask, float (&other)[N],
                           int line = __builtin_LINE())
{
    for (unsigned i = 0; i < N; i += 4) {
        struct emu_floats part = {};
        for (unsigned k = 0; k < 4 && i + k < N; k++)
            part.value[k] = value[i + k];
        part = emu_warp_shuffle_floats_xor(part, mask, line);
        for (unsigned k = 0; k < 4 && i + k < N; k++)
            other[i + k] = part.value[k];
    }
}

template <class T> SIMT T simt_shuffle(T value, int lane, int line = __builtin_LINE())
{
    return simt_emu_bits<T>(emu_warp_shuffle(simt_emu_bits<uint64_t>(value), lane, line));
}

template <class T> SIMT T simt_shuffle_up(T value, int delta, int line = __builtin_LINE())
{
    return simt_emu_bits<T>(emu_warp_shuffle_up(simt_emu_bits<uint64_t>(value), delta, line));
}

template <class T> SIMT T simt_warp_max(T value, int line = __builtin_LINE())
{
    return static_cast<T>(emu_warp_max(value, line)); /* of uint32_t or uint64_t */
}

template <class T> SIMT T simt_warp_sum(T value, int line = __builtin_LINE())
{
    return static_cast<T>(emu_warp_sum(static_cast<uint64_t>(value), line));
}

/* ---- memory ---- */

SIMT struct simt_16 simt_load16(const void *from)
{
    return simt_emu_bits<struct simt_16>(emu_trace_load16(from));
}

SIMT struct simt_16 simt_load16_stream(const void *from)
{
    return simt_emu_bits<struct simt_16>(emu_trace_load16(from));
}

SIMT void simt_store16(void *to, const struct simt_16 &value)
{
    emu_trace_store16(to, simt_emu_bits<struct emu_16>(value));
    simt_emu_return();
}

SIMT void simt_copy_async16(void *to_shared, const void *from, int bytes = 16)
{
    emu_copy_async16(to_shared, from, bytes);
    simt_emu_return();
}

SIMT void simt_copy_commit()
{
    emu_copy_commit();
    simt_emu_return();
}

template <int PENDING> SIMT void simt_copy_wait()
{
    emu_copy_wait(PENDING);
    simt_emu_return();
}

SIMT int32_t simt_atomic_add(int32_t *place, int32_t value)
{
    return emu_trace_atomic_add(place, value);
}

SIMT uint64_t simt_atomic_max(uint64_t *place, uint64_t value)
{
    return emu_trace_atomic_max(place, value);
}

/* ---- launch ---- */

template <class... P, class... A>
static enum status simt_launch(struct device *device, void (*kernel)(P...), const char *name,
                               dim3 grid, int threads, size_t shared_bytes, A... args)
{
    /* The emulator is the process's; who watches its launches, a device's. */
    const struct device_launch noted = {
        name, nullptr, static_cast<int64_t>(grid.x) * grid.y * grid.z, threads, shared_bytes};
    device_launch_note(device, &noted);
    /* The arguments lie on the launcher's stack: reading them is no access of the kernel. */
    auto thread = [&]() SIMT_EMU_UNTRACED { kernel(P(args)...); };
    auto start = [](void *context)
                     SIMT_EMU_UNTRACED { (*static_cast<decltype(thread) *>(context))(); };
    const struct emu_launch launch = {
        name, {grid.x, grid.y, grid.z}, threads, shared_bytes, start, &thread};
    return emu_launch_run(&launch);
}

#include "kernels/parts/simt_emu_numbers.h"

#endif
