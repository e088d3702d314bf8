/*
 * silu_mul - the gate of a feed-forward network, into an activation:
 *     SILU_MUL_SILU  y[r, i] = gate / (1 + exp(-gate)) * up                (SwiGLU)
 *     SILU_MUL_GELU  y[r, i] = gate / (1 + exp(-2 u)) * up,                (GeGLU, tanh form)
 *                    u = 0.7978845608 (gate + 0.044715 gate^3)
 * Without a gate y = up: the product was made by a matmul that fuses it.
 */
#ifndef KERNELS_SILU_MUL_H
#define KERNELS_SILU_MUL_H

#include "kernels/activation.h"
#include "kernels/device.h"

#ifdef __cplusplus
extern "C" {
#endif

enum silu_mul_kind { SILU_MUL_SILU, SILU_MUL_GELU };

struct silu_mul_args {
    enum silu_mul_kind kind;
    const float *gate;    /* [rows, dim] or NULL */
    const float *up;      /* [rows, dim] */
    struct activation *y; /* [rows, dim] */
    int32_t rows, dim;
};

enum status silu_mul_ref(struct device *device, const struct silu_mul_args *args);
enum status silu_mul_cpu(struct device *device, const struct silu_mul_args *args);
enum status silu_mul_cuda(struct device *device, const struct silu_mul_args *args);
enum status silu_mul_emu(struct device *device, const struct silu_mul_args *args);

#ifdef __cplusplus
}
#endif
#endif
