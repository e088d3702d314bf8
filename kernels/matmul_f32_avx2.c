/*
 * matmul_f32_avx2 - exact precision with AVX2 and FMA.
 *
 *     formula   out[r, o] = sum_i x[r, i] w[o, i], order as in matmul_f32.h
 *     tile      3 rows x 4 outputs: 12 running sums of 8 lanes, 7 loads per 12 FMA;
 *               one row alone: 1 x 8
 *     bound by  FMA issue for large M; at M = 1 by dequantization (0.16 ns per Q4_1 weight)
 *     measured  EPYC 1st generation (Zen 1, about 2.5 GHz), one core, Q4_1 weights of 576 x
 *               1536, Nov 2026: 30 GFLOPS from M = 96 on (of about 40), 28 at 32, 19 at 8,
 *               5 at 1, dequantization included, which was plain C then (0.34 ns)
 *
 * Not used: AVX-512 BF16 (vdpbf16ps) would halve the operations, but it rounds x to 8 bits of
 * mantissa whatever the weights are stored as, and reads subnormals as zero: no F32 bits.
 *
 * Lanes past in_dim are loaded as zeros; adding +-0 to a running sum that began at +0 changes
 * nothing.
 */
#include "kernels/matmul_f32.h"

#include <immintrin.h>

enum { LANES = 8, TILE_ROWS = 3, TILE_OUTS = 4, ROW_OUTS = 8 };

struct span {
    const float *x, *w;
    size_t in_dim;
    float *out; /* [.., outs] */
    size_t outs;
};

static float lanes_sum(__m256 v)
{
    __m128 sum = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    return _mm_cvtss_f32(_mm_add_ss(sum, _mm_shuffle_ps(sum, sum, 1)));
}

/* rows and outs are constants at each call: the loops unroll and sum[] lives in registers. */
static inline __attribute__((always_inline)) void tile_sum(const struct span *span, int rows,
                                                           int outs)
{
    __m256 sum[ROW_OUTS + TILE_OUTS];
    for (int i = 0; i < rows * outs; i++)
        sum[i] = _mm256_setzero_ps();
    const size_t whole = span->in_dim / LANES * LANES;
    for (size_t i = 0; i < whole; i += LANES) {
        __m256 x[TILE_ROWS];
        for (int r = 0; r < rows; r++)
            x[r] = _mm256_loadu_ps(span->x + (size_t)r * span->in_dim + i);
        for (int o = 0; o < outs; o++) {
            const __m256 w = _mm256_loadu_ps(span->w + (size_t)o * span->in_dim + i);
            for (int r = 0; r < rows; r++)
                sum[r * outs + o] = _mm256_fmadd_ps(x[r], w, sum[r * outs + o]);
        }
    }
    if (whole < span->in_dim) {
        const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        const __m256i left = _mm256_set1_epi32((int)(span->in_dim - whole));
        const __m256i mask = _mm256_cmpgt_epi32(left, lane);
        for (int o = 0; o < outs; o++) {
            const float *w_row = span->w + (size_t)o * span->in_dim + whole;
            const __m256 w = _mm256_maskload_ps(w_row, mask);
            for (int r = 0; r < rows; r++) {
                const float *x_row = span->x + (size_t)r * span->in_dim + whole;
                const __m256 x = _mm256_maskload_ps(x_row, mask);
                sum[r * outs + o] = _mm256_fmadd_ps(x, w, sum[r * outs + o]);
            }
        }
    }
    for (int r = 0; r < rows; r++) {
        for (int o = 0; o < outs; o++)
            span->out[(size_t)r * span->outs + (size_t)o] = lanes_sum(sum[r * outs + o]);
    }
}

/* All outputs of one strip of rows (1 or TILE_ROWS). */
static void strip_sum(struct span span, int rows)
{
    size_t o = 0;
    const float *w = span.w;
    float *out = span.out;
    for (; rows == 1 && o + ROW_OUTS <= span.outs; o += ROW_OUTS) {
        span.w = w + o * span.in_dim;
        span.out = out + o;
        tile_sum(&span, 1, ROW_OUTS);
    }
    for (; rows == TILE_ROWS && o + TILE_OUTS <= span.outs; o += TILE_OUTS) {
        span.w = w + o * span.in_dim;
        span.out = out + o;
        tile_sum(&span, TILE_ROWS, TILE_OUTS);
    }
    for (; o < span.outs; o++) {
        span.w = w + o * span.in_dim;
        span.out = out + o;
        if (rows == 1)
            tile_sum(&span, 1, 1);
        else
            tile_sum(&span, TILE_ROWS, 1);
    }
}

void matmul_f32_avx2(const struct matmul_f32_tile *tile, float *out)
{
    struct span span = {
        .w = tile->w, .in_dim = (size_t)tile->in_dim, .outs = (size_t)tile->outs};
    int32_t r = 0;
    while (r < tile->rows) {
        const int rows = r + TILE_ROWS <= tile->rows ? TILE_ROWS : 1;
        span.x = tile->x + (size_t)r * span.in_dim;
        span.out = out + (size_t)r * span.outs;
        strip_sum(span, rows);
        r += rows;
    }
}
