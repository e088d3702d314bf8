/* silu_mul_ref - the plain twin, with the library's exponential. */
#include "kernels/activation_row.h"
#include "kernels/silu_mul.h"

#include <math.h>

enum status silu_mul_ref(struct device *device, const struct silu_mul_args *args)
{
    const size_t dim = (size_t)args->dim;
    if (device_scratch_bytes(device) < dim * sizeof(float))
        return ERR_LIMIT;
    float *scratch = device_scratch(device, 0);
    for (int32_t r = 0; r < args->rows; r++) {
        const float *gate = args->gate + (size_t)r * dim;
        const float *up = args->up + (size_t)r * dim;
        float *y = activation_row_begin(args->y, r, scratch);
        for (size_t i = 0; i < dim; i++)
            y[i] = gate[i] / (1.0f + expf(-gate[i])) * up[i];
        activation_row_end(args->y, r, y, scratch);
    }
    return OK;
}
