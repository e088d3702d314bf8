/*
 * row_finish - a row of an activation, written in each form that it asks for, by one block.
 *
 * F32 goes out as it is. INT8 is rotated in shared memory, then scaled and rounded: the bits of
 * activation_quantize, whose every step is elementwise, a sum of two or a maximum.
 */
#ifndef KERNELS_PARTS_ROW_FINISH_CUH
#define KERNELS_PARTS_ROW_FINISH_CUH

#include "kernels/parts/math.cuh"
#include "kernels/parts/reduce.cuh"
#include "kernels/parts/rotate.cuh"

enum { ROW_FINISH_INF = 0x7f800000, ROW_FINISH_NAN = 0x7fc00000 };

enum {
    ROW_FINISH_SCRATCH = 1024 / SIMT_WARP, /* numbers, for a block of any size */
    /* columns whose row fits in shared memory beside the scratch */
    ROW_FINISH_COLS_MAX = SIMT_SHARED_MAX / 4 - ROW_FINISH_SCRATCH
};

/* The clamp matters only where scale is subnormal and so badly rounded. */
SIMT uint32_t row_finish_byte(float value, float scale)
{
    const uint32_t bits = simt_float_bits(value / scale + MATH_ROUND);
    const int32_t q = static_cast<int32_t>(bits - MATH_ROUND_BITS);
    return static_cast<uint32_t>(q > 127 ? 127 : q < -127 ? -127 : q) & 0xff;
}

/* Four numbers of the row from `first` as four bytes; zeros past its end. */
SIMT uint32_t row_finish_bytes(const float *row, int32_t first, int32_t cols, float scale)
{
    uint32_t word = 0;
    if (first + 4 <= cols) {
        float v[4];
        rotate_load4(v, row + first);
        for (int i = 0; i < 4; i++)
            word |= row_finish_byte(v[i], scale) << 8 * i;
        return word;
    }
    for (int32_t i = 0; first + i < cols; i++)
        word |= row_finish_byte(row[first + i], scale) << 8 * i;
    return word;
}

/* A scale from the bits of the greatest magnitude. */
SIMT float row_finish_scale(uint32_t greatest)
{
    return greatest < ROW_FINISH_INF ? simt_bits_float(greatest) / 127.0f
                                     : simt_bits_float(ROW_FINISH_NAN);
}

/* Rotates and quantizes; all threads' writes to row are behind a barrier. */
template <int THREADS>
SIMT void row_finish_int8(const struct activation &y, int32_t index, float *row,
                          uint32_t *scratch)
{
    const int32_t thread = static_cast<int32_t>(threadIdx.x);
    const uint32_t most = y.cols % ACTIVATION_BLOCK_MAX == 0
                              ? rotate_blocks<THREADS>(row, y.cols)
                              : rotate_small<THREADS>(row, y.cols);
    const float scale = row_finish_scale(reduce_max<THREADS>(most, scratch));
    const bool is_zero = !(scale > 0.0f); /* zeros, or not finite: every product is then so */
    if (thread == 0)
        y.scales[index] = scale;
    auto q8 = reinterpret_cast<uint32_t *>(y.q8 + static_cast<int64_t>(index) * y.stride);
    for (int32_t word = thread; word < y.stride / 4; word += THREADS)
        q8[word] = is_zero ? 0 : row_finish_bytes(row, word * 4, y.cols, scale);
}

template <int THREADS>
SIMT void row_finish_f32(const struct activation &y, int32_t index, const float *row)
{
    const int32_t thread = static_cast<int32_t>(threadIdx.x);
    float *to = y.f32 + static_cast<int64_t>(index) * y.cols;
    if (y.cols % 4 == 0) {
        for (int32_t i = thread * 4; i < y.cols; i += THREADS * 4)
            simt_store16(to + i, simt_load16(row + i));
        return;
    }
    for (int32_t i = thread; i < y.cols; i += THREADS)
        to[i] = row[i];
}

/* Writes row `index` of y from row[y.cols], in shared memory and aligned to 16. All THREADS
 * threads of the block call it, right after writing their part of row: it begins with a
 * barrier. row is spoiled. scratch: shared, ROW_FINISH_SCRATCH numbers. Neither may be written
 * again before the next barrier. The arrays of y are aligned to 16 bytes. */
template <int THREADS>
SIMT void row_finish(const struct activation &y, int32_t index, float *row, float *scratch)
{
    simt_barrier();
    if ((y.forms & ACTIVATION_F32) != 0)
        row_finish_f32<THREADS>(y, index, row);
    if ((y.forms & ACTIVATION_INT8) == 0)
        return;
    if ((y.forms & ACTIVATION_F32) != 0)
        simt_barrier(); /* the rotation writes what others have just read */
    row_finish_int8<THREADS>(y, index, row, reinterpret_cast<uint32_t *>(scratch));
}

#endif
