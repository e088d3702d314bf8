/*
 * weight_bf16 - a matrix as bfloat16 rows on a GPU: WEIGHT_FORM_BF16, for matmul_bf16.
 *
 * data is [out_dim][in_dim] bfloat16, each the nearest to the file's value (ties to even).
 */
#ifndef KERNELS_WEIGHT_BF16_H
#define KERNELS_WEIGHT_BF16_H

#include "kernels/weight_row.h"

enum { WEIGHT_BF16_IN_DIM_UNIT = 8 }; /* in_dim is a multiple: 16 bytes, for the library */

/* True where the device multiplies in bf16: a GPU, in a build with cuBLASLt. */
bool weight_bf16_is_available(const struct device *device);

/* Makes *weight from rows in a file's blocks, a few rows at a time with the device's threads,
 * and lets matmul_bf16 choose its algorithms for the shape.
 * ERR_LIMIT not available, in_dim no multiple of 8, rows too long; ERR_MEMORY; ERR_DEVICE. */
MUST_USE enum status weight_bf16_prepare(struct device *device, const struct weight_rows *rows,
                                         struct weight *weight, struct error *err);

/* to[count] = from[count], each to nearest, ties to even; NaN stays a quiet NaN. */
void weight_bf16_round(uint16_t *to, const float *from, int32_t count);

#endif
