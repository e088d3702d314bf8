/*
 * attention_int8_dotprod - attention's integer products with ARM's dot products (armv8.2
 * dotprod).
 *
 *     tile      6 rows x 16 columns: 4 running sums of 4 lanes for each row, a lane a column
 *     step      16 of the depth: 16 loads of b, 16 eor for weights; per row a load of a and 16
 *               sdot or udot by element
 *     bound by  them: one per 16 products
 *     measured  not: no machine at hand; run under an emulator of the processor
 *
 * Four groups of a row lie in one register, and the products name their lane: nothing is
 * broadcast. Both operands of sdot are signed, both of udot unsigned: to weights, which are
 * unsigned, b comes as b + 128 (its top bits turned), so each sum has 128 times the row's own
 * sum too much, which is taken off at the end.
 */
#include "kernels/attention_int8_arm.h"

#define INLINE static inline __attribute__((always_inline))

enum { TILE_ROWS = 6, STEP_GROUPS = 4, QUARTER_BYTES = 16 };
#define FEWER_ROWS(DO) DO(1) DO(2) DO(3) DO(4) DO(5)
#define EACH_ROW(DO)   DO(0) FEWER_ROWS(DO)

struct sums {
    int32x4_t row_0_0, row_0_1, row_0_2, row_0_3;
    int32x4_t row_1_0, row_1_1, row_1_2, row_1_3;
    int32x4_t row_2_0, row_2_1, row_2_2, row_2_3;
    int32x4_t row_3_0, row_3_1, row_3_2, row_3_3;
    int32x4_t row_4_0, row_4_1, row_4_2, row_4_3;
    int32x4_t row_5_0, row_5_1, row_5_2, row_5_3;
};

/* sum + four columns by lane `group` of a row, which the instruction wants as a constant. */
#define COLUMNS_ADD(sum, x, group)                                                             \
    (kind == ATTENTION_INT8_QUERIES                                                            \
         ? vdotq_laneq_s32(sum, vreinterpretq_s8_u8(bytes), vreinterpretq_s8_u8(x), group)     \
         : vreinterpretq_s32_u32(                                                              \
               vdotq_laneq_u32(vreinterpretq_u32_s32(sum), bytes, x, group)))
#define ROW_STEP(r, quarter, group)                                                            \
    do {                                                                                       \
        if (rows > (r))                                                                        \
            sums->row_##r##_##quarter = COLUMNS_ADD(sums->row_##r##_##quarter, x_##r, group);  \
    } while (0)
#define QUARTER_STEP(quarter, group)                                                           \
    do {                                                                                       \
        const uint8x16_t bytes = columns_load(b + (quarter)*QUARTER_BYTES, kind);              \
        ROW_STEP(0, quarter, group);                                                           \
        ROW_STEP(1, quarter, group);                                                           \
        ROW_STEP(2, quarter, group);                                                           \
        ROW_STEP(3, quarter, group);                                                           \
        ROW_STEP(4, quarter, group);                                                           \
        ROW_STEP(5, quarter, group);                                                           \
    } while (0)
#define GROUP_STEP(group)                                                                      \
    do {                                                                                       \
        const uint8_t *b = step->b + (group)*step->b_stride;                                   \
        QUARTER_STEP(0, group);                                                                \
        QUARTER_STEP(1, group);                                                                \
        QUARTER_STEP(2, group);                                                                \
        QUARTER_STEP(3, group);                                                                \
    } while (0)
#define ROW_LOAD(r)                                                                            \
    const uint8x16_t x_##r = vld1q_u8(step->a + (rows > (r) ? (r) : 0) * step->a_stride);
#define ROW_STORE(r)                                                                           \
    if (rows > (r)) {                                                                          \
        const int32x4x4_t columns = {                                                          \
            {sums->row_##r##_0, sums->row_##r##_1, sums->row_##r##_2, sums->row_##r##_3}};     \
        attention_int8_arm_store(product, r, columns, product->rows_of_a[r].start);            \
    }

INLINE uint8x16_t columns_load(const uint8_t *b, enum attention_int8_kind kind)
{
    const uint8x16_t bytes = vld1q_u8(b);
    return kind == ATTENTION_INT8_QUERIES ? bytes : veorq_u8(bytes, vdupq_n_u8(0x80));
}

INLINE void sums_add(struct sums *sums, const struct attention_int8_step *step, int rows,
                     enum attention_int8_kind kind)
{
    EACH_ROW(ROW_LOAD)
    GROUP_STEP(0);
    GROUP_STEP(1);
    GROUP_STEP(2);
    GROUP_STEP(3);
}

INLINE void sums_store(const struct sums *sums, const struct attention_int8_product *product,
                       int rows)
{
    EACH_ROW(ROW_STORE)
}

#include "kernels/attention_int8_frame.h"

const struct attention_int8_kernels attention_int8_dotprod = {
    .product_rows = TILE_ROWS,
    .product = attention_int8_frame_product,
    .round = attention_int8_neon_round};
