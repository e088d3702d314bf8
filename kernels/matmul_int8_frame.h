/*
 * matmul_int8_frame - what the levels that take a panel at a time have in common around their
 * sums: the walk through the panels and, under each, through the rows. Included by a level's
 * file below what it defines for it:
 *
 *     TILE_ROWS            rows of a tile
 *     FEWER_ROWS(DO)       DO(1) .. DO(TILE_ROWS - 1)
 *     rows_sum(span, rows)
 *
 * rows_sum is inlined with rows a constant: its loops over rows unroll and its sums live in
 * registers.
 */
#ifndef KERNELS_MATMUL_INT8_FRAME_H
#define KERNELS_MATMUL_INT8_FRAME_H

#include "kernels/matmul_int8.h"

#define MATMUL_INT8_FRAME_CASE(count)                                                          \
case count:                                                                                    \
    rows_sum(span, count);                                                                     \
    break;

/* All rows of one panel. */
static inline __attribute__((always_inline)) void matmul_int8_frame_panel(
    struct matmul_int8_span span, int32_t rows)
{
    for (; rows >= TILE_ROWS; rows -= TILE_ROWS) {
        rows_sum(span, TILE_ROWS);
        span.x += TILE_ROWS * span.stride;
        span.out += TILE_ROWS * MATMUL_INT8_PANEL;
    }
    switch (rows) {
        FEWER_ROWS(MATMUL_INT8_FRAME_CASE)
    default:
        break;
    }
}

/* All panels of the tile. */
static inline void matmul_int8_frame_tile(const struct matmul_int8_tile *tile, int32_t *out)
{
    struct matmul_int8_span span = {
        .x = tile->x, .w = tile->panel, .stride = (size_t)tile->stride, .out = out};
    for (int32_t p = 0; p < tile->panels; p++) {
        span.w_end = span.w + (size_t)tile->depth * MATMUL_INT8_PANEL;
        matmul_int8_frame_panel(span, tile->rows);
        span.w = span.w_end;
        span.out += (size_t)tile->rows * MATMUL_INT8_PANEL;
    }
}

#endif
