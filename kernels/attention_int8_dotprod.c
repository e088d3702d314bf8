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

#include "base/i32.h"

#include <arm_neon.h>

#define INLINE static inline __attribute__((always_inline))

enum { TILE_ROWS = 3, LANES = 4, QUARTER_BYTES = 16, PAIR_BYTES = 16 };

/* One variable per sum: see attention_tile_neon. */
#define ROW_SUMS(r)                                                                            \
    int32x4_t high_##r##_0 = vdupq_n_s32(0), high_##r##_1 = high_##r##_0;                      \
    int32x4_t high_##r##_2 = high_##r##_0, high_##r##_3 = high_##r##_0;                        \
    int32x4_t low_##r##_0 = high_##r##_0, low_##r##_1 = high_##r##_0;                          \
    int32x4_t low_##r##_2 = high_##r##_0, low_##r##_3 = high_##r##_0
/* Four columns by the pair's group number `group`. */
#define ROW_STEP(r, quarter, group)                                                            \
    if (rows > (r)) {                                                                          \
        high_##r##_##quarter = vdotq_laneq_s32(high_##r##_##quarter, bytes, x_##r, group);     \
        low_##r##_##quarter = vdotq_laneq_s32(low_##r##_##quarter, bytes, x_##r, 2 + (group)); \
    }
#define QUARTER_STEP(quarter, group)                                                           \
    do {                                                                                       \
        const int8x16_t bytes = vld1q_s8(at + (quarter)*QUARTER_BYTES);                        \
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
        quarter_store(c, high_##r##_0, low_##r##_0, scale);                                    \
        quarter_store(c + LANES, high_##r##_1, low_##r##_1, scale);                            \
        quarter_store(c + 2 * LANES, high_##r##_2, low_##r##_2, scale);                        \
        quarter_store(c + 3 * LANES, high_##r##_3, low_##r##_3, scale);                        \
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

/* rows is a constant at each call. */
INLINE void product_tile(const struct attention_int8_product *product, int rows)
{
    ROW_SUMS(0);
    ROW_SUMS(1);
    ROW_SUMS(2);
    const uint8_t *a = product->a;
    const size_t stride = product->a_stride;
    const uint8_t *const *panel = product->b;
    for (int32_t left = product->groups; left > 0; left -= product->panel_groups, panel++) {
        const int8_t *at = (const int8_t *)(*panel + product->b_offset);
        const int32_t pairs = (i32_min(product->panel_groups, left) + 1) / 2;
        const uint8_t *a_end = a + (size_t)pairs * PAIR_BYTES;
        for (; a < a_end; a += PAIR_BYTES, at += product->b_stride) {
            const int8x16_t x_0 = pair_load(a);
            const int8x16_t x_1 = rows > 1 ? pair_load(a + stride) : x_0;
            const int8x16_t x_2 = rows > 2 ? pair_load(a + 2 * stride) : x_0;
            GROUP_STEP(0);
            at += product->b_stride;
            GROUP_STEP(1);
        }
    }
    ROW_STORE(0)
    ROW_STORE(1)
    ROW_STORE(2)
}

static void product_dotprod(const struct attention_int8_product *product)
{
    switch (product->rows) {
    case 1:
        product_tile(product, 1);
        break;
    case 2:
        product_tile(product, 2);
        break;
    default:
        product_tile(product, TILE_ROWS);
        break;
    }
}

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

const struct attention_int8_kernels attention_int8_dotprod = {.tile_rows = TILE_ROWS,
                                                              .many_rows = TILE_ROWS,
                                                              .product = product_dotprod,
                                                              .round =
                                                                  attention_int8_dotprod_round};
