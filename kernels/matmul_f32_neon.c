/*
 * matmul_f32_neon - exact precision with NEON: the bits of matmul_f32_avx2.
 *
 *     formula   out[r, o] = sum_i x[r, i] w[o, i], order as in matmul_f32.h
 *     tile      2 rows x 4 outputs, or one row alone x 8: 8 running sums of 8 lanes, each two
 *               registers
 *     measured  not: no machine at hand; run under an emulator of the processor
 *
 * Products and sums are fused as in the AVX2 version, in the same eight lanes, added up in the
 * same order.
 */
#include "kernels/matmul_f32.h"

#include <arm_neon.h>
#include <string.h>

enum { LANES = 8, TILE_ROWS = 2, TILE_OUTS = 4, ROW_OUTS = 8 };

struct span {
    const float *x, *w;
    size_t in_dim;
    float *out; /* [.., outs] */
    size_t outs;
};

/* count < LANES numbers to all[], zeros behind them. */
static inline void part_load(const float *values, size_t count, float all[LANES])
{
    memset(all, 0, LANES * sizeof *all);
    memcpy(all, values, count * sizeof *all);
}

/* The sums of one row and one output, the products of what is left over added. */
static inline float lanes_end(float32x4_t low, float32x4_t high, const float *x, const float *w,
                              size_t rest)
{
    if (rest > 0) {
        float all_x[LANES], all_w[LANES];
        part_load(x, rest, all_x);
        part_load(w, rest, all_w);
        low = vfmaq_f32(low, vld1q_f32(all_x), vld1q_f32(all_w));
        high = vfmaq_f32(high, vld1q_f32(all_x + 4), vld1q_f32(all_w + 4));
    }
    const float32x4_t four = vaddq_f32(low, high);
    const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
    return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}

/* Sum i of a tile is of row i / outs and output i % outs. A variable each: gcc 12 keeps a copy
 * of an array in memory that every step writes. */
#define SUM(i) float32x4_t low_##i = vdupq_n_f32(0), high_##i = low_##i
#define STEP(i)                                                                                \
    if ((i) < rows * outs) {                                                                   \
        const float *w = span->w + (size_t)((i) % outs) * span->in_dim + at;                   \
        low_##i = vfmaq_f32(low_##i, (i) < outs ? x_0 : x_2, vld1q_f32(w));                    \
        high_##i = vfmaq_f32(high_##i, (i) < outs ? x_1 : x_3, vld1q_f32(w + 4));              \
    }
#define END(i)                                                                                 \
    if ((i) < rows * outs)                                                                     \
        span->out[(size_t)((i) / outs) * span->outs + (size_t)((i) % outs)] = lanes_end(       \
            low_##i, high_##i, span->x + (size_t)((i) / outs) * span->in_dim + whole,          \
            span->w + (size_t)((i) % outs) * span->in_dim + whole, rest);
#define EACH(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)

/* rows (1 or 2) and outs are constants at each call. */
static inline __attribute__((always_inline)) void tile_sum(const struct span *span, int rows,
                                                           int outs)
{
    SUM(0);
    SUM(1);
    SUM(2);
    SUM(3);
    SUM(4);
    SUM(5);
    SUM(6);
    SUM(7);
    const size_t whole = span->in_dim / LANES * LANES, rest = span->in_dim - whole;
    for (size_t at = 0; at < whole; at += LANES) {
        const float *x = span->x + at, *next = rows > 1 ? x + span->in_dim : x;
        const float32x4_t x_0 = vld1q_f32(x), x_1 = vld1q_f32(x + 4);
        const float32x4_t x_2 = vld1q_f32(next), x_3 = vld1q_f32(next + 4);
        EACH(STEP)
    }
    EACH(END)
}

/* All outputs of one strip of rows (1 or TILE_ROWS). */
static void strip_sum(struct span span, int rows)
{
    const float *w = span.w;
    float *out = span.out;
    for (size_t o = 0; o < span.outs;) {
        const size_t left = span.outs - o;
        span.w = w + o * span.in_dim;
        span.out = out + o;
        if (rows == 1 && left >= ROW_OUTS) {
            tile_sum(&span, 1, ROW_OUTS);
            o += ROW_OUTS;
        } else if (rows == TILE_ROWS && left >= TILE_OUTS) {
            tile_sum(&span, TILE_ROWS, TILE_OUTS);
            o += TILE_OUTS;
        } else if (rows == 1) {
            tile_sum(&span, 1, 1);
            o++;
        } else {
            tile_sum(&span, TILE_ROWS, 1);
            o++;
        }
    }
}

void matmul_f32_neon(const struct matmul_f32_tile *tile, float *out)
{
    struct span span = {
        .w = tile->w, .in_dim = (size_t)tile->in_dim, .outs = (size_t)tile->outs};
    for (int32_t r = 0; r < tile->rows;) {
        const int rows = r + TILE_ROWS <= tile->rows ? TILE_ROWS : 1;
        span.x = tile->x + (size_t)r * span.in_dim;
        span.out = out + (size_t)r * span.outs;
        strip_sum(span, rows);
        r += rows;
    }
}
