/*
 * attention_cpu - attention with threads over (item, KV head, block of query rows).
 *
 *     formula   softmax(q k^T * scale) v, cut into splits of 256 keys, merged in order
 *     tensors   q [rows, heads, head_dim]; cache pages; y [rows, heads * head_dim]
 *     task      a split's keys and values of one KV head, and up to TASK_ROWS query rows:
 *               (batch row, head) pairs, the heads of a KV head side by side (GQA), so that one
 *               row of the batch makes `group` of them. With many rows keys and values are
 *               widened to F32 first, once, in scratch; with few, on the way
 *     block     BLOCK_ROWS of these: scores, softmax, weighted values
 *     int8      a cache of int8 is multiplied in integers (attention_int8.h), where the level
 *               has them in whole tiles (attention_tiles.h)
 *     merge     per batch row, over its splits in order
 *     bound by  FMA issue at prefill; reading and widening keys and values at decode
 *     measured  floats: share of the F32 FMA peak, per core (EPYC Zen 1, 38 GFLOP/s, November
 *               2026, bench/attention_bench): prefill of 512 rows at context 1,024 57-65 %,
 *               decode of 96 rows over 32 shared chunks 39-46 %
 *     fetch     all pages of a split are asked for at its start: they lie far apart (attention
 *               of T3 -5 %, EPYC Zen 4); of int8 those of the thread's next task too, in turns
 *
 * Scores are kept in units of ln 2: the factor goes into the key's scale. An int8 key's scale
 * is multiplied into its score, an int8 value's scale into its weight.
 *
 * A weight past the last key that a row sees is zero, and adding 0 * v changes nothing: so
 * the rows of a tile may go as far as the one that sees most, as long as v is finite.
 *
 * Partials: vectors [partial][head][head_dim], then {max, sum} [partial][head].
 */
#include "base/i32.h"
#include "kernels/activation_row.h"
#include "kernels/attention.h"
#include "kernels/attention_levels.h"
#include "kernels/attention_merge.h"
#include "kernels/attention_tiles.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum {
    STRIDE = ATTENTION_TILE_STRIDE,
    TILE_COLS = ATTENTION_TILE_COLS,
    LANES = ATTENTION_TILE_LANES,
    INT8_COLS = ATTENTION_INT8_COLS,
    GROUP = KV_LAYOUT_GROUP,
    INT8_BLOCK = ATTENTION_INT8_BLOCK,
    TILE_ROWS_MIN = 3, /* of any level's products */
    BLOCK_ROWS = 24,   /* a multiple of what every level takes at a time */
    TASK_ROWS = 10 * BLOCK_ROWS,
    SPLIT_PAGES = ATTENTION_SPLIT / KV_PAGE_TOKENS,
    WIDEN_TILES = 3, /* with so many tiles of rows, keys and values are widened beforehand */
    MERGE_ROWS = 4
};

struct job {
    const struct attention_args *args;
    struct device *device;
    const struct attention_tile_kernels *kernels;
    const struct attention_int8_kernels *int8; /* NULL: the cache is of floats */
    bool tiles;                                /* int8 has tiles, and they suffice */
    int32_t group;                             /* query heads per KV head */
    int32_t tasks_per_head; /* blocks of TASK_ROWS in the item with most rows */
    float *stats;           /* in args->partials, after the vectors */
};

/* One worker's scratch. */
struct memory {
    float *keys, *values;             /* [ATTENTION_SPLIT * head_dim]: pages, widened */
    float *queries;                   /* [head_dim / STRIDE, up][BLOCK_ROWS][STRIDE] */
    float *scores;                    /* [BLOCK_ROWS][STRIDE] */
    float *outs;                      /* [BLOCK_ROWS][head_dim] */
    float *key_scales, *value_scales; /* [ATTENTION_SPLIT] */
    float *ones;                      /* [ATTENTION_SPLIT], for scores that are scaled */
    uint8_t *integers; /* [BLOCK_ROWS][integer_bytes]: queries, then weights, in 8 bits */
};

/* One split's keys and values of one KV head, ready to multiply. */
struct split {
    const struct attention_item *item, *next; /* next: of the task after, or NULL */
    int32_t kv_head, next_head;
    int32_t page_count;
    int32_t tile_rows;               /* of the products */
    enum kv_type type;               /* of the numbers in keys and values */
    const void *keys[SPLIT_PAGES];   /* each [head_dim][KV_PAGE_TOKENS] */
    const void *values[SPLIT_PAGES]; /* each [KV_PAGE_TOKENS][head_dim] */
    const float *value_scales;       /* [ATTENTION_SPLIT] or NULL */
};

struct block {
    int32_t rows;
    int32_t first[BLOCK_ROWS];                     /* the first key that each row sees */
    int32_t seen[BLOCK_ROWS];                      /* and where they end */
    int32_t tile_seen[BLOCK_ROWS / TILE_ROWS_MIN]; /* the most in each tile */
    size_t partial_head[BLOCK_ROWS]; /* partial * heads + head: where the result goes */
    struct attention_int8_row queries[BLOCK_ROWS];
    struct attention_int8_row weights[ATTENTION_INT8_BLOCKS][BLOCK_ROWS];
};

/* The depth of a score comes in panels of STRIDE: how many. */
static int32_t query_panels(int32_t head_dim)
{
    return i32_ceil_div(head_dim, STRIDE);
}

/* Bytes of a row of integers: a query's, in whole groups, or the weights of a split. */
static size_t integer_bytes(int32_t head_dim)
{
    const int32_t numbers = head_dim > ATTENTION_SPLIT ? head_dim : ATTENTION_SPLIT;
    return (size_t)i32_ceil_div(numbers, GROUP) * GROUP;
}

static size_t memory_floats(int32_t head_dim)
{
    const size_t dim = (size_t)head_dim, panels = (size_t)query_panels(head_dim);
    return 2 * ATTENTION_SPLIT * dim + (panels + 1) * BLOCK_ROWS * STRIDE + BLOCK_ROWS * dim +
           3 * ATTENTION_SPLIT + BLOCK_ROWS * integer_bytes(head_dim) / sizeof(float);
}

static struct memory memory_of(const struct job *job, uint32_t worker)
{
    const int32_t head_dim = job->args->cache->head_dim;
    const size_t dim = (size_t)head_dim, panels = (size_t)query_panels(head_dim);
    struct memory memory = {.keys = device_scratch(job->device, worker)};
    memory.values = memory.keys + ATTENTION_SPLIT * dim;
    memory.queries = memory.values + ATTENTION_SPLIT * dim;
    memory.scores = memory.queries + panels * BLOCK_ROWS * STRIDE;
    memory.outs = memory.scores + BLOCK_ROWS * STRIDE;
    memory.key_scales = memory.outs + BLOCK_ROWS * dim;
    memory.value_scales = memory.key_scales + ATTENTION_SPLIT;
    memory.ones = memory.value_scales + ATTENTION_SPLIT;
    memory.integers = (uint8_t *)(void *)(memory.ones + ATTENTION_SPLIT);
    return memory;
}

/* Numbers of the cache as they are multiplied: where they lie, or widened to `to`. */
static const void *ready(const struct job *job, enum kv_type type, const void *from, float *to)
{
    const struct kv_cache *cache = job->args->cache;
    const size_t count = (size_t)KV_PAGE_TOKENS * (size_t)cache->head_dim;
    if (type == cache->type)
        return from;
    job->kernels->widen_f16(from, to, count);
    return to;
}

/* A page's scales, the factor of the scores in those of keys. */
static void scales_load(const struct kv_layout_block *block, float factor, float *keys,
                        float *values)
{
    for (int32_t i = 0; i < KV_PAGE_TOKENS; i++) {
        keys[i] = block->key_scales ? block->key_scales[i] * factor : factor;
        values[i] = block->value_scales ? block->value_scales[i] : 1.0f;
    }
}

/* Everything is asked for before anything is read. */
static void split_load(const struct job *job, struct split *split, const struct memory *memory)
{
    const struct attention_args *args = job->args;
    const struct kv_cache *cache = args->cache;
    const size_t page_floats = (size_t)KV_PAGE_TOKENS * (size_t)cache->head_dim;
    const float factor = attention_tile_factor(args->scale);
    struct kv_layout_block blocks[SPLIT_PAGES];
    split->page_count = i32_ceil_div(split->item->kv_count, KV_PAGE_TOKENS);
    split->value_scales = cache->type == KV_INT8 ? memory->value_scales : NULL;
    for (int32_t p = 0; p < split->page_count; p++) {
        blocks[p] = attention_tiles_page(args, split->item, split->kv_head, p);
    }
    for (int32_t p = 0; p < split->page_count; p++) {
        const size_t skip = (size_t)p * page_floats, key = (size_t)p * KV_PAGE_TOKENS;
        split->keys[p] = ready(job, split->type, blocks[p].keys, memory->keys + skip);
        split->values[p] = ready(job, split->type, blocks[p].values, memory->values + skip);
        scales_load(&blocks[p], factor, memory->key_scales + key, memory->value_scales + key);
    }
    for (int32_t key = 0; key < split->page_count * KV_PAGE_TOKENS; key++)
        memory->ones[key] = 1.0f;
}

/* A query row into its panels. */
static void query_load(const float *query, int32_t head_dim, float *to)
{
    for (int32_t i = 0; i < head_dim; i += STRIDE, to += BLOCK_ROWS * STRIDE)
        memcpy(to, query + i, (size_t)i32_min(STRIDE, head_dim - i) * sizeof *to);
}

/* A query row as integers; its depth is filled up with zeros to whole groups. */
static struct attention_int8_row query_round(const struct job *job, const float *query,
                                             uint8_t *to)
{
    const int32_t dim = job->args->cache->head_dim;
    if (dim % GROUP == 0)
        return job->int8->round(query, dim, ATTENTION_INT8_QUERIES, to);
    float padded[KV_LAYOUT_HEAD_DIM_MAX + GROUP] = {0};
    memcpy(padded, query, (size_t)dim * sizeof *query);
    return job->int8->round(padded, i32_ceil_div(dim, GROUP) * GROUP, ATTENTION_INT8_QUERIES,
                            to);
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
        const int32_t seen = i32_min(item->kv_count, args->positions[row] + 1 - item->kv_begin);
        const int32_t partial =
            args->work->partials_first[row] + item->kv_begin / ATTENTION_SPLIT;
        int32_t *tile_seen = &block->tile_seen[i / split->tile_rows];
        assert(seen >= 1 && partial < args->work->partials_first[row + 1]);
        block->first[i] =
            args->window > 0 ? args->positions[row] + 1 - args->window - item->kv_begin : 0;
        block->seen[i] = seen;
        *tile_seen = seen > *tile_seen ? seen : *tile_seen;
        block->partial_head[i] = (size_t)partial * heads + (size_t)head;
        const float *query = args->q + ((size_t)row * heads + (size_t)head) * dim;
        if (job->int8)
            block->queries[i] = query_round(
                job, query,
                memory->integers + (size_t)i * integer_bytes(args->cache->head_dim));
        else
            query_load(query, args->cache->head_dim, memory->queries + (size_t)i * STRIDE);
    }
}

/* Both blocks of columns at once where the level has a kernel for so few rows. The last columns
 * of a head of no whole block: of floats, since split_task has them widened. */
static void run_blocks(const struct job *job, struct attention_tile_product *product,
                       int32_t blocks)
{
    if (product->columns < TILE_COLS) {
        attention_tile_scalar.product(product);
        return;
    }
    if (blocks == 1 || product->rows <= job->kernels->pair_rows) {
        product->blocks = blocks;
        job->kernels->product(product);
        return;
    }
    struct attention_tile_product single = *product;
    single.blocks = 1;
    job->kernels->product(&single);
    single.b[0] = product->b[1];
    single.b_column[0] = product->b_column[1];
    single.c += TILE_COLS;
    job->kernels->product(&single);
}

/* scores[row][key] = q k; two pages at a time, so that their keys stay in L1 for all rows. */
static void block_scores(const struct job *job, const struct split *split,
                         const struct block *block, const struct memory *memory)
{
    const int32_t dim = job->args->cache->head_dim, tile_rows = split->tile_rows;
    const size_t panel_bytes =
        (size_t)STRIDE * KV_PAGE_TOKENS * kv_layout_type_bytes(split->type);
    const void *panels[SPLIT_PAGES][KV_LAYOUT_HEAD_DIM_MAX / STRIDE];
    struct attention_tile_product product = {.a_panel = (size_t)BLOCK_ROWS * STRIDE,
                                             .b_stride = KV_PAGE_TOKENS,
                                             .c_stride = STRIDE,
                                             .b_type = split->type,
                                             .columns = KV_PAGE_TOKENS,
                                             .depth = dim,
                                             .panel_depth = STRIDE};
    for (int32_t p = 0; p < split->page_count; p++) {
        for (size_t i = 0; i < (size_t)query_panels(dim); i++)
            panels[p][i] = (const uint8_t *)split->keys[p] + i * panel_bytes;
    }
    for (int32_t p = 0; p < split->page_count; p += 2) {
        product.b[0] = panels[p];
        product.b[1] = p + 1 < split->page_count ? panels[p + 1] : NULL;
        for (int32_t r = 0; r < block->rows; r += tile_rows) {
            const int32_t left = block->tile_seen[r / tile_rows] - p * KV_PAGE_TOKENS;
            if (left <= 0)
                continue;
            product.rows = i32_min(tile_rows, block->rows - r);
            product.a = memory->queries + (size_t)r * STRIDE;
            product.c = memory->scores + (size_t)(r * STRIDE + p * KV_PAGE_TOKENS);
            run_blocks(job, &product, left > KV_PAGE_TOKENS ? 2 : 1);
        }
    }
}

/* Asks for page p of the task that this thread may have next, amid the work on this one. */
static void next_fetch(const struct job *job, const struct split *split, int32_t p)
{
    if (split->next != NULL && p * KV_PAGE_TOKENS < split->next->kv_count)
        (void)attention_tiles_page(job->args, split->next, split->next_head, p);
}

/* The same in integers; a page at a time, whose keys are as many bytes as a line has. */
static void block_scores_int8(const struct job *job, const struct split *split,
                              const struct block *block, const struct memory *memory)
{
    const int32_t dim = job->args->cache->head_dim, tile_rows = split->tile_rows;
    struct attention_int8_product product = {.kind = ATTENTION_INT8_QUERIES,
                                             .a_stride = integer_bytes(dim),
                                             .b_stride = (size_t)GROUP * KV_PAGE_TOKENS,
                                             .c_stride = STRIDE,
                                             .columns = KV_PAGE_TOKENS,
                                             .groups = i32_ceil_div(dim, GROUP),
                                             .panel_groups = i32_ceil_div(dim, GROUP)};
    for (int32_t p = 0; p < split->page_count; p++) {
        const uint8_t *const keys = split->keys[p];
        next_fetch(job, split, p);
        product.b = &keys;
        for (int32_t r = 0; r < block->rows; r += tile_rows) {
            if (block->tile_seen[r / tile_rows] <= p * KV_PAGE_TOKENS)
                continue;
            product.rows = i32_min(tile_rows, block->rows - r);
            product.a = memory->integers + (size_t)r * product.a_stride;
            product.rows_of_a = block->queries + r;
            product.c = memory->scores + (size_t)(r * STRIDE + p * KV_PAGE_TOKENS);
            job->int8->product(&product);
        }
    }
}

/* Scores in units of ln 2, softly capped, and out of sight before `first`. */
static void scores_shape(struct attention_tile_softmax *softmax, float softcap, int32_t first)
{
    const float cap = softcap * attention_tile_factor(1.0f);
    for (int32_t key = 0; key < softmax->seen; key++) {
        float *score = &softmax->scores[key];
        *score *= softmax->key_scales[key];
        if (softcap > 0.0f)
            *score = cap * tanhf(*score / cap);
        if (key < first)
            *score = -INFINITY;
    }
}

static void block_softmax(const struct job *job, const struct split *split,
                          const struct block *block, const struct memory *memory)
{
    const int32_t lanes = job->int8 ? INT8_COLS : LANES;
    for (int32_t r = 0; r < block->rows; r++) {
        struct attention_tile_softmax softmax = {
            .scores = memory->scores + (size_t)r * STRIDE,
            .key_scales = memory->key_scales,
            .value_scales = split->value_scales,
            .seen = block->seen[r],
            .padded = i32_ceil_div(block->tile_seen[r / split->tile_rows], lanes) * lanes};
        float *stats = job->stats + block->partial_head[r] * ATTENTION_MERGE_STATS;
        if (block->first[r] >= softmax.seen) {
            memset(softmax.scores, 0, (size_t)softmax.padded * sizeof *softmax.scores);
            stats[0] = -INFINITY;
            stats[1] = 0.0f;
            continue;
        }
        if (job->args->softcap > 0.0f || block->first[r] > 0) {
            scores_shape(&softmax, job->args->softcap, block->first[r]);
            softmax.key_scales = memory->ones;
        }
        job->kernels->softmax(&softmax);
        stats[0] = softmax.max;
        stats[1] = softmax.sum;
    }
}

/* outs[row] = sum over keys of weight * value; 2 x 16 columns of all values at a time. */
static void block_values(const struct job *job, const struct split *split,
                         const struct block *block, const struct memory *memory)
{
    const int32_t dim = job->args->cache->head_dim, tile_rows = split->tile_rows;
    struct attention_tile_product product = {.b = {split->values, split->values},
                                             .a_panel = KV_PAGE_TOKENS,
                                             .b_stride = (size_t)dim,
                                             .c_stride = (size_t)dim,
                                             .b_type = split->type,
                                             .panel_depth = KV_PAGE_TOKENS};
    int32_t step;
    for (int32_t column = 0; column < dim; column += step) {
        const int32_t blocks = dim - column >= 2 * TILE_COLS ? 2 : 1;
        step = blocks * TILE_COLS;
        product.b_column[0] = (size_t)column;
        product.b_column[1] = (size_t)column + TILE_COLS;
        product.columns = i32_min(TILE_COLS, dim - column);
        for (int32_t r = 0; r < block->rows; r += tile_rows) {
            product.rows = i32_min(tile_rows, block->rows - r);
            product.depth = block->tile_seen[r / tile_rows];
            product.a = memory->scores + (size_t)r * STRIDE;
            product.c = memory->outs + (size_t)r * (size_t)dim + column;
            run_blocks(job, &product, blocks);
        }
    }
}

/* A tile's first row, the first key of a block of keys, and where the tile's keys end. */
struct place {
    int32_t row, key, end;
};

/* The weights of all rows as integers, each block of keys with a scale of its own. */
static void weights_round(const struct job *job, const struct split *split, struct block *block,
                          const struct memory *memory)
{
    const size_t stride = integer_bytes(job->args->cache->head_dim);
    for (int32_t r = 0; r < block->rows; r++) {
        const int32_t tile_seen = block->tile_seen[r / split->tile_rows];
        const int32_t seen = i32_ceil_div(tile_seen, INT8_COLS) * INT8_COLS;
        for (int32_t key = 0; key < seen; key += INT8_BLOCK)
            block->weights[key / INT8_BLOCK][r] = job->int8->round(
                memory->scores + (size_t)(r * STRIDE + key), i32_min(INT8_BLOCK, seen - key),
                ATTENTION_INT8_WEIGHTS, memory->integers + (size_t)r * stride + key);
    }
}

/* outs += weights v: one block of keys, the rows of one tile; the first block begins them. */
static void values_add(const struct job *job, const struct split *split,
                       const struct block *block, const struct memory *memory, struct place at)
{
    const int32_t dim = job->args->cache->head_dim;
    struct attention_int8_product product = {
        .kind = ATTENTION_INT8_WEIGHTS,
        .a_stride = integer_bytes(dim),
        .b = (const uint8_t *const *)split->values + at.key / KV_PAGE_TOKENS,
        .b_stride = (size_t)i32_ceil_div(dim, GROUP) * GROUP * GROUP,
        .c_stride = (size_t)dim,
        .adds = at.key > 0,
        .rows_of_a = block->weights[at.key / INT8_BLOCK] + at.row,
        .rows = i32_min(split->tile_rows, block->rows - at.row),
        .groups = i32_ceil_div(i32_min(INT8_BLOCK, at.end - at.key), GROUP),
        .panel_groups = KV_PAGE_TOKENS / GROUP};
    product.a = memory->integers + (size_t)at.row * product.a_stride + at.key;
    for (int32_t column = 0; column < dim; column += INT8_COLS) {
        product.b_offset = (size_t)column * GROUP;
        product.columns = i32_min(INT8_COLS, dim - column);
        product.c = memory->outs + (size_t)at.row * (size_t)dim + column;
        job->int8->product(&product);
    }
}

/* The same in integers. */
static void block_values_int8(const struct job *job, const struct split *split,
                              struct block *block, const struct memory *memory)
{
    weights_round(job, split, block, memory);
    for (int32_t r = 0; r < block->rows; r += split->tile_rows) {
        const int32_t end = block->tile_seen[r / split->tile_rows];
        for (int32_t key = 0; key < end; key += INT8_BLOCK)
            values_add(job, split, block, memory, (struct place){r, key, end});
    }
}

static void block_store(const struct job *job, const struct block *block,
                        const struct memory *memory)
{
    const size_t dim = (size_t)job->args->cache->head_dim;
    for (int32_t r = 0; r < block->rows; r++)
        memcpy(job->args->partials + block->partial_head[r] * dim,
               memory->outs + (size_t)r * dim, dim * sizeof(float));
}

/* Rows first .. end-1 of the item. */
static void blocks_run(const struct job *job, struct split *split, int32_t first, int32_t end,
                       const struct memory *memory)
{
    split_load(job, split, memory);
    for (; first < end; first += BLOCK_ROWS) {
        struct block block = {.rows = i32_min(BLOCK_ROWS, end - first)};
        block_load(job, split, first, &block, memory);
        if (job->int8)
            block_scores_int8(job, split, &block, memory);
        else
            block_scores(job, split, &block, memory);
        split->next = NULL;
        block_softmax(job, split, &block, memory);
        if (job->int8)
            block_values_int8(job, split, &block, memory);
        else
            block_values(job, split, &block, memory);
        block_store(job, &block, memory);
    }
}

/* Rows that a task's work goes by. */
static int32_t rows_together(const struct job *job, bool by_tiles)
{
    if (job->int8 == NULL)
        return job->kernels->tile_rows;
    return by_tiles ? job->int8->tile_rows : job->int8->product_rows;
}

static void split_task(void *context, int32_t index, uint32_t worker)
{
    const struct job *job = context;
    const struct attention_args *args = job->args;
    const int32_t per_item = job->tasks_per_head * args->cache->kv_heads;
    struct split split = {.item = &args->work->items[index / per_item],
                          .kv_head = index % per_item / job->tasks_per_head,
                          .type = args->cache->type};
    const int32_t rows = split.item->row_count * job->group;
    const int32_t tasks = i32_ceil_div(rows, TASK_ROWS), task = index % job->tasks_per_head;
    if (task >= tasks)
        return;
    assert(split.item->kv_count >= 1 && split.item->kv_count <= ATTENTION_SPLIT);
    assert(split.item->kv_begin % ATTENTION_SPLIT == 0);
    /* Equal shares, in whole tiles. */
    const bool by_tiles = job->tiles && rows >= job->int8->rows_min;
    const int32_t tile_rows = rows_together(job, by_tiles);
    const int32_t share = i32_ceil_div(i32_ceil_div(rows, tasks), tile_rows) * tile_rows;
    const int32_t end = i32_min(rows, (task + 1) * share);
    split.tile_rows = tile_rows;
    const bool whole = args->cache->head_dim % TILE_COLS == 0;
    if (!job->int8 && (!whole || end - task * share >= WIDEN_TILES * tile_rows))
        split.type = KV_F32;
    const struct memory memory = memory_of(job, worker);
    const int32_t next = index + 1; /* a thread's indices are neighbours */
    if (next < args->work->item_count * per_item) {
        split.next = &args->work->items[next / per_item];
        split.next_head = next % per_item / job->tasks_per_head;
    }
    if (by_tiles) {
        const struct attention_tiles tiles = {.args = args,
                                              .kernels = job->int8,
                                              .item = split.item,
                                              .next = split.next,
                                              .kv_head = split.kv_head,
                                              .next_head = split.next_head,
                                              .first = task * share,
                                              .end = end,
                                              .stats = job->stats,
                                              .scores = memory.scores,
                                              .integers = memory.integers,
                                              .turned = memory.keys};
        attention_tiles_run(&tiles);
        return;
    }
    blocks_run(job, &split, task * share, end, &memory);
}

static void merge_task(void *context, int32_t index, uint32_t worker)
{
    const struct job *job = context;
    const struct attention_args *args = job->args;
    const int32_t *partials_first = args->work->partials_first;
    const size_t dim = (size_t)args->cache->head_dim, heads = (size_t)args->heads;
    const int32_t end = i32_min(args->rows, (index + 1) * MERGE_ROWS);
    float *scratch = device_scratch(job->device, worker);
    for (int32_t r = index * MERGE_ROWS; r < end; r++) {
        if (args->positions[r] < 0)
            continue;
        float *y = activation_row_begin(args->y, r, scratch);
        const size_t begin = (size_t)partials_first[r] * heads;
        struct attention_merge partials = {
            .step = heads, .dim = dim, .count = partials_first[r + 1] - partials_first[r]};
        for (size_t head = 0; head < heads; head++) {
            partials.vectors = args->partials + (begin + head) * dim;
            partials.stats = job->stats + (begin + head) * ATTENTION_MERGE_STATS;
            attention_merge_head(&partials, y + head * dim);
        }
        activation_row_end(args->y, r, y, scratch, device_simd(job->device));
    }
}

/* The level's kernels into *job. */
static void choose_kernels(struct job *job)
{
    const struct kv_cache *cache = job->args->cache;
    const struct attention_levels levels = attention_levels(device_simd(job->device), cache);
    job->kernels = levels.tile;
    job->int8 = cache->type == KV_INT8 ? levels.int8 : NULL;
    job->tiles = job->int8 && job->int8->tile &&
                 cache->head_dim <= ATTENTION_INT8_TILE_DIM_MAX && job->args->softcap <= 0.0f &&
                 job->args->window <= 0;
}

enum status attention_cpu(struct device *device, const struct attention_args *args)
{
    const struct kv_cache *cache = args->cache;
    const struct attention_work *work = args->work;
    const size_t row_floats = (size_t)args->heads * (size_t)cache->head_dim;
    const size_t scratch_floats = device_scratch_bytes(device) / sizeof(float);
    assert(args->heads % cache->kv_heads == 0);
    assert(work->split == ATTENTION_SPLIT && cache->order == KV_ORDER_CPU);
    if (cache->head_dim > KV_LAYOUT_HEAD_DIM_MAX ||
        scratch_floats < memory_floats(cache->head_dim) || scratch_floats < row_floats)
        return ERR_LIMIT;
    struct job job = {.args = args,
                      .device = device,
                      .group = args->heads / cache->kv_heads,
                      .stats = args->partials + (size_t)work->partial_count * row_floats};
    choose_kernels(&job);
    int32_t most_rows = 0;
    for (int32_t i = 0; i < work->item_count; i++)
        most_rows = work->items[i].row_count > most_rows ? work->items[i].row_count : most_rows;
    job.tasks_per_head = i32_ceil_div(most_rows * job.group, TASK_ROWS);
    const int64_t tasks = (int64_t)work->item_count * cache->kv_heads * job.tasks_per_head;
    if (tasks > INT32_MAX - DEVICE_THREADS_MAX)
        return ERR_LIMIT;
    device_parallel(device, (int32_t)tasks, split_task, &job);
    device_parallel(device, i32_ceil_div(args->rows, MERGE_ROWS), merge_task, &job);
    return OK;
}
