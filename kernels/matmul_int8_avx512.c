/*
 * matmul_int8_avx512 - exact int8 sums with AVX-512 VNNI.
 *
 *     formula   out[p][r, o] = sum_i x[r, i] w[o, i], int32
 *     tile      12 rows x 32 outputs (two panels): 24 running sums of 16 lanes
 *     step      4 inputs: 2 loads of weights, 12 broadcasts of x, 24 x dpbusd
 *     bound by  dpbusd issue; 14 loads per 24 leave the load ports a third of their time
 *     fetch     the panels after these are asked for, line by line: when a step comes to them
 *               weights lie in memory, and each panel is a new stream. 576 x 1536, gate and
 *               up, never in a cache: 12 rows 191 -> 106 us, 36 rows 390 -> 312 us. Each tile
 *               of rows asks for its share, so that no tile waits for all: weights of 74 MB,
 *               depth 576, 36 rows 499 -> 537 GOPS, 256 rows 617 -> 705 (with panels turned
 *               once; Xeon of the fifth generation)
 *     measured  share of the dpbusd peak, 1 thread, M = 32 (EPYC Zen 4, November 2026,
 *               bench/matmul_bench): 576 x 576 88 %, 576 x 1536 86 %, 1536 x 576 91 %,
 *               576 x 49152 63 %. 256 rows, a run of panels, the kernel alone: 679 -> 739 of
 *               740 GOPS since panels are turned once (Xeon of the fifth generation, two such
 *               ports)
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
 * without saturation, modulo 2^32: the result is exact. Turning is done on the ports of the
 * products: for few rows it costs nothing beside waiting for memory, for many it is done once,
 * into a copy that their tiles share.
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
    const int8_t *x;     /* first row of the tile */
    const int8_t *w;     /* first panel */
    const int8_t *next;  /* the panel that comes after these */
    const int8_t *fetch; /* what to ask for of it, fetch_step bytes on per four inputs */
    size_t fetch_step;
    const int32_t *x_sums;
    size_t stride, panel_bytes;
    int32_t *out;
    size_t out_panel; /* numbers from panel to panel of out */
};

/* Four inputs' weights of a panel, plus 128. */
static inline __m512i group_turn(const int8_t *w)
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

/* rows, panels and is_turned are constants at each call: the loops unroll, and sum[][] lives
 * in registers. Left to itself gcc 12 does not unroll so many rows, and keeps an array in
 * memory. */
static inline __attribute__((always_inline)) void tile_sum(const struct span *span, int rows,
                                                           int panels, bool is_turned)
{
    __m512i sum[TILE_ROWS][TILE_PANELS];
#pragma GCC unroll 12
    for (int r = 0; r < rows; r++) {
        for (int p = 0; p < panels; p++)
            sum[r][p] = row_start(span, r);
    }
    const int8_t *x = span->x, *fetch = span->fetch;
    for (size_t at = 0; at < span->panel_bytes; at += PANEL * GROUP, x += GROUP) {
        __m512i w[TILE_PANELS];
        for (int p = 0; p < panels; p++) {
            const size_t place = (size_t)p * span->panel_bytes + at;
            w[p] =
                is_turned ? _mm512_loadu_si512(span->w + place) : group_turn(span->w + place);
            __builtin_prefetch(fetch + (size_t)p * span->panel_bytes, 0, 2);
        }
        fetch += span->fetch_step;
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
            const __m512i w = group_turn(span->w + at);
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

/* As many rows as a tile is written for, of `left` that are to be done. */
static inline int32_t tile_rows(int32_t left)
{
    if (left >= TILE_ROWS)
        return TILE_ROWS;
    if (left >= 8)
        return 8;
    if (left >= 4)
        return 4;
    return left >= 2 ? 2 : 1;
}

/* What these rows ask for while they go through a panel: of the next one, their share. In 32
 * bits, whose divisions are short: a task's rows are at most some hundreds. */
static inline void fetch_aim(struct span *span, const struct matmul_int8_tile *tile,
                             int32_t row, int32_t rows)
{
    const uint32_t before = (uint32_t)(tile->rows_before + row);
    const uint32_t all = (uint32_t)tile->rows_all;
    span->fetch = span->next + (uint32_t)span->panel_bytes * before / all;
    span->fetch_step = (uint32_t)(PANEL * GROUP) * (uint32_t)rows / all;
}

/* All rows of the tile against one panel or two. */
static inline __attribute__((always_inline)) void panels_sum(
    struct span span, const struct matmul_int8_tile *tile, int panels, bool is_turned)
{
    int32_t rows;
    for (int32_t r = 0; r < tile->rows; r += rows) {
        rows = tile_rows(tile->rows - r);
        span.x = tile->x + (size_t)r * span.stride;
        span.x_sums = tile->x_sums + r;
        fetch_aim(&span, tile, r, rows);
        if (rows == TILE_ROWS)
            tile_sum(&span, TILE_ROWS, panels, is_turned);
        else if (rows == 8)
            tile_sum(&span, 8, panels, is_turned);
        else if (rows == 4)
            tile_sum(&span, 4, panels, is_turned);
        else if (rows == 2)
            tile_sum(&span, 2, panels, is_turned);
        else
            tile_sum(&span, 1, panels, is_turned);
        span.out += (size_t)rows * PANEL;
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

void matmul_int8_turn_avx512(const struct matmul_int8_tile *tile, int8_t *turned)
{
    const size_t bytes = (size_t)tile->panels * (size_t)tile->depth * PANEL;
    for (size_t at = 0; at < bytes; at += PANEL * GROUP)
        _mm512_storeu_si512(turned + at, group_turn(tile->panel + at));
}

static inline __attribute__((always_inline)) void tile_panels_sum(
    const struct matmul_int8_tile *tile, struct span span, bool is_turned)
{
    int32_t panel = 0;
    for (; panel + TILE_PANELS <= tile->panels; panel += TILE_PANELS) {
        span.next += TILE_PANELS * span.panel_bytes;
        panels_sum(span, tile, TILE_PANELS, is_turned);
        span.w += TILE_PANELS * span.panel_bytes;
        span.out += TILE_PANELS * span.out_panel;
    }
    if (panel < tile->panels) {
        span.next += span.panel_bytes;
        panels_sum(span, tile, 1, is_turned);
    }
}

void matmul_int8_avx512(const struct matmul_int8_tile *tile, int32_t *out)
{
    struct span span = {.x = tile->x,
                        .w = tile->panel,
                        .next = tile->panel,
                        .x_sums = tile->x_sums,
                        .stride = (size_t)tile->stride,
                        .panel_bytes = (size_t)tile->depth * PANEL,
                        .out = out,
                        .out_panel = (size_t)tile->rows * PANEL};
    if (tile->rows <= STREAM_ROWS) {
        stream(span, tile->rows, tile->panels);
    } else if (tile->turned != NULL) {
        span.w = tile->turned;
        tile_panels_sum(tile, span, true);
    } else {
        tile_panels_sum(tile, span, false);
    }
}

void matmul_int8_finish_avx512(const struct matmul_int8_outputs *outputs, const int32_t *sums)
{
    matmul_finish_tile(outputs, sums);
}
