/*
 * weight_row - the rows of a matrix on their way into an int8 form, one at a time.
 *
 * Every int8 form (weight.c for the host, weight_simt.c for accelerators) takes its rows from
 * here, so that all have the same numbers.
 */
#ifndef KERNELS_WEIGHT_ROW_H
#define KERNELS_WEIGHT_ROW_H

#include "kernels/device.h"
#include "kernels/weight.h"

/* Rows in a file's blocks, or rows that are int8 already: then blocks is NULL. */
struct weight_rows {
    const char *name; /* for messages */
    enum weight_type type;
    int32_t out_dim, in_dim;
    const uint8_t *blocks; /* [out_dim][row_bytes] */
    size_t row_bytes;
    const int8_t *q8;    /* [out_dim][in_dim], |q| <= 127 */
    const float *scales; /* [out_dim] */
};

/* Of a worker's scratch, what weight_row_make wants. */
size_t weight_row_scratch_bytes(int32_t in_dim);

/* Row `out`, rotated and rounded as weight.h says: its scale to *scale; returns its values,
 * matmul_int8_depth(in_dim) of them, zeros past in_dim, in the worker's scratch. That begins
 * with the rotated row, in_dim floats, unless rows were int8 already. */
const int8_t *weight_row_make(const struct weight_rows *rows, int32_t out,
                              struct device *device, uint32_t worker, float *scale);

#endif
