/*
 * attention_int8_i8mm - attention's integer products with ARM's small matrix products (armv8.6
 * i8mm).
 *
 *     tile      3 rows x 16 columns: 8 running sums of 2 x 2 for each row: of two columns, the
 *               high bytes' sums and the low bytes'
 *     step      8 of the depth: 8 loads of b and 8 zips, which bring two groups of four of a
 *               column side by side; per row a load of a and 8 smmla
 *     bound by  smmla: one per 16 products, where sdot takes two
 *     measured  not: no machine at hand; run under an emulator of the processor
 *
 * a is as attention_int8_dotprod has it: eight high bytes and eight low ones of the same
 * numbers are the two rows of a small matrix, so a row alone fills it.
 */
#include "kernels/attention_int8.h"

#include "base/i32.h"

#include <arm_neon.h>

#define INLINE static inline __attribute__((always_inline))

enum { TILE_ROWS = 3, LANES = 4, QUARTER_BYTES = 16, PAIR_BYTES = 16 };

/* One variable per sum: see attention_tile_neon. Each is of two columns. */
#define ROW_SUMS(r)                                                                            \
    int32x4_t left_##r##_0 = vdupq_n_s32(0), left_##r##_1 = left_##r##_0;                      \
    int32x4_t left_##r##_2 = left_##r##_0, left_##r##_3 = left_##r##_0;                        \
    int32x4_t right_##r##_0 = left_##r##_0, right_##r##_1 = left_##r##_0;                      \
    int32x4_t right_##r##_2 = left_##r##_0, right_##r##_3 = left_##r##_0
#define ROW_STEP(r, quarter)                                                                   \
    if (rows > (r)) {                                                                          \
        left_##r##_##quarter = vmmlaq_s32(left_##r##_##quarter, x_##r, b_left);                \
        right_##r##_##quarter = vmmlaq_s32(right_##r##_##quarter, x_##r, b_right);             \
    }
/* Four columns, eight of the depth. */
#define QUARTER_STEP(quarter)                                                                  \
    do {                                                                                       \
        const int32x4_t first_group = columns_load(b + (quarter)*QUARTER_BYTES);               \
        const int32x4_t second_group = columns_load(next + (quarter)*QUARTER_BYTES);           \
        const int8x16_t b_left = vreinterpretq_s8_s32(vzip1q_s32(first_group, second_group));  \
        const int8x16_t b_right = vreinterpretq_s8_s32(vzip2q_s32(first_group, second_group)); \
        ROW_STEP(0, quarter) ROW_STEP(1, quarter) ROW_STEP(2, quarter)                         \
    } while (0)
#define ROW_STORE(r)                                                                           \
    if (rows > (r)) {                                                                          \
        float *c = product->c + (r)*product->c_stride;                                         \
        const float scale = product->rows_of_a[r].scale;                                       \
        quarter_store(c, left_##r##_0, right_##r##_0, scale);                                  \
        quarter_store(c + LANES, left_##r##_1, right_##r##_1, scale);                          \
        quarter_store(c + 2 * LANES, left_##r##_2, right_##r##_2, scale);                      \
        quarter_store(c + 3 * LANES, left_##r##_3, right_##r##_3, scale);                      \
    }

INLINE void quarter_store(float *c, int32x4_t left, int32x4_t right, float scale)
{
    const int32x4_t high = vcombine_s32(vget_low_s32(left), vget_low_s32(right));
    const int32x4_t low = vcombine_s32(vget_high_s32(left), vget_high_s32(right));
    const int32x4_t sum = vaddq_s32(vshlq_n_s32(high, 8), low);
    vst1q_f32(c, vmulq_n_f32(vcvtq_f32_s32(sum), scale));
}

INLINE int8x16_t pair_load(const uint8_t *a)
{
    return vreinterpretq_s8_u8(vld1q_u8(a));
}

INLINE int32x4_t columns_load(const uint8_t *b)
{
    return vreinterpretq_s32_u8(vld1q_u8(b));
}

/* rows is a constant at each call. */
INLINE void product_tile(const struct attention_int8_product *product, int rows)
{
    ROW_SUMS(0);
    ROW_SUMS(1);
    ROW_SUMS(2);
    const uint8_t *a = product->a;
    const size_t stride = product->a_stride, b_stride = product->b_stride;
    const uint8_t *const *panel = product->b;
    for (int32_t left = product->groups; left > 0; left -= product->panel_groups, panel++) {
        const uint8_t *b = *panel + product->b_offset;
        const int32_t pairs = (i32_min(product->panel_groups, left) + 1) / 2;
        const uint8_t *a_end = a + (size_t)pairs * PAIR_BYTES;
        for (; a < a_end; a += PAIR_BYTES, b += 2 * b_stride) {
            const uint8_t *next = b + b_stride;
            const int8x16_t x_0 = pair_load(a);
            const int8x16_t x_1 = rows > 1 ? pair_load(a + stride) : x_0;
            const int8x16_t x_2 = rows > 2 ? pair_load(a + 2 * stride) : x_0;
            QUARTER_STEP(0);
            QUARTER_STEP(1);
            QUARTER_STEP(2);
            QUARTER_STEP(3);
        }
    }
    ROW_STORE(0)
    ROW_STORE(1)
    ROW_STORE(2)
}

static void product_i8mm(const struct attention_int8_product *product)
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

const struct attention_int8_kernels attention_int8_i8mm = {.tile_rows = TILE_ROWS,
                                                           .many_rows = TILE_ROWS,
                                                           .product = product_i8mm,
                                                           .round =
                                                               attention_int8_dotprod_round};
