/*
 * gather - some rows of the residual stream and of an activation, side by side:
 *     to_x[i, :] = x[rows[i], :],  row i of to = row rows[i] of from, in each of its forms
 * After the last layer's attention only the rows whose logits are wanted go on.
 */
#ifndef KERNELS_GATHER_H
#define KERNELS_GATHER_H

#include "kernels/activation.h"
#include "kernels/device.h"

#ifdef __cplusplus
extern "C" {
#endif

struct gather_args {
    const float *x;                /* [rows, dim] */
    float *to_x;                   /* [row_count, dim] */
    const struct activation *from; /* to has its columns and at most its forms */
    struct activation *to;
    const int32_t *rows; /* [row_count] */
    int32_t row_count, dim;
};

/* The CPU has no other: a few rows are copied once per step. */
enum status gather_ref(struct device *device, const struct gather_args *args);
enum status gather_cuda(struct device *device, const struct gather_args *args);
enum status gather_emu(struct device *device, const struct gather_args *args);

#ifdef __cplusplus
}
#endif
#endif
