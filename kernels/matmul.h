/*
 * matmul - y = x w^T, the one place where weights are read:
 *     y[r, o] = sum_i x[r, i] * w[o, i]  (+ bias[o])  (+ y[r, o] when accumulate)
 *
 * WEIGHT_STORED: x in F32, w dequantized on the way, sums in F32 in an order that depends on
 * in_dim alone: never on rows, tiles or threads.
 * WEIGHT_INT8: x rotated int8, sums exact in int32 (in_dim <= 131,072, so none overflows):
 *     y[r, o] = (float)sum * (x_scale[r] * w_scale[o])
 * bit for bit the same at every SIMD level and for every batch.
 *
 * With a second weight `gate`, of w's shape and form:
 *     y[r, o] = act(x gate^T)[r, o] * (x w^T)[r, o],  act as in silu_mul.h
 * the same bits as two products and silu_mul.
 */
#ifndef KERNELS_MATMUL_H
#define KERNELS_MATMUL_H

#include "kernels/activation.h"
#include "kernels/silu_mul.h"
#include "kernels/weight.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { MATMUL_IN_DIM_MAX = 131072 };

struct matmul_args {
    const struct activation *x; /* [rows, w->in_dim], in the form w wants */
    const struct weight *w;
    const float *bias; /* [out_dim] or NULL; NULL with a gate */
    float *y;          /* [rows, out_dim] */
    int32_t rows;
    bool accumulate;           /* add to what y holds: the residual; not with a gate */
    const struct weight *gate; /* NULL: a plain product */
    enum silu_mul_kind gate_kind;
};

enum status matmul_ref(struct device *device, const struct matmul_args *args);
enum status matmul_cpu(struct device *device, const struct matmul_args *args);
enum status matmul_cuda(struct device *device, const struct matmul_args *args);
enum status matmul_emu(struct device *device, const struct matmul_args *args);

#ifdef __cplusplus
}
#endif
#endif
