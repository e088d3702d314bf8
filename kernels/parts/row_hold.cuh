/*
 * row_hold - a row of an activation that one block holds in registers, and its int8 form.
 *
 * For rows of whole blocks of 64. The layout is that of rotate_64: eight lanes share a block,
 * lane t has numbers 4 t .. 4 t + 3 and 32 more, so a row goes from its making to its bytes
 * without shared memory, which holds nothing but the greatest magnitude per warp. A block of
 * THREADS threads has THREADS * 8 numbers per pass.
 */
#ifndef KERNELS_PARTS_ROW_HOLD_CUH
#define KERNELS_PARTS_ROW_HOLD_CUH

#include "kernels/parts/row_finish.cuh"

template <unsigned PASSES> struct row_hold {
    float v[PASSES][8]; /* zero from the row's end on */
};

/* Column of v[pass][0 .. 3]; that of v[pass][4 .. 7] is 32 more. */
template <int THREADS> SIMT int32_t row_hold_column(unsigned pass)
{
    const int32_t thread = static_cast<int32_t>(pass * THREADS + threadIdx.x);
    return thread / ROTATE_LANES * ACTIVATION_BLOCK_MAX + thread % ROTATE_LANES * 4;
}

/* The F32 form of v[8] at column, where y has it. */
SIMT void row_hold_f32(const struct activation &y, int32_t index, int32_t column,
                       const float v[8])
{
    if ((y.forms & ACTIVATION_F32) == 0)
        return;
    float *to = y.f32 + static_cast<int64_t>(index) * y.cols + column;
    four_store(to, v);
    four_store(to + 32, v + 4);
}

/* The bytes of v[8], rotated, at column. Strides are multiples of 64: there is no padding. */
SIMT void row_hold_bytes(const struct activation &y, int32_t index, int32_t column,
                         const float v[8], const struct int8_divisor &by)
{
    int8_t *q8 = y.q8 + static_cast<int64_t>(index) * y.stride + column;
    auto words = reinterpret_cast<uint32_t *>(q8);
    words[0] = int8_word(v, by);
    words[8] = int8_word(v + 4, by);
}

/* Writes row `index` of y, in each form that it asks for. All THREADS threads of the block call
 * it; row is spoiled. scratch: shared, THREADS / 32 numbers, not to be written again before the
 * next barrier. */
template <int THREADS, unsigned PASSES>
SIMT void row_hold_finish(const struct activation &y, int32_t index,
                          struct row_hold<PASSES> &row, uint32_t *scratch)
{
    for (unsigned pass = 0; pass < PASSES; pass++) {
        const int32_t column = row_hold_column<THREADS>(pass);
        if (column < y.cols)
            row_hold_f32(y, index, column, row.v[pass]);
    }
    if ((y.forms & ACTIVATION_INT8) == 0)
        return;
    uint32_t most = 0;
    for (unsigned pass = 0; pass < PASSES; pass++) {
        rotate_64(row.v[pass]);
        for (int i = 0; i < 8; i++)
            most = int8_greater(most, row.v[pass][i]);
    }
    const float scale = int8_scale(reduce_max<THREADS>(most, scratch));
    const struct int8_divisor by = int8_divisor_of(scale);
    if (threadIdx.x == 0)
        y.scales[index] = scale;
    for (unsigned pass = 0; pass < PASSES; pass++) {
        const int32_t column = row_hold_column<THREADS>(pass);
        if (column < y.cols)
            row_hold_bytes(y, index, column, row.v[pass], by);
    }
}

#endif
