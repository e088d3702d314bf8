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
 *     sums_add(&sums, product, a, b, rows)   the products of a step, whose groups begin at a in
 *                                            the first row, and at b
 *     sums_store(&sums, product, rows)       to c, scaled
 *
 * Both are inlined with rows a constant: what is of no row goes away.
 */
#ifndef KERNELS_ATTENTION_INT8_FRAME_H
#define KERNELS_ATTENTION_INT8_FRAME_H

#include "base/i32.h"
#include "kernels/attention_int8.h"

/* rows is a constant at each call. */
static inline __attribute__((always_inline)) void attention_int8_frame_tile(
    const struct attention_int8_product *product, int rows)
{
    const size_t step_bytes = (size_t)STEP_GROUPS * ATTENTION_INT8_GROUP_BYTES;
    struct sums sums = {0};
    const uint8_t *a = product->a;
    const uint8_t *const *panel = product->b;
    for (int32_t left = product->groups; left > 0; left -= product->panel_groups, panel++) {
        const int32_t groups = i32_min(product->panel_groups, left);
        const uint8_t *a_end = a + (size_t)i32_ceil_div(groups, STEP_GROUPS) * step_bytes;
        const uint8_t *b = *panel + product->b_offset;
        for (; a < a_end; a += step_bytes, b += STEP_GROUPS * product->b_stride)
            sums_add(&sums, product, a, b, rows);
    }
    sums_store(&sums, product, rows);
}

#define ATTENTION_INT8_FRAME_CASE(rows)                                                        \
case rows:                                                                                     \
    attention_int8_frame_tile(product, rows);                                                  \
    break;

static void attention_int8_frame_product(const struct attention_int8_product *product)
{
    switch (product->rows) {
        FEWER_ROWS(ATTENTION_INT8_FRAME_CASE)
    default:
        attention_int8_frame_tile(product, TILE_ROWS);
        break;
    }
}

#endif
