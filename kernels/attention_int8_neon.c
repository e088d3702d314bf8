/*
 * attention_int8_neon - attention's integer products with the NEON that every 64-bit ARM has.
 *
 *     tile      4 rows x 16 columns: 4 running sums of 4 lanes for each row, a lane a column
 *     step      4 of the depth: one load that parts b's bytes by their place in the group, 8
 *               widenings to 16 bits; per row a load of 4 x 16 bits and 16 smlal by element
 *     bound by  smlal: four products each
 *     measured  not: no machine at hand; run under an emulator of the processor
 */
#include "kernels/attention_int8.h"

#include <arm_neon.h>

#define INLINE static inline __attribute__((always_inline))

enum { TILE_ROWS = 4, STEP_GROUPS = 1, LANES = 4 };
#define FEWER_ROWS(DO) DO(1) DO(2) DO(3)

INLINE int16x4_t group_load(const uint8_t *a)
{
    return vreinterpret_s16_u8(vld1_u8(a));
}

struct sums {
    int32x4_t row_0_0, row_0_1, row_0_2, row_0_3;
    int32x4_t row_1_0, row_1_1, row_1_2, row_1_3;
    int32x4_t row_2_0, row_2_1, row_2_2, row_2_3;
    int32x4_t row_3_0, row_3_1, row_3_2, row_3_3;
};

/* Place i of the group: 16 columns of it, low and high, by number i of the row. */
#define ROW_STEP(r, i)                                                                         \
    if (rows > (r)) {                                                                          \
        sums->row_##r##_0 = vmlal_lane_s16(sums->row_##r##_0, vget_low_s16(low), x_##r, i);    \
        sums->row_##r##_1 = vmlal_high_lane_s16(sums->row_##r##_1, low, x_##r, i);             \
        sums->row_##r##_2 = vmlal_lane_s16(sums->row_##r##_2, vget_low_s16(high), x_##r, i);   \
        sums->row_##r##_3 = vmlal_high_lane_s16(sums->row_##r##_3, high, x_##r, i);            \
    }
#define PLACE_STEP(i)                                                                          \
    do {                                                                                       \
        const int16x8_t low = vmovl_s8(vget_low_s8(bytes.val[i]));                             \
        const int16x8_t high = vmovl_high_s8(bytes.val[i]);                                    \
        ROW_STEP(0, i) ROW_STEP(1, i) ROW_STEP(2, i) ROW_STEP(3, i)                            \
    } while (0)
#define ROW_STORE(r)                                                                           \
    if (rows > (r)) {                                                                          \
        float *c = product->c + (r)*product->c_stride;                                         \
        const float scale = product->rows_of_a[r].scale;                                       \
        vst1q_f32(c, vmulq_n_f32(vcvtq_f32_s32(sums->row_##r##_0), scale));                    \
        vst1q_f32(c + LANES, vmulq_n_f32(vcvtq_f32_s32(sums->row_##r##_1), scale));            \
        vst1q_f32(c + 2 * LANES, vmulq_n_f32(vcvtq_f32_s32(sums->row_##r##_2), scale));        \
        vst1q_f32(c + 3 * LANES, vmulq_n_f32(vcvtq_f32_s32(sums->row_##r##_3), scale));        \
    }

INLINE void sums_add(struct sums *sums, const struct attention_int8_product *product,
                     const uint8_t *a, const uint8_t *b, int rows)
{
    const size_t stride = product->a_stride;
    const int16x4_t x_0 = group_load(a);
    const int16x4_t x_1 = rows > 1 ? group_load(a + stride) : x_0;
    const int16x4_t x_2 = rows > 2 ? group_load(a + 2 * stride) : x_0;
    const int16x4_t x_3 = rows > 3 ? group_load(a + 3 * stride) : x_0;
    const int8x16x4_t bytes = vld4q_s8((const int8_t *)b);
    PLACE_STEP(0);
    PLACE_STEP(1);
    PLACE_STEP(2);
    PLACE_STEP(3);
}

INLINE void sums_store(const struct sums *sums, const struct attention_int8_product *product,
                       int rows)
{
    ROW_STORE(0)
    ROW_STORE(1)
    ROW_STORE(2)
    ROW_STORE(3)
}

#include "kernels/attention_int8_frame.h"

typedef int32x4_t integers;

INLINE integers greater(integers most, const float *values)
{
    const int32x4_t bits = vreinterpretq_s32_f32(vld1q_f32(values));
    return vmaxq_s32(most, vandq_s32(bits, vdupq_n_s32(0x7fffffff)));
}

INLINE int32_t greatest_lane(integers most)
{
    return vmaxvq_s32(most);
}

/* The sum is not needed. */
static int32_t integers_put(const float *values, int32_t count, float factor, uint8_t *a)
{
    for (int32_t i = 0; i < count; i += 2 * LANES) {
        const float32x4_t low = vmulq_n_f32(vld1q_f32(values + i), factor);
        const float32x4_t high = vmulq_n_f32(vld1q_f32(values + i + LANES), factor);
        const int16x8_t q =
            vmovn_high_s32(vmovn_s32(vcvtnq_s32_f32(low)), vcvtnq_s32_f32(high));
        vst1q_u8(a + (size_t)i * sizeof(int16_t), vreinterpretq_u8_s16(q));
    }
    return 0;
}

#include "kernels/attention_int8_round.h"

struct attention_int8_row attention_int8_neon_round(const float *values, int32_t count,
                                                    float limit, uint8_t *a)
{
    return attention_int8_round_row(values, count, limit, a);
}

const struct attention_int8_kernels attention_int8_neon = {.tile_rows = TILE_ROWS,
                                                           .many_rows = TILE_ROWS,
                                                           .product =
                                                               attention_int8_frame_product,
                                                           .round = attention_int8_neon_round};
