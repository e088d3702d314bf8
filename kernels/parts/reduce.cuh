/* reduce - one number from all threads of a block. */
#ifndef KERNELS_PARTS_REDUCE_CUH
#define KERNELS_PARTS_REDUCE_CUH

#include "kernels/parts/simt.cuh"

/* The greatest value of the block's THREADS threads, given to all. scratch: shared memory,
 * THREADS / 32 numbers that nobody else uses until the next barrier after the call. */
template <int THREADS> SIMT uint32_t reduce_max(uint32_t value, uint32_t *scratch)
{
    const uint32_t most = simt_warp_max(value);
    if (simt_lane() == 0)
        scratch[simt_warp()] = most;
    simt_barrier();
    uint32_t greatest = scratch[0];
    for (int warp = 1; warp < THREADS / SIMT_WARP; warp++)
        greatest = scratch[warp] > greatest ? scratch[warp] : greatest;
    return greatest;
}

#endif
