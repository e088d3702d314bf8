/*
 * attention_tile_neon - the inner kernels of attention with NEON: the bits of AVX2's.
 *
 *     product   5 rows x 16 columns, or 2 rows x 2 blocks of 16: 20 or 16 running sums of 4
 *               lanes. Halves are widened on the way
 *     measured  not: no machine at hand; run under an emulator of the processor
 *
 * Products and sums are fused where the AVX2 level fuses them, the softmax keeps its eight
 * lanes and the order in which it adds them. Sums are variables of their own: gcc 12 keeps a
 * copy of an array in memory that every step writes.
 */
#include "kernels/attention_tile.h"

#include <arm_neon.h>
#include <string.h>

enum {
    LANES = ATTENTION_TILE_LANES,
    TILE_ROWS = 5,
    PAIR_ROWS = 2,
    STRIDE = ATTENTION_TILE_STRIDE,
    COLS = ATTENTION_TILE_COLS
};

#define FEWER_ROWS(DO)      DO(1) DO(2) DO(3) DO(4)
#define FEWER_PAIR_ROWS(DO) DO(1)
#define INLINE              static inline __attribute__((always_inline))

INLINE size_t type_bytes(enum kv_type type)
{
    return type == KV_F32 ? 4 : 2;
}

/* Eight numbers as floats. */
INLINE float32x4x2_t numbers_load(const uint8_t *numbers, enum kv_type type)
{
    if (type == KV_F32)
        return (float32x4x2_t){{vld1q_f32((const float *)(const void *)numbers),
                                vld1q_f32((const float *)(const void *)(numbers + 16))}};
    const float16x8_t halves = vreinterpretq_f16_u8(vld1q_u8(numbers));
    return (float32x4x2_t){{vcvt_f32_f16(vget_low_f16(halves)), vcvt_high_f32_f16(halves)}};
}

struct sums {
    float32x4_t row_0_0, row_0_1, row_0_2, row_0_3;
    float32x4_t row_1_0, row_1_1, row_1_2, row_1_3;
    float32x4_t row_2_0, row_2_1, row_2_2, row_2_3;
    float32x4_t row_3_0, row_3_1, row_3_2, row_3_3;
    float32x4_t row_4_0, row_4_1, row_4_2, row_4_3;
};

#define ROW_STEP(r)                                                                            \
    if (rows > (r)) {                                                                          \
        const float x = step.a[(r)*STRIDE];                                                    \
        sums->row_##r##_0 = vfmaq_n_f32(sums->row_##r##_0, left.val[0], x);                    \
        sums->row_##r##_1 = vfmaq_n_f32(sums->row_##r##_1, left.val[1], x);                    \
        sums->row_##r##_2 = vfmaq_n_f32(sums->row_##r##_2, right.val[0], x);                   \
        sums->row_##r##_3 = vfmaq_n_f32(sums->row_##r##_3, right.val[1], x);                   \
    }
#define ROW_STORE(r)                                                                           \
    if (rows > (r)) {                                                                          \
        float *c = product->c + (r)*product->c_stride;                                         \
        vst1q_f32(c, sums->row_##r##_0);                                                       \
        vst1q_f32(c + 4, sums->row_##r##_1);                                                   \
        vst1q_f32(c + 8, sums->row_##r##_2);                                                   \
        vst1q_f32(c + 12, sums->row_##r##_3);                                                  \
    }
#define EACH_ROW(DO) DO(0) FEWER_ROWS(DO)

INLINE void sums_add(struct sums *sums, struct attention_tile_step step, int rows,
                     enum kv_type type)
{
    const float32x4x2_t left = numbers_load(step.first, type);
    const float32x4x2_t right = numbers_load(step.first + LANES * type_bytes(type), type);
    EACH_ROW(ROW_STEP)
}

INLINE void sums_store(const struct sums *sums, const struct attention_tile_product *product,
                       int rows)
{
    EACH_ROW(ROW_STORE)
}

/* Of a row's two blocks, one after the other. */
struct pairs {
    float32x4_t first_0_0, first_0_1, first_0_2, first_0_3;
    float32x4_t second_0_0, second_0_1, second_0_2, second_0_3;
    float32x4_t first_1_0, first_1_1, first_1_2, first_1_3;
    float32x4_t second_1_0, second_1_1, second_1_2, second_1_3;
};

#define PAIR_STEP(r, block)                                                                    \
    if (rows > (r)) {                                                                          \
        const float x = step.a[(r)*STRIDE];                                                    \
        pairs->block##_##r##_0 = vfmaq_n_f32(pairs->block##_##r##_0, block##_left.val[0], x);  \
        pairs->block##_##r##_1 = vfmaq_n_f32(pairs->block##_##r##_1, block##_left.val[1], x);  \
        pairs->block##_##r##_2 = vfmaq_n_f32(pairs->block##_##r##_2, block##_right.val[0], x); \
        pairs->block##_##r##_3 = vfmaq_n_f32(pairs->block##_##r##_3, block##_right.val[1], x); \
    }
#define PAIR_STORE(r, block, column)                                                           \
    if (rows > (r)) {                                                                          \
        float *c = product->c + (r)*product->c_stride + (column);                              \
        vst1q_f32(c, pairs->block##_##r##_0);                                                  \
        vst1q_f32(c + 4, pairs->block##_##r##_1);                                              \
        vst1q_f32(c + 8, pairs->block##_##r##_2);                                              \
        vst1q_f32(c + 12, pairs->block##_##r##_3);                                             \
    }

INLINE void pairs_add(struct pairs *pairs, struct attention_tile_step step, int rows,
                      enum kv_type type)
{
    const size_t half = LANES * type_bytes(type);
    const float32x4x2_t first_left = numbers_load(step.first, type);
    const float32x4x2_t first_right = numbers_load(step.first + half, type);
    const float32x4x2_t second_left = numbers_load(step.second, type);
    const float32x4x2_t second_right = numbers_load(step.second + half, type);
    PAIR_STEP(0, first)
    PAIR_STEP(0, second)
    PAIR_STEP(1, first)
    PAIR_STEP(1, second)
}

INLINE void pairs_store(const struct pairs *pairs, const struct attention_tile_product *product,
                        int rows)
{
    PAIR_STORE(0, first, 0)
    PAIR_STORE(0, second, COLS)
    PAIR_STORE(1, first, 0)
    PAIR_STORE(1, second, COLS)
}

#include "kernels/attention_tile_frame.h"

/* a where it is greater, else b, a NaN's neighbour too: as x86 does it. */
INLINE float32x4_t greater(float32x4_t a, float32x4_t b)
{
    return vbslq_f32(vcgtq_f32(a, b), a, b);
}

/* 2^t for t <= 0, as exp_2 does it but fused; 0 below -126, a NaN stays one. */
INLINE float32x4_t power_of_two(float32x4_t t)
{
    const float32x4_t magic = vdupq_n_f32(12582912.0f); /* 1.5 * 2^23: units of 1 */
    const float32x4_t shifted = vaddq_f32(t, magic);
    const float32x4_t f = vsubq_f32(t, vsubq_f32(shifted, magic));
    float32x4_t p = vdupq_n_f32(0x1.441412p-13f);
    p = vfmaq_f32(vdupq_n_f32(0x1.5f0956p-10f), p, f);
    p = vfmaq_f32(vdupq_n_f32(0x1.3b2a52p-7f), p, f);
    p = vfmaq_f32(vdupq_n_f32(0x1.c6af6cp-5f), p, f);
    p = vfmaq_f32(vdupq_n_f32(0x1.ebfbe0p-3f), p, f);
    p = vfmaq_f32(vdupq_n_f32(0x1.62e430p-1f), p, f);
    p = vfmaq_f32(vdupq_n_f32(1.0f), p, f);
    const uint32x4_t exponent = vshlq_n_u32(vreinterpretq_u32_f32(shifted), 23);
    const uint32x4_t power = vaddq_u32(vreinterpretq_u32_f32(p), exponent);
    const uint32x4_t is_below = vcltq_f32(t, vdupq_n_f32(-126.0f));
    return vreinterpretq_f32_u32(vbicq_u32(power, is_below));
}

static float lanes_max(float32x4_t low, float32x4_t high)
{
    const float32x4_t four = greater(low, high);
    const float32x4_t two = greater(four, vextq_f32(four, four, 2));
    const float a = vgetq_lane_f32(two, 0), b = vgetq_lane_f32(two, 1);
    return a > b ? a : b;
}

static float lanes_sum(float32x4_t low, float32x4_t high)
{
    const float32x4_t four = vaddq_f32(low, high);
    const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
    return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}

/* Scales the scores in place, -infinity past `seen`; the result is their maximum. */
static float scores_scale(const struct attention_tile_softmax *softmax)
{
    static const int32_t lanes[LANES] = {0, 1, 2, 3, 4, 5, 6, 7};
    const float32x4_t minus_infinity = vdupq_n_f32(-__builtin_inff());
    float32x4_t max[2] = {minus_infinity, minus_infinity};
    for (int32_t key = 0; key < softmax->seen; key += LANES) {
        const int32x4_t left = vdupq_n_s32(softmax->seen - key);
        for (int half = 0; half < 2; half++) {
            float *scores = softmax->scores + key + 4 * half;
            const float32x4_t scale = vld1q_f32(softmax->key_scales + key + 4 * half);
            const uint32x4_t is_seen = vcgtq_s32(left, vld1q_s32(lanes + 4 * half));
            const float32x4_t score =
                vbslq_f32(is_seen, vmulq_f32(vld1q_f32(scores), scale), minus_infinity);
            vst1q_f32(scores, score);
            max[half] = greater(score, max[half]);
        }
    }
    return lanes_max(max[0], max[1]);
}

static void softmax_neon(struct attention_tile_softmax *softmax)
{
    softmax->max = scores_scale(softmax);
    const float32x4_t max = vdupq_n_f32(softmax->max);
    float32x4_t sum[2] = {vdupq_n_f32(0), vdupq_n_f32(0)};
    float32x4_t other[2] = {sum[0], sum[1]}; /* in turns: the sixteen lanes */
    for (int32_t key = 0; key < softmax->seen; key += LANES) {
        for (int half = 0; half < 2; half++) {
            float *scores = softmax->scores + key + 4 * half;
            float32x4_t weight = power_of_two(vsubq_f32(vld1q_f32(scores), max));
            const float32x4_t added = vaddq_f32(sum[half], weight);
            sum[half] = other[half];
            other[half] = added;
            if (softmax->value_scales)
                weight = vmulq_f32(weight, vld1q_f32(softmax->value_scales + key + 4 * half));
            vst1q_f32(scores, weight);
        }
    }
    /* Past `seen` a scale may be NaN, of a slot that nobody has filled. */
    memset(softmax->scores + softmax->seen, 0,
           (size_t)(softmax->padded - softmax->seen) * sizeof *softmax->scores);
    softmax->sum = lanes_sum(vaddq_f32(sum[0], other[0]), vaddq_f32(sum[1], other[1]));
}

static void widen_f16_neon(const uint16_t *from, float *to, size_t count)
{
    for (size_t i = 0; i < count; i += LANES) {
        const float32x4x2_t wide =
            numbers_load((const uint8_t *)(const void *)(from + i), KV_F16);
        vst1q_f32(to + i, wide.val[0]);
        vst1q_f32(to + i + 4, wide.val[1]);
    }
}

const struct attention_tile_kernels attention_tile_neon = {.tile_rows = TILE_ROWS,
                                                           .pair_rows = PAIR_ROWS,
                                                           .product =
                                                               attention_tile_frame_product,
                                                           .softmax = softmax_neon,
                                                           .widen_f16 = widen_f16_neon};
