/*
 * attention_ref - the plain twin: one (item, row, head) after the other, key by key, in double
 * inside a split; then each row's partials in order.
 *
 * A partial is head_dim + 2 floats: the unnormalised vector, m, l.
 */
#include "base/i32.h"
#include "kernels/activation_row.h"
#include "kernels/attention.h"

#include <assert.h>
#include <math.h>
#include <string.h>

struct scores {
    double values[ATTENTION_SPLIT_MAX];
    double max, sum;
};

static float *partial_at(const struct attention_args *args, int32_t partial, int32_t head)
{
    const size_t index = (size_t)partial * (size_t)args->heads + (size_t)head;
    return args->partials + index * (size_t)(args->cache->head_dim + 2);
}

static struct kv_layout_block block_of(const struct attention_args *args,
                                       const struct attention_item *item, int32_t key,
                                       int32_t head)
{
    const int32_t kv_head = head / (args->heads / args->cache->kv_heads);
    const int32_t page = args->work->pages[item->pages_first + key / KV_PAGE_TOKENS];
    return kv_layout_block(args->cache, page, args->layer, kv_head);
}

/* The first of an item's keys in the window of a row. */
static int32_t first_seen(const struct attention_args *args, const struct attention_item *item,
                          int32_t batch_row)
{
    const int32_t begin = args->positions[batch_row] + 1 - args->window - item->kv_begin;
    return args->window > 0 && begin > 0 ? begin : 0;
}

static double capped(double score, double softcap)
{
    return softcap > 0.0 ? softcap * tanh(score / softcap) : score;
}

/* row[head_dim] is scratch for keys and values. */
static void partial_compute(const struct attention_args *args,
                            const struct attention_item *item, int32_t batch_row, int32_t head,
                            float *row)
{
    const struct kv_cache *cache = args->cache;
    const int32_t dim = cache->head_dim;
    const int32_t seen =
        i32_min(item->kv_count, args->positions[batch_row] + 1 - item->kv_begin);
    const int32_t first = first_seen(args, item, batch_row);
    const float *q =
        args->q + ((size_t)batch_row * (size_t)args->heads + (size_t)head) * (size_t)dim;
    const int32_t partial =
        args->work->partials_first[batch_row] + item->kv_begin / args->work->split;
    float *out = partial_at(args, partial, head);
    struct scores scores = {.max = (double)-INFINITY};
    assert(seen >= 1 && seen <= args->work->split && seen <= ATTENTION_SPLIT_MAX);
    for (int32_t key = first; key < seen; key++) {
        const struct kv_layout_block block = block_of(args, item, key, head);
        double dot = 0.0;
        kv_layout_get_key(cache, &block, key % KV_PAGE_TOKENS, row);
        for (int32_t i = 0; i < dim; i++)
            dot += (double)q[i] * (double)row[i];
        scores.values[key] = capped(dot * (double)args->scale, (double)args->softcap);
        scores.max = fmax(scores.max, scores.values[key]);
    }
    memset(out, 0, (size_t)dim * sizeof *out);
    for (int32_t key = first; key < seen; key++) {
        const struct kv_layout_block block = block_of(args, item, key, head);
        const double weight = exp(scores.values[key] - scores.max);
        kv_layout_get_value(cache, &block, key % KV_PAGE_TOKENS, row);
        scores.sum += weight;
        for (int32_t i = 0; i < dim; i++)
            out[i] = (float)((double)out[i] + weight * (double)row[i]);
    }
    out[dim] = (float)scores.max;
    out[dim + 1] = (float)scores.sum;
}

/* Merges `count` partials, the row's first one first, into y[head_dim]. */
static void partials_merge(const struct attention_args *args, int32_t first, int32_t count,
                           int32_t head, float *y)
{
    const int32_t dim = args->cache->head_dim;
    float max = -INFINITY, sum = 0.0f;
    memset(y, 0, (size_t)dim * sizeof *y);
    for (int32_t p = first; p < first + count; p++) {
        const float *partial = partial_at(args, p, head);
        const float max_new = fmaxf(max, partial[dim]);
        if (partial[dim + 1] == 0.0f)
            continue; /* nothing of it in the window */
        const float old = expf(max - max_new), new = expf(partial[dim] - max_new);
        for (int32_t i = 0; i < dim; i++)
            y[i] = y[i] * old + partial[i] * new;
        sum = sum * old + partial[dim + 1] * new;
        max = max_new;
    }
    for (int32_t i = 0; i < dim; i++)
        y[i] /= sum;
}

int64_t attention_partial_floats(int32_t partial_count, int32_t heads, int32_t head_dim)
{
    return (int64_t)partial_count * heads * ((int64_t)head_dim + 2);
}

enum status attention_ref(struct device *device, const struct attention_args *args)
{
    const struct attention_work *work = args->work;
    const size_t head_dim = (size_t)args->cache->head_dim;
    if (device_scratch_bytes(device) < (size_t)args->heads * head_dim * sizeof(float))
        return ERR_LIMIT;
    float *scratch = device_scratch(device, 0);
    for (int32_t i = 0; i < work->item_count; i++) {
        const struct attention_item *item = &work->items[i];
        for (int32_t r = 0; r < item->row_count; r++) {
            for (int32_t head = 0; head < args->heads; head++)
                partial_compute(args, item, work->rows[item->rows_first + r], head, scratch);
        }
    }
    for (int32_t r = 0; r < args->rows; r++) {
        if (args->positions[r] < 0)
            continue;
        const int32_t first = work->partials_first[r];
        float *y = activation_row_begin(args->y, r, scratch);
        for (int32_t head = 0; head < args->heads; head++)
            partials_merge(args, first, work->partials_first[r + 1] - first, head,
                           y + (size_t)head * head_dim);
        activation_row_end(args->y, r, y, scratch, DEVICE_SIMD_SCALAR);
    }
    return OK;
}
