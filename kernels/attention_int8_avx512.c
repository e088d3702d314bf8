/*
 * attention_int8_avx512 - attention's integer products with AVX-512 VNNI.
 *
 *     tile      up to 12 rows x 16 columns: a running sum a row
 *     step      4 of the depth: 1 load of b; per row a broadcast, part of dpbusd for queries,
 *               and a dpbusd
 *     bound by  dpbusd: one per 64 products, where floats take four fused ones
 *     measured  1 thread, attention of 512 rows at context 1,024 6.4 -> 4.45 ms, of 96 rows of
 *               decode 2.31 -> 1.60 ms, against two bytes a number of a (EPYC Zen 4, November
 *               2026, bench/attention_bench)
 *     lost      tiles of 16, 18 or 24 rows; 8 rows where there are many; results kept in
 *               registers from block to block of weights (nothing)
 *
 * dpbusd multiplies unsigned by signed bytes. Weights are unsigned. To queries, which are
 * signed, b comes as b + 128 (its top bits turned), so each sum has 128 times the row's own sum
 * too much: it starts from as much less. All of it wraps modulo 2^32, and the result fits: it
 * is exact.
 *
 * The test builds this file a second time on portable versions of the same intrinsics, so that
 * its results are judged on machines that cannot run it.
 */
#include "base/i32.h"
#include "kernels/attention_int8.h"
#include "kernels/attention_tile.h"

#ifndef PORTABLE_INTRINSICS
    #include <immintrin.h>
#endif
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum { TILE_ROWS = 12, STEP_GROUPS = 1, LANES = 16, GROUP = KV_LAYOUT_GROUP };
#define FEWER_ROWS(DO) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)

/* sum += bytes * the four of a, in every lane. The instruction is written out: through the
 * intrinsic gcc 12 moves sums between registers at every step, a fifth of the time. */
INLINE void group_add(__m512i *sum, __m512i bytes, const uint8_t *a,
                      enum attention_int8_kind kind)
{
    int32_t four;
    memcpy(&four, a, sizeof four);
    const __m512i fours = _mm512_set1_epi32(four);
#ifdef PORTABLE_INTRINSICS
    *sum = kind == ATTENTION_INT8_QUERIES ? _mm512_dpbusd_epi32(*sum, bytes, fours)
                                          : _mm512_dpbusd_epi32(*sum, fours, bytes);
#else
    struct four {
        uint8_t bytes[4];
    };
    if (kind == ATTENTION_INT8_QUERIES)
        __asm__("vpdpbusd %2%{1to16%}, %1, %0"
                : "+v"(*sum)
                : "v"(bytes), "m"(*(const struct four *)(const void *)a));
    else
        __asm__("vpdpbusd %2, %1, %0" : "+v"(*sum) : "v"(fours), "v"(bytes));
#endif
}

struct sums {
    __m512i row_0, row_1, row_2, row_3, row_4, row_5;
    __m512i row_6, row_7, row_8, row_9, row_10, row_11;
};

/* a_stride is a constant in tiles: every operand is then addressed from one register. */
#define ROW_STEP(r)                                                                            \
    if (rows > (r))                                                                            \
        group_add(&sums->row_##r, bytes, step->a + (r)*step->a_stride, kind);
#define ROW_STORE(r)                                                                           \
    if (rows > (r))                                                                            \
        row_store(product, r, sums->row_##r);
#define EACH_ROW(DO) DO(0) FEWER_ROWS(DO)

/* A row's sums, scaled. */
INLINE __m512 row_result(const struct attention_int8_row *row, __m512i sum)
{
    const __m512i whole = _mm512_add_epi32(sum, _mm512_set1_epi32(row->start));
    return _mm512_mul_ps(_mm512_cvtepi32_ps(whole), _mm512_set1_ps(row->scale));
}

INLINE void row_store(const struct attention_int8_product *product, int r, __m512i sum)
{
    float *c = product->c + (size_t)r * product->c_stride;
    const __m512 result = row_result(&product->rows_of_a[r], sum);
    _mm512_storeu_ps(c, product->adds ? _mm512_add_ps(_mm512_loadu_ps(c), result) : result);
}

INLINE void sums_add(struct sums *sums, const struct attention_int8_step *step, int rows,
                     enum attention_int8_kind kind)
{
    const __m512i top_bits = _mm512_set1_epi32((int32_t)0x80808080u);
    __m512i bytes = _mm512_loadu_si512(step->b);
    if (kind == ATTENTION_INT8_QUERIES)
        bytes = _mm512_xor_si512(bytes, top_bits);
    EACH_ROW(ROW_STEP)
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

static int32_t integers_put(const float *values, int32_t count, float factor,
                            enum attention_int8_kind kind, uint8_t *a)
{
    const __m512 by = _mm512_set1_ps(factor);
    __m512i sum = _mm512_setzero_si512();
    for (int32_t i = 0; i < count; i += LANES) {
        const __m512i q = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(values + i), by));
        _mm_storeu_si128((__m128i *)(void *)(a + i), _mm512_cvtepi32_epi8(q));
        sum = _mm512_add_epi32(sum, q);
    }
    return kind == ATTENTION_INT8_QUERIES ? attention_int8_start(_mm512_reduce_add_epi32(sum))
                                          : 0;
}

#include "kernels/attention_int8_round.h"

#ifdef PORTABLE_INTRINSICS
    #define TILE NULL /* the softmax has no portable build */
#else
    #define TILE tile_run

enum { A_STRIDE = ATTENTION_INT8_TILE_BYTES, BLOCK_PAGES = ATTENTION_INT8_BLOCK / LANES };

    #define ROW_SCORES(r)                                                                      \
        if (rows > (r))                                                                        \
            _mm512_storeu_ps(scores + (r)*ATTENTION_TILE_STRIDE,                               \
                             _mm512_mul_ps(row_result(&queries[r], sums.row_##r), scales));
    #define ROW_OUT(r)                                                                         \
        if (rows > (r))                                                                        \
            out_add(tile->queries[r].out + column, weights->scales[r][block], sums.row_##r,    \
                    block);

/* scores = q k, scaled, a page at a time. */
INLINE void tile_scores(const struct attention_int8_tile *tile,
                        const struct attention_int8_row *queries, int rows)
{
    const uint8_t *const a_end = tile->integers + tile->head_dim;
    float *scores = tile->scores;
    for (int32_t p = 0; p < tile->page_count; p++, scores += LANES) {
        struct sums sums = {0};
        struct attention_int8_step step = {
            .a = tile->integers, .b = tile->pages[p].keys, .a_stride = A_STRIDE};
        for (; step.a < a_end; step.a += GROUP, step.b += GROUP * LANES)
            sums_add(&sums, &step, rows, ATTENTION_INT8_QUERIES);
        const __m512 scales = _mm512_mul_ps(_mm512_loadu_ps(tile->pages[p].key_scales),
                                            _mm512_set1_ps(tile->key_factor));
        EACH_ROW(ROW_SCORES)
    }
}

INLINE void out_add(float *out, float scale, __m512i sum, int32_t block)
{
    const __m512 result = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), _mm512_set1_ps(scale));
    _mm512_storeu_ps(out, block > 0 ? _mm512_add_ps(_mm512_loadu_ps(out), result) : result);
}

INLINE void page_add(struct sums *sums, struct attention_int8_step *step, int rows)
{
    for (int g = 0; g < KV_PAGE_TOKENS / GROUP; g++) {
        sums_add(sums, step, rows, ATTENTION_INT8_WEIGHTS);
        step->a += GROUP;
        step->b += step->b_stride;
    }
}

/* out = weights v, sixteen columns at a time, block by block of keys. */
INLINE void tile_values(const struct attention_int8_tile *tile,
                        const struct attention_int8_weights *weights, int rows)
{
    for (size_t column = 0; column < (size_t)tile->head_dim; column += LANES) {
        struct attention_int8_step step = {.a = tile->integers,
                                           .a_stride = A_STRIDE,
                                           .b_stride = GROUP * (size_t)tile->head_dim};
        for (int32_t p = 0, block = 0; p < tile->page_count; block++) {
            const int32_t end = i32_min(p + BLOCK_PAGES, tile->page_count);
            struct sums sums = {0};
            for (; p < end; p++) {
                step.b = (const uint8_t *)tile->pages[p].values + column * GROUP;
                page_add(&sums, &step, rows);
            }
            EACH_ROW(ROW_OUT)
        }
    }
}

    #define TILE_CASE(r)                                                                       \
    case r:                                                                                    \
        tile_scores(tile, queries, r);                                                         \
        attention_softmax_tile_avx512(tile, &weights);                                         \
        tile_values(tile, &weights, r);                                                        \
        break;

static void tile_run(const struct attention_int8_tile *tile)
{
    struct attention_int8_row queries[TILE_ROWS];
    struct attention_int8_weights weights;
    attention_queries_round_avx512(tile, queries);
    switch (tile->rows) {
        FEWER_ROWS(TILE_CASE)
        TILE_CASE(TILE_ROWS)
    default:
        break;
    }
}
#endif

const struct attention_int8_kernels attention_int8_avx512 = {.product_rows = TILE_ROWS,
                                                             .product =
                                                                 attention_int8_frame_product,
                                                             .round = attention_int8_round_row,
                                                             .tile_rows = TILE_ROWS,
                                                             .tile = TILE};
