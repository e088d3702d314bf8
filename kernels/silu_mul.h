/* silu_mul - the gate of SwiGLU: y[r, i] = gate / (1 + exp(-gate)) * up, into an activation. */
#ifndef KERNELS_SILU_MUL_H
#define KERNELS_SILU_MUL_H

#include "kernels/activation.h"
#include "kernels/device.h"

struct silu_mul_args {
    const float *gate;    /* [rows, dim] */
    const float *up;      /* [rows, dim] */
    struct activation *y; /* [rows, dim] */
    int32_t rows, dim;
};

enum status silu_mul_ref(struct device *device, const struct silu_mul_args *args);
enum status silu_mul_cpu(struct device *device, const struct silu_mul_args *args);

#endif
