/*
 * attention_int8_arm - what ARM's levels of attention_int8 do with the sums of a row. Included
 * by each of them.
 */
#ifndef KERNELS_ATTENTION_INT8_ARM_H
#define KERNELS_ATTENTION_INT8_ARM_H

#include "kernels/attention_int8.h"

#include <arm_neon.h>

/* Row r of c: the sums of its columns, in order, each from start on; scaled. */
static inline __attribute__((always_inline)) void attention_int8_arm_store(
    const struct attention_int8_product *product, int r, int32x4x4_t sums, int32_t start)
{
    float *c = product->c + (size_t)r * product->c_stride;
    for (int i = 0; i < 4; i++, c += 4) {
        const int32x4_t sum = vaddq_s32(sums.val[i], vdupq_n_s32(start));
        const float32x4_t result = vmulq_n_f32(vcvtq_f32_s32(sum), product->rows_of_a[r].scale);
        vst1q_f32(c, product->adds ? vaddq_f32(vld1q_f32(c), result) : result);
    }
}

#endif
