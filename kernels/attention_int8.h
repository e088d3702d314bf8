/*
 * attention_int8 - the products of attention_cpu over a cache of int8, one table per SIMD
 * level.
 *
 *     c[r, column] = scale[r] * sum_i a[r, i] b[i, column]
 *
 * b are bytes of the cache as they lie there: keys (i over head_dim, columns are tokens) or
 * values (i over tokens, columns are dims). a are queries, or weights of the softmax, rounded
 * to 16 bits with one scale per row: finer than the bytes they meet by a factor of 256, so that
 * nothing of the result is lost to it. The sums are exact in 32 bits, so every level gives the
 * same bits, whatever its tiles. That they are exact: |a| <= limit, |b| <= 127, and limit *
 * 127 * depth < 2^31.
 */
#ifndef KERNELS_ATTENTION_INT8_H
#define KERNELS_ATTENTION_INT8_H

#include "kernels/kv_layout.h"

#include <math.h>
#include <string.h>

enum {
    ATTENTION_INT8_COLS = 16,         /* columns of a product at most */
    ATTENTION_INT8_GROUP_BYTES = 8,   /* of four numbers of a */
    ATTENTION_INT8_LIMIT = 127 * 256, /* of |a|: 16 bits that split into two signed bytes */
    ATTENTION_INT8_DEPTH = 512 /* of a product at most; beyond, |a| has half that limit */
};

/* A row of a, in groups of four: eight bytes each, in an order of the level's own. */
struct attention_int8_row {
    float scale; /* NaN when a number was not finite */
    int32_t sum; /* of its integers, where the level's products need it */
};

/* Begins a row whose greatest magnitude has these bits: its scale. The result is the factor of
 * its numbers, or 0 where they are to be zeros: not all are finite, or all are zeros. */
static inline float attention_int8_row_begin(struct attention_int8_row *row, int32_t bits,
                                             float limit)
{
    float greatest;
    memcpy(&greatest, &bits, sizeof greatest);
    const float factor = limit / greatest;
    const int has_factor = isfinite(greatest) && isfinite(factor);
    row->sum = 0;
    row->scale = has_factor ? greatest / limit : isfinite(greatest) ? 0.0f : NAN;
    return has_factor ? factor : 0.0f;
}

/* The depth comes in panels of panel_groups groups of four, the last one perhaps cut short.
 *     row r of a         begins at  a + r * a_stride bytes
 *     group g of panel p of b begins at  b[p] + b_offset + g * b_stride: 4 bytes per column
 *     row r of c         begins at  c + r * c_stride
 * Levels above scalar may go on to an even number of groups: panel_groups is even, b can be
 * read there, and a has zeros there. */
struct attention_int8_product {
    const uint8_t *a;
    const struct attention_int8_row *rows_of_a; /* [rows] */
    const uint8_t *const *b;
    float *c;
    size_t a_stride, b_offset, b_stride, c_stride;
    int32_t rows;    /* 1 .. tile_rows of the level */
    int32_t columns; /* 1 .. ATTENTION_INT8_COLS; all of them where the level is not scalar */
    int32_t groups, panel_groups;
};

enum { ATTENTION_INT8_TILE_ROWS_MAX = 12, ATTENTION_INT8_TILE_DIM_MAX = 256 };

/* One of the rows of a tile. */
struct attention_int8_query {
    const float *query; /* [head_dim] */
    float *out;         /* [head_dim], a partial result */
    float *stats;       /* its maximum and its sum */
    int32_t seen;       /* keys, at least 1 */
};

/* Some query rows against one split, from queries to partial results, in one call: the scores
 * and weights of a tile never leave L1. The bits are those of product, softmax and round. */
struct attention_int8_tile {
    struct attention_int8_query queries[ATTENTION_INT8_TILE_ROWS_MAX];
    int32_t rows;                        /* 1 .. tile_rows of the level */
    int32_t head_dim;                    /* a multiple of 16, at most the above */
    int32_t page_count;                  /* as many as any row sees */
    float key_factor;                    /* of every key's scale */
    const struct kv_layout_block *pages; /* [page_count] */
    float *scores;                       /* scratch: [rows][ATTENTION_TILE_STRIDE] */
    uint8_t *integers;                   /* scratch: [rows][ATTENTION_INT8_TILE_BYTES] */
};

enum { ATTENTION_INT8_TILE_BYTES = 2 * ATTENTION_INT8_TILE_DIM_MAX };

struct attention_int8_kernels {
    int32_t tile_rows; /* rows of a product at most */
    int32_t many_rows; /* rows of a product where there are many: at most tile_rows */
    void (*product)(const struct attention_int8_product *product);
    /* Rounds values[count], count a multiple of 16 (of 4 where the level is scalar), to
     * integers of at most limit, to a[count / 4 * 8]. */
    struct attention_int8_row (*round)(const float *values, int32_t count, float limit,
                                       uint8_t *a);
    void (*tile)(const struct attention_int8_tile *tile); /* NULL: the level has none */
};

/* Of a tile's scaled scores the weights, rounded; the statistics of its rows. */
void attention_softmax_tile_avx512(const struct attention_int8_tile *tile,
                                   struct attention_int8_row *rows);

extern const struct attention_int8_kernels attention_int8_scalar, attention_int8_avx2,
    attention_int8_avx512, attention_int8_neon, attention_int8_dotprod, attention_int8_i8mm;

/* What ARM's levels share: dotprod splits what NEON rounds, i8mm takes what dotprod has. */
struct attention_int8_row attention_int8_neon_round(const float *values, int32_t count,
                                                    float limit, uint8_t *a);
struct attention_int8_row attention_int8_dotprod_round(const float *values, int32_t count,
                                                       float limit, uint8_t *a);

#endif
