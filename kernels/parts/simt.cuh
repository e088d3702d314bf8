/*
 * simt - the one place where kernels meet the hardware: about thirty inline wrappers.
 *
 * Kernels are written against these and against threadIdx, blockIdx, blockDim, gridDim alone;
 * no other file has PTX or CUDA headers. nvcc compiles the bodies below; g++ compiles the same
 * kernels with SIMT_EMU, and simt_emu.h gives the bodies of the emulator (tests/emu).
 *
 * Collectives (barrier, shuffles, ldmatrix, mma) want all threads of the warp, or block.
 * Floats: products and sums are never fused but in simt_fma; division and square root round
 * correctly. So whatever is elementwise has the same bits as on the CPU.
 */
#ifndef KERNELS_PARTS_SIMT_CUH
#define KERNELS_PARTS_SIMT_CUH

#include "base/error.h"
#include "kernels/device.h"
#include "kernels/device_launch.h"

#include <stddef.h>
#include <stdint.h>

enum { SIMT_WARP = 32, SIMT_SHARED_MAX = 101376 /* bytes per block on sm_89 */ };

/* Sixteen bytes that travel together; aligned to 16. */
struct alignas(16) simt_16 {
    uint32_t word[4];
};

#ifdef SIMT_EMU
    #include "kernels/parts/simt_emu.h"
#else
    #include "kernels/parts/simt_cuda.cuh"
    #include "kernels/parts/simt_cuda_numbers.cuh"
#endif

/* SIMT_LAUNCH(device, (kernel<1, 2>), grid, threads, shared_bytes, args...) */
#define SIMT_NAME_INNER(...) __VA_ARGS__
#define SIMT_LAUNCH(device, kernel, grid, threads, shared, ...)                                \
    simt_launch(device, SIMT_NAME_INNER kernel, #kernel, grid, threads, shared, __VA_ARGS__)

SIMT int simt_lane()
{
    return static_cast<int>(threadIdx.x) % SIMT_WARP;
}

SIMT int simt_warp()
{
    return static_cast<int>(threadIdx.x) / SIMT_WARP;
}

#endif
