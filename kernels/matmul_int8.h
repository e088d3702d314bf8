/*
 * matmul_int8 - how packed int8 weights lie in memory, and the kernels that read them.
 *
 * Sixteen output rows make a panel; in_dim is padded with zeros to a multiple of 64 (depth).
 * A panel holds, for each group of four consecutive inputs, four bytes of row 0, four of row
 * 1, .. four of row 15: 64 bytes, one AVX-512 register or two AVX2 registers, in which each
 * 32-bit lane is one output. Rows past out_dim in the last panel are zeros.
 *
 *     byte of (out, in) = (out / 16) * 16 * depth + (in / 4) * 64 + (out % 16) * 4 + in % 4
 *
 * A kernel gives the exact int32 sums of some rows against some panels; a level's finish
 * applies scales, bias and residual, each number by itself: the same bits at every level.
 */
#ifndef KERNELS_MATMUL_INT8_H
#define KERNELS_MATMUL_INT8_H

#include "kernels/silu_mul.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MATMUL_INT8_PANEL = 16, /* outputs per panel */
    MATMUL_INT8_GROUP = 4,  /* inputs that lie side by side */
    MATMUL_INT8_ALIGN = 64, /* depth is a multiple of it, as an activation's stride is */
    MATMUL_INT8_X_TURNED_SHARE = 32 /* turned rows: one number of so many may have an excess */
};

struct matmul_int8_tile {
    const int8_t *x;     /* [rows, stride]; |x| <= 127, zero from in_dim to depth */
    const int8_t *panel; /* [panels][depth / 4][16][4]; |w| <= 127 */
    /* Where the level has functions for them: */
    const int32_t *x_sums; /* [rows] of each row of x */
    const int8_t *turned;  /* the panels as it multiplies them, or NULL */
    void *x_turned;        /* likewise the rows_all rows, of which these are some */
    int32_t stride, rows, depth, panels;
    /* Rows before these, and all, that go through the same panels one tile after the other:
     * a level that asks for the panels behind them asks in each tile for its share. */
    int32_t rows_before, rows_all;
};

/* Some rows of a tile and one of its panels. */
struct matmul_int8_span {
    const int8_t *x; /* the first row */
    const int8_t *w, *w_end;
    size_t stride; /* from row to row of x */
    int32_t *out;  /* [rows][16] */
};

/* sums[rows] of x[rows, stride], over depth. */
typedef void matmul_int8_x_sums(const struct matmul_int8_tile *tile, int32_t *sums);

/* Room for a turned panel at any level: its bytes twice, and where its sums start. */
static inline size_t matmul_int8_turned_bytes(int32_t depth)
{
    return (size_t)MATMUL_INT8_PANEL * (2 * (size_t)depth + sizeof(int32_t));
}

/* turned[panels * matmul_int8_turned_bytes(depth)], aligned to 64 = the panels as the level
 * multiplies them, for tiles of many rows to share: each would otherwise turn them again. */
typedef void matmul_int8_turn(const struct matmul_int8_tile *tile, int8_t *turned);

/* Room for turned rows at any level: x itself, and for each 16 of its numbers 4 bytes, 1, and
 * half of 8; per row 8 bytes; and what aligns these. */
static inline size_t matmul_int8_x_turned_bytes(int32_t rows, int32_t depth)
{
    return (size_t)(rows + 4) * ((size_t)depth * 50 / 32 + 8) + 512;
}

/* turned, aligned to 64 = rows[rows] of a block as the level multiplies them, for all panels to
 * share. false: they do not suit it, and panels are taken as they lie. */
typedef bool matmul_int8_x_turn(const struct matmul_int8_tile *block, void *turned);

/* out[panels][rows][16] = the sums of products. */
typedef void matmul_int8_kernel(const struct matmul_int8_tile *tile, int32_t *out);

/* Where a tile's sums go. */
struct matmul_int8_outputs {
    const float *x_scales; /* [rows] */
    const float *w_scales; /* [outs] */
    const float *bias;     /* [outs] or NULL */
    float *y;              /* output o of row r at y[r * y_stride + o] */
    size_t y_stride;
    int32_t rows, outs; /* outs of the tile's panels; the last may be cut short */
    bool accumulate;
    const int32_t *gate_sums; /* as sums, of the gate's weights; NULL: no gate */
    const float *gate_scales; /* [outs] */
    enum silu_mul_kind gate_kind;
};

/* y = (float)sum * (x_scale * w_scale), + bias, + y, or act(gate) * y; sums as a kernel gives
 * them. */
typedef void matmul_int8_finish(const struct matmul_int8_outputs *outputs, const int32_t *sums);

static inline int32_t matmul_int8_depth(int32_t in_dim)
{
    return (in_dim + MATMUL_INT8_ALIGN - 1) / MATMUL_INT8_ALIGN * MATMUL_INT8_ALIGN;
}

static inline int32_t matmul_int8_panels(int32_t out_dim)
{
    return out_dim / MATMUL_INT8_PANEL + (out_dim % MATMUL_INT8_PANEL != 0);
}

/* Place of one weight in the packed bytes. */
static inline size_t matmul_int8_place(int32_t depth, int32_t out, int32_t in)
{
    const size_t panel = (size_t)(out / MATMUL_INT8_PANEL);
    const size_t lane = (size_t)(out % MATMUL_INT8_PANEL);
    const size_t group = (size_t)(in / MATMUL_INT8_GROUP);
    return panel * MATMUL_INT8_PANEL * (size_t)depth +
           (group * MATMUL_INT8_PANEL + lane) * MATMUL_INT8_GROUP +
           (size_t)(in % MATMUL_INT8_GROUP);
}

/* Puts row[depth] at its lane of a panel. */
void matmul_int8_pack(const int8_t *row, int32_t depth, int32_t lane, int8_t *panel);

matmul_int8_finish matmul_int8_finish_scalar, matmul_int8_finish_avx2,
    matmul_int8_finish_avx512;

matmul_int8_kernel matmul_int8_scalar;
matmul_int8_kernel matmul_int8_neon, matmul_int8_dotprod, matmul_int8_i8mm;
matmul_int8_kernel matmul_int8_avx2, matmul_int8_narrow_avx2, matmul_int8_avx512;
matmul_int8_x_sums matmul_int8_x_sums_avx512;
matmul_int8_turn matmul_int8_turn_avx2, matmul_int8_turn_avx512;
matmul_int8_x_turn matmul_int8_x_turn_avx2;
/* Its tiles are state of the thread, which whoever called it gives up when done. */
matmul_int8_kernel matmul_int8_amx;
void matmul_int8_amx_release(void);

#endif
