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

#include "base/i32.h"

#include <arm_neon.h>
#include <math.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum { TILE_ROWS = 4, LANES = 4, GROUP_BYTES = 8 };

INLINE int16x4_t group_load(const uint8_t *a)
{
    return vreinterpret_s16_u8(vld1_u8(a));
}

/* One variable per sum: see attention_tile_neon. */
#define ROW_SUMS(r)                                                                            \
    int32x4_t sum_##r##_0 = vdupq_n_s32(0), sum_##r##_1 = sum_##r##_0;                         \
    int32x4_t sum_##r##_2 = sum_##r##_0, sum_##r##_3 = sum_##r##_0
/* Place i of the group: 16 columns of it, low and high, by number i of the row. */
#define ROW_STEP(r, i)                                                                         \
    if (rows > (r)) {                                                                          \
        sum_##r##_0 = vmlal_lane_s16(sum_##r##_0, vget_low_s16(low), x_##r, i);                \
        sum_##r##_1 = vmlal_high_lane_s16(sum_##r##_1, low, x_##r, i);                         \
        sum_##r##_2 = vmlal_lane_s16(sum_##r##_2, vget_low_s16(high), x_##r, i);               \
        sum_##r##_3 = vmlal_high_lane_s16(sum_##r##_3, high, x_##r, i);                        \
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
        vst1q_f32(c, vmulq_n_f32(vcvtq_f32_s32(sum_##r##_0), scale));                          \
        vst1q_f32(c + LANES, vmulq_n_f32(vcvtq_f32_s32(sum_##r##_1), scale));                  \
        vst1q_f32(c + 2 * LANES, vmulq_n_f32(vcvtq_f32_s32(sum_##r##_2), scale));              \
        vst1q_f32(c + 3 * LANES, vmulq_n_f32(vcvtq_f32_s32(sum_##r##_3), scale));              \
    }

/* rows is a constant at each call. */
INLINE void product_tile(const struct attention_int8_product *product, int rows)
{
    ROW_SUMS(0);
    ROW_SUMS(1);
    ROW_SUMS(2);
    ROW_SUMS(3);
    const uint8_t *a = product->a;
    const size_t stride = product->a_stride;
    const uint8_t *const *panel = product->b;
    for (int32_t left = product->groups; left > 0; left -= product->panel_groups, panel++) {
        const uint8_t *b = *panel + product->b_offset;
        const uint8_t *a_end = a + (size_t)i32_min(product->panel_groups, left) * GROUP_BYTES;
        for (; a < a_end; a += GROUP_BYTES, b += product->b_stride) {
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
    }
    ROW_STORE(0)
    ROW_STORE(1)
    ROW_STORE(2)
    ROW_STORE(3)
}

static void product_neon(const struct attention_int8_product *product)
{
    switch (product->rows) {
    case 1:
        product_tile(product, 1);
        break;
    case 2:
        product_tile(product, 2);
        break;
    case 3:
        product_tile(product, 3);
        break;
    default:
        product_tile(product, TILE_ROWS);
        break;
    }
}

static float greatest_of(const float *values, int32_t count)
{
    const int32x4_t magnitude = vdupq_n_s32(0x7fffffff);
    int32x4_t most = vdupq_n_s32(0);
    for (int32_t i = 0; i < count; i += LANES) {
        const int32x4_t bits = vreinterpretq_s32_f32(vld1q_f32(values + i));
        most = vmaxq_s32(most, vandq_s32(bits, magnitude));
    }
    const int32_t bits = vmaxvq_s32(most);
    float greatest;
    memcpy(&greatest, &bits, sizeof greatest);
    return greatest;
}

struct attention_int8_row attention_int8_neon_round(const float *values, int32_t count,
                                                    float limit, uint8_t *a)
{
    const float greatest = greatest_of(values, count);
    struct attention_int8_row row = {.scale = greatest / limit}; /* the sum is not needed */
    const float factor = limit / greatest;
    if (!isfinite(greatest) || !isfinite(factor)) { /* no number, or nothing but zeros */
        memset(a, 0, (size_t)count * 2);
        row.scale = isfinite(greatest) ? 0.0f : NAN;
        return row;
    }
    for (int32_t i = 0; i < count; i += 2 * LANES) {
        const float32x4_t low = vmulq_n_f32(vld1q_f32(values + i), factor);
        const float32x4_t high = vmulq_n_f32(vld1q_f32(values + i + LANES), factor);
        const int16x8_t q =
            vmovn_high_s32(vmovn_s32(vcvtnq_s32_f32(low)), vcvtnq_s32_f32(high));
        vst1q_u8(a + (size_t)i * 2, vreinterpretq_u8_s16(q));
    }
    return row;
}

const struct attention_int8_kernels attention_int8_neon = {.tile_rows = TILE_ROWS,
                                                           .many_rows = TILE_ROWS,
                                                           .product = product_neon,
                                                           .round = attention_int8_neon_round};
