/*
 * matmul_stored - a product with weights as the file has them, on GPUs: part of matmul.
 *
 * F32 activations, WEIGHT_STORED weights of any type that weight_dequantize knows. Each output
 * is eight running sums (i mod 8) of fused products, added pairwise as in matmul_f32.h: the
 * bits of matmul_cpu with AVX2, whatever the rows beside it.
 */
#ifndef KERNELS_MATMUL_STORED_H
#define KERNELS_MATMUL_STORED_H

#include "kernels/matmul.h"

#ifdef __cplusplus
extern "C" {
#endif

/* args as in matmul.h; w->data and gate->data aligned to 16.
 * ERR_LIMIT a type without a case, or more outputs and rows than a grid has blocks. */
enum status matmul_stored_cuda(struct device *device, const struct matmul_args *args);
enum status matmul_stored_emu(struct device *device, const struct matmul_args *args);

#ifdef __cplusplus
}
#endif
#endif
