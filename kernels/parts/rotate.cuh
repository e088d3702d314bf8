/*
 * rotate - the block Hadamard transform of activation.h, on a row in shared memory.
 *
 * Eight lanes rotate a block of 64: lane t holds numbers 4 t .. 4 t + 3 and 32 more, so that
 * strides 1, 2 and 32 are between its registers, 4, 8 and 16 between lanes, and loads and
 * stores of 16 bytes meet no bank twice. Smaller blocks (columns no multiple of 64) go stride
 * by stride through shared memory: no model that we know has them.
 *
 * Each number is a sum or a difference of two at every stride, as on the CPU: the same bits.
 */
#ifndef KERNELS_PARTS_ROTATE_CUH
#define KERNELS_PARTS_ROTATE_CUH

#include "kernels/activation.h"
#include "kernels/parts/four.cuh"
#include "kernels/parts/int8.cuh"

#include <math.h>

enum { ROTATE_LANES = 8 /* that share a block of 64 */ };

/* Of a row of cols: see activation_block. */
SIMT int32_t rotate_block_of(int32_t cols)
{
    const int32_t most = cols & -cols;
    return most < ACTIVATION_BLOCK_MAX ? most : ACTIVATION_BLOCK_MAX;
}

SIMT void rotate_pair(float &a, float &b)
{
    const float sum = a + b;
    b = a - b;
    a = sum;
}

/* The same for pairs of lanes whose numbers differ by mask: each of their numbers. */
template <unsigned N> SIMT void rotate_lanes(float (&v)[N], int mask)
{
    const bool is_second = (simt_lane() & mask) != 0;
    float other[N];
    simt_shuffle_xor(v, mask, other);
    SIMT_UNROLL
    for (unsigned i = 0; i < N; i++)
        v[i] = is_second ? other[i] - v[i] : v[i] + other[i];
}

/* A block of 64 in the registers of eight lanes, as told above. */
SIMT void rotate_64(float (&v)[8])
{
    for (int i = 0; i < 8; i += 2)
        rotate_pair(v[i], v[i + 1]);
    for (int i = 0; i < 8; i += 4) {
        rotate_pair(v[i], v[i + 2]);
        rotate_pair(v[i + 1], v[i + 3]);
    }
    for (int mask = 1; mask < ROTATE_LANES; mask *= 2)
        rotate_lanes(v, mask);
    for (int i = 0; i < 4; i++)
        rotate_pair(v[i], v[i + 4]);
    for (int i = 0; i < 8; i++)
        v[i] = v[i] * 0.125f;
}

/* Rotates the blocks of 64 of row; gives this thread's greatest magnitude, as bits. */
template <int THREADS> SIMT uint32_t rotate_blocks(float *row, int32_t cols)
{
    const int32_t blocks = cols / ACTIVATION_BLOCK_MAX;
    const int32_t at_once = SIMT_WARP / ROTATE_LANES;
    const int32_t place = simt_lane() % ROTATE_LANES * 4;
    uint32_t most = 0;
    for (int32_t first = simt_warp() * at_once; first < blocks; first += THREADS / 8) {
        const int32_t block = first + simt_lane() / ROTATE_LANES;
        const bool is_there = block < blocks;
        float *numbers = row + (is_there ? block : first) * ACTIVATION_BLOCK_MAX + place;
        float v[8];
        four_load(v, numbers);
        four_load(v + 4, numbers + 32);
        simt_warp_sync(); /* a lane without a block has read another's */
        rotate_64(v);
        if (!is_there)
            continue;
        four_store(numbers, v);
        four_store(numbers + 32, v + 4);
        for (int i = 0; i < 8; i++)
            most = int8_greater(most, v[i]);
    }
    return most;
}

/* The same for any smaller block. */
template <int THREADS> SIMT uint32_t rotate_small(float *row, int32_t cols)
{
    const int32_t thread = static_cast<int32_t>(threadIdx.x);
    int32_t stride = 1;
    for (; cols % (2 * stride) == 0; stride *= 2) {
        for (int32_t pair = thread; pair < cols / 2; pair += THREADS) {
            float *first = row + pair / stride * 2 * stride + pair % stride;
            rotate_pair(first[0], first[stride]);
        }
        simt_barrier();
    }
    const float norm = 1.0f / sqrtf(static_cast<float>(stride));
    uint32_t most = 0;
    for (int32_t i = thread; i < cols; i += THREADS) {
        row[i] *= norm;
        most = int8_greater(most, row[i]);
    }
    return most;
}

#endif
