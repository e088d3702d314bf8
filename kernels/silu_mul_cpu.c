/*
 * silu_mul_cpu - silu_mul with threads over rows and vectors along them.
 *
 *     formula   y = gate / (1 + e^-gate) * up
 *     tensors   gate, up [rows, dim] F32; y [rows, dim] F32, int8, or both
 *     bound by  arithmetic: about 20 vector operations per 8 numbers, one of them a division
 *
 * Elementwise and unfused: the same bits at every SIMD level.
 */
#include "kernels/activation_row.h"
#include "kernels/exp.h"
#include "kernels/silu_mul.h"

#include <string.h>

enum { TASK_ROWS = 4 };

typedef void span_function(const float *gate, const float *up, float *y, int32_t count);

struct job {
    const struct silu_mul_args *args;
    struct device *device;
    span_function *span;
};

EXP_CALL void span_any(const float *gate, const float *up, float *y, int32_t count)
{
    exp_f32 e;
    int32_t i = 0;
    for (; i + EXP_LANES <= count; i += EXP_LANES) {
        const exp_f32 g = *(const exp_f32 *)(gate + i);
        const exp_f32 minus = -g;
        exp_natural(&e, &minus);
        *(exp_f32 *)(y + i) = g / (1.0f + e) * *(const exp_f32 *)(up + i);
    }
    if (i == count)
        return;
    exp_f32 g = {0}, u = {0};
    memcpy(&g, gate + i, (size_t)(count - i) * sizeof *gate);
    memcpy(&u, up + i, (size_t)(count - i) * sizeof *up);
    const exp_f32 minus = -g;
    exp_natural(&e, &minus);
    g = g / (1.0f + e) * u;
    memcpy(y + i, &g, (size_t)(count - i) * sizeof *y);
}

static void span_plain(const float *gate, const float *up, float *y, int32_t count)
{
    span_any(gate, up, y, count);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void span_avx2(const float *gate, const float *up,
                                                      float *y, int32_t count)
{
    span_any(gate, up, y, count);
}
#endif

static void silu_mul_task(void *context, int32_t index, uint32_t worker)
{
    const struct job *job = context;
    const struct silu_mul_args *args = job->args;
    const size_t dim = (size_t)args->dim;
    const int32_t first = index * TASK_ROWS;
    const int32_t left = args->rows - first;
    const int32_t end = first + (left < TASK_ROWS ? left : TASK_ROWS);
    float *scratch = device_scratch(job->device, worker);
    for (int32_t r = first; r < end; r++) {
        float *y = activation_row_begin(args->y, r, scratch);
        job->span(args->gate + (size_t)r * dim, args->up + (size_t)r * dim, y, args->dim);
        activation_row_end(args->y, r, y, scratch);
    }
}

enum status silu_mul_cpu(struct device *device, const struct silu_mul_args *args)
{
    struct job job = {.args = args, .device = device, .span = span_plain};
    if (device_scratch_bytes(device) < (size_t)args->dim * sizeof(float))
        return ERR_LIMIT;
#if defined(__x86_64__)
    if (device_simd(device) >= DEVICE_SIMD_AVX2)
        job.span = span_avx2;
#endif
    device_parallel(device, args->rows / TASK_ROWS + (args->rows % TASK_ROWS != 0),
                    silu_mul_task, &job);
    return OK;
}
