/*
 * rmsnorm_cpu - rmsnorm with threads over rows and vectors along them.
 *
 *     formula   s = x + add, y = s / sqrt(mean s^2 + eps) * weight
 *     tensors   x, add, s [.., dim] F32; y [row_count, dim] F32, int8, or both
 *     bound by  the latency of the eight-lane sum (one running vector), then by loads
 *
 * The eight lanes of the sum are one vector of the compiler: two registers without AVX, one
 * with it, the same additions in the same order.
 */
#include "base/i32.h"
#include "kernels/activation_row.h"
#include "kernels/rmsnorm.h"

#include <math.h>

enum { LANES = 8, TASK_ROWS = 8 };

typedef float lanes_f32 __attribute__((vector_size(32), aligned(4), may_alias));

typedef void row_function(const struct rmsnorm_args *args, const float *x, float *y);

struct job {
    const struct rmsnorm_args *args;
    struct device *device;
    row_function *row;
};

static inline __attribute__((always_inline)) float sum_of_squares(const float *x, int32_t count)
{
    lanes_f32 sum = {0};
    int32_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        const lanes_f32 v = *(const lanes_f32 *)(x + i);
        sum += v * v;
    }
    for (int32_t lane = 0; i + lane < count; lane++)
        sum[lane] += x[i + lane] * x[i + lane];
    for (int32_t half = LANES / 2; half > 0; half /= 2) {
        for (int32_t lane = 0; lane < half; lane++)
            sum[lane] += sum[lane + half];
    }
    return sum[0];
}

/* The row to normalise: of x, or of sum, made from it. */
static const float *row_of(const struct rmsnorm_args *args, int32_t r)
{
    const size_t dim = (size_t)args->dim;
    const size_t skip = (size_t)(args->rows ? args->rows[r] : r) * dim;
    if (args->add == NULL)
        return args->x + skip;
    const float *x = args->x + skip, *add = args->add + skip;
    float *sum = args->sum + skip;
    for (size_t i = 0; i < dim; i++)
        sum[i] = x[i] + add[i];
    return sum;
}

/* y[dim] = x / sqrt(mean x^2 + eps) * weight. */
static inline __attribute__((always_inline)) void row_any(const struct rmsnorm_args *args,
                                                          const float *x, float *y)
{
    const int32_t dim = args->dim;
    const float *weight = args->weight;
    const float mean = sum_of_squares(x, dim) / (float)dim;
    const float factor = 1.0f / sqrtf(mean + args->eps);
    for (int32_t i = 0; i < dim; i++)
        y[i] = x[i] * factor * weight[i];
}

static void row_plain(const struct rmsnorm_args *args, const float *x, float *y)
{
    row_any(args, x, y);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void row_avx2(const struct rmsnorm_args *args,
                                                     const float *x, float *y)
{
    row_any(args, x, y);
}
#endif

static void rmsnorm_task(void *context, int32_t index, uint32_t worker)
{
    const struct job *job = context;
    const struct rmsnorm_args *args = job->args;
    const int32_t first = index * TASK_ROWS;
    const int32_t end = first + i32_min(args->row_count - first, TASK_ROWS);
    float *scratch = device_scratch(job->device, worker);
    for (int32_t r = first; r < end; r++) {
        float *y = activation_row_begin(args->y, r, scratch);
        job->row(args, row_of(args, r), y);
        activation_row_end(args->y, r, y, scratch, device_simd(job->device));
    }
}

enum status rmsnorm_cpu(struct device *device, const struct rmsnorm_args *args)
{
    struct job job = {.args = args, .device = device, .row = row_plain};
    if (device_scratch_bytes(device) < (size_t)args->dim * sizeof(float))
        return ERR_LIMIT;
#if defined(__x86_64__)
    if (device_simd(device) >= DEVICE_SIMD_AVX2)
        job.row = row_avx2;
#endif
    device_parallel(device, i32_ceil_div(args->row_count, TASK_ROWS), rmsnorm_task, &job);
    return OK;
}
