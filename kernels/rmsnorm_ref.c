/* rmsnorm_ref - the plain twin: one row after the other. */
#include "kernels/activation_row.h"
#include "kernels/rmsnorm.h"
#include "kernels/rmsnorm_row.h"

/* The row to normalise: of x, or of sum, made from it. */
static const float *row_of(const struct rmsnorm_args *args, int32_t r)
{
    const size_t dim = (size_t)args->dim;
    const size_t skip = (size_t)(args->rows ? args->rows[r] : r) * dim;
    if (args->add == NULL)
        return args->x + skip;
    for (size_t i = 0; i < dim; i++)
        args->sum[skip + i] = args->x[skip + i] + args->add[skip + i];
    return args->sum + skip;
}

enum status rmsnorm_ref(struct device *device, const struct rmsnorm_args *args)
{
    const size_t dim = (size_t)args->dim;
    if (device_scratch_bytes(device) < dim * sizeof(float))
        return ERR_LIMIT;
    float *scratch = device_scratch(device, 0);
    for (int32_t r = 0; r < args->row_count; r++) {
        const float *x = row_of(args, r);
        float *y = activation_row_begin(args->y, r, scratch);
        const float factor = rmsnorm_row_factor(x, args->dim, args->eps);
        for (size_t i = 0; i < dim; i++)
            y[i] = x[i] * factor * args->weight[i];
        activation_row_end(args->y, r, y, scratch, DEVICE_SIMD_SCALAR);
    }
    return OK;
}
