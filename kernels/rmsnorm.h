/*
 * rmsnorm - root-mean-square normalisation (Zhang & Sennrich 2019) into an activation:
 *     y[r, i] = x[r, i] / sqrt(mean_j x[r, j]^2 + eps) * weight[i]
 * then written in each form that y asks for. The sum over j runs in eight lanes (j mod 8),
 * added pairwise at the end, in every version: results do not depend on the SIMD level.
 */
#ifndef KERNELS_RMSNORM_H
#define KERNELS_RMSNORM_H

#include "kernels/activation.h"
#include "kernels/device.h"

#ifdef __cplusplus
extern "C" {
#endif

struct rmsnorm_args {
    const float *x;       /* [rows of the residual stream, dim] */
    const float *add;     /* [like x] or NULL: x + add is normalised, and written to sum */
    float *sum;           /* [like x], may be x itself; NULL when add is */
    const int32_t *rows;  /* [row_count] which rows of x, with add none twice; NULL: rows
                             0 .. row_count-1 */
    const float *weight;  /* [dim] */
    struct activation *y; /* row i of y is from row rows[i] of x */
    int32_t row_count;
    int32_t dim;
    float eps;
};

enum status rmsnorm_ref(struct device *device, const struct rmsnorm_args *args);
enum status rmsnorm_cpu(struct device *device, const struct rmsnorm_args *args);
enum status rmsnorm_cuda(struct device *device, const struct rmsnorm_args *args);
enum status rmsnorm_emu(struct device *device, const struct rmsnorm_args *args);

#ifdef __cplusplus
}
#endif
#endif
