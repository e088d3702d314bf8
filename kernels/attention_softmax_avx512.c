/*
 * attention_softmax_avx512 - the softmax of attention_tile with AVX-512, and what a tile of
 * attention_int8 does with its rows beside the products: queries and weights are rounded.
 *
 * 17 operations per 16 weights. The bits are AVX2's: each lane does what it does there. (In a
 * file of its own: the portable build of the products' test lacks what is used here.)
 */
#include "base/i32.h"
#include "kernels/attention_int8.h"
#include "kernels/attention_tile.h"

#include <immintrin.h>
#include <math.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum {
    COLS = ATTENTION_TILE_COLS,
    BLOCKS = ATTENTION_INT8_BLOCKS,
    BLOCK_PAGES = ATTENTION_INT8_BLOCK / COLS,
    ROWS_MAX = ATTENTION_INT8_TILE_ROWS_MAX,
    INF_BITS = 0x7f800000,
    ALL_LANES = 0xffff
};

/* 2^t for t <= 0: see attention_tile_avx2. 0 in lanes that are not wanted. */
INLINE __m512 power_of_two(__m512 t, __mmask16 is_wanted)
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
    const __mmask16 is_kept =
        is_wanted & _mm512_cmp_ps_mask(t, _mm512_set1_ps(-126.0f), _CMP_NLT_UQ);
    return _mm512_castsi512_ps(
        _mm512_maskz_add_epi32(is_kept, _mm512_castps_si512(p), exponent));
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

/* By halves. */
static float lanes_sum(__m512 v)
{
    const __m256 upper = _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(v), 1));
    const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(v), upper);
    __m128 sum = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    return _mm_cvtss_f32(_mm_add_ss(sum, _mm_shuffle_ps(sum, sum, 1)));
}

/* Room for whole sixteens is there: rows of scores are ATTENTION_TILE_STRIDE apart. */
void attention_softmax_avx512(struct attention_tile_softmax *softmax)
{
    softmax->max = scores_scale(softmax);
    const __m512 max = _mm512_set1_ps(softmax->max);
    __m512 sum = _mm512_setzero_ps();
    for (int32_t key = 0; key < softmax->seen; key += COLS) {
        const __m512 score = _mm512_loadu_ps(softmax->scores + key);
        __m512 weights = power_of_two(_mm512_sub_ps(score, max), ALL_LANES);
        sum = _mm512_add_ps(sum, weights);
        if (softmax->value_scales)
            weights = _mm512_mul_ps(weights, _mm512_loadu_ps(softmax->value_scales + key));
        _mm512_storeu_ps(softmax->scores + key, weights);
    }
    /* Past `seen` a scale may be NaN, of a slot that nobody has filled. */
    memset(softmax->scores + softmax->seen, 0,
           (size_t)(softmax->padded - softmax->seen) * sizeof *softmax->scores);
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

/* Of the sixteen keys from the one that `seen` counts from. */
INLINE __mmask16 seen_mask(int32_t seen)
{
    return (__mmask16)(seen >= COLS ? ALL_LANES : seen > 0 ? (1 << seen) - 1 : 0);
}

/* What becomes of a row's scores. */
struct row_weights {
    __m512 max, sum;
    __m512i greatest; /* of a block's, as bits: weights are not negative, so that, taken without
                         a sign, infinity and NaN come last */
};

/* Sixteen scores into weights times value scales; zeros where they are not seen. */
INLINE void page_weights(struct row_weights *row, float *scores, const float *value_scales,
                         __mmask16 is_seen)
{
    const __m512 weights =
        power_of_two(_mm512_sub_ps(_mm512_loadu_ps(scores), row->max), is_seen);
    const __m512 scaled = _mm512_maskz_mul_ps(is_seen, weights, _mm512_loadu_ps(value_scales));
    row->sum = _mm512_add_ps(row->sum, weights);
    row->greatest = _mm512_max_epu32(row->greatest, _mm512_castps_si512(scaled));
    _mm512_storeu_ps(scores, scaled);
}

/* A row's scores into weights times value scales; greatest: of each block, as bits. */
INLINE void row_weights(const struct attention_int8_tile *tile,
                        const struct attention_int8_query *query, float *scores,
                        uint32_t *greatest)
{
    struct row_weights row = {.max = _mm512_set1_ps(query->stats[0]),
                              .sum = _mm512_setzero_ps()};
    const int32_t whole = query->seen / COLS; /* pages that it sees all of */
    for (int32_t p = 0; p < tile->page_count; greatest++) {
        const int32_t end = i32_min(p + BLOCK_PAGES, tile->page_count);
        row.greatest = _mm512_setzero_si512();
        for (; p < i32_min(end, whole); p++, scores += COLS)
            page_weights(&row, scores, tile->pages[p].value_scales, ALL_LANES);
        for (; p < end; p++, scores += COLS)
            page_weights(&row, scores, tile->pages[p].value_scales,
                         seen_mask(query->seen - p * COLS));
        *greatest = _mm512_reduce_max_epu32(row.greatest);
    }
    query->stats[1] = lanes_sum(row.sum);
}

/* attention_int8_row_begin, sixteen rows or blocks at a time: factors[count] and scales[count]
 * from the greatest[count], as bits. */
INLINE void factors_begin(const uint32_t *greatest, int32_t count, float most, float *factors,
                          float *scales)
{
    const __m512 limit = _mm512_set1_ps(most);
    const __m512i infinity = _mm512_set1_epi32(INF_BITS);
    for (int32_t i = 0; i < count; i += COLS) {
        const __m512i bits = _mm512_loadu_si512(greatest + i);
        const __m512 value = _mm512_castsi512_ps(bits), factor = _mm512_div_ps(limit, value);
        const __mmask16 has_factor =
            _mm512_cmplt_epu32_mask(_mm512_castps_si512(factor), infinity);
        const __mmask16 is_finite = _mm512_cmplt_epu32_mask(bits, infinity);
        _mm512_storeu_ps(factors + i, _mm512_maskz_mov_ps(has_factor, factor));
        _mm512_storeu_ps(scales + i,
                         _mm512_mask_div_ps(_mm512_set1_ps(NAN), is_finite, value, limit));
    }
}

INLINE __m512i number_round(const float *value, __m512 factor)
{
    return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(value), factor));
}

/* A block's weights as bytes; what is no number becomes 0. Of pages that are not there the
 * bytes mean nothing, and nobody reads them. */
INLINE void block_round(const float *values, float factor, uint8_t *a)
{
    const __m512 by = _mm512_set1_ps(factor);
    const __m512i low =
        _mm512_packs_epi32(number_round(values, by), number_round(values + COLS, by));
    const __m512i high = _mm512_packs_epi32(number_round(values + 2 * COLS, by),
                                            number_round(values + 3 * COLS, by));
    /* Packing works in quarters: fours of bytes lie 0 4 8 12, 1 5 ... */
    const __m512i order =
        _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    _mm512_storeu_si512(a, _mm512_permutexvar_epi32(order, _mm512_packus_epi16(low, high)));
}

/* A query as bytes; the result is their sum. */
INLINE int32_t query_round(const float *query, int32_t head_dim, float factor, uint8_t *a)
{
    const __m512 by = _mm512_set1_ps(factor);
    __m512i sum = _mm512_setzero_si512();
    for (int32_t i = 0; i < head_dim; i += COLS) {
        const __m512i q = number_round(query + i, by);
        _mm_storeu_si128((__m128i *)(void *)(a + i), _mm512_cvtepi32_epi8(q));
        sum = _mm512_add_epi32(sum, q);
    }
    return _mm512_reduce_add_epi32(sum);
}

void attention_queries_round_avx512(const struct attention_int8_tile *tile,
                                    struct attention_int8_row *rows)
{
    uint32_t greatest[COLS] = {0};
    float factors[COLS], scales[COLS];
    for (int32_t r = 0; r < tile->rows; r++) {
        __m512i most = _mm512_setzero_si512(); /* as bits: infinity and NaN come last */
        for (int32_t i = 0; i < tile->head_dim; i += COLS) {
            const __m512 values = _mm512_abs_ps(_mm512_loadu_ps(tile->queries[r].query + i));
            most = _mm512_max_epu32(most, _mm512_castps_si512(values));
        }
        greatest[r] = _mm512_reduce_max_epu32(most);
    }
    factors_begin(greatest, COLS, attention_int8_limit(ATTENTION_INT8_QUERIES), factors,
                  scales);
    for (int32_t r = 0; r < tile->rows; r++) {
        rows[r].scale = scales[r];
        rows[r].start = attention_int8_start(
            query_round(tile->queries[r].query, tile->head_dim, factors[r],
                        tile->integers + (size_t)r * ATTENTION_INT8_TILE_BYTES));
    }
}

/* Row after row within each step: what a row's end waits for is done under the next one. */
void attention_softmax_tile_avx512(const struct attention_int8_tile *tile,
                                   struct attention_int8_weights *weights)
{
    uint32_t greatest[ROWS_MAX * BLOCKS]; /* of each row's blocks, as bits */
    float factors[ROWS_MAX * BLOCKS];
    const int32_t count = i32_ceil_div(tile->page_count, BLOCK_PAGES);
    memset(greatest, 0, sizeof greatest); /* for blocks that are not there */
    for (int32_t r = 0; r < tile->rows; r++)
        tile->queries[r].stats[0] =
            scores_max(tile->scores + (size_t)r * ATTENTION_TILE_STRIDE, tile->queries[r].seen);
    for (int32_t r = 0; r < tile->rows; r++)
        row_weights(tile, &tile->queries[r], tile->scores + (size_t)r * ATTENTION_TILE_STRIDE,
                    greatest + r * BLOCKS);
    factors_begin(greatest, tile->rows * BLOCKS, attention_int8_limit(ATTENTION_INT8_WEIGHTS),
                  factors, weights->scales[0]);
    for (int32_t r = 0; r < tile->rows; r++) {
        const float *values = tile->scores + (size_t)r * ATTENTION_TILE_STRIDE;
        uint8_t *a = tile->integers + (size_t)r * ATTENTION_INT8_TILE_BYTES;
        for (int32_t i = 0; i < count; i++)
            block_round(values + i * ATTENTION_INT8_BLOCK, factors[r * BLOCKS + i],
                        a + i * ATTENTION_INT8_BLOCK);
    }
}
