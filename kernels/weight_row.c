/* weight_row - one row of a matrix in int8: from a file's blocks, or as it was given. */
#include "kernels/weight_row.h"

#include "kernels/activation_row.h"
#include "kernels/matmul_int8.h"

#include <string.h>

/* The row as floats, then as int8. */
size_t weight_row_scratch_bytes(int32_t in_dim)
{
    const size_t depth = (size_t)matmul_int8_depth(in_dim);
    return depth * sizeof(float) + depth;
}

const int8_t *weight_row_make(const struct weight_rows *rows, int32_t out,
                              struct device *device, uint32_t worker, float *scale)
{
    const size_t in_dim = (size_t)rows->in_dim;
    const int32_t depth = matmul_int8_depth(rows->in_dim);
    float *row = device_scratch(device, worker);
    int8_t *q = (int8_t *)(row + depth);
    if (rows->blocks == NULL) {
        memcpy(q, rows->q8 + (size_t)out * in_dim, in_dim);
        memset(q + in_dim, 0, (size_t)depth - in_dim);
        *scale = rows->scales[out];
        return q;
    }
    const struct activation one = {
        .cols = rows->in_dim, .q8 = q, .scales = scale, .stride = depth};
    const enum device_simd simd = device_simd(device);
    weight_dequantize_at(simd, rows->type, rows->blocks + (size_t)out * rows->row_bytes, row,
                         rows->in_dim);
    activation_quantize_at(&one, 0, row, simd);
    return q;
}
