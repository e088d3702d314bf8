/*
 * kbench_attend - attention over a paged cache.
 *
 *     decode    M sequences of `context` keys, one row each
 *     prefill   the last M rows of one sequence of M + context keys
 *     chunks    `decode` with a shape that has chunks (minions30x6): chunks x jobs rows, each
 *               chunk's keys shared by its jobs. Rows come chunk by chunk.
 *
 * Bytes: each page that any row sees once, keys, values and scales; queries in, result out.
 * Unshared bytes: the same with pages counted once for each row. Operations: 4 head_dim per
 * (row, head, key that it sees).
 */
#include "tools/kbench_kernels.h"

#include "base/checked.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { Q, POSITIONS, ITEMS, PAGES, ROWS, PARTIALS_FIRST, PARTIALS, CACHE, RESULT };
enum { ITEM_ROWS = 128, PAGES_DISTINCT = 16 };

/* Where rows and their keys lie: row r's page p is number first_page(r) + p, but pages of the
 * shared part are those of the first row of its chunk. */
struct layout {
    int32_t rows, keys_max, pages_each, shared_pages, split;
    int32_t group;      /* rows that share a prefix; 1: none do */
    bool is_sequential; /* prefill: all rows are of one sequence */
    bool is_by_job;     /* the rows of a chunk do not stand side by side */
};

static int32_t pages_of(int32_t keys)
{
    return (keys + KV_PAGE_TOKENS - 1) / KV_PAGE_TOKENS;
}

static struct layout layout_of(struct kbench_case *c)
{
    const struct kbench_dims *d = &c->dims;
    struct layout l = {.rows = c->m, .group = 1, .split = c->ops->attention_split};
    if (strcmp(c->variant, "prefill") == 0) {
        l.is_sequential = true;
        l.keys_max = d->context + c->m;
    } else {
        if (d->chunks > 0) {
            l.group = d->jobs;
            l.rows = d->chunks * d->jobs;
        }
        l.keys_max = d->context;
        l.shared_pages = d->shared / KV_PAGE_TOKENS;
    }
    l.is_by_job = c->order == KBENCH_NAIVE;
    l.pages_each = pages_of(l.keys_max);
    c->m = l.rows;
    return l;
}

static int32_t position_of(const struct layout *l, int32_t row)
{
    return l->is_sequential ? l->keys_max - l->rows + row : l->keys_max - 1;
}

static int32_t page_of(const struct layout *l, int32_t row, int32_t page)
{
    if (l->is_sequential)
        return page;
    const int32_t first = l->is_by_job ? row % (l->rows / l->group) : row / l->group * l->group;
    const int32_t owner = page < l->shared_pages ? first : row;
    return owner * l->pages_each + page;
}

static int32_t page_count(const struct layout *l)
{
    return l->is_sequential ? l->pages_each : l->rows * l->pages_each;
}

/* The list being written; counts alone when the arrays are NULL. */
struct writer {
    struct attention_item *items;
    int32_t *pages, *rows;
    int32_t item_count, page_count, row_count;
};

/* One item: `count` rows from `row` on, whose pages in this split are the same. */
static void write_item(const struct layout *l, struct writer *w, int32_t split, int32_t row,
                       int32_t count)
{
    const int32_t begin = split * l->split;
    const int32_t seen = position_of(l, row + count - 1) + 1 - begin;
    const int32_t keys = seen < l->split ? seen : l->split;
    if (w->items)
        w->items[w->item_count] = (struct attention_item){.pages_first = w->page_count,
                                                          .kv_begin = begin,
                                                          .kv_count = keys,
                                                          .rows_first = w->row_count,
                                                          .row_count = count};
    for (int32_t p = 0; w->pages && p < pages_of(keys); p++)
        w->pages[w->page_count + p] = page_of(l, row, begin / KV_PAGE_TOKENS + p);
    for (int32_t r = 0; w->rows && r < count; r++)
        w->rows[w->row_count + r] = row + r;
    w->item_count++;
    w->page_count += pages_of(keys);
    w->row_count += count;
}

/* Rows of one item in that split, from row on: those of a sequence, or those that share all of
 * the split's pages. */
static int32_t item_rows(const struct layout *l, bool is_apart, int32_t split, int32_t row)
{
    const int32_t left = l->rows - row;
    if (l->is_sequential)
        return left < ITEM_ROWS ? left : ITEM_ROWS;
    const bool is_shared = (split + 1) * (l->split / KV_PAGE_TOKENS) <= l->shared_pages;
    return is_shared && !is_apart ? l->group - row % l->group : 1;
}

static void write_list(const struct layout *l, bool is_apart, struct writer *w)
{
    for (int32_t split = 0; split * l->split < l->keys_max; split++) {
        for (int32_t row = 0, count; row < l->rows; row += count) {
            count = item_rows(l, is_apart, split, row);
            if (position_of(l, row + count - 1) >= split * l->split)
                write_item(l, w, split, row, count);
        }
    }
}

static struct kv_cache cache_of(const struct kbench_case *c, int32_t pages, uint8_t *data)
{
    return (struct kv_cache){.type = strcmp(c->dtype, "f16") == 0 ? KV_F16 : KV_INT8,
                             .order = c->ops->kv_order,
                             .layers = 1,
                             .kv_heads = c->dims.kv_heads,
                             .head_dim = c->dims.head_dim,
                             .page_count = pages,
                             .data = data};
}

/* The first pages with random keys and values, the others as copies of them. */
static void fill_cache(struct kbench_case *c, const struct kv_cache *cache)
{
    const size_t page_bytes = kv_layout_page_bytes(cache);
    float row[1024];
    assert(cache->head_dim <= 1024);
    for (int32_t page = 0; page < cache->page_count; page++) {
        if (page >= PAGES_DISTINCT) {
            memcpy(cache->data + (size_t)page * page_bytes,
                   cache->data + (size_t)(page % PAGES_DISTINCT) * page_bytes, page_bytes);
            continue;
        }
        for (int32_t i = 0; i < 2 * cache->kv_heads * KV_PAGE_TOKENS; i++) {
            const int32_t slot = i / 2 % KV_PAGE_TOKENS, head = i / 2 / KV_PAGE_TOKENS;
            const struct kv_layout_block block = kv_layout_block(cache, page, 0, head);
            for (int32_t k = 0; k < cache->head_dim; k++)
                row[k] = (float)(kbench_case_random(c) >> 8) * 0x1p-23F - 1.0F;
            if (i % 2 == 0)
                kv_layout_put_key(cache, &block, slot, row);
            else
                kv_layout_put_value(cache, &block, slot, row);
        }
    }
}

static uint32_t forms_of(const struct kbench_case *c)
{
    return c->is_check ? ACTIVATION_F32 : ACTIVATION_INT8;
}

static void count_work(struct kbench_case *c, const struct layout *l,
                       const struct kv_cache *cache)
{
    const double page = (double)kv_layout_page_bytes(cache);
    const double dim = (double)c->dims.heads * c->dims.head_dim;
    double keys = 0, pages = 0, pages_seen = 0;
    for (int32_t r = 0; r < l->rows; r++) {
        const int32_t all = pages_of(position_of(l, r) + 1);
        keys += position_of(l, r) + 1;
        pages_seen += all;
        pages += r % l->group == 0 ? all : all - l->shared_pages;
    }
    if (l->is_sequential)
        pages = l->pages_each;
    const double rows = l->rows * (4.0 * dim + dim + 4.0);
    c->work.bytes = pages * page + rows;
    c->work.bytes_unshared = pages_seen * page + rows;
    c->work.operations = 4.0 * dim * keys;
    c->work.unit = KBENCH_UNIT_F16_F32;
}

static enum status add_list(struct kbench_case *c, const struct layout *l, struct error *err)
{
    struct writer w = {0};
    write_list(l, c->order != KBENCH_GROUPED, &w);
    const size_t size = sizeof(int32_t);
    struct writer made = {
        .items =
            kbench_case_add(c, (size_t)w.item_count * sizeof *made.items, KBENCH_NO_OUTPUT),
        .pages = kbench_case_add(c, (size_t)w.page_count * size, KBENCH_NO_OUTPUT),
        .rows = kbench_case_add(c, (size_t)w.row_count * size, KBENCH_NO_OUTPUT)};
    int32_t *firsts = kbench_case_add(c, ((size_t)l->rows + 1) * size, KBENCH_NO_OUTPUT);
    if (!made.items || !made.pages || !made.rows || !firsts)
        FAIL(err, ERR_MEMORY, "attention: no room for a list of %d items", w.item_count);
    write_list(l, c->order != KBENCH_GROUPED, &made);
    for (int32_t r = 0; r < l->rows; r++)
        firsts[r + 1] = firsts[r] + position_of(l, r) / l->split + 1;
    c->attention.item_count = w.item_count;
    c->attention.split = l->split;
    c->attention.partial_count = firsts[l->rows];
    return OK;
}

static enum status open(struct kbench_case *c, struct error *err)
{
    const struct kbench_dims *d = &c->dims;
    const struct layout l = layout_of(c);
    struct kv_cache cache = cache_of(c, page_count(&l), NULL);
    size_t cache_bytes;
    if (!checked_mul_size(kv_layout_page_bytes(&cache), (size_t)cache.page_count, &cache_bytes))
        FAIL(err, ERR_LIMIT, "attention: %d pages are too many", cache.page_count);
    const size_t q_count = (size_t)l.rows * (size_t)d->heads * (size_t)d->head_dim;
    int32_t *positions = NULL;
    if (!kbench_case_floats(c, q_count, KBENCH_NO_OUTPUT) ||
        !(positions = kbench_case_add(c, (size_t)l.rows * sizeof *positions, KBENCH_NO_OUTPUT)))
        FAIL(err, ERR_MEMORY, "attention: no room for %d rows", l.rows);
    for (int32_t r = 0; r < l.rows; r++)
        positions[r] = position_of(&l, r);
    TRY(add_list(c, &l, err));
    const int64_t partials =
        attention_partial_floats(c->attention.partial_count, d->heads, d->head_dim);
    if (!kbench_case_add(c, (size_t)partials * sizeof(float), KBENCH_NO_OUTPUT) ||
        !(cache.data = kbench_case_add(c, cache_bytes, KBENCH_NO_OUTPUT)))
        FAIL(err, ERR_MEMORY, "attention: no room for %zu bytes of cache", cache_bytes);
    fill_cache(c, &cache);
    count_work(c, &l, &cache);
    (void)snprintf(c->shape_text, sizeof c->shape_text, "%d:%dx%d, %d keys%s", d->heads,
                   d->kv_heads, d->head_dim, l.keys_max,
                   c->order != KBENCH_GROUPED ? ", apart"
                   : l.group > 1              ? ", shared"
                                              : "");
    return kbench_case_activation(c, d->heads * d->head_dim, forms_of(c), false, err);
}

static enum status run(struct kbench_case *c, int32_t set)
{
    const struct kbench_dims *d = &c->dims;
    struct attention_work work = c->attention;
    struct activation y = kbench_case_view(c, RESULT, d->heads * d->head_dim, forms_of(c), set);
    const struct kv_cache shape = cache_of(c, 1, NULL);
    const size_t page_bytes = kv_layout_page_bytes(&shape);
    const struct kv_cache cache = cache_of(c, (int32_t)(c->buffers[CACHE].bytes / page_bytes),
                                           kbench_case_at(c, CACHE, set));
    work.items = kbench_case_at(c, ITEMS, set);
    work.pages = kbench_case_at(c, PAGES, set);
    work.rows = kbench_case_at(c, ROWS, set);
    work.partials_first = kbench_case_at(c, PARTIALS_FIRST, set);
    const struct attention_args args = {.q = kbench_case_at(c, Q, set),
                                        .positions = kbench_case_at(c, POSITIONS, set),
                                        .work = &work,
                                        .cache = &cache,
                                        .partials = kbench_case_at(c, PARTIALS, set),
                                        .y = &y,
                                        .rows = c->m,
                                        .heads = d->heads,
                                        .scale = c->shape->config->attention_scale};
    return kbench_case_ops(c, set)->attention(kbench_case_device(c, set), &args);
}

const struct kbench_kernel kbench_attend_kernels[] = {
    {"attention", "from the work list: decode (over shared chunks, where the shape has them)",
     "decode,prefill", "int8,f16", false, 4e-3, open, run},
    {0},
};
