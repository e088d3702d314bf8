/*
 * attention_int8_dotprod - attention's integer products with ARM's dot products (armv8.2
 * dotprod).
 *
 *     tile      3 rows x 16 columns: of high and of low bytes 4 running sums of 4 lanes for
 *               each row, a lane a column
 *     step      8 of the depth: 8 loads of b; per row a load of a and 16 sdot by element
 *     bound by  sdot: two per 16 products, where smlal takes four
 *     measured  not: no machine at hand; run under an emulator of the processor
 *
 * a = 256 high + low, both signed bytes. Two groups lie together: the high bytes of the first
 * and of the second, then the low ones, each four a lane of a register, so that nothing is
 * broadcast. All of it wraps modulo 2^32, and the result fits: it is exact.
 */
#include "kernels/attention_int8.h"

#include <arm_neon.h>

#define INLINE static inline __attribute__((always_inline))

enum { TILE_ROWS = 3, STEP_GROUPS = 2, LANES = 4, QUARTER_BYTES = 16, PAIR_BYTES = 16 };
#define FEWER_ROWS(DO) DO(1) DO(2)

struct sums {
    int32x4_t high_0_0, high_0_1, high_0_2, high_0_3;
    int32x4_t high_1_0, high_1_1, high_1_2, high_1_3;
    int32x4_t high_2_0, high_2_1, high_2_2, high_2_3;
    int32x4_t low_0_0, low_0_1, low_0_2, low_0_3;
    int32x4_t low_1_0, low_1_1, low_1_2, low_1_3;
    int32x4_t low_2_0, low_2_1, low_2_2, low_2_3;
};

/* Four columns by the pair's group number `group`. */
#define ROW_STEP(r, quarter, group)                                                            \
    if (rows > (r)) {                                                                          \
        sums->high_##r##_##quarter =                                                           \
            vdotq_laneq_s32(sums->high_##r##_##quarter, bytes, x_##r, group);                  \
        sums->low_##r##_##quarter =                                                            \
            vdotq_laneq_s32(sums->low_##r##_##quarter, bytes, x_##r, 2 + (group));             \
    }
#define QUARTER_STEP(quarter, group)                                                           \
    do {                                                                                       \
        const int8x16_t bytes = vld1q_s8((const int8_t *)b + (quarter)*QUARTER_BYTES);         \
        ROW_STEP(0, quarter, group) ROW_STEP(1, quarter, group) ROW_STEP(2, quarter, group)    \
    } while (0)
#define GROUP_STEP(group)                                                                      \
    do {                                                                                       \
        QUARTER_STEP(0, group);                                                                \
        QUARTER_STEP(1, group);                                                                \
        QUARTER_STEP(2, group);                                                                \
        QUARTER_STEP(3, group);                                                                \
    } while (0)
#define ROW_STORE(r)                                                                           \
    if (rows > (r)) {                                                                          \
        float *c = product->c + (r)*product->c_stride;                                         \
        const float scale = product->rows_of_a[r].scale;                                       \
        quarter_store(c, sums->high_##r##_0, sums->low_##r##_0, scale);                        \
        quarter_store(c + LANES, sums->high_##r##_1, sums->low_##r##_1, scale);                \
        quarter_store(c + 2 * LANES, sums->high_##r##_2, sums->low_##r##_2, scale);            \
        quarter_store(c + 3 * LANES, sums->high_##r##_3, sums->low_##r##_3, scale);            \
    }

INLINE void quarter_store(float *c, int32x4_t high, int32x4_t low, float scale)
{
    const int32x4_t sum = vaddq_s32(vshlq_n_s32(high, 8), low);
    vst1q_f32(c, vmulq_n_f32(vcvtq_f32_s32(sum), scale));
}

INLINE int8x16_t pair_load(const uint8_t *a)
{
    return vreinterpretq_s8_u8(vld1q_u8(a));
}

INLINE void sums_add(struct sums *sums, const struct attention_int8_product *product,
                     const uint8_t *a, const uint8_t *b, int rows)
{
    const size_t stride = product->a_stride;
    const int8x16_t x_0 = pair_load(a);
    const int8x16_t x_1 = rows > 1 ? pair_load(a + stride) : x_0;
    const int8x16_t x_2 = rows > 2 ? pair_load(a + 2 * stride) : x_0;
    GROUP_STEP(0);
    b += product->b_stride;
    GROUP_STEP(1);
}

INLINE void sums_store(const struct sums *sums, const struct attention_int8_product *product,
                       int rows)
{
    ROW_STORE(0)
    ROW_STORE(1)
    ROW_STORE(2)
}

#include "kernels/attention_int8_frame.h"

struct attention_int8_row attention_int8_dotprod_round(const float *values, int32_t count,
                                                       float limit, uint8_t *a)
{
    const struct attention_int8_row row = attention_int8_neon_round(values, count, limit, a);
    for (uint8_t *end = a + (size_t)count * 2; a < end; a += PAIR_BYTES) {
        const int16x8_t q = vreinterpretq_s16_u8(vld1q_u8(a));
        const int8x8_t high = vrshrn_n_s16(q, 8); /* (q + 128) >> 8 */
        vst1q_u8(a, vreinterpretq_u8_s8(vcombine_s8(high, vmovn_s16(q))));
    }
    return row;
}

const struct attention_int8_kernels attention_int8_dotprod = {
    .tile_rows = TILE_ROWS,
    .many_rows = TILE_ROWS,
    .product = attention_int8_frame_product,
    .round = attention_int8_dotprod_round};
