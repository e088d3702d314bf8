/*
 * activation_row - how an op writes one row of an activation in every form that it asks for.
 *
 *     float *row = activation_row_begin(y, index, scratch);
 *     ... row[0 .. y->cols-1] = ...
 *     activation_row_end(y, index, row, scratch, simd);
 *
 * simd is the level to quantize with; the bits are the same at each.
 */
#ifndef KERNELS_ACTIVATION_ROW_H
#define KERNELS_ACTIVATION_ROW_H

#include "kernels/activation.h"
#include "kernels/device.h"

#include <string.h>

/* Where the row is computed: in place when y has F32, otherwise in scratch[cols]. */
static inline float *activation_row_begin(const struct activation *y, int32_t index,
                                          float *scratch)
{
    const size_t skip = (size_t)index * (size_t)y->cols;
    return (y->forms & ACTIVATION_F32) != 0 ? y->f32 + skip : scratch;
}

/* activation_quantize at that level. */
static inline void activation_quantize_at(const struct activation *activation, int32_t index,
                                          float *row, enum device_simd simd)
{
#if defined(__x86_64__)
    if (simd >= DEVICE_SIMD_AVX512_VNNI) {
        activation_quantize_avx512(activation, index, row);
        return;
    }
    if (simd >= DEVICE_SIMD_AVX2) {
        activation_quantize_avx2(activation, index, row);
        return;
    }
#else
    (void)simd; /* the portable vectors are as wide as the machine's */
#endif
    activation_quantize(activation, index, row);
}

/* Fills the int8 form. Quantizing spoils what it reads: a row that stays is copied first. */
static inline void activation_row_end(const struct activation *y, int32_t index, float *row,
                                      float *scratch, enum device_simd simd)
{
    if ((y->forms & ACTIVATION_INT8) == 0)
        return;
    if (row != scratch)
        memcpy(scratch, row, (size_t)y->cols * sizeof *row);
    activation_quantize_at(y, index, scratch, simd);
}

#endif
