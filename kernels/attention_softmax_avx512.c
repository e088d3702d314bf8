/*
 * attention_softmax_avx512 - the softmax of attention_tile with AVX-512.
 *
 * 13 operations per 16 weights. The bits are AVX2's: each lane does what it does there, and the
 * sum runs in eight lanes, the lower half of a register before the upper. (In a file of its
 * own: the portable build of the products' test lacks what is used here.)
 */
#include "kernels/attention_tile.h"

#include <immintrin.h>

#define INLINE static inline __attribute__((always_inline))

enum { COLS = ATTENTION_TILE_COLS };

/* 2^t for t <= 0: see attention_tile_avx2. */
INLINE __m512 power_of_two(__m512 t)
{
    const __m512 magic = _mm512_set1_ps(12582912.0f); /* 1.5 * 2^23: units of 1 */
    const __m512 shifted = _mm512_add_ps(t, magic);
    const __m512 f = _mm512_sub_ps(t, _mm512_sub_ps(shifted, magic));
    __m512 p = _mm512_set1_ps(0x1.441412p-13f);
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0x1.5f0956p-10f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0x1.3b2a52p-7f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0x1.c6af6cp-5f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0x1.ebfbe0p-3f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0x1.62e430p-1f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.0f));
    const __m512i exponent = _mm512_slli_epi32(_mm512_castps_si512(shifted), 23);
    const __m512i power = _mm512_add_epi32(_mm512_castps_si512(p), exponent);
    const __mmask16 is_kept = _mm512_cmp_ps_mask(t, _mm512_set1_ps(-126.0f), _CMP_NLT_UQ);
    return _mm512_castsi512_ps(_mm512_maskz_mov_epi32(is_kept, power));
}

/* Sixteen scores, scaled in place. */
INLINE __m512 score_scale(const struct attention_tile_softmax *softmax, int32_t key)
{
    const __m512 score = _mm512_mul_ps(_mm512_loadu_ps(softmax->scores + key),
                                       _mm512_loadu_ps(softmax->key_scales + key));
    _mm512_storeu_ps(softmax->scores + key, score);
    return score;
}

/* Scales the scores in place, -infinity past `seen`; the result is their maximum. */
INLINE float scores_scale(const struct attention_tile_softmax *softmax)
{
    const __m512 minus_infinity = _mm512_set1_ps(-__builtin_inff());
    __m512 max = minus_infinity;
    int32_t key = 0;
    for (; key + COLS <= softmax->seen; key += COLS)
        max = _mm512_max_ps(score_scale(softmax, key), max);
    if (key < softmax->seen) {
        const __mmask16 is_seen = (__mmask16)((1u << (softmax->seen - key)) - 1);
        const __m512 score = _mm512_mask_mul_ps(
            minus_infinity, is_seen, _mm512_maskz_loadu_ps(is_seen, softmax->scores + key),
            _mm512_maskz_loadu_ps(is_seen, softmax->key_scales + key));
        _mm512_storeu_ps(softmax->scores + key, score);
        max = _mm512_max_ps(score, max);
    }
    return _mm512_reduce_max_ps(max);
}

/* The lower eight lanes, then the upper ones: the order of AVX2. */
INLINE __m256 sum_add(__m256 sum, __m512 weights)
{
    const __m512d halves = _mm512_castps_pd(weights);
    sum = _mm256_add_ps(sum, _mm512_castps512_ps256(weights));
    return _mm256_add_ps(sum, _mm256_castpd_ps(_mm512_extractf64x4_pd(halves, 1)));
}

static float lanes_sum(__m256 v)
{
    __m128 sum = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    return _mm_cvtss_f32(_mm_add_ss(sum, _mm_shuffle_ps(sum, sum, 1)));
}

/* Room for whole sixteens is there: rows of scores are ATTENTION_TILE_STRIDE apart. */
void attention_softmax_avx512(struct attention_tile_softmax *softmax)
{
    softmax->max = scores_scale(softmax);
    const __m512 max = _mm512_set1_ps(softmax->max);
    __m256 sum = _mm256_setzero_ps();
    int32_t key = 0;
    for (; key < softmax->seen; key += COLS) {
        const __m512 score = _mm512_loadu_ps(softmax->scores + key);
        __m512 weights = power_of_two(_mm512_sub_ps(score, max));
        sum = sum_add(sum, weights);
        if (softmax->value_scales)
            weights = _mm512_mul_ps(weights, _mm512_loadu_ps(softmax->value_scales + key));
        _mm512_storeu_ps(softmax->scores + key, weights);
    }
    for (; key < softmax->padded; key += COLS)
        _mm512_storeu_ps(softmax->scores + key, _mm512_setzero_ps());
    softmax->sum = lanes_sum(sum);
}
