/* matmul_ref - the plain twin: what matmul means, one output at a time, on one thread. */
#include "kernels/matmul.h"
#include "kernels/matmul_int8.h"

#include <stdbool.h>

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

static float dot_int8(const struct activation *x, const struct weight *w, int32_t row,
                      int32_t out)
{
    const int8_t *q = x->q8 + (size_t)row * (size_t)x->stride;
    const int8_t *packed = w->data;
    const int32_t depth = matmul_int8_depth(w->in_dim);
    int32_t sum = 0;
    for (int32_t i = 0; i < w->in_dim; i++)
        sum += q[i] * packed[matmul_int8_place(depth, out, i)];
    return (float)sum * (x->scales[row] * w->scales[out]);
}

/* What happens to y with each product: it is set, added to, or gated by it. (The gate's twin
 * writes y in place and leaves the scratch, where the weights are, alone.) */
static enum status put(struct device *device, const struct matmul_args *args, bool is_gate,
                       size_t at, float value)
{
    float *y = args->y + at;
    if (is_gate) {
        struct activation one = {.forms = ACTIVATION_F32, .cols = 1, .f32 = y};
        const struct silu_mul_args silu = {
            .kind = args->gate_kind, .gate = &value, .up = y, .y = &one, .rows = 1, .dim = 1};
        return silu_mul_ref(device, &silu);
    }
    if (args->bias != NULL)
        value += args->bias[at % (size_t)args->w->out_dim];
    *y = args->accumulate ? *y + value : value;
    return OK;
}

/* Products with one of args' weights, w or gate. */
static enum status multiply(struct device *device, const struct matmul_args *args,
                            const struct weight *w)
{
    const bool is_gate = w != args->w;
    uint32_t block_elems = 1, block_bytes = 0;
    if (w->form != WEIGHT_INT8 &&
        (!weight_type_layout(w->type, &block_elems, &block_bytes) ||
         device_scratch_bytes(device) < (size_t)w->in_dim * sizeof(float)))
        return ERR_LIMIT;
    float *values = device_scratch(device, 0);
    const size_t row_bytes = (size_t)w->in_dim / block_elems * block_bytes;
    for (int32_t out = 0; out < w->out_dim; out++) {
        if (w->form != WEIGHT_INT8)
            weight_dequantize(w->type, (const uint8_t *)w->data + (size_t)out * row_bytes,
                              values, w->in_dim);
        for (int32_t row = 0; row < args->rows; row++) {
            const size_t skip = (size_t)row * (size_t)w->in_dim;
            const float value = w->form == WEIGHT_INT8
                                    ? dot_int8(args->x, w, row, out)
                                    : dot_f32(args->x->f32 + skip, values, w->in_dim);
            const size_t at = (size_t)row * (size_t)w->out_dim + (size_t)out;
            TRY(put(device, args, is_gate, at, value));
        }
    }
    return OK;
}

enum status matmul_ref(struct device *device, const struct matmul_args *args)
{
    TRY(multiply(device, args, args->w));
    return args->gate != NULL ? multiply(device, args, args->gate) : OK;
}
