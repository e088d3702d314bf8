/*
 * attention_tile_frame - what the SIMD levels of attention_tile have in common around their
 * products: the walk down the depth, panel by panel, and a tile for each count of rows, of
 * blocks and for each type of numbers. Included by a level's file below what it defines for it:
 *
 *     TILE_ROWS, FEWER_ROWS(DO)        rows of a product at most; DO(1) .. DO(TILE_ROWS - 1)
 *     PAIR_ROWS, FEWER_PAIR_ROWS(DO)   the same of a product with two blocks
 *     struct sums, struct pairs        the running sums of a tile, of one block and of two; a
 *                                      member each: of an array gcc 12 keeps a copy in memory
 *                                      that every step writes
 *     sums_add(&sums, step, rows, type), sums_store(&sums, product, rows)
 *     pairs_add(&pairs, step, rows, type), pairs_store(&pairs, product, rows)
 *
 * They are inlined with rows and type constants: what is of no row goes away. They take
 * struct attention_tile_step, which attention_tile.h declares.
 */
#ifndef KERNELS_ATTENTION_TILE_FRAME_H
#define KERNELS_ATTENTION_TILE_FRAME_H

#include "base/i32.h"
#include "kernels/attention_tile.h"

#define ATTENTION_TILE_FRAME_CALL static inline __attribute__((always_inline))

/* rows, blocks and type are constants at each call. */
ATTENTION_TILE_FRAME_CALL void attention_tile_frame_tile(
    const struct attention_tile_product *product, int rows, int blocks, enum kv_type type)
{
    const size_t bytes = type == KV_F32 ? sizeof(float) : sizeof(uint16_t);
    const size_t b_stride = product->b_stride * bytes;
    const void *const *first = product->b[0], *const *second = product->b[blocks - 1];
    const float *a_panel = product->a;
    struct sums sums = {0};
    struct pairs pairs = {0};
    for (int32_t rest = product->depth; rest > 0; rest -= product->panel_depth) {
        struct attention_tile_step step = {
            .a = a_panel,
            .first = (const uint8_t *)*first + product->b_column[0] * bytes,
            .second = (const uint8_t *)*second + product->b_column[blocks - 1] * bytes};
        const float *a_end = a_panel + i32_min(product->panel_depth, rest);
        for (; step.a < a_end; step.a++, step.first += b_stride, step.second += b_stride) {
            if (blocks == 2)
                pairs_add(&pairs, step, rows, type);
            else
                sums_add(&sums, step, rows, type);
        }
        a_panel += product->a_panel;
        first++;
        second++;
    }
    if (blocks == 2)
        pairs_store(&pairs, product, rows);
    else
        sums_store(&sums, product, rows);
}

#define ATTENTION_TILE_FRAME_CASE(rows)                                                        \
case rows:                                                                                     \
    attention_tile_frame_tile(product, rows, 1, type);                                         \
    break;
#define ATTENTION_TILE_FRAME_PAIR_CASE(rows)                                                   \
case rows:                                                                                     \
    attention_tile_frame_tile(product, rows, 2, type);                                         \
    break;

ATTENTION_TILE_FRAME_CALL void attention_tile_frame_type(
    const struct attention_tile_product *product, enum kv_type type)
{
    if (product->blocks == 2) {
        switch (product->rows) {
            FEWER_PAIR_ROWS(ATTENTION_TILE_FRAME_PAIR_CASE)
        default:
            attention_tile_frame_tile(product, PAIR_ROWS, 2, type);
            break;
        }
        return;
    }
    switch (product->rows) {
        FEWER_ROWS(ATTENTION_TILE_FRAME_CASE)
    default:
        attention_tile_frame_tile(product, TILE_ROWS, 1, type);
        break;
    }
}

static void attention_tile_frame_product(const struct attention_tile_product *product)
{
    switch (product->b_type) {
    case KV_F32:
        attention_tile_frame_type(product, KV_F32);
        break;
    case KV_F16:
        attention_tile_frame_type(product, KV_F16);
        break;
    case KV_INT8: /* attention_int8 */
        break;
    }
}

#endif
