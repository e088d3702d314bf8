/*
 * matmul_int8_neon - exact int8 sums with the NEON that every 64-bit ARM has.
 *
 *     formula   out[r, o] = sum_i x[r, i] w[o, i], int32
 *     tile      2 rows x 16 outputs: 16 running sums of 4 lanes, two lanes per output
 *     step      8 inputs: per 4 outputs of a row 2 x (smull, smlal, sadalp)
 *     measured  not: no machine at hand; run under an emulator of the processor
 *
 * Two products of bytes in -127 .. 127 fit 16 bits (2 * 127 * 127 = 32258); sadalp adds pairs
 * of such sums to 32 bits.
 */
#include "kernels/matmul_int8.h"

#include <arm_neon.h>
#include <string.h>

enum {
    PANEL = MATMUL_INT8_PANEL,
    GROUP = MATMUL_INT8_GROUP,
    TILE_ROWS = 2,
    QUADS = 4,
    HALVES = 2
};
#define FEWER_ROWS(DO) DO(1)

static int8x16_t group_broadcast(const int8_t *x)
{
    int32_t group;
    memcpy(&group, x, sizeof group);
    return vreinterpretq_s8_s32(vdupq_n_s32(group));
}

static inline __attribute__((always_inline)) void rows_sum(struct matmul_int8_span span,
                                                           int rows)
{
    const int8_t *x = span.x, *w = span.w;
    int32x4_t sum[TILE_ROWS][QUADS][HALVES];
    for (int r = 0; r < rows; r++) {
        for (int q = 0; q < QUADS; q++)
            sum[r][q][0] = sum[r][q][1] = vdupq_n_s32(0);
    }
    for (; w < span.w_end; w += 2 * PANEL * GROUP, x += 2 * GROUP) {
        int8x16_t group[TILE_ROWS], next[TILE_ROWS];
        for (int r = 0; r < rows; r++) {
            group[r] = group_broadcast(x + (size_t)r * span.stride);
            next[r] = group_broadcast(x + (size_t)r * span.stride + GROUP);
        }
        for (int q = 0; q < QUADS; q++) {
            const int8x16_t w_0 = vld1q_s8(w + q * PANEL);
            const int8x16_t w_1 = vld1q_s8(w + PANEL * GROUP + q * PANEL);
            for (int r = 0; r < rows; r++) {
                int16x8_t low = vmull_s8(vget_low_s8(w_0), vget_low_s8(group[r]));
                int16x8_t high = vmull_high_s8(w_0, group[r]);
                low = vmlal_s8(low, vget_low_s8(w_1), vget_low_s8(next[r]));
                high = vmlal_high_s8(high, w_1, next[r]);
                sum[r][q][0] = vpadalq_s16(sum[r][q][0], low);
                sum[r][q][1] = vpadalq_s16(sum[r][q][1], high);
            }
        }
    }
    int32_t *out = span.out;
    for (int r = 0; r < rows; r++, out += PANEL) {
        for (int q = 0; q < QUADS; q++)
            vst1q_s32(out + q * 4, vpaddq_s32(sum[r][q][0], sum[r][q][1]));
    }
}

#include "kernels/matmul_int8_frame.h"

void matmul_int8_neon(const struct matmul_int8_tile *tile, int32_t *out)
{
    matmul_int8_frame_tile(tile, out);
}
