/*
 * matmul_bf16 - a product with bfloat16 weights, by cuBLASLt on CUDA alone: part of matmul.
 *
 * F32 activations are rounded to bf16 (nearest, ties to even); products are summed in F32 in an
 * order of the library's: fixed for a shape and a bucket of rows (a power of two), not the same
 * from bucket to bucket. So a row's bits may depend on how many rows are beside it; the int8
 * form has no such freedom, which is one more reason why it is the precision and this the
 * fallback.
 */
#ifndef KERNELS_MATMUL_BF16_H
#define KERNELS_MATMUL_BF16_H

#include "kernels/matmul.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Chooses the algorithms for weights of that shape, once, and keeps them with the device: to be
 * called when weights are loaded, since it allocates. ERR_LIMIT more than 64 shapes, or one
 * that the library cannot take; ERR_MEMORY; ERR_DEVICE. */
enum status matmul_bf16_plan(struct device *device, int32_t out_dim, int32_t in_dim);

/* args as in matmul.h. ERR_LIMIT a shape that was not planned, a workspace too small for one
 * row; ERR_DEVICE. */
enum status matmul_bf16_cuda(struct device *device, const struct matmul_args *args);

#ifdef __cplusplus
}
#endif
#endif
