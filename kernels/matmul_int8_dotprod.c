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
#define FEWER_ROWS(DO) DO(1) DO(2) DO(3)

/* One group of four inputs: lane `group` of each x[r]. */
#define GROUP_STEP(group)                                                                      \
    for (int q = 0; q < QUADS; q++) {                                                          \
        const int8x16_t weights = vld1q_s8(w + ((group)*QUADS + q) * PANEL);                   \
        for (int r = 0; r < rows; r++)                                                         \
            sum[r][q] = vdotq_laneq_s32(sum[r][q], weights, x_step[r], group);                 \
    }

static inline __attribute__((always_inline)) void rows_sum(struct matmul_int8_span span,
                                                           int rows)
{
    const int8_t *x = span.x, *w = span.w;
    int32x4_t sum[TILE_ROWS][QUADS];
    for (int r = 0; r < rows; r++) {
        for (int q = 0; q < QUADS; q++)
            sum[r][q] = vdupq_n_s32(0);
    }
    for (; w < span.w_end; w += STEP * PANEL, x += STEP) {
        int8x16_t x_step[TILE_ROWS];
        for (int r = 0; r < rows; r++)
            x_step[r] = vld1q_s8(x + (size_t)r * span.stride);
        for (int line = 0; rows == 1 && line < STEP * PANEL; line += 64)
            __builtin_prefetch((const void *)((uintptr_t)w + AHEAD_BYTES + (uintptr_t)line));
        GROUP_STEP(0)
        GROUP_STEP(1)
        GROUP_STEP(2)
        GROUP_STEP(3)
    }
    int32_t *out = span.out;
    for (int r = 0; r < rows; r++, out += PANEL) {
        for (int q = 0; q < QUADS; q++)
            vst1q_s32(out + q * 4, sum[r][q]);
    }
}

#include "kernels/matmul_int8_frame.h"

void matmul_int8_dotprod(const struct matmul_int8_tile *tile, int32_t *out)
{
    matmul_int8_frame_tile(tile, out);
}
