/*
 * silu_mul_cpu - silu_mul with threads over rows and vectors along them.
 *
 *     formula   y = act(gate) * up, act in gate.h; y = up without a gate
 *     tensors   gate, up [rows, dim] F32; y [rows, dim] F32, int8, or both
 *     bound by  arithmetic: about 20 vector operations per 8 numbers, one of them a division
 *
 * Elementwise and unfused: the same bits at every SIMD level.
 */
#include "base/i32.h"
#include "kernels/activation_row.h"
#include "kernels/gate.h"
#include "kernels/silu_mul.h"

#include <string.h>

enum { TASK_ROWS = 4 };

/* Numbers of one row. */
struct span {
    const float *gate, *up;
    float *y;
    int32_t count;
};

typedef void span_function(const struct span *span, enum silu_mul_kind kind);

struct job {
    const struct silu_mul_args *args;
    struct device *device;
    span_function *span;
};

EXP_CALL void span_any(const struct span *span, enum silu_mul_kind kind)
{
    const float *gate = span->gate, *up = span->up;
    float *y = span->y;
    const int32_t count = span->count;
    exp_f32 act;
    int32_t i = 0;
    for (; i + EXP_LANES <= count; i += EXP_LANES) {
        gate_act(&act, (const exp_f32 *)(gate + i), kind);
        *(exp_f32 *)(y + i) = act * *(const exp_f32 *)(up + i);
    }
    if (i == count)
        return;
    exp_f32 g = {0}, u = {0};
    memcpy(&g, gate + i, (size_t)(count - i) * sizeof *gate);
    memcpy(&u, up + i, (size_t)(count - i) * sizeof *up);
    gate_act(&act, &g, kind);
    act *= u;
    memcpy(y + i, &act, (size_t)(count - i) * sizeof *y);
}

/* A loop for each kind, so that none has a branch inside. */
EXP_CALL void span_of_kind(const struct span *span, enum silu_mul_kind kind)
{
    if (kind == SILU_MUL_GELU)
        span_any(span, SILU_MUL_GELU);
    else
        span_any(span, SILU_MUL_SILU);
}

static void span_plain(const struct span *span, enum silu_mul_kind kind)
{
    span_of_kind(span, kind);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void span_avx2(const struct span *span,
                                                      enum silu_mul_kind kind)
{
    span_of_kind(span, kind);
}
#endif

static void silu_mul_task(void *context, int32_t index, uint32_t worker)
{
    const struct job *job = context;
    const struct silu_mul_args *args = job->args;
    const size_t dim = (size_t)args->dim;
    const int32_t first = index * TASK_ROWS;
    const int32_t end = first + i32_min(args->rows - first, TASK_ROWS);
    float *scratch = device_scratch(job->device, worker);
    for (int32_t r = first; r < end; r++) {
        float *y = activation_row_begin(args->y, r, scratch);
        const float *up = args->up + (size_t)r * dim;
        if (args->gate == NULL) {
            memmove(y, up, dim * sizeof *y); /* y may be up itself */
        } else {
            const struct span span = {args->gate + (size_t)r * dim, up, y, args->dim};
            job->span(&span, args->kind);
        }
        activation_row_end(args->y, r, y, scratch, device_simd(job->device));
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
    device_parallel(device, i32_ceil_div(args->rows, TASK_ROWS), silu_mul_task, &job);
    return OK;
}
