/*
 * attention_int8_avx512 - attention's integer products with AVX-512 VNNI.
 *
 *     tile      up to 12 rows x 16 columns: a running sum of high bytes and one of low a row
 *     step      4 of the depth: 1 load of b; per row 2 broadcasts that are part of 2 dpbusd
 *     bound by  dpbusd: two per 64 products, where floats take four fused ones
 *     measured  attention of 512 rows, 1 thread, as a share of the FMA peak that floats have:
 *               tiles of 8 rows 93-96 %, of 12 82-89 %; of 9 rows (three jobs under one chunk)
 *               12 is the better (EPYC Zen 4, November 2026, bench/attention_bench)
 *     lost      queries, or weights, in 8 bits: half the instructions, but a mean KL of 0.00696
 *               and 0.00681 against exact where 16 bits give 0.00627 and 0.007 is the limit
 *
 * dpbusd multiplies unsigned by signed bytes. b comes as b + 128 (its top bits turned), so each
 * sum has 128 times the row's own sum too much, which is taken off at the end. a = 256 high +
 * low, both signed. All of it wraps modulo 2^32, and the result fits: the difference is exact.
 *
 * The test builds this file a second time on portable versions of the same intrinsics, so that
 * its results are judged on machines that cannot run it.
 */
#include "kernels/attention_int8.h"
#include "kernels/attention_tile.h"

#ifndef PORTABLE_INTRINSICS
    #include <immintrin.h>
#endif
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum { TILE_ROWS = 12, MANY_ROWS = 8, STEP_GROUPS = 1, LANES = 16 };
#define FEWER_ROWS(DO) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)

/* sum += bytes * the four of a, in every lane. The instruction is written out: through the
 * intrinsic gcc 12 moves sums between registers at every step, a fifth of the time. */
INLINE void bytes_add(__m512i *sum, __m512i bytes, const uint8_t *a)
{
#ifdef PORTABLE_INTRINSICS
    int32_t four;
    memcpy(&four, a, sizeof four);
    *sum = _mm512_dpbusd_epi32(*sum, bytes, _mm512_set1_epi32(four));
#else
    struct four {
        uint8_t bytes[4];
    };
    __asm__("vpdpbusd %2%{1to16%}, %1, %0"
            : "+v"(*sum)
            : "v"(bytes), "m"(*(const struct four *)(const void *)a));
#endif
}

struct sums {
    __m512i high_0, high_1, high_2, high_3, high_4, high_5;
    __m512i high_6, high_7, high_8, high_9, high_10, high_11;
    __m512i low_0, low_1, low_2, low_3, low_4, low_5;
    __m512i low_6, low_7, low_8, low_9, low_10, low_11;
};

/* stride, from row to row of a, is a constant in tiles: every operand is then addressed from
 * one register. */
#define ROW_STEP(r)                                                                            \
    if (rows > (r)) {                                                                          \
        const uint8_t *x = a + (r)*stride;                                                     \
        bytes_add(&sums->high_##r, bytes, x);                                                  \
        bytes_add(&sums->low_##r, bytes, x + 4);                                               \
    }
#define ROW_STORE(r)                                                                           \
    if (rows > (r))                                                                            \
        row_store(product, r, sums->high_##r, sums->low_##r);
#define EACH_ROW(DO) DO(0) FEWER_ROWS(DO)

/* A row's sums, scaled. */
INLINE __m512 row_result(const struct attention_int8_row *row, __m512i high, __m512i low)
{
    const __m512i extra = _mm512_set1_epi32((int32_t)((uint32_t)row->sum << 7));
    const __m512i sum =
        _mm512_sub_epi32(_mm512_add_epi32(_mm512_slli_epi32(high, 8), low), extra);
    return _mm512_mul_ps(_mm512_cvtepi32_ps(sum), _mm512_set1_ps(row->scale));
}

INLINE void row_store(const struct attention_int8_product *product, int r, __m512i high,
                      __m512i low)
{
    _mm512_storeu_ps(product->c + (size_t)r * product->c_stride,
                     row_result(&product->rows_of_a[r], high, low));
}

INLINE void sums_step(struct sums *sums, const uint8_t *a, size_t stride, const uint8_t *b,
                      int rows)
{
    const __m512i top_bits = _mm512_set1_epi32((int32_t)0x80808080u);
    const __m512i bytes = _mm512_xor_si512(_mm512_loadu_si512(b), top_bits);
    EACH_ROW(ROW_STEP)
}

INLINE void sums_add(struct sums *sums, const struct attention_int8_product *product,
                     const uint8_t *a, const uint8_t *b, int rows)
{
    sums_step(sums, a, product->a_stride, b, rows);
}

INLINE void sums_store(const struct sums *sums, const struct attention_int8_product *product,
                       int rows)
{
    EACH_ROW(ROW_STORE)
}

#include "kernels/attention_int8_frame.h"

typedef __m512i integers;

INLINE integers greater(integers most, const float *values)
{
    const __m512i bits = _mm512_castps_si512(_mm512_loadu_ps(values));
    return _mm512_max_epi32(most, _mm512_and_si512(bits, _mm512_set1_epi32(0x7fffffff)));
}

INLINE int32_t greatest_lane(integers most)
{
    return _mm512_reduce_max_epi32(most);
}

/* 256 high + low of each, both signed, as four high bytes and four low ones of each group. q +
 * 128 has high for its high byte, and in its low one low + 128. */
INLINE __m256i bytes_split(__m256i q)
{
    const __m256i order =
        _mm256_setr_epi8(1, 3, 5, 7, 0, 2, 4, 6, 9, 11, 13, 15, 8, 10, 12, 14, 1, 3, 5, 7, 0, 2,
                         4, 6, 9, 11, 13, 15, 8, 10, 12, 14);
    const __m256i half = _mm256_set1_epi16(128);
    return _mm256_shuffle_epi8(_mm256_xor_si256(_mm256_add_epi16(q, half), half), order);
}

static int32_t integers_put(const float *values, int32_t count, float factor, uint8_t *a)
{
    const __m512 by = _mm512_set1_ps(factor);
    __m512i sum = _mm512_setzero_si512();
    for (int32_t i = 0; i < count; i += LANES) {
        const __m512i q = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(values + i), by));
        const __m256i split = bytes_split(_mm512_cvtepi32_epi16(q));
        _mm256_storeu_si256((__m256i *)(void *)(a + (size_t)i * sizeof(int16_t)), split);
        sum = _mm512_add_epi32(sum, q);
    }
    return _mm512_reduce_add_epi32(sum);
}

#include "kernels/attention_int8_round.h"

#ifdef PORTABLE_INTRINSICS
    #define TILE NULL /* the softmax has no portable build */
#else
    #define TILE tile_run

enum { A_STRIDE = ATTENTION_INT8_TILE_BYTES, GROUP = KV_LAYOUT_GROUP };

    #define ROW_SCORES(r)                                                                      \
        if (rows > (r))                                                                        \
            _mm512_storeu_ps(                                                                  \
                scores + (r)*ATTENTION_TILE_STRIDE,                                            \
                _mm512_mul_ps(row_result(&rows_of_a[r], sums.high_##r, sums.low_##r),          \
                              scales));
    #define ROW_OUT(r)                                                                         \
        if (rows > (r))                                                                        \
            _mm512_storeu_ps(tile->queries[r].out + column,                                    \
                             row_result(&rows_of_a[r], sums.high_##r, sums.low_##r));

/* scores = q k, scaled, a page at a time. */
INLINE void tile_scores(const struct attention_int8_tile *tile,
                        const struct attention_int8_row *rows_of_a, int rows)
{
    const uint8_t *const a_end =
        tile->integers + (size_t)tile->head_dim / GROUP * ATTENTION_INT8_GROUP_BYTES;
    float *scores = tile->scores;
    for (int32_t p = 0; p < tile->page_count; p++, scores += LANES) {
        struct sums sums = {0};
        const uint8_t *b = tile->pages[p].keys;
        for (const uint8_t *a = tile->integers; a < a_end; a += ATTENTION_INT8_GROUP_BYTES) {
            sums_step(&sums, a, A_STRIDE, b, rows);
            b += GROUP * LANES;
        }
        const __m512 scales = _mm512_mul_ps(_mm512_loadu_ps(tile->pages[p].key_scales),
                                            _mm512_set1_ps(tile->key_factor));
        EACH_ROW(ROW_SCORES)
    }
}

/* out = weights v, sixteen columns at a time. */
INLINE void tile_values(const struct attention_int8_tile *tile,
                        const struct attention_int8_row *rows_of_a, int rows)
{
    const size_t b_stride = GROUP * (size_t)tile->head_dim;
    for (size_t column = 0; column < (size_t)tile->head_dim; column += LANES) {
        struct sums sums = {0};
        const uint8_t *a = tile->integers;
        for (int32_t p = 0; p < tile->page_count; p++) {
            const uint8_t *b = (const uint8_t *)tile->pages[p].values + column * GROUP;
            for (int g = 0; g < KV_PAGE_TOKENS / GROUP; g++) {
                sums_step(&sums, a, A_STRIDE, b, rows);
                a += ATTENTION_INT8_GROUP_BYTES;
                b += b_stride;
            }
        }
        EACH_ROW(ROW_OUT)
    }
}

    #define TILE_CASE(r)                                                                       \
    case r:                                                                                    \
        tile_scores(tile, rows, r);                                                            \
        attention_softmax_tile_avx512(tile, rows);                                             \
        tile_values(tile, rows, r);                                                            \
        break;

static void tile_run(const struct attention_int8_tile *tile)
{
    struct attention_int8_row rows[TILE_ROWS];
    for (int32_t r = 0; r < tile->rows; r++)
        rows[r] = attention_int8_round_row(tile->queries[r].query, tile->head_dim,
                                           ATTENTION_INT8_LIMIT, tile->integers + r * A_STRIDE);
    switch (tile->rows) {
        FEWER_ROWS(TILE_CASE)
    default:
        tile_scores(tile, rows, TILE_ROWS);
        attention_softmax_tile_avx512(tile, rows);
        tile_values(tile, rows, TILE_ROWS);
        break;
    }
}
#endif

const struct attention_int8_kernels attention_int8_avx512 = {.tile_rows = TILE_ROWS,
                                                             .many_rows = MANY_ROWS,
                                                             .product =
                                                                 attention_int8_frame_product,
                                                             .round = attention_int8_round_row,
                                                             .tile = TILE};
