/*
 * attention_int8_neon - attention's integer products with the NEON that every 64-bit ARM has.
 *
 *     tile      3 rows x 16 columns: 8 running sums of 4 lanes for each row
 *     step      8 of the depth: 8 loads of b and 8 zips, which bring two groups of two columns
 *               side by side, 8 eor for weights; per row a load and a zip of a, and for each
 *               two columns a smull, a smlal and a sadalp, or two umull and two uadalp
 *     bound by  the long products: eight each
 *     measured  not: no machine at hand; run under an emulator of the processor
 *
 * Two products of a query are at most 2 * 127 * 127, so they are added in 16 bits before their
 * pairs go to the sums. One of a weight takes all 16, unsigned: b comes as b + 128 (its top
 * bits turned), so each sum has 128 times the row's own sum too much, which is taken off at the
 * end.
 */
#include "kernels/attention_int8_arm.h"

#define INLINE static inline __attribute__((always_inline))

enum { TILE_ROWS = 3, STEP_GROUPS = 2, LANES = 4, QUARTER_BYTES = 16 };
#define FEWER_ROWS(DO) DO(1) DO(2)
#define EACH_ROW(DO)   DO(0) FEWER_ROWS(DO)

/* Each of two columns, by halves of a group. */
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
        sums->left_##r##_##quarter =                                                           \
            columns_add(sums->left_##r##_##quarter, b_left, x_##r, kind);                      \
        sums->right_##r##_##quarter =                                                          \
            columns_add(sums->right_##r##_##quarter, b_right, x_##r, kind);                    \
    }
/* Four columns. */
#define QUARTER_STEP(quarter)                                                                  \
    do {                                                                                       \
        const uint64x2_t first = columns_load(step->b + (quarter)*QUARTER_BYTES, kind);        \
        const uint64x2_t second = columns_load(next + (quarter)*QUARTER_BYTES, kind);          \
        const uint8x16_t b_left = vreinterpretq_u8_u64(vzip1q_u64(first, second));             \
        const uint8x16_t b_right = vreinterpretq_u8_u64(vzip2q_u64(first, second));            \
        ROW_STEP(0, quarter) ROW_STEP(1, quarter) ROW_STEP(2, quarter)                         \
    } while (0)
#define ROW_STORE(r)                                                                           \
    if (rows > (r)) {                                                                          \
        const int32x4x4_t columns = {{vpaddq_s32(sums->left_##r##_0, sums->right_##r##_0),     \
                                      vpaddq_s32(sums->left_##r##_1, sums->right_##r##_1),     \
                                      vpaddq_s32(sums->left_##r##_2, sums->right_##r##_2),     \
                                      vpaddq_s32(sums->left_##r##_3, sums->right_##r##_3)}};   \
        attention_int8_arm_store(product, r, columns, product->rows_of_a[r].start);            \
    }

/* The first group twice, then the second twice. */
INLINE uint8x16_t pair_load(const uint8_t *a)
{
    const uint32x2_t pair = vreinterpret_u32_u8(vld1_u8(a));
    const uint32x4_t pairs = vcombine_u32(pair, vcreate_u32(0)); /* as it is loaded */
    return vreinterpretq_u8_u32(vzip1q_u32(pairs, pairs));
}

INLINE uint64x2_t columns_load(const uint8_t *b, enum attention_int8_kind kind)
{
    const uint8x16_t bytes = vld1q_u8(b);
    return vreinterpretq_u64_u8(
        kind == ATTENTION_INT8_QUERIES ? bytes : veorq_u8(bytes, vdupq_n_u8(0x80)));
}

/* Two columns of b, a group in the low half and one in the high, by two groups of a. */
INLINE int32x4_t columns_add(int32x4_t sum, uint8x16_t b, uint8x16_t a,
                             enum attention_int8_kind kind)
{
    if (kind == ATTENTION_INT8_QUERIES) {
        const int8x16_t signed_b = vreinterpretq_s8_u8(b), signed_a = vreinterpretq_s8_u8(a);
        const int16x8_t first = vmull_s8(vget_low_s8(signed_b), vget_low_s8(signed_a));
        return vpadalq_s16(sum, vmlal_high_s8(first, signed_b, signed_a));
    }
    const uint16x8_t first = vmull_u8(vget_low_u8(b), vget_low_u8(a));
    const uint32x4_t half = vpadalq_u16(vreinterpretq_u32_s32(sum), first);
    return vreinterpretq_s32_u32(vpadalq_u16(half, vmull_high_u8(b, a)));
}

INLINE void sums_add(struct sums *sums, const struct attention_int8_step *step, int rows,
                     enum attention_int8_kind kind)
{
    const uint8_t *a = step->a, *next = step->b + step->b_stride;
    const uint8x16_t x_0 = pair_load(a);
    const uint8x16_t x_1 = rows > 1 ? pair_load(a + step->a_stride) : x_0;
    const uint8x16_t x_2 = rows > 2 ? pair_load(a + 2 * step->a_stride) : x_0;
    QUARTER_STEP(0);
    QUARTER_STEP(1);
    QUARTER_STEP(2);
    QUARTER_STEP(3);
}

INLINE void sums_store(const struct sums *sums, const struct attention_int8_product *product,
                       int rows)
{
    EACH_ROW(ROW_STORE)
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

/* Eight numbers, rounded: the low halves of their integers. */
INLINE int8x16_t eight_round(const float *values, float factor)
{
    const int32x4_t low = vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(values), factor));
    const int32x4_t high = vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(values + LANES), factor));
    return vreinterpretq_s8_s16(
        vuzp1q_s16(vreinterpretq_s16_s32(low), vreinterpretq_s16_s32(high)));
}

/* The sum of queries is not needed. */
static int32_t integers_put(const float *values, int32_t count, float factor,
                            enum attention_int8_kind kind, uint8_t *a)
{
    uint32x4_t sum = vdupq_n_u32(0);
    for (int32_t i = 0; i < count; i += 4 * LANES) {
        const int8x16_t first = eight_round(values + i, factor);
        const int8x16_t second = eight_round(values + i + 2 * LANES, factor);
        const uint8x16_t bytes = vreinterpretq_u8_s8(vuzp1q_s8(first, second));
        vst1q_u8(a + i, bytes);
        sum = vpadalq_u16(sum, vpaddlq_u8(bytes));
    }
    return kind == ATTENTION_INT8_WEIGHTS ? attention_int8_start((int32_t)vaddvq_u32(sum)) : 0;
}

#include "kernels/attention_int8_round.h"

struct attention_int8_row attention_int8_neon_round(const float *values, int32_t count,
                                                    enum attention_int8_kind kind, uint8_t *a)
{
    return attention_int8_round_row(values, count, kind, a);
}

const struct attention_int8_kernels attention_int8_neon = {.product_rows = TILE_ROWS,
                                                           .product =
                                                               attention_int8_frame_product,
                                                           .round = attention_int8_neon_round};
