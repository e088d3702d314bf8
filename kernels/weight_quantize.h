/*
 * weight_quantize - from floats to the block formats that model files have: the other direction
 * of weight_dequantize.
 */
#ifndef KERNELS_WEIGHT_QUANTIZE_H
#define KERNELS_WEIGHT_QUANTIZE_H

#include "kernels/weight.h"

/* True for F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 and Q4_K. */
bool weight_quantize_is_supported(enum weight_type type);

/* Writes count numbers (a multiple of the type's block), all finite, as blocks of that type.
 * False: one of them is not finite, or too large for a scale that is a half; blocks is
 * undefined then. */
MUST_USE bool weight_quantize(enum weight_type type, const float *values, void *blocks,
                              int64_t count);

#endif
