/*
 * matmul_int8_dotprod - exact int8 sums with ARM's dot products (armv8.2 dotprod).
 *
 *     formula   out[r, o] = sum_i x[r, i] w[o, i], int32
 *     tile      4 rows x 16 outputs: 16 running sums of 4 lanes, one lane per output
 *     step      16 inputs: 4 loads of x, 16 of weights, 64 x sdot by element: the four bytes
 *               of x are one lane of a register, so nothing is broadcast
 *     measured  not: no machine at hand; run under an emulator of the processor
 */
#include "kernels/matmul_int8.h"

#include <arm_neon.h>

enum {
    PANEL = MATMUL_INT8_PANEL,
    GROUP = MATMUL_INT8_GROUP,
    TILE_ROWS = 4,
    QUADS = 4,
    STEP = 16,         /* inputs */
    AHEAD_BYTES = 1024 /* how far ahead weights are asked for when each is used once */
};

/* One group of four inputs: lane `group` of each x[r]. */
#define GROUP_STEP(group)                                                                      \
    for (int q = 0; q < QUADS; q++) {                                                          \
        const int8x16_t weights = vld1q_s8(w + ((group)*QUADS + q) * PANEL);                   \
        for (int r = 0; r < rows; r++)                                                         \
            sum[r][q] = vdotq_laneq_s32(sum[r][q], weights, x_step[r], group);                 \
    }

/* rows is a constant at each call: the loops unroll and sum[][] lives in registers. */
static inline __attribute__((always_inline)) void rows_sum(const struct matmul_int8_tile *tile,
                                                           int32_t first, int rows,
                                                           int32_t *out)
{
    const size_t stride = (size_t)tile->stride;
    const int8_t *x = tile->x + (size_t)first * stride;
    const int8_t *w = tile->panel;
    const int8_t *w_end = w + (size_t)tile->depth * PANEL;
    int32x4_t sum[TILE_ROWS][QUADS];
    for (int r = 0; r < rows; r++) {
        for (int q = 0; q < QUADS; q++)
            sum[r][q] = vdupq_n_s32(0);
    }
    for (; w < w_end; w += STEP * PANEL, x += STEP) {
        int8x16_t x_step[TILE_ROWS];
        for (int r = 0; r < rows; r++)
            x_step[r] = vld1q_s8(x + (size_t)r * stride);
        for (int line = 0; rows == 1 && line < STEP * PANEL; line += 64)
            __builtin_prefetch((const void *)((uintptr_t)w + AHEAD_BYTES + (uintptr_t)line));
        GROUP_STEP(0)
        GROUP_STEP(1)
        GROUP_STEP(2)
        GROUP_STEP(3)
    }
    out += (size_t)first * PANEL;
    for (int r = 0; r < rows; r++, out += PANEL) {
        for (int q = 0; q < QUADS; q++)
            vst1q_s32(out + q * 4, sum[r][q]);
    }
}

static void panel_sum(const struct matmul_int8_tile *tile, int32_t *out)
{
    int32_t r = 0;
    for (; r + TILE_ROWS <= tile->rows; r += TILE_ROWS)
        rows_sum(tile, r, TILE_ROWS, out);
    switch (tile->rows - r) {
    case 3:
        rows_sum(tile, r, 3, out);
        break;
    case 2:
        rows_sum(tile, r, 2, out);
        break;
    case 1:
        rows_sum(tile, r, 1, out);
        break;
    default:
        break;
    }
}

void matmul_int8_dotprod(const struct matmul_int8_tile *tile, int32_t *out)
{
    struct matmul_int8_tile one = *tile;
    for (int32_t p = 0; p < tile->panels; p++) {
        panel_sum(&one, out);
        one.panel += (size_t)tile->depth * PANEL;
        out += (size_t)tile->rows * PANEL;
    }
}
