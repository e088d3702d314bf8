/*
 * attention_tile - the inner kernels of attention_cpu, one table per SIMD level.
 *
 * Every sum runs in one fixed order: a product adds its terms one after the other down the
 * depth, a softmax sums its weights in eight lanes (key mod 8), then pairwise. So the shape of
 * a tile, and the rows beside a row, change no bit of its result. The AVX2 level fuses products
 * and sums, the scalar one does not: levels differ in the last bits.
 */
#ifndef KERNELS_ATTENTION_TILE_H
#define KERNELS_ATTENTION_TILE_H

#include <stddef.h>
#include <stdint.h>

enum {
    ATTENTION_TILE_ROWS = 6,  /* rows of a product at most */
    ATTENTION_TILE_COLS = 16, /* columns of a product at most */
    ATTENTION_TILE_LANES = 8
};

/* c[rows, columns] = a[rows, depth] b[depth, columns]. b comes in panels of panel_depth rows,
 * the last one perhaps cut short; row k of panel p begins at b[p] + k * b_stride + b_column. */
struct attention_tile_product {
    const float *a;
    const float *const *b;
    float *c;
    size_t a_stride, b_stride, b_column, c_stride;
    int32_t rows;    /* 1 .. ATTENTION_TILE_ROWS */
    int32_t columns; /* 1 .. ATTENTION_TILE_COLS; AVX2: 8 or 16 */
    int32_t depth, panel_depth;
};

/* scores[key] holds q k; its score is that times key_scales[key], in units of ln 2. Leaves the
 * weight 2^(score - max), times value_scales[key] when there are any, and zeros from `seen` up
 * to `padded`, a multiple of 8 that is at least seen. sum is of the weights before scaling. */
struct attention_tile_softmax {
    float *scores;             /* [padded] */
    const float *key_scales;   /* [padded] */
    const float *value_scales; /* [padded] or NULL */
    int32_t seen, padded;
    float max, sum; /* out */
};

struct attention_tile_kernels {
    void (*product)(const struct attention_tile_product *product);
    void (*softmax)(struct attention_tile_softmax *softmax);
    void (*widen_f16)(const uint16_t *from, float *to, size_t count); /* a multiple of 8 */
    void (*widen_int8)(const int8_t *from, float *to, size_t count);  /* a multiple of 8 */
};

extern const struct attention_tile_kernels attention_tile_scalar, attention_tile_avx2;

#endif
