/*
 * matmul_f32 - the kernels of exact precision: rows of F32 against dequantized weight rows.
 *
 * Every version adds products in the same order for a given in_dim: eight running sums
 * (i mod 8), then (0+4, 1+5, 2+6, 3+7), (0+2, 1+3), (0+1). So a row's result does not depend
 * on the rows beside it. The AVX2 and NEON versions fuse product and addition and give the
 * same bits, the scalar one does not.
 */
#ifndef KERNELS_MATMUL_F32_H
#define KERNELS_MATMUL_F32_H

#include <stddef.h>
#include <stdint.h>

struct matmul_f32_tile {
    const float *x; /* [rows, in_dim] */
    const float *w; /* [outs, in_dim] */
    int32_t rows, outs, in_dim;
};

/* out[rows][outs] = the sums of products. */
typedef void matmul_f32_kernel(const struct matmul_f32_tile *tile, float *out);

matmul_f32_kernel matmul_f32_scalar;
matmul_f32_kernel matmul_f32_avx2;
matmul_f32_kernel matmul_f32_neon;

#endif
