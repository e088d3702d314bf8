/*
 * attention_softmax_avx2 - the softmax of attention_tile with AVX2 and FMA, and the same of a
 * tile of attention_int8, whose weights are rounded.
 *
 * 13 operations per 8 weights. Sixteen lanes of a sum are two registers.
 */
#include "base/i32.h"
#include "kernels/attention_int8.h"
#include "kernels/attention_tile.h"

#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum {
    LANES = ATTENTION_TILE_LANES,
    COLS = ATTENTION_TILE_COLS,
    BLOCK = ATTENTION_INT8_BLOCK,
    BLOCK_PAGES = BLOCK / COLS
};

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

/* All bits in those of the eight keys from `key` on that are seen. */
INLINE __m256 seen_mask(int32_t seen, int32_t key)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_castsi256_ps(_mm256_cmpgt_epi32(_mm256_set1_epi32(seen - key), lane));
}

/* Scales the scores in place, -infinity past `seen`; the result is their maximum. */
static float scores_scale(const struct attention_tile_softmax *softmax)
{
    const __m256 minus_infinity = _mm256_set1_ps(-__builtin_inff());
    __m256 max = minus_infinity;
    for (int32_t key = 0; key < softmax->seen; key += LANES) {
        __m256 score = _mm256_mul_ps(_mm256_loadu_ps(softmax->scores + key),
                                     _mm256_loadu_ps(softmax->key_scales + key));
        if (key + LANES > softmax->seen)
            score = _mm256_blendv_ps(minus_infinity, score, seen_mask(softmax->seen, key));
        _mm256_storeu_ps(softmax->scores + key, score);
        max = _mm256_max_ps(score, max);
    }
    return lanes_max(max);
}

void attention_softmax_avx2(struct attention_tile_softmax *softmax)
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

/* The greatest score; those that the row does not see are none. */
INLINE float scores_max(const float *scores, int32_t seen)
{
    const __m256 minus_infinity = _mm256_set1_ps(-__builtin_inff());
    __m256 max = minus_infinity;
    int32_t key = 0;
    for (; key + LANES <= seen; key += LANES)
        max = _mm256_max_ps(_mm256_loadu_ps(scores + key), max);
    if (key < seen)
        max = _mm256_max_ps(_mm256_blendv_ps(minus_infinity, _mm256_loadu_ps(scores + key),
                                             seen_mask(seen, key)),
                            max);
    return lanes_max(max);
}

/* What becomes of a row's scores. */
struct row_weights {
    __m256 max, sums[COLS / LANES];
    __m256i greatest; /* of a block's, as bits: weights are not negative, so that, taken without
                         a sign, infinity and NaN come last */
};

/* A page's scores into weights times value scales; zeros where they are not seen. is_whole, a
 * constant at each call: all are. */
INLINE void page_weights(struct row_weights *row, float *scores, const float *value_scales,
                         int32_t seen, bool is_whole)
{
    for (int i = 0; i < COLS / LANES; i++, scores += LANES, value_scales += LANES) {
        __m256 weights = power_of_two(_mm256_sub_ps(_mm256_loadu_ps(scores), row->max));
        __m256 scaled = _mm256_mul_ps(weights, _mm256_loadu_ps(value_scales));
        if (!is_whole) {
            const __m256 is_seen = seen_mask(seen, i * LANES);
            weights = _mm256_and_ps(weights, is_seen);
            scaled = _mm256_and_ps(scaled, is_seen);
        }
        row->sums[i] = _mm256_add_ps(row->sums[i], weights);
        row->greatest = _mm256_max_epu32(row->greatest, _mm256_castps_si256(scaled));
        _mm256_storeu_ps(scores, scaled);
    }
}

INLINE int32_t greatest_lane(__m256i v)
{
    __m128i most = _mm_max_epu32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    most = _mm_max_epu32(most, _mm_shuffle_epi32(most, 0x4e));
    return _mm_cvtsi128_si32(_mm_max_epu32(most, _mm_shuffle_epi32(most, 0xb1)));
}

INLINE __m256i number_round(const float *value, __m256 factor)
{
    return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(value), factor));
}

/* A block's weights as bytes, their top bits turned; what is no number becomes 0. Of pages that
 * are not there the bytes mean nothing, and nobody reads them. */
INLINE void block_round(const float *values, float factor, uint8_t *a)
{
    const __m256 by = _mm256_set1_ps(factor);
    /* Packing works in halves: fours of bytes lie 0 2 4 6, 1 3 5 7. */
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    for (int i = 0; i < BLOCK; i += 4 * LANES, values += 4 * LANES) {
        const __m256i low =
            _mm256_packs_epi32(number_round(values, by), number_round(values + LANES, by));
        const __m256i high = _mm256_packs_epi32(number_round(values + 2 * LANES, by),
                                                number_round(values + 3 * LANES, by));
        const __m256i bytes =
            _mm256_permutevar8x32_epi32(_mm256_packus_epi16(low, high), order);
        _mm256_storeu_si256((__m256i *)(void *)(a + i),
                            _mm256_xor_si256(bytes, _mm256_set1_epi8(-128)));
    }
}

/* A row's scores into weights times value scales, and these into bytes, block by block. */
INLINE void row_round(const struct attention_int8_tile *tile,
                      const struct attention_int8_query *query, float *scores, uint8_t *a,
                      float *scales)
{
    struct row_weights row = {.max = _mm256_set1_ps(query->stats[0])};
    const int32_t whole = query->seen / COLS; /* pages that it sees all of */
    for (int32_t p = 0; p < tile->page_count; a += BLOCK) {
        float *const block = scores + p * COLS;
        const int32_t end = i32_min(p + BLOCK_PAGES, tile->page_count);
        row.greatest = _mm256_setzero_si256();
        for (; p < i32_min(end, whole); p++)
            page_weights(&row, scores + p * COLS, tile->pages[p].value_scales, COLS, true);
        for (; p < end; p++)
            page_weights(&row, scores + p * COLS, tile->pages[p].value_scales,
                         query->seen - p * COLS, false);
        struct attention_int8_row rounded;
        const float factor = attention_int8_row_begin(&rounded, greatest_lane(row.greatest),
                                                      ATTENTION_INT8_WEIGHTS);
        *scales++ = rounded.scale;
        block_round(block, factor, a);
    }
    query->stats[1] = lanes_sum(_mm256_add_ps(row.sums[0], row.sums[1]));
}

void attention_softmax_tile_avx2(const struct attention_int8_tile *tile,
                                 struct attention_int8_weights *weights)
{
    for (int32_t r = 0; r < tile->rows; r++) {
        const struct attention_int8_query *query = &tile->queries[r];
        float *scores = tile->scores + (size_t)r * ATTENTION_TILE_STRIDE;
        query->stats[0] = scores_max(scores, query->seen);
        row_round(tile, query, scores, tile->integers + (size_t)r * ATTENTION_INT8_TILE_BYTES,
                  weights->scales[r]);
    }
}
