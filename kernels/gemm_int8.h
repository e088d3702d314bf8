/*
 * gemm_int8 - products with int8 weights on GPUs, in tiles of several sizes: part of matmul.
 *
 * Every tile gives the same bits, those of matmul_ref: the int32 sums are exact, and each is
 * scaled on its own. Which tile runs is a matter of speed alone.
 */
#ifndef KERNELS_GEMM_INT8_H
#define KERNELS_GEMM_INT8_H

#include "kernels/matmul.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Rows of x by rows of weights; with a gate half of the latter are the gate's. */
enum gemm_int8_shape {
    GEMM_INT8_16X32,
    GEMM_INT8_32X32,
    GEMM_INT8_64X32,
    GEMM_INT8_64X64,
    GEMM_INT8_128X64,
    GEMM_INT8_128X128,
    GEMM_INT8_128X256,
    GEMM_INT8_SHAPES
};

/* The tile for so many rows of x and of weights (out_dim, twice that with a gate) on a device
 * of so many multiprocessors. */
enum gemm_int8_shape gemm_int8_choose(int32_t rows, int64_t weight_rows,
                                      int32_t multiprocessors);
const char *gemm_int8_name(enum gemm_int8_shape shape); /* "128x256" */

/* args as in matmul.h, weights in WEIGHT_INT8 of weight_simt.h's order.
 * ERR_LIMIT more tiles than a grid has blocks; ERR_DEVICE. */
enum status gemm_int8_cuda(struct device *device, const struct matmul_args *args,
                           enum gemm_int8_shape shape);
enum status gemm_int8_emu(struct device *device, const struct matmul_args *args,
                          enum gemm_int8_shape shape);

#ifdef __cplusplus
}
#endif
#endif
