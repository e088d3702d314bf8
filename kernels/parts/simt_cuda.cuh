/* simt_cuda - the wrappers of simt.cuh on the hardware: threads, memory, launch. */
#ifndef KERNELS_PARTS_SIMT_CUDA_CUH
#define KERNELS_PARTS_SIMT_CUDA_CUH

#include <cuda_runtime.h>

#define SIMT_OP(name)                name##_cuda
#define SIMT                         static __device__ __forceinline__
#define SIMT_KERNEL(threads, blocks) __global__ void __launch_bounds__(threads, blocks)
#define SIMT_UNROLL                  _Pragma("unroll") /* before a loop of constant length */

/* ---- shared memory: one block of the launch's bytes, cut in order ---- */

struct simt_shared {
    unsigned char *next;
};

SIMT struct simt_shared simt_shared_begin()
{
    extern __shared__ __align__(16) unsigned char simt_shared_bytes[];
    return {simt_shared_bytes};
}

/* Room for count T, aligned to 16. Every thread takes the same pieces in the same order. */
template <class T> SIMT T *simt_shared_take(struct simt_shared &shared, int count)
{
    T *piece = reinterpret_cast<T *>(shared.next);
    shared.next += (static_cast<size_t>(count) * sizeof(T) + 15) / 16 * 16;
    return piece;
}

/* ---- barriers, votes, shuffles ---- */

SIMT void simt_barrier()
{
    __syncthreads();
}

/* Barrier number id (1 .. 15) of `threads` threads, a multiple of 32. */
SIMT void simt_barrier_of(int id, int threads)
{
    asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

SIMT void simt_warp_sync()
{
    __syncwarp();
}

SIMT uint32_t simt_ballot(bool vote)
{
    return __ballot_sync(0xffffffffu, vote);
}

template <class T> SIMT T simt_shuffle_xor(T value, int mask)
{
    return __shfl_xor_sync(0xffffffffu, value, mask);
}

/* Of each of N numbers. */
template <unsigned N>
SIMT void simt_shuffle_xor(const float (&value)[N], int mask, float (&other)[N])
{
    SIMT_UNROLL
    for (unsigned i = 0; i < N; i++)
        other[i] = simt_shuffle_xor(value[i], mask);
}

/* The value of lane `lane` (0 .. 31). */
template <class T> SIMT T simt_shuffle(T value, int lane)
{
    return __shfl_sync(0xffffffffu, value, lane);
}

/* The value of the lane `delta` below; lanes without one keep their own. */
template <class T> SIMT T simt_shuffle_up(T value, int delta)
{
    return __shfl_up_sync(0xffffffffu, value, static_cast<unsigned>(delta));
}

SIMT uint32_t simt_warp_max(uint32_t value)
{
    return __reduce_max_sync(0xffffffffu, value);
}

SIMT uint64_t simt_warp_max(uint64_t value)
{
    for (int mask = SIMT_WARP / 2; mask > 0; mask /= 2) {
        const uint64_t other = simt_shuffle_xor(value, mask);
        value = other > value ? other : value;
    }
    return value;
}

SIMT int32_t simt_warp_sum(int32_t value)
{
    return __reduce_add_sync(0xffffffffu, value);
}

SIMT uint64_t simt_warp_sum(uint64_t value)
{
    for (int mask = SIMT_WARP / 2; mask > 0; mask /= 2)
        value += simt_shuffle_xor(value, mask);
    return value;
}

/* ---- memory ---- */

SIMT struct simt_16 simt_load16(const void *from)
{
    return *static_cast<const struct simt_16 *>(from);
}

SIMT void simt_store16(void *to, const struct simt_16 &value)
{
    *static_cast<struct simt_16 *>(to) = value;
}

/* Read-only data used once: past L1, and first to leave L2. */
SIMT struct simt_16 simt_load16_stream(const void *from)
{
    struct simt_16 v;
    asm volatile("ld.global.nc.L1::no_allocate.L2::128B.v4.u32 {%0,%1,%2,%3}, [%4];"
                 : "=r"(v.word[0]), "=r"(v.word[1]), "=r"(v.word[2]), "=r"(v.word[3])
                 : "l"(from));
    return v;
}

SIMT uint32_t simt_shared_address(const void *shared)
{
    return static_cast<uint32_t>(__cvta_generic_to_shared(shared));
}

/* Copies 16 bytes from global to shared memory, both aligned to 16, to land at simt_copy_wait;
 * bytes beyond `bytes` (0 .. 16) become zero. `from` must be a valid address even for 0. */
SIMT void simt_copy_async16(void *to_shared, const void *from, int bytes = 16)
{
    asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(
                     simt_shared_address(to_shared)),
                 "l"(from), "r"(bytes)
                 : "memory");
}

/* Closes this thread's group of copies. */
SIMT void simt_copy_commit()
{
    asm volatile("cp.async.commit_group;" ::: "memory");
}

/* Waits until at most PENDING of this thread's youngest groups are still under way. */
template <int PENDING> SIMT void simt_copy_wait()
{
    asm volatile("cp.async.wait_group %0;" ::"n"(PENDING) : "memory");
}

SIMT int32_t simt_atomic_add(int32_t *place, int32_t value)
{
    return atomicAdd(place, value);
}

SIMT uint64_t simt_atomic_max(uint64_t *place, uint64_t value)
{
    return atomicMax(reinterpret_cast<unsigned long long *>(place), value);
}

/* ---- launch ---- */

/* Runs kernel(args...) on grid x threads with that much shared memory, in the device's order.
 * ERR_LIMIT more shared memory than a block may have; ERR_DEVICE. */
template <class... P, class... A>
static enum status simt_launch(struct device *device, void (*kernel)(P...), const char *name,
                               dim3 grid, int threads, size_t shared_bytes, A... args)
{
    const struct device_launch launch = {name, reinterpret_cast<const void *>(kernel),
                                         static_cast<int64_t>(grid.x) * grid.y * grid.z,
                                         threads, shared_bytes};
    device_launch_note(device, &launch);
    if (shared_bytes > 48 * 1024 &&
        cudaFuncSetAttribute(reinterpret_cast<const void *>(kernel),
                             cudaFuncAttributeMaxDynamicSharedMemorySize,
                             static_cast<int>(shared_bytes)) != cudaSuccess)
        return ERR_LIMIT;
    auto stream = static_cast<cudaStream_t>(device_stream(device));
    kernel<<<grid, static_cast<unsigned>(threads), shared_bytes, stream>>>(P(args)...);
    return cudaGetLastError() == cudaSuccess ? OK : ERR_DEVICE;
}

#endif
