/*
 * attention_int8 - the products of attention_cpu over a cache of int8, one table per SIMD
 * level.
 *
 *     c[r, column] = scale[r] * sum_i a[r, i] b[i, column], or that much more
 *
 * b are bytes of the cache as they lie there: keys (i over head_dim, columns are tokens) or
 * values (i over tokens, columns are dims). a are bytes too, with one scale per row:
 *     queries   signed, at most 127. They are rotated as the keys are (kv_layout.h), so that no
 *               number of a row stands far above the others
 *     weights   of the softmax, times the values' scales: unsigned, at most 255, a scale for
 *               each ATTENTION_INT8_BLOCK keys, so that small ones are not lost far from large
 * The sums are exact in 32 bits (255 * 127 * 1024 < 2^31), so every level gives the same bits,
 * whatever its tiles; and so do sums of blocks, which are added in order.
 *
 * Mean KL of SmolLM2 against exact, int8 throughout (limit 0.007; bench/accuracy; another order
 * of the softmax's sum moves these by 0.00005):
 *     16 bits for both, keys as they come           0.00625
 *     keys rotated                                  0.00571
 *     and queries in 8 bits                         0.00584   (keys as they come: 0.00696)
 *     and weights in 8 bits, a scale for 32 keys    0.00567
 *                                        64 keys    0.00580
 *                                       256 keys    0.00599   (in 7 bits: 0.00687)
 */
#ifndef KERNELS_ATTENTION_INT8_H
#define KERNELS_ATTENTION_INT8_H

#include "kernels/attention.h"
#include "kernels/kv_layout.h"

#include <math.h>
#include <string.h>

enum {
    ATTENTION_INT8_COLS = 16,  /* columns of a product at most */
    ATTENTION_INT8_BLOCK = 64, /* keys whose weights have one scale: whole pages */
    ATTENTION_INT8_BLOCKS = ATTENTION_SPLIT / ATTENTION_INT8_BLOCK
};

enum attention_int8_kind { ATTENTION_INT8_QUERIES, ATTENTION_INT8_WEIGHTS };

/* The greatest magnitude of an integer of a. */
static inline float attention_int8_limit(enum attention_int8_kind kind)
{
    return kind == ATTENTION_INT8_QUERIES ? 127.0f : 255.0f;
}

/* A row of a: its bytes follow one another. */
struct attention_int8_row {
    float scale;   /* NaN when a number was not finite */
    int32_t start; /* of its sums, where the level's products need one */
};

/* Begins a row whose greatest magnitude has these bits: its scale. The result is the factor of
 * its numbers, or 0 where they are to be zeros: not all are finite, or all are zeros. */
static inline float attention_int8_row_begin(struct attention_int8_row *row, int32_t bits,
                                             enum attention_int8_kind kind)
{
    float greatest;
    memcpy(&greatest, &bits, sizeof greatest);
    const float limit = attention_int8_limit(kind), factor = limit / greatest;
    const int has_factor = isfinite(greatest) && isfinite(factor);
    row->start = 0;
    row->scale = has_factor ? greatest / limit : isfinite(greatest) ? 0.0f : NAN;
    return has_factor ? factor : 0.0f;
}

/* Where the sums of a row start whose integers have that sum, when b comes as b + 128. */
static inline int32_t attention_int8_start(int32_t sum)
{
    return (int32_t)(0u - ((uint32_t)sum << 7));
}

/* The depth comes in panels of panel_groups groups of four, the last one perhaps cut short.
 *     row r of a         begins at  a + r * a_stride
 *     group g of panel p of b begins at  b[p] + b_offset + g * b_stride: 4 bytes per column
 *     row r of c         begins at  c + r * c_stride
 * Levels above scalar may go on to a multiple of four groups: panel_groups is one, b can be
 * read there, and a has zeros there. */
struct attention_int8_product {
    enum attention_int8_kind kind;
    const uint8_t *a;
    const struct attention_int8_row *rows_of_a; /* [rows] */
    const uint8_t *const *b;
    float *c;
    bool adds; /* to what c holds */
    size_t a_stride, b_offset, b_stride, c_stride;
    int32_t rows;    /* 1 .. product_rows of the level */
    int32_t columns; /* 1 .. ATTENTION_INT8_COLS; all of them where the level is not scalar */
    int32_t groups, panel_groups;
};

/* What a SIMD level adds to its sums at once begins here: at a in the first row, and at b. */
struct attention_int8_step {
    const uint8_t *a, *b;
    size_t a_stride, b_stride;
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
    void *turned; /* as the level's turn made it of pages_turned pages, these first */
    int32_t pages_turned;
    float *scores;     /* scratch: [rows][ATTENTION_TILE_STRIDE] */
    uint8_t *integers; /* scratch: [rows][ATTENTION_INT8_TILE_BYTES] */
};

enum { ATTENTION_INT8_TILE_BYTES = 256 }; /* of a row: a query, or the weights of a split */

struct attention_int8_kernels {
    int32_t product_rows; /* rows of a product at most */
    void (*product)(const struct attention_int8_product *product);
    /* Rounds values[count], count a multiple of 16 (of 4 where the level is scalar), to
     * a[count]. Weights are not negative. */
    struct attention_int8_row (*round)(const float *values, int32_t count,
                                       enum attention_int8_kind kind, uint8_t *a);
    /* NULL: the level has none of what follows. */
    void (*tile)(const struct attention_int8_tile *tile);
    int32_t tile_rows; /* rows of a tile at most */
    int32_t rows_min;  /* fewer are a matter of products */
    /* NULL: tiles take pages as they lie. Otherwise all tiles of a split take them from turned,
     * attention_int8_turned_bytes. */
    void (*turn)(const struct kv_layout_block *pages, int32_t page_count, int32_t head_dim,
                 void *turned);
};

/* A tile's queries, rounded, to its integers. */
void attention_queries_round_avx512(const struct attention_int8_tile *tile,
                                    struct attention_int8_row *rows);

/* The weights of a tile's rows, block by block of keys. */
struct attention_int8_weights {
    float scales[ATTENTION_INT8_TILE_ROWS_MAX][ATTENTION_INT8_BLOCKS];
};

/* Of a tile's scaled scores the weights, rounded; the statistics of its rows. AVX2 leaves the
 * bytes with their top bits turned. */
void attention_softmax_tile_avx2(const struct attention_int8_tile *tile,
                                 struct attention_int8_weights *weights);
void attention_softmax_tile_avx512(const struct attention_int8_tile *tile,
                                   struct attention_int8_weights *weights);

/* Room for a split's turned pages at any level, aligned to 64: every byte twice, and where sums
 * start. */
static inline size_t attention_int8_turned_bytes(int32_t head_dim)
{
    return 5 * ATTENTION_SPLIT * (size_t)head_dim;
}

void attention_int8_turn_avx2(const struct kv_layout_block *pages, int32_t page_count,
                              int32_t head_dim, void *turned);
void attention_int8_tile_avx2(const struct attention_int8_tile *tile);

extern const struct attention_int8_kernels attention_int8_scalar, attention_int8_avx2,
    attention_int8_avx512, attention_int8_neon, attention_int8_dotprod, attention_int8_i8mm;

/* What ARM's levels share: all round as NEON does. */
struct attention_int8_row attention_int8_neon_round(const float *values, int32_t count,
                                                    enum attention_int8_kind kind, uint8_t *a);

#endif
