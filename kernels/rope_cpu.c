/*
 * rope_cpu - rope and KV append with threads over rows.
 *
 *     formula   (a, b) -> (a cos - b sin, a sin + b cos), cosines and sines from a table
 *     tensors   q [rows, heads, head_dim], k and v [rows, kv_heads, head_dim]; cache pages
 *     bound by  the stores of keys, 16 numbers apart
 *     measured  prefill of 512 rows, 30 layers, keys and values of int8: 5.1 ms, 7.1 before
 *               rows were rounded with AVX2 (two cores of a Xeon of the fifth generation)
 *
 * Rows are independent and never share a slot. Lost: sines taken per layer and row, 1.3 % of a
 * prefill (SmolLM2-135M, Zen 1, two cores).
 */
#include "base/i32.h"
#include "kernels/activation.h"
#include "kernels/rmsnorm_row.h"
#include "kernels/rope.h"

#include <assert.h>
#include <string.h>

/* Rows that follow one another lie in one page, and in its lines side by side: a page's rows
 * stay with one thread. (Four rows a task: 15 % slower with two threads, EPYC Zen 4.) */
enum { TASK_ROWS = KV_PAGE_TOKENS };

struct job {
    const struct rope_args *args;
    struct device *device;
    void (*turn)(const float *cosines, float *head, int32_t half, bool interleaved);
    void (*rotate)(float *head, int32_t head_dim); /* NULL: keys lie as they come */
    activation_round_level *round;
};

/* *norm times the head, or the head as it is; from and to are the same or do not overlap. */
static void normalise(const struct rope_args *args, const float *norm, const float *from,
                      float *to)
{
    const int32_t dim = args->cache->head_dim;
    if (!norm) {
        if (to != from)
            memcpy(to, from, (size_t)dim * sizeof *to);
        return;
    }
    const float factor = rmsnorm_row_factor(from, dim, args->norm_eps);
    for (int32_t i = 0; i < dim; i++)
        to[i] = from[i] * factor * norm[i];
}

/* Turns one head where it stands; the sines lie behind the cosines. */
static inline __attribute__((always_inline)) void turn_any(const float *restrict cosines,
                                                           float *restrict head, int32_t half,
                                                           bool interleaved)
{
    const float *restrict sines = cosines + half;
    const int32_t step = interleaved ? 2 : 1, apart = interleaved ? 1 : half;
    for (int32_t pair = 0; pair < half; pair++) {
        const float a = head[pair * step], b = head[pair * step + apart];
        head[pair * step] = a * cosines[pair] - b * sines[pair];
        head[pair * step + apart] = a * sines[pair] + b * cosines[pair];
    }
}

static void turn_plain(const float *cosines, float *head, int32_t half, bool interleaved)
{
    if (interleaved)
        turn_any(cosines, head, half, true);
    else
        turn_any(cosines, head, half, false);
}

#if defined(__x86_64__) /* the same bits, in wider vectors */
__attribute__((target("avx2"))) static void turn_avx2(const float *cosines, float *head,
                                                      int32_t half, bool interleaved)
{
    if (interleaved)
        turn_any(cosines, head, half, true);
    else
        turn_any(cosines, head, half, false);
}
#endif

static void head_turn(const struct job *job, const float *cosines, float *head)
{
    job->turn(cosines, head, job->args->rope_dim / 2, job->args->interleaved);
    if (job->rotate)
        job->rotate(head, job->args->cache->head_dim);
}

static void row_append(const struct job *job, const float *cosines, int32_t row, float *key)
{
    const struct rope_args *args = job->args;
    const struct kv_cache *cache = args->cache;
    const size_t head_dim = (size_t)cache->head_dim;
    const int32_t slot = args->positions[row] % KV_PAGE_TOKENS;
    const size_t skip = (size_t)row * (size_t)cache->kv_heads * head_dim;
    const float *k = args->k + skip, *v = args->v + skip;
    for (int32_t head = 0; head < cache->kv_heads; head++, k += head_dim, v += head_dim) {
        const struct kv_layout_block block =
            kv_layout_block(cache, args->kv_pages[row], args->layer, head);
        normalise(args, args->k_norm, k, key);
        head_turn(job, cosines, key);
        kv_layout_put_key_by(cache, &block, slot, key, job->round);
        kv_layout_put_value_by(cache, &block, slot, v, job->round);
    }
}

static void rope_task(void *context, int32_t index, uint32_t worker)
{
    const struct job *job = context;
    const struct rope_args *args = job->args;
    const size_t head_dim = (size_t)args->cache->head_dim;
    const int32_t first = index * TASK_ROWS;
    const int32_t end = first + i32_min(args->rows - first, TASK_ROWS);
    float *key = device_scratch(job->device, worker);
    for (int32_t r = first; r < end; r++) {
        float *q = args->q + (size_t)r * (size_t)args->heads * head_dim;
        if (args->positions[r] < 0)
            continue;
        const float *cosines =
            args->turns + (size_t)args->positions[r] * (size_t)args->rope_dim;
        for (int32_t head = 0; head < args->heads; head++, q += head_dim) {
            normalise(args, args->q_norm, q, q);
            head_turn(job, cosines, q);
        }
        row_append(job, cosines, r, key);
    }
}

enum status rope_append_cpu(struct device *device, const struct rope_args *args)
{
    struct job job = {.args = args,
                      .device = device,
                      .turn = turn_plain,
                      .rotate = activation_rotate,
                      .round = activation_round};
#if defined(__x86_64__)
    if (device_simd(device) >= DEVICE_SIMD_AVX2) {
        job.turn = turn_avx2;
        job.rotate = activation_rotate_avx2;
        job.round = activation_round_avx2;
    }
#endif
    if (!kv_layout_is_rotated(args->cache))
        job.rotate = NULL;
    assert(args->rope_dim % 2 == 0 && args->rope_dim <= args->cache->head_dim);
    if (device_scratch_bytes(device) < (size_t)args->cache->head_dim * sizeof(float))
        return ERR_LIMIT;
    device_parallel(device, i32_ceil_div(args->rows, TASK_ROWS), rope_task, &job);
    return OK;
}
