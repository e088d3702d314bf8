/* silu_mul_ref - the plain twin, in double with the library's exponential. */
#include "kernels/activation_row.h"
#include "kernels/silu_mul.h"

#include <math.h>

static double gated(enum silu_mul_kind kind, double gate)
{
    if (kind == SILU_MUL_SILU)
        return gate / (1.0 + exp(-gate));
    const double u = 0.7978845608 * (gate + 0.044715 * gate * gate * gate);
    return gate / (1.0 + exp(-2.0 * u));
}

enum status silu_mul_ref(struct device *device, const struct silu_mul_args *args)
{
    const size_t dim = (size_t)args->dim;
    if (device_scratch_bytes(device) < dim * sizeof(float))
        return ERR_LIMIT;
    float *scratch = device_scratch(device, 0);
    for (int32_t r = 0; r < args->rows; r++) {
        const float *gate = args->gate ? args->gate + (size_t)r * dim : NULL;
        const float *up = args->up + (size_t)r * dim;
        float *y = activation_row_begin(args->y, r, scratch);
        for (size_t i = 0; i < dim; i++)
            y[i] = gate ? (float)(gated(args->kind, (double)gate[i]) * (double)up[i]) : up[i];
        activation_row_end(args->y, r, y, scratch, DEVICE_SIMD_SCALAR);
    }
    return OK;
}
