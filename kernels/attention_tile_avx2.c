/*
 * attention_tile_avx2 - the inner kernels of attention with AVX2, FMA and F16C.
 *
 *     product   6 rows x 16 columns: 12 running sums; 2 loads and 6 broadcasts per 12 FMA
 *     softmax   13 operations per 8 weights
 */
#include "kernels/attention_tile.h"

#include <immintrin.h>

enum { LANES = ATTENTION_TILE_LANES, ROWS = ATTENTION_TILE_ROWS };

#define INLINE static inline __attribute__((always_inline))

static int32_t least(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

/* The two registers of one row's sums. Each is a variable of its own: of an array, gcc 12 keeps
 * a copy in memory that every step writes (measured: 37 % of the peak in place of 70 %). */
#define ROW_SUMS(r) __m256 sum_##r = _mm256_setzero_ps(), sum_##r##_right = sum_##r
#define ROW_STEP(r)                                                                            \
    if (rows > (r)) {                                                                          \
        const __m256 x = _mm256_broadcast_ss(a + (r)*a_stride);                                \
        sum_##r = _mm256_fmadd_ps(x, left, sum_##r);                                           \
        if (registers > 1)                                                                     \
            sum_##r##_right = _mm256_fmadd_ps(x, right, sum_##r##_right);                      \
    }
#define ROW_STORE(r)                                                                           \
    if (rows > (r)) {                                                                          \
        _mm256_storeu_ps(product->c + (r)*product->c_stride, sum_##r);                         \
        if (registers > 1)                                                                     \
            _mm256_storeu_ps(product->c + (r)*product->c_stride + LANES, sum_##r##_right);     \
    }
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5)

/* rows and registers are constants at each call. */
INLINE void product_tile(const struct attention_tile_product *product, int rows, int registers)
{
    ROW_SUMS(0);
    ROW_SUMS(1);
    ROW_SUMS(2);
    ROW_SUMS(3);
    ROW_SUMS(4);
    ROW_SUMS(5);
    const size_t a_stride = product->a_stride, b_stride = product->b_stride;
    const float *a = product->a;
    const float *const *panel = product->b;
    for (int32_t todo = product->depth; todo > 0; todo -= product->panel_depth, panel++) {
        const float *b = *panel + product->b_column;
        const float *a_end = a + least(product->panel_depth, todo);
        for (; a < a_end; a++, b += b_stride) {
            const __m256 left = _mm256_loadu_ps(b);
            const __m256 right = registers > 1 ? _mm256_loadu_ps(b + LANES) : left;
            EACH_ROW(ROW_STEP)
        }
    }
    EACH_ROW(ROW_STORE)
}

INLINE void product_rows(const struct attention_tile_product *product, int registers)
{
    switch (product->rows) {
    case 1:
        product_tile(product, 1, registers);
        break;
    case 2:
        product_tile(product, 2, registers);
        break;
    case 3:
        product_tile(product, 3, registers);
        break;
    case 4:
        product_tile(product, 4, registers);
        break;
    case 5:
        product_tile(product, 5, registers);
        break;
    default:
        product_tile(product, ROWS, registers);
        break;
    }
}

static void product_avx2(const struct attention_tile_product *product)
{
    if (product->columns == 2 * LANES)
        product_rows(product, 2);
    else
        product_rows(product, 1);
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

static void widen_f16_avx2(const uint16_t *from, float *to, size_t count)
{
    for (size_t i = 0; i < count; i += LANES) {
        const __m128i halves = _mm_loadu_si128((const __m128i *)(const void *)(from + i));
        _mm256_storeu_ps(to + i, _mm256_cvtph_ps(halves));
    }
}

static void widen_int8_avx2(const int8_t *from, float *to, size_t count)
{
    for (size_t i = 0; i < count; i += LANES) {
        const __m128i bytes = _mm_loadl_epi64((const __m128i *)(const void *)(from + i));
        _mm256_storeu_ps(to + i, _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)));
    }
}

const struct attention_tile_kernels attention_tile_avx2 = {.product = product_avx2,
                                                           .softmax = softmax_avx2,
                                                           .widen_f16 = widen_f16_avx2,
                                                           .widen_int8 = widen_int8_avx2};
