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

#include "base/i32.h"

#include <immintrin.h>

enum {
    LANES = ATTENTION_TILE_LANES,
    TILE_ROWS = 6,
    PAIR_ROWS = 3,
    STRIDE = ATTENTION_TILE_STRIDE
};

#define INLINE static inline __attribute__((always_inline))

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

#define ROW_SUMS(r) __m256 left_##r = _mm256_setzero_ps(), right_##r = left_##r
#define ROW_STEP(r)                                                                            \
    if (rows > (r)) {                                                                          \
        const __m256 x = _mm256_broadcast_ss(a + (r)*STRIDE);                                  \
        left_##r = _mm256_fmadd_ps(x, left, left_##r);                                         \
        right_##r = _mm256_fmadd_ps(x, right, right_##r);                                      \
    }
#define ROW_STORE(r)                                                                           \
    if (rows > (r)) {                                                                          \
        _mm256_storeu_ps(product->c + (r)*product->c_stride, left_##r);                        \
        _mm256_storeu_ps(product->c + (r)*product->c_stride + LANES, right_##r);               \
    }
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5)

/* rows and type are constants at each call. */
INLINE void product_tile(const struct attention_tile_product *product, int rows,
                         enum kv_type type)
{
    ROW_SUMS(0);
    ROW_SUMS(1);
    ROW_SUMS(2);
    ROW_SUMS(3);
    ROW_SUMS(4);
    ROW_SUMS(5);
    const size_t bytes = type_bytes(type), b_stride = product->b_stride * bytes;
    const float *a_panel = product->a;
    const void *const *panel = product->b[0];
    for (int32_t rest = product->depth; rest > 0; rest -= product->panel_depth, panel++) {
        const uint8_t *b = (const uint8_t *)*panel + product->b_column[0] * bytes;
        const float *a = a_panel, *a_end = a + i32_min(product->panel_depth, rest);
        for (; a < a_end; a++, b += b_stride) {
            const __m256 left = numbers_load(b, type);
            const __m256 right = numbers_load(b + LANES * bytes, type);
            EACH_ROW(ROW_STEP)
        }
        a_panel += product->a_panel;
    }
    EACH_ROW(ROW_STORE)
}

#define PAIR_SUMS(r)                                                                           \
    __m256 sum_##r##_0 = _mm256_setzero_ps(), sum_##r##_1 = sum_##r##_0;                       \
    __m256 sum_##r##_2 = sum_##r##_0, sum_##r##_3 = sum_##r##_0
#define PAIR_STEP(r, i)                                                                        \
    if (rows > (r))                                                                            \
        sum_##r##_##i = _mm256_fmadd_ps(x_##r, column, sum_##r##_##i);
#define PAIR_COLUMN(i, numbers)                                                                \
    do {                                                                                       \
        const __m256 column = numbers_load((numbers), type);                                   \
        PAIR_STEP(0, i) PAIR_STEP(1, i) PAIR_STEP(2, i)                                        \
    } while (0)
#define PAIR_STORE(r)                                                                          \
    if (rows > (r)) {                                                                          \
        float *c = product->c + (r)*product->c_stride;                                         \
        _mm256_storeu_ps(c, sum_##r##_0);                                                      \
        _mm256_storeu_ps(c + LANES, sum_##r##_1);                                              \
        _mm256_storeu_ps(c + 2 * LANES, sum_##r##_2);                                          \
        _mm256_storeu_ps(c + 3 * LANES, sum_##r##_3);                                          \
    }

/* Two blocks of columns for at most three rows; rows and type are constants at each call. */
INLINE void product_pair(const struct attention_tile_product *product, int rows,
                         enum kv_type type)
{
    PAIR_SUMS(0);
    PAIR_SUMS(1);
    PAIR_SUMS(2);
    const size_t bytes = type_bytes(type), b_stride = product->b_stride * bytes;
    const float *a_panel = product->a;
    const void *const *first = product->b[0], *const *second = product->b[1];
    for (int32_t rest = product->depth; rest > 0; rest -= product->panel_depth) {
        const uint8_t *b = (const uint8_t *)*first++ + product->b_column[0] * bytes;
        const uint8_t *d = (const uint8_t *)*second++ + product->b_column[1] * bytes;
        const float *a = a_panel, *a_end = a + i32_min(product->panel_depth, rest);
        for (; a < a_end; a++, b += b_stride, d += b_stride) {
            const __m256 x_0 = _mm256_broadcast_ss(a);
            const __m256 x_1 = rows > 1 ? _mm256_broadcast_ss(a + STRIDE) : x_0;
            const __m256 x_2 = rows > 2 ? _mm256_broadcast_ss(a + 2 * STRIDE) : x_0;
            PAIR_COLUMN(0, b);
            PAIR_COLUMN(1, b + LANES * bytes);
            PAIR_COLUMN(2, d);
            PAIR_COLUMN(3, d + LANES * bytes);
        }
        a_panel += product->a_panel;
    }
    PAIR_STORE(0)
    PAIR_STORE(1)
    PAIR_STORE(2)
}

#define ROWS_CASE(function, count)                                                             \
    case count:                                                                                \
        function(product, count, type);                                                        \
        break;

INLINE void product_rows(const struct attention_tile_product *product, enum kv_type type)
{
    if (product->blocks == 2) {
        switch (product->rows) {
            ROWS_CASE(product_pair, 1)
            ROWS_CASE(product_pair, 2)
        default:
            product_pair(product, PAIR_ROWS, type);
            break;
        }
        return;
    }
    switch (product->rows) {
        ROWS_CASE(product_tile, 1)
        ROWS_CASE(product_tile, 2)
        ROWS_CASE(product_tile, 3)
        ROWS_CASE(product_tile, 4)
        ROWS_CASE(product_tile, 5)
    default:
        product_tile(product, TILE_ROWS, type);
        break;
    }
}

static void product_avx2(const struct attention_tile_product *product)
{
    switch (product->b_type) {
    case KV_F32:
        product_rows(product, KV_F32);
        break;
    case KV_F16:
        product_rows(product, KV_F16);
        break;
    case KV_INT8:
        break;
    }
}

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
    __m256 sum = _mm256_setzero_ps();
    int32_t key = 0;
    for (; key < softmax->seen; key += LANES) {
        const __m256 score = _mm256_loadu_ps(softmax->scores + key);
        __m256 weight = power_of_two(_mm256_sub_ps(score, max));
        sum = _mm256_add_ps(sum, weight);
        if (softmax->value_scales)
            weight = _mm256_mul_ps(weight, _mm256_loadu_ps(softmax->value_scales + key));
        _mm256_storeu_ps(softmax->scores + key, weight);
    }
    for (; key < softmax->padded; key += LANES)
        _mm256_storeu_ps(softmax->scores + key, _mm256_setzero_ps());
    softmax->sum = lanes_sum(sum);
}

void attention_tile_widen_f16_avx2(const uint16_t *from, float *to, size_t count)
{
    for (size_t i = 0; i < count; i += LANES) {
        const __m256 wide = numbers_load((const uint8_t *)(const void *)(from + i), KV_F16);
        _mm256_storeu_ps(to + i, wide);
    }
}

const struct attention_tile_kernels attention_tile_avx2 = {.tile_rows = TILE_ROWS,
                                                           .pair_rows = PAIR_ROWS,
                                                           .product = product_avx2,
                                                           .softmax = softmax_avx2,
                                                           .widen_f16 =
                                                               attention_tile_widen_f16_avx2};
