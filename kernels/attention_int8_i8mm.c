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

#include <arm_neon.h>

#define INLINE static inline __attribute__((always_inline))

enum { TILE_ROWS = 3, STEP_GROUPS = 2, LANES = 4, QUARTER_BYTES = 16 };
#define FEWER_ROWS(DO) DO(1) DO(2)

/* Each of two columns, by high bytes and by low ones. */
struct sums {
    int32x4_t left_0_0, left_0_1, left_0_2, left_0_3;
    int32x4_t left_1_0, left_1_1, left_1_2, left_1_3;
    int32x4_t left_2_0, left_2_1, left_2_2, left_2_3;
    int32x4_t right_0_0, right_0_1, right_0_2, right_0_3;
    int32x4_t right_1_0, right_1_1, right_1_2, right_1_3;
    int32x4_t right_2_0, right_2_1, right_2_2, right_2_3;
};

#define ROW_STEP(r, quarter)                                                                   \
    if (rows > (r)) {                                                                          \
        sums->left_##r##_##quarter = vmmlaq_s32(sums->left_##r##_##quarter, x_##r, b_left);    \
        sums->right_##r##_##quarter = vmmlaq_s32(sums->right_##r##_##quarter, x_##r, b_right); \
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
        quarter_store(c, sums->left_##r##_0, sums->right_##r##_0, scale);                      \
        quarter_store(c + LANES, sums->left_##r##_1, sums->right_##r##_1, scale);              \
        quarter_store(c + 2 * LANES, sums->left_##r##_2, sums->right_##r##_2, scale);          \
        quarter_store(c + 3 * LANES, sums->left_##r##_3, sums->right_##r##_3, scale);          \
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

INLINE void sums_add(struct sums *sums, const struct attention_int8_product *product,
                     const uint8_t *a, const uint8_t *b, int rows)
{
    const size_t stride = product->a_stride;
    const uint8_t *next = b + product->b_stride;
    const int8x16_t x_0 = pair_load(a);
    const int8x16_t x_1 = rows > 1 ? pair_load(a + stride) : x_0;
    const int8x16_t x_2 = rows > 2 ? pair_load(a + 2 * stride) : x_0;
    QUARTER_STEP(0);
    QUARTER_STEP(1);
    QUARTER_STEP(2);
    QUARTER_STEP(3);
}

INLINE void sums_store(const struct sums *sums, const struct attention_int8_product *product,
                       int rows)
{
    ROW_STORE(0)
    ROW_STORE(1)
    ROW_STORE(2)
}

#include "kernels/attention_int8_frame.h"

const struct attention_int8_kernels attention_int8_i8mm = {
    .tile_rows = TILE_ROWS,
    .many_rows = TILE_ROWS,
    .product = attention_int8_frame_product,
    .round = attention_int8_dotprod_round};
