/*
 * attention_tile_avx2 - the inner kernels of attention with AVX2, FMA and F16C.
 *
 *     product   6 rows x 16 columns, or 3 rows x 2 blocks of 16: 12 running sums.
 *               Halves are widened on the way; with few rows that is cheaper than to store
 *               them widened and load them again
 *     softmax   13 operations per 8 weights
 *
 * The two registers of a row's sums are variables of their own: of an array, gcc 12 keeps a
 * copy in memory that every step writes (measured: 37 % of the peak in place of 65 %).
 */
#include "kernels/attention_tile.h"

#include <immintrin.h>
#include <string.h>

enum {
    LANES = ATTENTION_TILE_LANES,
    TILE_ROWS = 6,
    PAIR_ROWS = 3,
    STRIDE = ATTENTION_TILE_STRIDE
};

#define FEWER_ROWS(DO)      DO(1) DO(2) DO(3) DO(4) DO(5)
#define FEWER_PAIR_ROWS(DO) DO(1) DO(2)
#define INLINE              static inline __attribute__((always_inline))

INLINE size_t type_bytes(enum kv_type type)
{
    return type == KV_F32 ? 4 : 2;
}

/* Eight numbers as floats. */
INLINE __m256 numbers_load(const uint8_t *numbers, enum kv_type type)
{
    switch (type) {
    case KV_F32:
        return _mm256_loadu_ps((const float *)(const void *)numbers);
    case KV_F16:
        return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)numbers));
    case KV_INT8:
        break;
    }
    return _mm256_setzero_ps();
}

struct sums {
    __m256 left_0, left_1, left_2, left_3, left_4, left_5;
    __m256 right_0, right_1, right_2, right_3, right_4, right_5;
};

#define ROW_STEP(r)                                                                            \
    if (rows > (r)) {                                                                          \
        const __m256 x = _mm256_broadcast_ss(step.a + (r)*STRIDE);                             \
        sums->left_##r = _mm256_fmadd_ps(x, left, sums->left_##r);                             \
        sums->right_##r = _mm256_fmadd_ps(x, right, sums->right_##r);                          \
    }
#define ROW_STORE(r)                                                                           \
    if (rows > (r)) {                                                                          \
        _mm256_storeu_ps(product->c + (r)*product->c_stride, sums->left_##r);                  \
        _mm256_storeu_ps(product->c + (r)*product->c_stride + LANES, sums->right_##r);         \
    }
#define EACH_ROW(DO) DO(0) FEWER_ROWS(DO)

INLINE void sums_add(struct sums *sums, struct attention_tile_step step, int rows,
                     enum kv_type type)
{
    const __m256 left = numbers_load(step.first, type);
    const __m256 right = numbers_load(step.first + LANES * type_bytes(type), type);
    EACH_ROW(ROW_STEP)
}

INLINE void sums_store(const struct sums *sums, const struct attention_tile_product *product,
                       int rows)
{
    EACH_ROW(ROW_STORE)
}

struct pairs {
    __m256 row_0_0, row_0_1, row_0_2, row_0_3;
    __m256 row_1_0, row_1_1, row_1_2, row_1_3;
    __m256 row_2_0, row_2_1, row_2_2, row_2_3;
};

#define PAIR_STEP(r, i)                                                                        \
    if (rows > (r))                                                                            \
        pairs->row_##r##_##i = _mm256_fmadd_ps(x_##r, column, pairs->row_##r##_##i);
#define PAIR_COLUMN(i, numbers)                                                                \
    do {                                                                                       \
        const __m256 column = numbers_load((numbers), type);                                   \
        PAIR_STEP(0, i) PAIR_STEP(1, i) PAIR_STEP(2, i)                                        \
    } while (0)
#define PAIR_STORE(r)                                                                          \
    if (rows > (r)) {                                                                          \
        float *c = product->c + (r)*product->c_stride;                                         \
        _mm256_storeu_ps(c, pairs->row_##r##_0);                                               \
        _mm256_storeu_ps(c + LANES, pairs->row_##r##_1);                                       \
        _mm256_storeu_ps(c + 2 * LANES, pairs->row_##r##_2);                                   \
        _mm256_storeu_ps(c + 3 * LANES, pairs->row_##r##_3);                                   \
    }

INLINE void pairs_add(struct pairs *pairs, struct attention_tile_step step, int rows,
                      enum kv_type type)
{
    const size_t half = LANES * type_bytes(type);
    const __m256 x_0 = _mm256_broadcast_ss(step.a);
    const __m256 x_1 = rows > 1 ? _mm256_broadcast_ss(step.a + STRIDE) : x_0;
    const __m256 x_2 = rows > 2 ? _mm256_broadcast_ss(step.a + 2 * STRIDE) : x_0;
    PAIR_COLUMN(0, step.first);
    PAIR_COLUMN(1, step.first + half);
    PAIR_COLUMN(2, step.second);
    PAIR_COLUMN(3, step.second + half);
}

INLINE void pairs_store(const struct pairs *pairs, const struct attention_tile_product *product,
                        int rows)
{
    PAIR_STORE(0)
    PAIR_STORE(1)
    PAIR_STORE(2)
}

#include "kernels/attention_tile_frame.h"

/* 2^t for t <= 0, as exp_2 does it but fused; 0 below -126, a NaN stays one. */
INLINE __m256 power_of_two(__m256 t)
{
    const __m256 magic = _mm256_set1_ps(12582912.0f); /* 1.5 * 2^23: units of 1 */
    const __m256 shifted = _mm256_add_ps(t, magic);
    const __m256 f = _mm256_sub_ps(t, _mm256_sub_ps(shifted, magic));
    __m256 p = _mm256_set1_ps(0x1.441412p-13f);
    p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(0x1.5f0956p-10f));
    p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(0x1.3b2a52p-7f));
    p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(0x1.c6af6cp-5f));
    p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(0x1.ebfbe0p-3f));
    p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(0x1.62e430p-1f));
    p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(1.0f));
    const __m256i exponent = _mm256_slli_epi32(_mm256_castps_si256(shifted), 23);
    const __m256 power =
        _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), exponent));
    return _mm256_and_ps(power, _mm256_cmp_ps(t, _mm256_set1_ps(-126.0f), _CMP_NLT_UQ));
}

static float lanes_max(__m256 v)
{
    __m128 max = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    max = _mm_max_ps(max, _mm_movehl_ps(max, max));
    return _mm_cvtss_f32(_mm_max_ss(max, _mm_shuffle_ps(max, max, 1)));
}

static float lanes_sum(__m256 v)
{
    __m128 sum = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    return _mm_cvtss_f32(_mm_add_ss(sum, _mm_shuffle_ps(sum, sum, 1)));
}

/* Scales the scores in place, -infinity past `seen`; the result is their maximum. */
static float scores_scale(const struct attention_tile_softmax *softmax)
{
    const __m256 minus_infinity = _mm256_set1_ps(-__builtin_inff());
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    __m256 max = minus_infinity;
    int32_t key = 0;
    for (; key + LANES <= softmax->seen; key += LANES) {
        const __m256 score = _mm256_mul_ps(_mm256_loadu_ps(softmax->scores + key),
                                           _mm256_loadu_ps(softmax->key_scales + key));
        _mm256_storeu_ps(softmax->scores + key, score);
        max = _mm256_max_ps(score, max);
    }
    if (key < softmax->seen) {
        const __m256i is_seen =
            _mm256_cmpgt_epi32(_mm256_set1_epi32(softmax->seen - key), lane);
        __m256 score = _mm256_mul_ps(_mm256_loadu_ps(softmax->scores + key),
                                     _mm256_loadu_ps(softmax->key_scales + key));
        score = _mm256_blendv_ps(minus_infinity, score, _mm256_castsi256_ps(is_seen));
        _mm256_storeu_ps(softmax->scores + key, score);
        max = _mm256_max_ps(score, max);
    }
    return lanes_max(max);
}

static void softmax_avx2(struct attention_tile_softmax *softmax)
{
    softmax->max = scores_scale(softmax);
    const __m256 max = _mm256_set1_ps(softmax->max);
    __m256 sum = _mm256_setzero_ps(), other = sum; /* in turns: the sixteen lanes */
    for (int32_t key = 0; key < softmax->seen; key += LANES) {
        const __m256 score = _mm256_loadu_ps(softmax->scores + key);
        __m256 weight = power_of_two(_mm256_sub_ps(score, max));
        const __m256 added = _mm256_add_ps(sum, weight);
        sum = other;
        other = added;
        if (softmax->value_scales)
            weight = _mm256_mul_ps(weight, _mm256_loadu_ps(softmax->value_scales + key));
        _mm256_storeu_ps(softmax->scores + key, weight);
    }
    /* Past `seen` a scale may be NaN, of a slot that nobody has filled. */
    memset(softmax->scores + softmax->seen, 0,
           (size_t)(softmax->padded - softmax->seen) * sizeof *softmax->scores);
    softmax->sum = lanes_sum(_mm256_add_ps(sum, other));
}

void attention_tile_widen_f16_avx2(const uint16_t *from, float *to, size_t count)
{
    for (size_t i = 0; i < count; i += LANES) {
        const __m256 wide = numbers_load((const uint8_t *)(const void *)(from + i), KV_F16);
        _mm256_storeu_ps(to + i, wide);
    }
}

const struct attention_tile_kernels attention_tile_avx2 = {
    .tile_rows = TILE_ROWS,
    .pair_rows = PAIR_ROWS,
    .product = attention_tile_frame_product,
    .softmax = softmax_avx2,
    .widen_f16 = attention_tile_widen_f16_avx2};
