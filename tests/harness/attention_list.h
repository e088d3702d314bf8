/*
 * attention_list - attention's work list for rows of a few sequences whose pages are given,
 * made by the definition in kernels/attention.h and nothing else: for tests of the kernels,
 * which the engine's builder must not judge.
 *
 *     rows of sequences with the same pages in a split share its items
 *     an item has item_rows rows at most
 */
#ifndef TESTS_HARNESS_ATTENTION_LIST_H
#define TESTS_HARNESS_ATTENTION_LIST_H

#include "kernels/attention.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    ATTENTION_LIST_ROWS_MAX = 400,
    ATTENTION_LIST_ENTRIES_MAX = 2048,    /* items; rows in them */
    ATTENTION_LIST_PAGES_MAX = 16 * 2048, /* in all items */
    ATTENTION_LIST_PAD_PERIOD = 3
};

/* A query: position -1 only pads, and has no keys. */
struct attention_list_row {
    int32_t seq, position;
};

/* Rows to compute, and how to cut them into items. */
struct attention_list_plan {
    struct attention_list_row rows[ATTENTION_LIST_ROWS_MAX];
    int32_t row_count, item_rows;
    bool is_padded; /* after every third split comes an item that only pads */
};

/* Which pages sequences have: page p of sequence s is numbers[s * each + p]. */
struct attention_list_pages {
    const int32_t *numbers;
    int32_t each;
};

struct attention_list {
    struct attention_item items[ATTENTION_LIST_ENTRIES_MAX];
    int32_t pages[ATTENTION_LIST_PAGES_MAX];
    int32_t rows[ATTENTION_LIST_ENTRIES_MAX];
    int32_t partials_first[ATTENTION_LIST_ROWS_MAX + 1];
    int32_t page_count, row_count;
    struct attention_work work; /* of these arrays */
};

/* The pages of a row's sequence from a key on. */
static inline const int32_t *attention_list_from(const struct attention_list_pages *pages,
                                                 const struct attention_list_row *row,
                                                 int32_t begin)
{
    return pages->numbers + row->seq * pages->each + begin / KV_PAGE_TOKENS;
}

/* Closes the last item: its keys and pages follow from its rows. */
static inline void attention_list_close(struct attention_list *list,
                                        const struct attention_list_plan *plan,
                                        const struct attention_list_pages *pages)
{
    struct attention_item *item = &list->items[list->work.item_count++];
    const struct attention_list_row *first = &plan->rows[list->rows[item->rows_first]];
    for (int32_t i = 0; i < item->row_count; i++) {
        const struct attention_list_row *row = &plan->rows[list->rows[item->rows_first + i]];
        const int32_t seen = row->position + 1 - item->kv_begin;
        item->kv_count = seen > item->kv_count ? seen : item->kv_count;
    }
    item->kv_count = item->kv_count < list->work.split ? item->kv_count : list->work.split;
    item->pages_first = list->page_count;
    for (int32_t p = 0; p * KV_PAGE_TOKENS < item->kv_count; p++)
        list->pages[list->page_count++] = attention_list_from(pages, first, item->kv_begin)[p];
}

/* The items of the split that begins there; false: no row reaches it. */
static inline bool attention_list_split(struct attention_list *list,
                                        const struct attention_list_plan *plan,
                                        const struct attention_list_pages *pages, int32_t begin)
{
    const int32_t whole = list->work.split / KV_PAGE_TOKENS;
    const int32_t left = pages->each - begin / KV_PAGE_TOKENS;
    const size_t bytes = (size_t)(whole < left ? whole : left) * sizeof(int32_t);
    const int32_t before = list->work.item_count;
    bool done[ATTENTION_LIST_ROWS_MAX] = {false};
    for (int32_t r = 0; r < plan->row_count; r++) {
        if (done[r] || plan->rows[r].position < begin)
            continue;
        const int32_t *own = attention_list_from(pages, &plan->rows[r], begin);
        struct attention_item *item = &list->items[list->work.item_count];
        *item = (struct attention_item){.kv_begin = begin, .rows_first = list->row_count};
        for (int32_t o = r; o < plan->row_count && item->row_count < plan->item_rows; o++) {
            if (done[o] || plan->rows[o].position < begin ||
                memcmp(own, attention_list_from(pages, &plan->rows[o], begin), bytes) != 0)
                continue;
            done[o] = true;
            list->rows[list->row_count++] = o;
            item->row_count++;
        }
        attention_list_close(list, plan, pages);
    }
    return list->work.item_count > before;
}

/* The whole list for splits of so many keys; free() takes it. NULL: no memory. */
static inline struct attention_list *attention_list_new(
    const struct attention_list_plan *plan, const struct attention_list_pages *pages,
    int32_t split)
{
    struct attention_list *list = calloc(1, sizeof *list);
    if (!list)
        return NULL;
    list->work = (struct attention_work){.items = list->items,
                                         .pages = list->pages,
                                         .rows = list->rows,
                                         .partials_first = list->partials_first,
                                         .split = split};
    for (int32_t i = 0; attention_list_split(list, plan, pages, i * split); i++) {
        if (plan->is_padded && i % ATTENTION_LIST_PAD_PERIOD == 0)
            list->items[list->work.item_count++] = (struct attention_item){.kv_begin = 0};
    }
    for (int32_t r = 0; r < plan->row_count; r++) {
        const int32_t position = plan->rows[r].position;
        list->partials_first[r + 1] =
            list->partials_first[r] + (position < 0 ? 0 : position / split + 1);
    }
    list->work.partial_count = list->partials_first[plan->row_count];
    assert(list->work.item_count <= ATTENTION_LIST_ENTRIES_MAX);
    assert(list->row_count <= ATTENTION_LIST_ENTRIES_MAX);
    assert(list->page_count <= ATTENTION_LIST_PAGES_MAX);
    return list;
}

#endif
