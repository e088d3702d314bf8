/*
 * attention_int8_frame - what the SIMD levels of attention_int8 have in common around their
 * products: the walk along the depth, panel by panel, and a tile for each count of rows.
 * Included by a level's file below what it defines for it:
 *
 *     TILE_ROWS            rows of a product at most
 *     FEWER_ROWS(DO)       DO(1) .. DO(TILE_ROWS - 1)
 *     STEP_GROUPS          groups of four of the depth that a step takes
 *     struct sums          the running sums of a tile, a member each: of an array gcc 12 keeps
 *                          a copy in memory that every step writes
 *     sums_add(&sums, step, rows, kind)   the products of a step
 *     sums_store(&sums, product, rows)    to c, scaled
 *
 * Both are inlined with rows and kind constants: what is of no row goes away.
 */
#ifndef KERNELS_ATTENTION_INT8_FRAME_H
#define KERNELS_ATTENTION_INT8_FRAME_H

#include "base/i32.h"
#include "kernels/attention_int8.h"

/* rows and kind are constants at each call. */
static inline __attribute__((always_inline)) void attention_int8_frame_tile(
    const struct attention_int8_product *product, int rows, enum attention_int8_kind kind)
{
    const size_t step_bytes = (size_t)STEP_GROUPS * KV_LAYOUT_GROUP;
    struct sums sums = {0};
    struct attention_int8_step step = {
        .a = product->a, .a_stride = product->a_stride, .b_stride = product->b_stride};
    const uint8_t *const *panel = product->b;
    for (int32_t left = product->groups; left > 0; left -= product->panel_groups, panel++) {
        const int32_t groups = i32_min(product->panel_groups, left);
        const uint8_t *a_end = step.a + (size_t)i32_ceil_div(groups, STEP_GROUPS) * step_bytes;
        step.b = *panel + product->b_offset;
        for (; step.a < a_end; step.a += step_bytes, step.b += STEP_GROUPS * step.b_stride)
            sums_add(&sums, &step, rows, kind);
    }
    sums_store(&sums, product, rows);
}

#define ATTENTION_INT8_FRAME_CASE(rows)                                                        \
case rows:                                                                                     \
    attention_int8_frame_tile(product, rows, kind);                                            \
    break;

static inline __attribute__((always_inline)) void attention_int8_frame_rows(
    const struct attention_int8_product *product, enum attention_int8_kind kind)
{
    switch (product->rows) {
        FEWER_ROWS(ATTENTION_INT8_FRAME_CASE)
    default:
        attention_int8_frame_tile(product, TILE_ROWS, kind);
        break;
    }
}

static void attention_int8_frame_product(const struct attention_int8_product *product)
{
    if (product->kind == ATTENTION_INT8_QUERIES)
        attention_int8_frame_rows(product, ATTENTION_INT8_QUERIES);
    else
        attention_int8_frame_rows(product, ATTENTION_INT8_WEIGHTS);
}

#endif
