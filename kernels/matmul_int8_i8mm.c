/*
 * matmul_int8_i8mm - exact int8 sums with ARM's small matrix products (armv8.6 i8mm).
 *
 *     formula   out[r, o] = sum_i x[r, i] w[o, i], int32
 *     tile      8 rows x 8 outputs (half a panel): 16 running sums of 2 x 2
 *     step      8 inputs: 4 loads of weights and 4 zips, which bring two groups of four inputs
 *               of an output side by side; 8 loads of x; 16 x smmla, 32 products each
 *     measured  not: no machine at hand; run under an emulator of the processor
 *
 * A row alone has no other to share a product with: it goes through dotprod's kernel.
 */
#include "kernels/matmul_int8.h"

#include <arm_neon.h>

enum {
    PANEL = MATMUL_INT8_PANEL,
    GROUP = MATMUL_INT8_GROUP,
    TILE_PAIRS = 4, /* of rows */
    HALF = PANEL / 2,
    OUT_PAIRS = HALF / 2,
    STEP = 2 * GROUP /* inputs */
};

/* Eight inputs of two rows. */
static inline int8x16_t rows_load(const int8_t *x, size_t stride)
{
    return vcombine_s8(vld1_s8(x), vld1_s8(x + stride));
}

/* Eight inputs of each of eight outputs, a pair of outputs per register. */
static inline __attribute__((always_inline)) void weights_load(const int8_t *w,
                                                               int8x16_t pairs[OUT_PAIRS])
{
    for (int q = 0; q < OUT_PAIRS / 2; q++) {
        const int32x4_t first = vreinterpretq_s32_s8(vld1q_s8(w + q * PANEL));
        const int32x4_t second = vreinterpretq_s32_s8(vld1q_s8(w + PANEL * GROUP + q * PANEL));
        pairs[2 * q] = vreinterpretq_s8_s32(vzip1q_s32(first, second));
        pairs[2 * q + 1] = vreinterpretq_s8_s32(vzip2q_s32(first, second));
    }
}

/* pairs is a constant at each call: the loops unroll and sum[][] lives in registers. x and w
 * begin at the tile's first row and the half panel's first output. */
static inline __attribute__((always_inline)) void half_sum(const struct matmul_int8_tile *tile,
                                                           const int8_t *x, const int8_t *w,
                                                           int pairs, int32_t *out)
{
    const size_t stride = (size_t)tile->stride;
    const int8_t *w_end = w + (size_t)tile->depth * PANEL;
    int32x4_t sum[TILE_PAIRS][OUT_PAIRS];
    for (int r = 0; r < pairs; r++) {
        for (int o = 0; o < OUT_PAIRS; o++)
            sum[r][o] = vdupq_n_s32(0);
    }
    for (; w < w_end; w += STEP * PANEL, x += STEP) {
        int8x16_t weights[OUT_PAIRS];
        weights_load(w, weights);
        for (int r = 0; r < pairs; r++) {
            const int8x16_t rows = rows_load(x + (size_t)(2 * r) * stride, stride);
            for (int o = 0; o < OUT_PAIRS; o++)
                sum[r][o] = vmmlaq_s32(sum[r][o], rows, weights[o]);
        }
    }
    for (int r = 0; r < pairs; r++, out += 2 * PANEL) {
        for (int o = 0; o < OUT_PAIRS; o += 2) {
            const int32x4_t left = sum[r][o], right = sum[r][o + 1];
            vst1q_s32(out + 2 * o, vcombine_s32(vget_low_s32(left), vget_low_s32(right)));
            vst1q_s32(out + PANEL + 2 * o,
                      vcombine_s32(vget_high_s32(left), vget_high_s32(right)));
        }
    }
}

/* Rows first and on of one panel: as many pairs as there are, at most four. */
static int32_t pairs_sum(const struct matmul_int8_tile *tile, int32_t first, int32_t *out)
{
    const int8_t *x = tile->x + (size_t)first * (size_t)tile->stride;
    const int32_t pairs = (tile->rows - first) / 2;
    out += (size_t)first * PANEL;
    for (int half = 0; half < PANEL; half += HALF, out += HALF) {
        const int8_t *w = tile->panel + half * GROUP;
        if (pairs >= TILE_PAIRS)
            half_sum(tile, x, w, TILE_PAIRS, out);
        else if (pairs == 3)
            half_sum(tile, x, w, 3, out);
        else if (pairs == 2)
            half_sum(tile, x, w, 2, out);
        else
            half_sum(tile, x, w, 1, out);
    }
    return first + 2 * (pairs < TILE_PAIRS ? pairs : TILE_PAIRS);
}

void matmul_int8_i8mm(const struct matmul_int8_tile *tile, int32_t *out)
{
    struct matmul_int8_tile one = *tile;
    one.panels = 1;
    for (int32_t p = 0; p < tile->panels; p++, out += (size_t)tile->rows * PANEL) {
        one.x = tile->x;
        one.rows = tile->rows;
        int32_t r = 0;
        while (r + 2 <= tile->rows)
            r = pairs_sum(&one, r, out);
        if (r < tile->rows) {
            one.x += (size_t)r * (size_t)tile->stride;
            one.rows = 1;
            matmul_int8_dotprod(&one, out + (size_t)r * PANEL);
        }
        one.panel += (size_t)tile->depth * PANEL;
    }
}
