/*
 * attention_cpu - attention with threads over (item, KV head, block of query rows).
 *
 *     formula   softmax(q k^T * scale) v, cut into splits of 128 keys, merged in order
 *     tensors   q [rows, heads, head_dim]; cache pages; y [rows, heads * head_dim]
 *     task      a split's keys and values of one KV head, widened to F32 once in scratch, and
 *               up to TASK_ROWS query rows: (batch row, head) pairs, the heads of a KV head
 *               side by side (GQA), so that one row of the batch makes `group` of them
 *     block     BLOCK_ROWS of these: scores, softmax, weighted values, all in L1 but the tile
 *     merge     per batch row, over its splits in order
 *     bound by  FMA issue at prefill; widening keys and values at decode
 *
 * Scores are kept in units of ln 2: the factor goes into the key's scale, and the exponentials
 * are powers of two. An int8 key's scale is multiplied into its score, an int8 value's scale
 * into its weight: the products run on the bare integers as floats.
 *
 * A weight past the last key that a row sees is zero, and adding 0 * v changes nothing: so
 * the rows of a tile may go as far as the one that sees most, as long as v is finite.
 *
 * Partials: vectors [partial][head][head_dim], then {max, sum} [partial][head].
 */
#include "kernels/activation_row.h"
#include "kernels/attention.h"
#include "kernels/attention_tile.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum {
    TILE_ROWS = ATTENTION_TILE_ROWS,
    TILE_COLS = ATTENTION_TILE_COLS,
    LANES = ATTENTION_TILE_LANES,
    BLOCK_ROWS = 4 * TILE_ROWS,
    TASK_ROWS = 10 * BLOCK_ROWS,
    MERGE_ROWS = 4,
    STATS = 2
};

#define LOG2_E 1.44269504088896340736

struct job {
    const struct attention_args *args;
    struct device *device;
    const struct attention_tile_kernels *kernels;
    int32_t group;          /* query heads per KV head */
    int32_t tasks_per_head; /* blocks of TASK_ROWS in the item with most rows */
    float *stats;           /* in args->partials, after the vectors */
};

/* One worker's scratch. */
struct memory {
    float *keys, *values;             /* [ATTENTION_SPLIT * head_dim]: pages, widened */
    float *queries, *outs;            /* [BLOCK_ROWS][head_dim] */
    float *scores;                    /* [BLOCK_ROWS][ATTENTION_SPLIT] */
    float *key_scales, *value_scales; /* [ATTENTION_SPLIT] */
};

/* One split's keys and values of one KV head, ready to multiply. */
struct split {
    const struct attention_item *item;
    int32_t kv_head;
    int32_t page_count;
    const float *keys[ATTENTION_SPLIT_PAGES];   /* each [head_dim][KV_PAGE_TOKENS] */
    const float *values[ATTENTION_SPLIT_PAGES]; /* each [KV_PAGE_TOKENS][head_dim] */
    const float *value_scales;                  /* [ATTENTION_SPLIT] or NULL */
};

struct block {
    int32_t rows;
    int32_t seen[BLOCK_ROWS];                            /* keys that each row sees */
    int32_t tile_seen[BLOCK_ROWS / ATTENTION_TILE_ROWS]; /* the most in each tile */
    size_t partial_head[BLOCK_ROWS]; /* partial * heads + head: where the result goes */
};

static int32_t least(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static int32_t ceil_div(int32_t a, int32_t b)
{
    return a / b + (a % b != 0);
}

static size_t memory_floats(int32_t head_dim)
{
    const size_t dim = (size_t)head_dim;
    return 2 * ATTENTION_SPLIT * dim + 2 * BLOCK_ROWS * dim + BLOCK_ROWS * ATTENTION_SPLIT +
           2 * ATTENTION_SPLIT;
}

static struct memory memory_of(const struct job *job, uint32_t worker)
{
    const size_t dim = (size_t)job->args->cache->head_dim;
    struct memory memory = {.keys = device_scratch(job->device, worker)};
    memory.values = memory.keys + ATTENTION_SPLIT * dim;
    memory.queries = memory.values + ATTENTION_SPLIT * dim;
    memory.outs = memory.queries + BLOCK_ROWS * dim;
    memory.scores = memory.outs + BLOCK_ROWS * dim;
    memory.key_scales = memory.scores + BLOCK_ROWS * ATTENTION_SPLIT;
    memory.value_scales = memory.key_scales + ATTENTION_SPLIT;
    return memory;
}

/* Numbers of the cache as floats: where they lie, or widened to `to`. */
static const float *widen(const struct job *job, const void *from, float *to)
{
    const struct kv_cache *cache = job->args->cache;
    const size_t count = (size_t)KV_PAGE_TOKENS * (size_t)cache->head_dim;
    switch (cache->type) {
    case KV_F32:
        return from;
    case KV_F16:
        job->kernels->widen_f16(from, to, count);
        break;
    case KV_INT8:
        job->kernels->widen_int8(from, to, count);
        break;
    }
    return to;
}

static void split_load(const struct job *job, struct split *split, const struct memory *memory)
{
    const struct attention_args *args = job->args;
    const struct kv_cache *cache = args->cache;
    const size_t page_floats = (size_t)KV_PAGE_TOKENS * (size_t)cache->head_dim;
    const float factor = (float)((double)args->scale * LOG2_E);
    split->page_count = ceil_div(split->item->kv_count, KV_PAGE_TOKENS);
    split->value_scales = cache->type == KV_INT8 ? memory->value_scales : NULL;
    for (int32_t p = 0; p < split->page_count; p++) {
        const int32_t page = args->work->pages[split->item->pages_first + p];
        const struct kv_layout_block block =
            kv_layout_block(cache, page, args->layer, split->kv_head);
        const size_t skip = (size_t)p * page_floats;
        split->keys[p] = widen(job, block.keys, memory->keys + skip);
        split->values[p] = widen(job, block.values, memory->values + skip);
        for (int32_t i = 0; i < KV_PAGE_TOKENS; i++) {
            const int32_t key = p * KV_PAGE_TOKENS + i;
            memory->key_scales[key] = block.key_scales ? block.key_scales[i] * factor : factor;
            memory->value_scales[key] = block.value_scales ? block.value_scales[i] : 1.0f;
        }
    }
}

/* Gathers query rows first .. first+block->rows-1 of the item. */
static void block_load(const struct job *job, const struct split *split, int32_t first,
                       struct block *block, const struct memory *memory)
{
    const struct attention_args *args = job->args;
    const struct attention_item *item = split->item;
    const size_t dim = (size_t)args->cache->head_dim, heads = (size_t)args->heads;
    memset(block->tile_seen, 0, sizeof block->tile_seen);
    for (int32_t i = 0; i < block->rows; i++) {
        const int32_t row = args->work->rows[item->rows_first + (first + i) / job->group];
        const int32_t head = split->kv_head * job->group + (first + i) % job->group;
        const int32_t seen = least(item->kv_count, args->positions[row] + 1 - item->kv_begin);
        const int32_t partial =
            args->work->partials_first[row] + item->kv_begin / ATTENTION_SPLIT;
        int32_t *tile_seen = &block->tile_seen[i / TILE_ROWS];
        assert(seen >= 1 && partial < args->work->partials_first[row + 1]);
        block->seen[i] = seen;
        *tile_seen = seen > *tile_seen ? seen : *tile_seen;
        block->partial_head[i] = (size_t)partial * heads + (size_t)head;
        memcpy(memory->queries + (size_t)i * dim,
               args->q + ((size_t)row * heads + (size_t)head) * dim, dim * sizeof(float));
    }
}

/* scores[row][key] = q k; page by page, so that a page's keys stay in L1 for all rows. */
static void block_scores(const struct job *job, const struct split *split,
                         const struct block *block, const struct memory *memory)
{
    const int32_t dim = job->args->cache->head_dim;
    struct attention_tile_product product = {.a_stride = (size_t)dim,
                                             .b_stride = KV_PAGE_TOKENS,
                                             .c_stride = ATTENTION_SPLIT,
                                             .columns = KV_PAGE_TOKENS,
                                             .depth = dim,
                                             .panel_depth = dim};
    for (int32_t p = 0; p < split->page_count; p++) {
        product.b = &split->keys[p];
        for (int32_t r = 0; r < block->rows; r += TILE_ROWS) {
            if (block->tile_seen[r / TILE_ROWS] <= p * KV_PAGE_TOKENS)
                continue;
            product.rows = least(TILE_ROWS, block->rows - r);
            product.a = memory->queries + (size_t)r * (size_t)dim;
            product.c = memory->scores + (size_t)(r * ATTENTION_SPLIT + p * KV_PAGE_TOKENS);
            job->kernels->product(&product);
        }
    }
}

static void block_softmax(const struct job *job, const struct split *split,
                          const struct block *block, const struct memory *memory)
{
    for (int32_t r = 0; r < block->rows; r++) {
        struct attention_tile_softmax softmax = {
            .scores = memory->scores + (size_t)r * ATTENTION_SPLIT,
            .key_scales = memory->key_scales,
            .value_scales = split->value_scales,
            .seen = block->seen[r],
            .padded = ceil_div(block->tile_seen[r / TILE_ROWS], LANES) * LANES};
        job->kernels->softmax(&softmax);
        float *stats = job->stats + block->partial_head[r] * STATS;
        stats[0] = softmax.max;
        stats[1] = softmax.sum;
    }
}

/* outs[row] = sum over keys of weight * value; sixteen columns of all values at a time. */
static void block_values(const struct job *job, const struct split *split,
                         const struct block *block, const struct memory *memory)
{
    const int32_t dim = job->args->cache->head_dim;
    struct attention_tile_product product = {.a_stride = ATTENTION_SPLIT,
                                             .b = split->values,
                                             .b_stride = (size_t)dim,
                                             .c_stride = (size_t)dim,
                                             .panel_depth = KV_PAGE_TOKENS};
    for (int32_t column = 0; column < dim; column += TILE_COLS) {
        product.b_column = (size_t)column;
        product.columns = least(TILE_COLS, dim - column);
        for (int32_t r = 0; r < block->rows; r += TILE_ROWS) {
            product.rows = least(TILE_ROWS, block->rows - r);
            product.depth = block->tile_seen[r / TILE_ROWS];
            product.a = memory->scores + (size_t)r * ATTENTION_SPLIT;
            product.c = memory->outs + (size_t)r * (size_t)dim + column;
            job->kernels->product(&product);
        }
    }
    for (int32_t r = 0; r < block->rows; r++)
        memcpy(job->args->partials + block->partial_head[r] * (size_t)dim,
               memory->outs + (size_t)r * (size_t)dim, (size_t)dim * sizeof(float));
}

static void split_task(void *context, int32_t index, uint32_t worker)
{
    const struct job *job = context;
    const int32_t per_item = job->tasks_per_head * job->args->cache->kv_heads;
    struct split split = {.item = &job->args->work->items[index / per_item],
                          .kv_head = index % per_item / job->tasks_per_head};
    const int32_t rows = split.item->row_count * job->group;
    const int32_t tasks = ceil_div(rows, TASK_ROWS), task = index % job->tasks_per_head;
    if (task >= tasks)
        return;
    assert(split.item->kv_count >= 1 && split.item->kv_count <= ATTENTION_SPLIT);
    assert(split.item->kv_begin % ATTENTION_SPLIT == 0);
    /* Equal shares, in whole tiles. */
    const int32_t share = ceil_div(ceil_div(rows, tasks), TILE_ROWS) * TILE_ROWS;
    const int32_t end = least(rows, (task + 1) * share);
    const struct memory memory = memory_of(job, worker);
    split_load(job, &split, &memory);
    for (int32_t first = task * share; first < end; first += BLOCK_ROWS) {
        struct block block = {.rows = least(BLOCK_ROWS, end - first)};
        block_load(job, &split, first, &block, &memory);
        block_scores(job, &split, &block, &memory);
        block_softmax(job, &split, &block, &memory);
        block_values(job, &split, &block, &memory);
    }
}

/* Merges a row's partials of one head, `count` of them from `first` on, into y[head_dim]. */
static void merge_head(const struct job *job, int32_t first, int32_t count, int32_t head,
                       float *y)
{
    const size_t dim = (size_t)job->args->cache->head_dim, heads = (size_t)job->args->heads;
    const size_t begin = (size_t)first * heads + (size_t)head;
    const float *stats = job->stats + begin * STATS;
    float max = stats[0], sum = 0.0f;
    for (size_t p = 1; p < (size_t)count; p++)
        max = fmaxf(max, stats[p * heads * STATS]);
    memset(y, 0, dim * sizeof *y);
    for (size_t p = 0; p < (size_t)count; p++) {
        const float *vector = job->args->partials + (begin + p * heads) * dim;
        const float factor = exp2f(stats[p * heads * STATS] - max);
        sum += factor * stats[p * heads * STATS + 1];
        for (size_t i = 0; i < dim; i++)
            y[i] += factor * vector[i];
    }
    for (size_t i = 0; i < dim; i++)
        y[i] /= sum;
}

static void merge_task(void *context, int32_t index, uint32_t worker)
{
    const struct job *job = context;
    const struct attention_args *args = job->args;
    const int32_t *partials_first = args->work->partials_first;
    const int32_t end = least(args->rows, (index + 1) * MERGE_ROWS);
    float *scratch = device_scratch(job->device, worker);
    for (int32_t r = index * MERGE_ROWS; r < end; r++) {
        float *y = activation_row_begin(args->y, r, scratch);
        for (int32_t head = 0; head < args->heads; head++)
            merge_head(job, partials_first[r], partials_first[r + 1] - partials_first[r], head,
                       y + (size_t)head * (size_t)args->cache->head_dim);
        activation_row_end(args->y, r, y, scratch);
    }
}

static const struct attention_tile_kernels *kernels_for(const struct device *device,
                                                        const struct kv_cache *cache)
{
#if defined(__x86_64__)
    /* The AVX2 tiles convert halves with F16C, which every processor with AVX2 has. */
    if (device_simd(device) >= DEVICE_SIMD_AVX2 && cache->head_dim % LANES == 0)
        return &attention_tile_avx2;
#endif
    (void)device;
    (void)cache;
    return &attention_tile_scalar;
}

enum status attention_cpu(struct device *device, const struct attention_args *args)
{
    const struct kv_cache *cache = args->cache;
    const struct attention_work *work = args->work;
    const size_t row_floats = (size_t)args->heads * (size_t)cache->head_dim;
    const size_t scratch_floats = device_scratch_bytes(device) / sizeof(float);
    assert(args->heads % cache->kv_heads == 0);
    if (scratch_floats < memory_floats(cache->head_dim) || scratch_floats < row_floats)
        return ERR_LIMIT;
    struct job job = {.args = args,
                      .device = device,
                      .kernels = kernels_for(device, cache),
                      .group = args->heads / cache->kv_heads,
                      .stats = args->partials + (size_t)work->partial_count * row_floats};
    int32_t most_rows = 0;
    for (int32_t i = 0; i < work->item_count; i++)
        most_rows = work->items[i].row_count > most_rows ? work->items[i].row_count : most_rows;
    job.tasks_per_head = ceil_div(most_rows * job.group, TASK_ROWS);
    const int64_t tasks = (int64_t)work->item_count * cache->kv_heads * job.tasks_per_head;
    if (tasks > INT32_MAX - DEVICE_THREADS_MAX)
        return ERR_LIMIT;
    device_parallel(device, (int32_t)tasks, split_task, &job);
    device_parallel(device, ceil_div(args->rows, MERGE_ROWS), merge_task, &job);
    return OK;
}
