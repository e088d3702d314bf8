/* matmul_ref - the plain twin: what matmul means, one output at a time, on one thread. */
#include "kernels/matmul.h"
#include "kernels/matmul_int8.h"

#include <assert.h>

/* One row of stored weights against one row of x: eight running sums (i mod 8), added
 * pairwise. The SIMD versions fuse each product with its addition; this one does not. */
static float dot_f32(const float *x, const float *w, int32_t count)
{
    float lane[8] = {0};
    for (int32_t i = 0; i < count; i++)
        lane[i % 8] += x[i] * w[i];
    for (int32_t half = 4; half > 0; half /= 2) {
        for (int32_t i = 0; i < half; i++)
            lane[i] += lane[i + half];
    }
    return lane[0];
}

static float dot_int8(const struct matmul_args *args, int32_t row, int32_t out)
{
    const struct activation *x = args->x;
    const struct weight *w = args->w;
    const int8_t *q = x->q8 + (size_t)row * (size_t)x->stride;
    const int8_t *packed = w->data;
    const int32_t depth = matmul_int8_depth(w->in_dim);
    int32_t sum = 0;
    for (int32_t i = 0; i < w->in_dim; i++)
        sum += q[i] * packed[matmul_int8_place(depth, out, i)];
    return (float)sum * (x->scales[row] * w->scales[out]);
}

static void put(const struct matmul_args *args, int32_t row, int32_t out, float value)
{
    float *y = args->y + (size_t)row * (size_t)args->w->out_dim + out;
    if (args->bias != NULL)
        value += args->bias[out];
    *y = args->accumulate ? *y + value : value;
}

enum status matmul_ref(struct device *device, const struct matmul_args *args)
{
    const struct weight *w = args->w;
    uint32_t block_elems, block_bytes;
    if (w->form == WEIGHT_INT8) {
        for (int32_t out = 0; out < w->out_dim; out++) {
            for (int32_t row = 0; row < args->rows; row++)
                put(args, row, out, dot_int8(args, row, out));
        }
        return OK;
    }
    if (!weight_type_layout(w->type, &block_elems, &block_bytes) ||
        device_scratch_bytes(device) < (size_t)w->in_dim * sizeof(float))
        return ERR_LIMIT;
    float *values = device_scratch(device, 0);
    const size_t row_bytes = (size_t)w->in_dim / block_elems * block_bytes;
    for (int32_t out = 0; out < w->out_dim; out++) {
        const uint8_t *blocks = (const uint8_t *)w->data + (size_t)out * row_bytes;
        weight_dequantize(w->type, blocks, values, w->in_dim);
        for (int32_t row = 0; row < args->rows; row++) {
            const float *x = args->x->f32 + (size_t)row * (size_t)w->in_dim;
            put(args, row, out, dot_f32(x, values, w->in_dim));
        }
    }
    return OK;
}
