/*
 * attention_softmax_avx512 - the softmax of attention_tile with AVX-512.
 *
 * 13 operations per 16 weights. The bits are AVX2's: each lane does what it does there, and the
 * sum runs in eight lanes, the lower half of a register before the upper. (In a file of its
 * own: the portable build of the products' test lacks what is used here.)
 */
#include "kernels/attention_int8.h"
#include "kernels/attention_tile.h"

#include <immintrin.h>
#include <math.h>
#include <string.h>

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

/* The greatest score; those that the row does not see are none. */
INLINE float scores_max(const float *scores, int32_t seen)
{
    __m512 max = _mm512_set1_ps(-__builtin_inff());
    int32_t key = 0;
    for (; key + COLS <= seen; key += COLS)
        max = _mm512_max_ps(_mm512_loadu_ps(scores + key), max);
    if (key < seen) {
        const __mmask16 is_seen = (__mmask16)((1u << (seen - key)) - 1);
        max = _mm512_mask_max_ps(max, is_seen, _mm512_loadu_ps(scores + key), max);
    }
    return _mm512_reduce_max_ps(max);
}

INLINE __m512i greater(__m512i most, __m512 values)
{
    return _mm512_max_epi32(
        most, _mm512_and_si512(_mm512_castps_si512(values), _mm512_set1_epi32(0x7fffffff)));
}

/* Of the sixteen keys from the one that `seen` counts from. */
INLINE __mmask16 seen_mask(int32_t seen)
{
    return (__mmask16)(seen >= COLS ? 0xffff : seen > 0 ? (1 << seen) - 1 : 0);
}

/* A row's scores into weights times value scales; the result is the greatest, as bits. */
INLINE int32_t row_weights(const struct attention_int8_tile *tile,
                           const struct attention_int8_query *query, float *scores)
{
    const __m512 max = _mm512_set1_ps(query->stats[0]);
    __m512i most = _mm512_setzero_si512();
    __m256 sum = _mm256_setzero_ps();
    int32_t left = query->seen;
    for (int32_t p = 0; p < tile->page_count; p++, scores += COLS, left -= COLS) {
        const __mmask16 is_seen = seen_mask(left);
        const __m512 weights = _mm512_maskz_mov_ps(
            is_seen, power_of_two(_mm512_sub_ps(_mm512_loadu_ps(scores), max)));
        sum = sum_add(sum, weights);
        const __m512 scaled =
            _mm512_maskz_mul_ps(is_seen, weights, _mm512_loadu_ps(tile->pages[p].value_scales));
        most = greater(most, scaled);
        _mm512_storeu_ps(scores, scaled);
    }
    query->stats[1] = lanes_sum(sum);
    return _mm512_reduce_max_epi32(most);
}

/* See attention_int8_avx512: 256 high + low of each, both signed, as four high bytes and four
 * low ones of each group; here of 32 numbers. */
INLINE __m512i bytes_split(__m512i low, __m512i high)
{
    const __m512i order = _mm512_broadcast_i32x4(
        _mm_setr_epi8(1, 3, 5, 7, 0, 2, 4, 6, 9, 11, 13, 15, 8, 10, 12, 14));
    const __m512i half = _mm512_set1_epi16(128);
    const __m512i q = _mm512_packs_epi32(low, high);
    const __m512i split =
        _mm512_shuffle_epi8(_mm512_xor_si512(_mm512_add_epi16(q, half), half), order);
    return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), split);
}

INLINE __m512i number_round(const float *value, __m512 factor)
{
    return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(value), factor));
}

/* Rounds a row of whole pages; the result is the sum of its integers. */
INLINE int32_t row_round(const float *values, int32_t pages, float factor, uint8_t *a)
{
    const __m512 by = _mm512_set1_ps(factor);
    __m512i sum = _mm512_setzero_si512();
    int32_t p = 0;
    for (; p + 2 <= pages; p += 2, values += 2 * COLS, a += 2 * COLS * sizeof(int16_t)) {
        const __m512i low = number_round(values, by), high = number_round(values + COLS, by);
        _mm512_storeu_si512(a, bytes_split(low, high));
        sum = _mm512_add_epi32(sum, _mm512_add_epi32(low, high));
    }
    if (p < pages) {
        const __m512i low = number_round(values, by);
        const __m512i split = bytes_split(low, low);
        _mm256_storeu_si256((__m256i *)(void *)a, _mm512_castsi512_si256(split));
        sum = _mm512_add_epi32(sum, low);
    }
    return _mm512_reduce_add_epi32(sum);
}

/* Row after row within each step: what a row's end waits for is done under the next one. */
void attention_softmax_tile_avx512(const struct attention_int8_tile *tile,
                                   struct attention_int8_row *rows)
{
    int32_t greatest[ATTENTION_INT8_TILE_ROWS_MAX];
    for (int32_t r = 0; r < tile->rows; r++)
        tile->queries[r].stats[0] =
            scores_max(tile->scores + (size_t)r * ATTENTION_TILE_STRIDE, tile->queries[r].seen);
    for (int32_t r = 0; r < tile->rows; r++)
        greatest[r] = row_weights(tile, &tile->queries[r],
                                  tile->scores + (size_t)r * ATTENTION_TILE_STRIDE);
    for (int32_t r = 0; r < tile->rows; r++) {
        uint8_t *a = tile->integers + (size_t)r * ATTENTION_INT8_TILE_BYTES;
        const float factor =
            attention_int8_row_begin(&rows[r], greatest[r], ATTENTION_INT8_LIMIT);
        if (factor > 0.0f)
            rows[r].sum = row_round(tile->scores + (size_t)r * ATTENTION_TILE_STRIDE,
                                    tile->page_count, factor, a);
        else
            memset(a, 0, (size_t)tile->page_count * COLS * sizeof(int16_t));
    }
}
