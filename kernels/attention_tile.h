/*
 * attention_tile - the inner kernels of attention_cpu, one table per SIMD level: products over
 * a cache of floats (attention_int8.h has those over one of int8), and the softmax of both.
 *
 * Every sum runs in one fixed order: a product adds its terms one after the other down the
 * depth, a softmax sums its weights in sixteen lanes (key mod 16), then by halves. So the shape
 * of a tile, and the rows beside a row, change no bit of its result. AVX2, AVX-512 and NEON
 * fuse products and sums and give the same bits; the scalar level does not fuse, and differs in
 * the last ones.
 */
#ifndef KERNELS_ATTENTION_TILE_H
#define KERNELS_ATTENTION_TILE_H

#include "kernels/kv_layout.h"

enum {
    ATTENTION_TILE_STRIDE = 256, /* floats from row to row of a: the keys of a split */
    ATTENTION_TILE_COLS = 16,    /* columns of a product at most */
    ATTENTION_TILE_LANES = 8,    /* keys that a softmax goes on by at least */
    ATTENTION_TILE_SUMS = 16     /* lanes of the sum of its weights */
};

/* What scores are multiplied by to be in units of ln 2: the exponentials are powers of two. */
static inline float attention_tile_factor(float scale)
{
    return (float)((double)scale * 1.44269504088896340736);
}

/* c[rows, columns] = a[rows, depth] b[depth, columns], for one block of columns or for two that
 * lie anywhere. The depth comes in panels of panel_depth, the last one perhaps cut short.
 *     row r of a, panel p  begins at  a + p * a_panel + r * ATTENTION_TILE_STRIDE
 *     row k of b, panel p  begins at  number k * b_stride + b_column[block] of b[block][p], a
 *                                     number of type b_type, KV_F32 or KV_F16
 *     row r of c           begins at  c + r * c_stride + block * ATTENTION_TILE_COLS */
struct attention_tile_product {
    const float *a;
    const void *const *b[2];
    float *c;
    size_t a_panel, b_stride, b_column[2], c_stride;
    enum kv_type b_type;
    int32_t blocks;  /* 1; or 2 with at most pair_rows rows */
    int32_t rows;    /* 1 .. tile_rows of the level */
    int32_t columns; /* 1 .. ATTENTION_TILE_COLS; all of them where the level is not scalar */
    int32_t depth, panel_depth;
};

/* One number of the depth: what a SIMD level adds to its sums. */
struct attention_tile_step {
    const float *a; /* of the first row; the others ATTENTION_TILE_STRIDE apart */
    const uint8_t *first, *second; /* the numbers of b, of each block */
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
    int32_t tile_rows; /* rows of a product at most */
    int32_t pair_rows; /* rows of a product with two blocks at most; 0: no such products */
    void (*product)(const struct attention_tile_product *product);
    void (*softmax)(struct attention_tile_softmax *softmax);
    void (*widen_f16)(const uint16_t *from, float *to, size_t count); /* a multiple of 8 */
};

void attention_softmax_avx2(struct attention_tile_softmax *softmax);
void attention_softmax_avx512(struct attention_tile_softmax *softmax);
/* The AVX-512 level widens as AVX2 does. */
void attention_tile_widen_f16_avx2(const uint16_t *from, float *to, size_t count);

extern const struct attention_tile_kernels attention_tile_scalar, attention_tile_avx2,
    attention_tile_avx512, attention_tile_neon;

#endif
