/*
 * row_finish - a row of an activation, written in each form that it asks for, by one block.
 *
 * F32 goes out as it is. INT8 is rotated in shared memory, then scaled and rounded: the bits of
 * activation_quantize, whose every step is elementwise, a sum of two or a maximum.
 */
#ifndef KERNELS_PARTS_ROW_FINISH_CUH
#define KERNELS_PARTS_ROW_FINISH_CUH

#include "kernels/parts/reduce.cuh"
#include "kernels/parts/rotate.cuh"

enum {
    ROW_FINISH_SCRATCH = 1024 / SIMT_WARP, /* numbers, for a block of any size */
    /* columns whose row fits in shared memory beside the scratch */
    ROW_FINISH_COLS_MAX = SIMT_SHARED_MAX / 4 - ROW_FINISH_SCRATCH
};

/* What launchers ask before: 16 bytes at a time. NULL counts as aligned. */
static inline bool row_finish_is_aligned(const void *array)
{
    return reinterpret_cast<uintptr_t>(array) % 16 == 0;
}

/* An activation of cols columns that row_finish can write. */
static inline bool row_finish_takes(const struct activation *y, int32_t cols)
{
    const bool is_int8 = (y->forms & ACTIVATION_INT8) != 0;
    return y->cols == cols && row_finish_is_aligned(y->f32) &&
           (!is_int8 || (row_finish_is_aligned(y->q8) && y->stride == (cols + 63) / 64 * 64));
}

/* Four numbers of the row from `first` as four bytes; zeros past its end. */
SIMT uint32_t row_finish_word(const float *row, int32_t first, int32_t cols,
                              const struct int8_divisor &by)
{
    float v[4];
    if (first + 4 <= cols) {
        four_load(v, row + first);
    } else {
        for (int i = 0; i < 4; i++)
            v[i] = first + i < cols ? row[first + i] : 0.0f;
    }
    return int8_word(v, by);
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
    const float scale = int8_scale(reduce_max<THREADS>(most, scratch));
    const struct int8_divisor by = int8_divisor_of(scale);
    if (thread == 0)
        y.scales[index] = scale;
    auto q8 = reinterpret_cast<uint32_t *>(y.q8 + static_cast<int64_t>(index) * y.stride);
    for (int32_t word = thread; word < y.stride / 4; word += THREADS)
        q8[word] = row_finish_word(row, word * 4, y.cols, by);
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
