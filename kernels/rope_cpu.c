/*
 * rope_cpu - rope and KV append with threads over rows.
 *
 *     formula   (a, b) -> (a cos - b sin, a sin + b cos), angle = position * inv_freq
 *     tensors   q [rows, heads, head_dim], k and v [rows, kv_heads, head_dim]; cache pages
 *     bound by  the sines: one sine and cosine per (row, pair), used for all heads
 *
 * The angle is taken in double and brought into one turn before it becomes a float, so that
 * far positions are as exact as near ones. Rows are independent and never share a slot.
 */
#include "kernels/rope.h"

#include <assert.h>
#include <math.h>

enum { TASK_ROWS = 4 };

#define TURN 6.283185307179586

struct job {
    const struct rope_args *args;
    struct device *device;
};

/* A row's sines and cosines, one per pair. */
struct turns {
    float *cosines, *sines; /* [rope_dim / 2] */
};

static void turns_fill(const struct rope_args *args, int32_t position, struct turns *turns)
{
    for (int32_t pair = 0; pair < args->rope_dim / 2; pair++) {
        const double angle = (double)position * (double)args->inv_freq[pair];
        const float within = (float)(angle - TURN * rint(angle / TURN));
        turns->cosines[pair] = cosf(within);
        turns->sines[pair] = sinf(within);
    }
}

/* Turns one head, from `from` to `to`, which are the same or do not overlap. */
static void turn(const struct rope_args *args, const struct turns *turns, const float *from,
                 float *to)
{
    const int32_t half = args->rope_dim / 2;
    const int32_t step = args->interleaved ? 2 : 1;
    const int32_t apart = args->interleaved ? 1 : half;
    for (int32_t pair = 0; pair < half; pair++) {
        const float a = from[pair * step], b = from[pair * step + apart];
        const float cosine = turns->cosines[pair], sine = turns->sines[pair];
        to[pair * step] = a * cosine - b * sine;
        to[pair * step + apart] = a * sine + b * cosine;
    }
    for (int32_t i = args->rope_dim; i < args->cache->head_dim; i++)
        to[i] = from[i];
}

static void row_append(const struct rope_args *args, const struct turns *turns, int32_t row,
                       float *key)
{
    const struct kv_cache *cache = args->cache;
    const size_t head_dim = (size_t)cache->head_dim;
    const int32_t slot = args->positions[row] % KV_PAGE_TOKENS;
    const size_t skip = (size_t)row * (size_t)cache->kv_heads * head_dim;
    const float *k = args->k + skip, *v = args->v + skip;
    for (int32_t head = 0; head < cache->kv_heads; head++, k += head_dim, v += head_dim) {
        const struct kv_layout_block block =
            kv_layout_block(cache, args->kv_pages[row], args->layer, head);
        turn(args, turns, k, key);
        kv_layout_put_key(cache, &block, slot, key);
        kv_layout_put_value(cache, &block, slot, v);
    }
}

static void rope_task(void *context, int32_t index, uint32_t worker)
{
    const struct job *job = context;
    const struct rope_args *args = job->args;
    const size_t head_dim = (size_t)args->cache->head_dim;
    const int32_t first = index * TASK_ROWS;
    const int32_t left = args->rows - first;
    const int32_t end = first + (left < TASK_ROWS ? left : TASK_ROWS);
    float *key = device_scratch(job->device, worker);
    struct turns turns = {.cosines = key + head_dim, .sines = key + 2 * head_dim};
    for (int32_t r = first; r < end; r++) {
        float *q = args->q + (size_t)r * (size_t)args->heads * head_dim;
        turns_fill(args, args->positions[r], &turns);
        for (int32_t head = 0; head < args->heads; head++, q += head_dim)
            turn(args, &turns, q, q);
        row_append(args, &turns, r, key);
    }
}

enum status rope_append_cpu(struct device *device, const struct rope_args *args)
{
    struct job job = {.args = args, .device = device};
    assert(args->rope_dim % 2 == 0 && args->rope_dim <= args->cache->head_dim);
    if (device_scratch_bytes(device) < 3 * (size_t)args->cache->head_dim * sizeof(float))
        return ERR_LIMIT;
    device_parallel(device, args->rows / TASK_ROWS + (args->rows % TASK_ROWS != 0), rope_task,
                    &job);
    return OK;
}
