/*
 * matmul_int8_avx512 - exact int8 sums with AVX-512 VNNI.
 *
 *     formula   out[p][r, o] = sum_i x[r, i] w[o, i], int32
 *     tile      12 rows x 32 outputs (two panels): 24 running sums of 16 lanes
 *     step      4 inputs: 2 loads of weights, turned, 12 broadcasts of x, 24 x dpbusd
 *     bound by  dpbusd issue; 14 loads per 24 leave the load ports a third of their time
 *     fetch     the panels after these are asked for, line by line: when a step comes to them
 *               weights lie in memory, and each panel is a new stream. 576 x 1536, gate and
 *               up, never in a cache: 12 rows 191 -> 106 us, 36 rows 390 -> 312 us
 *     measured  share of the dpbusd peak, 1 thread, M = 32 (EPYC Zen 4, November 2026,
 *               bench/matmul_bench): 576 x 576 88 %, 576 x 1536 86 %, 1536 x 576 91 %,
 *               576 x 49152 63 %. The kernel alone, its operands in L1: 664 of 706 GOPS (Xeon
 *               of the fifth generation, two such ports)
 *     few rows  wait for memory alone: up to 4 go a panel at a time, see stream_sum. One row,
 *               1 thread, weights in memory: 23-24 -> 32-34 GB/s, the rate of reading, which
 *               our own prefetches into L2 kept it from (EPYC Zen 4, bench/forward_bench)
 *     lost      x taken as x + 128: 8 rows of a step are turned where 2 panels are, on the
 *               ports of the products (there 500 GOPS)
 *               tiles of 8 or 16 rows a call instead of 32 (1.5 % and 0.3 % slower)
 *               a panel at a time for 5 to 8 rows too (1536 x 576, 8 rows: 34 -> 57 us)
 *               for few rows, asking for the next tile's first 512 to 4,096 bytes (nothing;
 *               4,096 are 20 % slower)
 *
 * dpbusd multiplies unsigned by signed bytes, so w is taken as w + 128 (its bytes with the top
 * bit turned) and the sums of a row start at 128 times the row's own sum below zero. It adds
 * without saturation, modulo 2^32: the result is exact.
 *
 * The test builds this file a second time on portable versions of the same intrinsics, so that
 * its results are judged on machines that cannot run it.
 */
#include "kernels/matmul_int8.h"

#include "kernels/matmul_finish.h"

#ifndef PORTABLE_INTRINSICS
    #include <immintrin.h>
#endif
#include <string.h>

enum {
    PANEL = MATMUL_INT8_PANEL,
    GROUP = MATMUL_INT8_GROUP,
    TILE_ROWS = 12,
    TILE_PANELS = 2,
    STREAM_ROWS = 4, /* tiles of no more rows read a panel after the other */
    CHAINS_MAX = 4
};

struct span {
    const int8_t *x; /* first row of the tile */
    const int8_t *w; /* first panel */
    const int32_t *x_sums;
    size_t stride, panel_bytes;
    int32_t *out;
    size_t out_panel; /* numbers from panel to panel of out */
};

/* A panel's four inputs, plus 128. */
static inline __m512i group_load(const int8_t *w)
{
    return _mm512_xor_si512(_mm512_loadu_si512(w), _mm512_set1_epi32((int32_t)0x80808080u));
}

/* Four of x in every lane. */
static inline __m512i group_broadcast(const int8_t *x)
{
    int32_t group;
    memcpy(&group, x, sizeof group);
    return _mm512_set1_epi32(group);
}

/* Where the sums of a row start. */
static inline __m512i row_start(const struct span *span, int row)
{
    return _mm512_set1_epi32((int32_t)(0u - ((uint32_t)span->x_sums[row] << 7)));
}

/* sum += x * w in every lane. The instruction is written out: through the intrinsic gcc 12
 * moves sums between registers at every step, two moves a product. */
static inline __attribute__((always_inline)) void bytes_add(__m512i *sum, __m512i w, __m512i x)
{
#ifdef PORTABLE_INTRINSICS
    *sum = _mm512_dpbusd_epi32(*sum, w, x);
#else
    __asm__("vpdpbusd %2, %1, %0" : "+v"(*sum) : "v"(w), "v"(x));
#endif
}

/* rows and panels are constants at each call: the loops unroll, and sum[][] lives in registers.
 * Left to itself gcc 12 does not unroll so many rows, and keeps an array in memory. */
static inline __attribute__((always_inline)) void tile_sum(const struct span *span, int rows,
                                                           int panels)
{
    __m512i sum[TILE_ROWS][TILE_PANELS];
#pragma GCC unroll 12
    for (int r = 0; r < rows; r++) {
        for (int p = 0; p < panels; p++)
            sum[r][p] = row_start(span, r);
    }
    const int8_t *x = span->x;
    for (size_t at = 0; at < span->panel_bytes; at += PANEL * GROUP, x += GROUP) {
        __m512i w[TILE_PANELS];
        for (int p = 0; p < panels; p++) {
            const int8_t *place = span->w + (size_t)p * span->panel_bytes + at;
            w[p] = group_load(place);
            __builtin_prefetch(place + (size_t)panels * span->panel_bytes, 0, 2);
        }
#pragma GCC unroll 12
        for (int r = 0; r < rows; r++) {
            const __m512i group = group_broadcast(x + (size_t)r * span->stride);
            for (int p = 0; p < panels; p++)
                bytes_add(&sum[r][p], w[p], group);
        }
    }
    for (int p = 0; p < panels; p++) {
#pragma GCC unroll 12
        for (int r = 0; r < rows; r++) {
            int32_t *out = span->out + (size_t)p * span->out_panel + (size_t)r * PANEL;
            _mm512_storeu_si512(out, sum[r][p]);
        }
    }
}

/* The same for so few rows that memory is what they wait for: a panel after the other, so that
 * the processor's own prefetch sees one stream, the depth split over `chains` sums a row, so
 * that none waits for its last product. */
static inline __attribute__((always_inline)) void stream_sum(const struct span *span, int rows,
                                                             int chains)
{
    __m512i sum[STREAM_ROWS][CHAINS_MAX];
    for (int r = 0; r < rows; r++) {
        for (int c = 0; c < chains; c++)
            sum[r][c] = c == 0 ? row_start(span, r) : _mm512_setzero_si512();
    }
    const int8_t *x = span->x;
    for (size_t at = 0; at < span->panel_bytes;) {
        for (int c = 0; c < chains; c++, at += PANEL * GROUP, x += GROUP) {
            const __m512i w = group_load(span->w + at);
            for (int r = 0; r < rows; r++)
                bytes_add(&sum[r][c], w, group_broadcast(x + (size_t)r * span->stride));
        }
    }
    for (int r = 0; r < rows; r++) {
        __m512i whole = sum[r][0];
        for (int c = 1; c < chains; c++)
            whole = _mm512_add_epi32(whole, sum[r][c]);
        _mm512_storeu_si512(span->out + (size_t)r * PANEL, whole);
    }
}

static void stream(struct span span, int32_t rows, int32_t panels)
{
    for (int32_t p = 0; p < panels; p++) {
        if (rows == 1)
            stream_sum(&span, 1, 4);
        else if (rows == 2)
            stream_sum(&span, 2, 4);
        else if (rows == 3)
            stream_sum(&span, 3, 2);
        else
            stream_sum(&span, 4, 2);
        span.w += span.panel_bytes;
        span.out += span.out_panel;
    }
}

/* All rows of the tile against one panel or two: twelve rows at a time, then 8, 4, 2 and 1. */
static inline __attribute__((always_inline)) void panels_sum(struct span span, int32_t rows,
                                                             int panels)
{
    const int8_t *x = span.x;
    const int32_t *x_sums = span.x_sums;
    int32_t *out = span.out;
    for (int32_t r = 0; r < rows;) {
        const int32_t left = rows - r;
        span.x = x + (size_t)r * span.stride;
        span.x_sums = x_sums + r;
        span.out = out + (size_t)r * PANEL;
        if (left >= TILE_ROWS) {
            tile_sum(&span, TILE_ROWS, panels);
            r += TILE_ROWS;
        } else if (left >= 8) {
            tile_sum(&span, 8, panels);
            r += 8;
        } else if (left >= 4) {
            tile_sum(&span, 4, panels);
            r += 4;
        } else if (left >= 2) {
            tile_sum(&span, 2, panels);
            r += 2;
        } else {
            tile_sum(&span, 1, panels);
            r += 1;
        }
    }
}

void matmul_int8_x_sums_avx512(const struct matmul_int8_tile *tile, int32_t *sums)
{
    const __m512i ones = _mm512_set1_epi8(1);
    for (int32_t r = 0; r < tile->rows; r++) {
        const int8_t *x = tile->x + (size_t)r * (size_t)tile->stride;
        __m512i sum = _mm512_setzero_si512();
        for (int32_t i = 0; i < tile->depth; i += MATMUL_INT8_ALIGN)
            sum = _mm512_dpbusd_epi32(sum, ones, _mm512_loadu_si512(x + i));
        sums[r] = _mm512_reduce_add_epi32(sum);
    }
}

void matmul_int8_avx512(const struct matmul_int8_tile *tile, int32_t *out)
{
    struct span span = {.x = tile->x,
                        .w = tile->panel,
                        .x_sums = tile->x_sums,
                        .stride = (size_t)tile->stride,
                        .panel_bytes = (size_t)tile->depth * PANEL,
                        .out = out,
                        .out_panel = (size_t)tile->rows * PANEL};
    if (tile->rows <= STREAM_ROWS) {
        stream(span, tile->rows, tile->panels);
        return;
    }
    int32_t panel = 0;
    for (; panel + TILE_PANELS <= tile->panels; panel += TILE_PANELS) {
        panels_sum(span, tile->rows, TILE_PANELS);
        span.w += TILE_PANELS * span.panel_bytes;
        span.out += TILE_PANELS * span.out_panel;
    }
    if (panel < tile->panels)
        panels_sum(span, tile->rows, 1);
}

void matmul_int8_finish_avx512(const struct matmul_int8_outputs *outputs, const int32_t *sums)
{
    matmul_finish_tile(outputs, sums);
}
