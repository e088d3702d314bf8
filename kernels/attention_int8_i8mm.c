/*
 * attention_int8_i8mm - attention's integer products with ARM's small matrix products (armv8.6
 * i8mm).
 *
 *     tile      6 rows x 16 columns: 8 running sums of 2 x 2 for each two rows
 *     step      8 of the depth: 8 loads of b and 8 zips, which bring two groups of a column
 *               side by side; for each two rows of a 2 loads into one register, and 8 smmla, or
 *               usmmla for weights, which are unsigned
 *     bound by  them: one per 32 products
 *     measured  not: no machine at hand; run under an emulator of the processor
 *
 * A row without a second has zeros beside it.
 */
#include "kernels/attention_int8_arm.h"

#define INLINE static inline __attribute__((always_inline))

enum { TILE_ROWS = 6, STEP_GROUPS = 2, QUARTER_BYTES = 16 };
#define FEWER_ROWS(DO) DO(1) DO(2) DO(3) DO(4) DO(5)

/* Of rows 0 and 1, 2 and 3, 4 and 5: two columns of the first, the same of the second. */
struct sums {
    int32x4_t left_0_0, left_0_1, left_0_2, left_0_3;
    int32x4_t left_2_0, left_2_1, left_2_2, left_2_3;
    int32x4_t left_4_0, left_4_1, left_4_2, left_4_3;
    int32x4_t right_0_0, right_0_1, right_0_2, right_0_3;
    int32x4_t right_2_0, right_2_1, right_2_2, right_2_3;
    int32x4_t right_4_0, right_4_1, right_4_2, right_4_3;
};

/* r is the first of two rows. */
#define ROWS_STEP(r, quarter)                                                                  \
    if (rows > (r)) {                                                                          \
        sums->left_##r##_##quarter =                                                           \
            columns_add(sums->left_##r##_##quarter, b_left, x_##r, kind);                      \
        sums->right_##r##_##quarter =                                                          \
            columns_add(sums->right_##r##_##quarter, b_right, x_##r, kind);                    \
    }
/* Four columns. */
#define QUARTER_STEP(quarter)                                                                  \
    do {                                                                                       \
        const int32x4_t first = columns_load(step->b + (quarter)*QUARTER_BYTES);               \
        const int32x4_t second = columns_load(next + (quarter)*QUARTER_BYTES);                 \
        const int8x16_t b_left = vreinterpretq_s8_s32(vzip1q_s32(first, second));              \
        const int8x16_t b_right = vreinterpretq_s8_s32(vzip2q_s32(first, second));             \
        ROWS_STEP(0, quarter) ROWS_STEP(2, quarter) ROWS_STEP(4, quarter)                      \
    } while (0)
#define ROWS_STORE(r)                                                                          \
    if (rows > (r))                                                                            \
        attention_int8_arm_store(product, r, ROW_COLUMNS(r, vzip1q_s64), 0);                   \
    if (rows > (r) + 1)                                                                        \
        attention_int8_arm_store(product, (r) + 1, ROW_COLUMNS(r, vzip2q_s64), 0);
#define ROW_COLUMNS(r, half)                                                                   \
    ((int32x4x4_t){                                                                            \
        {COLUMNS(r, 0, half), COLUMNS(r, 1, half), COLUMNS(r, 2, half), COLUMNS(r, 3, half)}})
#define COLUMNS(r, quarter, half)                                                              \
    vreinterpretq_s32_s64(half(vreinterpretq_s64_s32(sums->left_##r##_##quarter),              \
                               vreinterpretq_s64_s32(sums->right_##r##_##quarter)))

/* Two groups of row r, and of the next one. */
INLINE uint8x16_t rows_load(const struct attention_int8_step *step, int r, int rows)
{
    const uint8_t *a = step->a + (size_t)(r < rows ? r : 0) * step->a_stride;
    return vcombine_u8(vld1_u8(a), r + 1 < rows ? vld1_u8(a + step->a_stride) : vcreate_u8(0));
}

INLINE int32x4_t columns_load(const uint8_t *b)
{
    return vreinterpretq_s32_u8(vld1q_u8(b));
}

/* Two columns, b, of two rows, a. */
INLINE int32x4_t columns_add(int32x4_t sum, int8x16_t b, uint8x16_t a,
                             enum attention_int8_kind kind)
{
    return kind == ATTENTION_INT8_QUERIES ? vmmlaq_s32(sum, vreinterpretq_s8_u8(a), b)
                                          : vusmmlaq_s32(sum, a, b);
}

INLINE void sums_add(struct sums *sums, const struct attention_int8_step *step, int rows,
                     enum attention_int8_kind kind)
{
    const uint8_t *next = step->b + step->b_stride;
    const uint8x16_t x_0 = rows_load(step, 0, rows);
    const uint8x16_t x_2 = rows_load(step, 2, rows);
    const uint8x16_t x_4 = rows_load(step, 4, rows);
    QUARTER_STEP(0);
    QUARTER_STEP(1);
    QUARTER_STEP(2);
    QUARTER_STEP(3);
}

INLINE void sums_store(const struct sums *sums, const struct attention_int8_product *product,
                       int rows)
{
    ROWS_STORE(0)
    ROWS_STORE(2)
    ROWS_STORE(4)
}

#include "kernels/attention_int8_frame.h"

const struct attention_int8_kernels attention_int8_i8mm = {.product_rows = TILE_ROWS,
                                                           .product =
                                                               attention_int8_frame_product,
                                                           .round = attention_int8_neon_round};
