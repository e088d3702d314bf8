/*
 * four - four floats of a row that travel together.
 *
 * four_load and four_store want addresses aligned to 16. A row of any length in device memory
 * is walked by four_load_row and four_store_row: in 16 bytes where its length is a multiple of
 * four, and so every row begins aligned; number by number otherwise.
 */
#ifndef KERNELS_PARTS_FOUR_CUH
#define KERNELS_PARTS_FOUR_CUH

#include "kernels/parts/simt.cuh"

/* A row's room in shared memory: count rounded up to a multiple of four. */
#define FOUR_PADDED(count) (((count) + 3) / 4 * 4)

SIMT void four_load(float v[4], const float *from)
{
    const struct simt_16 four = simt_load16(from);
    for (int i = 0; i < 4; i++)
        v[i] = simt_bits_float(four.word[i]);
}

SIMT void four_store(float *to, const float v[4])
{
    struct simt_16 four;
    for (int i = 0; i < 4; i++)
        four.word[i] = simt_float_bits(v[i]);
    simt_store16(to, four);
}

/* v = row[first .. first+3], zero from count on; first a multiple of 4. */
SIMT void four_load_row(float v[4], const float *row, int32_t first, int32_t count)
{
    if (count % 4 == 0) {
        four_load(v, row + first);
        return;
    }
    for (int i = 0; i < 4; i++)
        v[i] = first + i < count ? row[first + i] : 0.0f;
}

SIMT void four_store_row(float *row, int32_t first, int32_t count, const float v[4])
{
    if (count % 4 == 0) {
        four_store(row + first, v);
        return;
    }
    for (int i = 0; i < 4; i++) {
        if (first + i < count)
            row[first + i] = v[i];
    }
}

#endif
