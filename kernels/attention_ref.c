/*
 * attention_ref - the plain twin: one (item, row, head) after the other, key by key, in double
 * inside a split; then each row's partials in order.
 *
 * A partial is head_dim + 2 floats: the unnormalised vector, m, l. Over a cache of int8 in the
 * CPU's order queries and weights are rounded first (attention_int8.h).
 */
#include "base/i32.h"
#include "kernels/activation_row.h"
#include "kernels/attention.h"
#include "kernels/attention_int8.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { KEYS = 4 }; /* whose scores are computed side by side */

/* One (item, row, head), the keys that the row sees there, and what becomes of them. */
struct part {
    const struct attention_args *args;
    const struct attention_item *item;
    int32_t head, first, seen;
    double weights[ATTENTION_SPLIT_MAX]; /* scores at first */
    double max, sum;
};

static float *partial_at(const struct attention_args *args, int32_t partial, int32_t head)
{
    const size_t index = (size_t)partial * (size_t)args->heads + (size_t)head;
    return args->partials + index * (size_t)(args->cache->head_dim + 2);
}

static struct kv_layout_block block_of(const struct part *part, int32_t key)
{
    const struct attention_args *args = part->args;
    const int32_t kv_head = part->head / (args->heads / args->cache->kv_heads);
    const int32_t page = args->work->pages[part->item->pages_first + key / KV_PAGE_TOKENS];
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

/* Whether queries and weights meet the cache as bytes. */
static bool is_by_bytes(const struct kv_cache *cache)
{
    return cache->type == KV_INT8 && cache->order == KV_ORDER_CPU;
}

/* to[dim] = query[dim], as bytes hold it with the row's scale. */
static void query_round(const float *query, int32_t dim, float *to)
{
    const float limit = attention_int8_limit(ATTENTION_INT8_QUERIES);
    float greatest = 0.0f;
    for (int32_t i = 0; i < dim; i++)
        greatest = fmaxf(greatest, fabsf(query[i]));
    for (int32_t i = 0; i < dim; i++)
        to[i] = greatest > 0.0f ? rintf(query[i] * (limit / greatest)) * (greatest / limit)
                                : query[i];
}

/* The same for the weights of keys first .. end-1, times their values' scales: a block. */
static void weights_round(struct part *part, int32_t first, int32_t end)
{
    const double limit = (double)attention_int8_limit(ATTENTION_INT8_WEIGHTS);
    double scales[ATTENTION_INT8_BLOCK] = {0.0}, greatest = 0.0;
    for (int32_t key = first; key < end; key++) {
        const float scale = block_of(part, key).value_scales[key % KV_PAGE_TOKENS];
        scales[key - first] = (double)scale;
        greatest = fmax(greatest, part->weights[key] * (double)scale);
    }
    for (int32_t key = first; key < end; key++) {
        const double scale = scales[key - first];
        if (scale > 0.0)
            part->weights[key] =
                rint(part->weights[key] * scale / greatest * limit) * greatest / limit / scale;
    }
}

/* The scores of up to KEYS keys: a sum alone waits for each of its additions. */
static void scores_of_keys(struct part *part, const float *query, int32_t first, int32_t count,
                           float *rows)
{
    const struct attention_args *args = part->args;
    const int32_t dim = args->cache->head_dim;
    double dots[KEYS] = {0.0};
    for (int32_t k = 0; k < count; k++) {
        const struct kv_layout_block block = block_of(part, first + k);
        kv_layout_get_key(args->cache, &block, (first + k) % KV_PAGE_TOKENS, rows + k * dim);
    }
    for (int32_t i = 0; i < dim; i++)
        for (int32_t k = 0; k < KEYS; k++)
            dots[k] += (double)query[i] * (double)rows[k * dim + i];
    for (int32_t k = 0; k < count; k++)
        part->weights[first + k] = capped(dots[k] * (double)args->scale, (double)args->softcap);
}

/* rows[KEYS][head_dim] is scratch. */
static void scores_compute(struct part *part, const float *query, float *rows)
{
    memset(rows, 0, (size_t)KEYS * (size_t)part->args->cache->head_dim * sizeof *rows);
    part->max = (double)-INFINITY;
    for (int32_t key = part->first; key < part->seen; key += KEYS)
        scores_of_keys(part, query, key, i32_min(KEYS, part->seen - key), rows);
    for (int32_t key = part->first; key < part->seen; key++)
        part->max = fmax(part->max, part->weights[key]);
}

static void weights_compute(struct part *part)
{
    for (int32_t key = part->first; key < part->seen; key++) {
        part->weights[key] = exp(part->weights[key] - part->max);
        part->sum += part->weights[key];
    }
    if (!is_by_bytes(part->args->cache))
        return;
    for (int32_t key = 0; key < part->seen; key += ATTENTION_INT8_BLOCK)
        weights_round(part, key < part->first ? part->first : key,
                      i32_min(key + ATTENTION_INT8_BLOCK, part->seen));
}

/* scratch[(KEYS + 1) * head_dim] */
static void partial_compute(const struct attention_args *args,
                            const struct attention_item *item, int32_t batch_row, int32_t head,
                            float *scratch)
{
    const int32_t dim = args->cache->head_dim;
    const float *query =
        args->q + ((size_t)batch_row * (size_t)args->heads + (size_t)head) * (size_t)dim;
    const int32_t partial =
        args->work->partials_first[batch_row] + item->kv_begin / args->work->split;
    float *out = partial_at(args, partial, head), *row = scratch + dim;
    struct part part = {
        .args = args,
        .item = item,
        .head = head,
        .first = first_seen(args, item, batch_row),
        .seen = i32_min(item->kv_count, args->positions[batch_row] + 1 - item->kv_begin)};
    assert(part.seen >= 1 && part.seen <= args->work->split &&
           part.seen <= ATTENTION_SPLIT_MAX);
    if (is_by_bytes(args->cache)) {
        query_round(query, dim, scratch);
        query = scratch;
    }
    scores_compute(&part, query, row);
    weights_compute(&part);
    memset(out, 0, (size_t)dim * sizeof *out);
    for (int32_t key = part.first; key < part.seen; key++) {
        const struct kv_layout_block block = block_of(&part, key);
        kv_layout_get_value(args->cache, &block, key % KV_PAGE_TOKENS, row);
        for (int32_t i = 0; i < dim; i++)
            out[i] = (float)((double)out[i] + part.weights[key] * (double)row[i]);
    }
    out[dim] = (float)part.max;
    out[dim + 1] = (float)part.sum;
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
    const size_t rows = (size_t)args->heads > KEYS ? (size_t)args->heads : KEYS;
    if (device_scratch_bytes(device) < (rows + 1) * head_dim * sizeof(float))
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
