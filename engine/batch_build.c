/*
 * batch_build - see batch_build.h.
 *
 * Two passes over (span, split). The first finds each one's group: a split's last page number
 * leads to the groups that end in that page, and there all page numbers are compared. The
 * second puts the rows in place, group after group. Then each group is cut into items of at
 * most BATCH_BUILD_ITEM_ROWS rows, which a counting sort brings in order of their weight.
 */
#include "engine/batch_build.h"

#include <assert.h>
#include <string.h>

enum { NO_GROUP = -1, WEIGHT_CLASSES = 256 };

struct group {
    const int32_t *pages; /* in the page table of its first span */
    int32_t page_count, kv_begin;
    int32_t rows_first, row_count, rows_placed;
    int32_t next; /* group with the same last page */
};

struct batch_build_groups {
    struct group *groups;    /* [partials_max] */
    int32_t *of_entry;       /* [partials_max] group of each (span, split), in order */
    int32_t *of_page;        /* [page_count] first group whose last page it is */
    int32_t *rows;           /* [partials_max] */
    int32_t *pages;          /* [partials_max * pages of a split] */
    int32_t *partials_first; /* [rows_max + 1] */
    struct attention_item *items, *sorted; /* [partials_max] */
    int32_t group_count;
};

static int32_t min_i32(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static int32_t max_i32(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static int32_t span_last(const struct batch_build_span *span)
{
    return span->first + span->count - 1;
}

static int32_t find_group(struct batch_build *build, const struct batch_build_span *span,
                          int32_t kv_begin)
{
    struct batch_build_groups *all = build->groups;
    const int32_t keys = min_i32(span_last(span) + 1 - kv_begin, build->limits.split);
    const int32_t page_count = (keys + KV_PAGE_TOKENS - 1) / KV_PAGE_TOKENS;
    const int32_t *pages = span->pages + kv_begin / KV_PAGE_TOKENS;
    int32_t *first = &all->of_page[pages[page_count - 1]];
    for (int32_t at = *first; at != NO_GROUP; at = all->groups[at].next) {
        const struct group *group = &all->groups[at];
        if (group->kv_begin == kv_begin && group->page_count == page_count &&
            !memcmp(group->pages, pages, (size_t)page_count * sizeof *pages))
            return at;
    }
    all->groups[all->group_count] = (struct group){
        .pages = pages, .page_count = page_count, .kv_begin = kv_begin, .next = *first};
    *first = all->group_count;
    return all->group_count++;
}

static void find_groups(struct batch_build *build)
{
    struct batch_build_groups *all = build->groups;
    int32_t entry = 0;
    all->group_count = 0;
    for (int32_t i = 0; i < build->span_count; i++) {
        const struct batch_build_span *span = &build->spans[i];
        for (int32_t begin = 0; begin <= span_last(span); begin += build->limits.split) {
            const int32_t group = find_group(build, span, begin);
            const int32_t from = max_i32(span->first, begin);
            all->groups[group].row_count += span_last(span) + 1 - from;
            assert(entry < build->limits.partials_max);
            all->of_entry[entry++] = group;
        }
    }
    for (int32_t i = 0; i < all->group_count; i++) /* clean for the next step */
        all->of_page[all->groups[i].pages[all->groups[i].page_count - 1]] = NO_GROUP;
}

static void place_rows(struct batch_build *build)
{
    struct batch_build_groups *all = build->groups;
    int32_t placed = 0;
    for (int32_t i = 0; i < all->group_count; i++) {
        all->groups[i].rows_first = placed;
        placed += all->groups[i].row_count;
    }
    assert(placed <= build->limits.partials_max);
    int32_t entry = 0;
    for (int32_t i = 0; i < build->span_count; i++) {
        const struct batch_build_span *span = &build->spans[i];
        for (int32_t begin = 0; begin <= span_last(span); begin += build->limits.split) {
            struct group *group = &all->groups[all->of_entry[entry++]];
            const int32_t from = max_i32(span->first, begin);
            for (int32_t p = from; p <= span_last(span); p++)
                all->rows[group->rows_first + group->rows_placed++] =
                    span->row + p - span->first;
        }
    }
}

/* Keys of the group's split that any of these rows sees. */
static int32_t keys_seen(const struct batch_build *build, const struct group *group,
                         const int32_t *rows, int32_t count)
{
    int32_t keys = 0;
    for (int32_t i = 0; i < count && keys < build->limits.split; i++)
        keys = max_i32(keys, build->positions[rows[i]] + 1 - group->kv_begin);
    return min_i32(keys, build->limits.split);
}

static int32_t cut_items(struct batch_build *build)
{
    struct batch_build_groups *all = build->groups;
    int32_t item_count = 0;
    int32_t page_count = 0;
    for (int32_t i = 0; i < all->group_count; i++) {
        const struct group *group = &all->groups[i];
        memcpy(all->pages + page_count, group->pages,
               (size_t)group->page_count * sizeof *all->pages);
        for (int32_t done = 0; done < group->row_count; done += BATCH_BUILD_ITEM_ROWS) {
            const int32_t rows = min_i32(group->row_count - done, BATCH_BUILD_ITEM_ROWS);
            const int32_t at = group->rows_first + done;
            all->items[item_count++] = (struct attention_item){
                .pages_first = page_count,
                .kv_begin = group->kv_begin,
                .kv_count = keys_seen(build, group, all->rows + at, rows),
                .rows_first = at,
                .row_count = rows,
            };
        }
        page_count += group->page_count;
    }
    return item_count;
}

/* 0 is the heaviest. */
static int32_t weight_class(const struct attention_item *item, int32_t split)
{
    const int32_t heaviest = BATCH_BUILD_ITEM_ROWS * split;
    const int32_t weight = item->row_count * item->kv_count;
    return (heaviest - weight) / (heaviest / WEIGHT_CLASSES + 1);
}

static void sort_items(struct batch_build_groups *all, int32_t item_count, int32_t split)
{
    int32_t first[WEIGHT_CLASSES + 1] = {0};
    for (int32_t i = 0; i < item_count; i++)
        first[weight_class(&all->items[i], split) + 1]++;
    for (int32_t c = 0; c < WEIGHT_CLASSES; c++)
        first[c + 1] += first[c];
    for (int32_t i = 0; i < item_count; i++)
        all->sorted[first[weight_class(&all->items[i], split)]++] = all->items[i];
}

static int32_t number_partials(struct batch_build *build)
{
    int32_t *first = build->groups->partials_first;
    int32_t count = 0;
    for (int32_t r = 0; r < build->row_count; r++) {
        first[r] = count;
        count += build->positions[r] / build->limits.split + 1;
    }
    first[build->row_count] = count;
    return count;
}

enum status batch_build_init(struct batch_build *build, const struct batch_build_limits *limits,
                             struct arena *arena, struct error *err)
{
    const size_t rows = (size_t)limits->rows_max;
    const size_t partials = (size_t)limits->partials_max;
    const size_t copies = (size_t)limits->copies_max;
    const size_t split_pages = (size_t)limits->split / KV_PAGE_TOKENS;
    assert(split_pages > 0 && limits->split % KV_PAGE_TOKENS == 0);
    assert(limits->split <= ATTENTION_SPLIT_MAX);
    struct batch_build_groups *groups = ARENA_NEW(arena, struct batch_build_groups, 1);
    if (!groups)
        FAIL(err, ERR_MEMORY, "batch of %zu rows: the arena is full", rows);
    *build = (struct batch_build){
        .limits = *limits,
        .tokens = ARENA_NEW(arena, token_id, rows),
        .positions = ARENA_NEW(arena, int32_t, rows),
        .kv_pages = ARENA_NEW(arena, int32_t, rows),
        .copy_from = ARENA_NEW(arena, int32_t, copies),
        .copy_to = ARENA_NEW(arena, int32_t, copies),
        .head_rows = ARENA_NEW(arena, int32_t, (size_t)limits->heads_max),
        .samples = ARENA_NEW(arena, struct sample_row, (size_t)limits->samples_max),
        .spans = ARENA_NEW(arena, struct batch_build_span, (size_t)limits->spans_max),
        .groups = groups,
    };
    *groups = (struct batch_build_groups){
        .groups = ARENA_NEW(arena, struct group, partials),
        .of_entry = ARENA_NEW(arena, int32_t, partials),
        .of_page = ARENA_NEW(arena, int32_t, (size_t)limits->page_count),
        .rows = ARENA_NEW(arena, int32_t, partials),
        .pages = ARENA_NEW(arena, int32_t, partials * split_pages),
        .partials_first = ARENA_NEW(arena, int32_t, rows + 1),
        .items = ARENA_NEW(arena, struct attention_item, partials),
        .sorted = ARENA_NEW(arena, struct attention_item, partials),
    };
    if (!build->tokens || !build->positions || !build->kv_pages || !build->copy_from ||
        !build->copy_to || !build->head_rows || !build->samples || !build->spans ||
        !groups->groups || !groups->of_entry || !groups->of_page || !groups->rows ||
        !groups->pages || !groups->partials_first || !groups->items || !groups->sorted)
        FAIL(err, ERR_MEMORY, "batch of %zu rows and %zu partials: the arena is full", rows,
             partials);
    for (int32_t i = 0; i < limits->page_count; i++)
        groups->of_page[i] = NO_GROUP;
    return OK;
}

void batch_build_begin(struct batch_build *build)
{
    build->row_count = 0;
    build->copy_count = 0;
    build->head_count = 0;
    build->sample_count = 0;
    build->span_count = 0;
}

void batch_build_copy(struct batch_build *build, int32_t from, int32_t to)
{
    assert(build->copy_count < build->limits.copies_max);
    build->copy_from[build->copy_count] = from;
    build->copy_to[build->copy_count++] = to;
}

token_id *batch_build_rows(struct batch_build *build, const int32_t *pages, int32_t first,
                           int32_t count)
{
    assert(count > 0 && count <= build->limits.rows_max - build->row_count);
    assert(build->span_count < build->limits.spans_max);
    const int32_t row = build->row_count;
    build->spans[build->span_count++] =
        (struct batch_build_span){.pages = pages, .first = first, .count = count, .row = row};
    for (int32_t i = 0; i < count; i++) {
        build->positions[row + i] = first + i;
        build->kv_pages[row + i] = pages[(first + i) / KV_PAGE_TOKENS];
    }
    build->row_count += count;
    return build->tokens + row;
}

int32_t batch_build_head(struct batch_build *build, int32_t row)
{
    assert(build->head_count < build->limits.heads_max);
    assert(build->head_count == 0 || build->head_rows[build->head_count - 1] < row);
    build->head_rows[build->head_count] = row;
    return build->head_count++;
}

void batch_build_end(struct batch_build *build, struct batch *batch)
{
    struct batch_build_groups *all = build->groups;
    find_groups(build);
    place_rows(build);
    const int32_t item_count = cut_items(build);
    sort_items(all, item_count, build->limits.split);
    *batch = (struct batch){
        .row_count = build->row_count,
        .tokens = build->tokens,
        .positions = build->positions,
        .kv_pages = build->kv_pages,
        .work = {.items = all->sorted,
                 .pages = all->pages,
                 .rows = all->rows,
                 .partials_first = all->partials_first,
                 .split = build->limits.split,
                 .item_count = item_count,
                 .partial_count = number_partials(build)},
        .copy_from = build->copy_from,
        .copy_to = build->copy_to,
        .copy_count = build->copy_count,
        .head_rows = build->head_rows,
        .head_count = build->head_count,
    };
}

int32_t batch_build_sample(struct batch_build *build, const struct sample_row *sample)
{
    assert(build->sample_count < build->limits.samples_max);
    build->samples[build->sample_count] = *sample;
    return build->sample_count++;
}

void batch_build_samples(const struct batch_build *build, struct batch *batch)
{
    batch->samples = build->samples;
    batch->sample_count = build->sample_count;
}
