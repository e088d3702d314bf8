/*
 * list - see list.h.
 *
 * The sort is a bottom-up merge of runs, the runs of up to 16 sorted by insertion: stable, no
 * worst case beyond n log n, and a comparison that raises leaves the list as it was.
 */
#include "protocol/dsl/list.h"

#include "protocol/dsl/compare.h"
#include "protocol/dsl/eval.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/iter.h"

#include <string.h>

enum { CAPACITY_FIRST = 8, RUN = 16 };

struct list *list_new(struct interp *in, uint32_t capacity)
{
    struct list *list = INTERP_NEW(in, struct list);
    if (!list)
        return NULL;
    if (capacity > 0) {
        list->items = interp_alloc(in, capacity, sizeof *list->items);
        if (!list->items)
            return NULL;
    }
    list->capacity = capacity;
    return list;
}

static bool reserve(struct interp *in, struct list *list, uint32_t more)
{
    if (more <= list->capacity - list->count)
        return true;
    uint64_t capacity = list->capacity ? (uint64_t)list->capacity * 2 : CAPACITY_FIRST;
    if (capacity < (uint64_t)list->count + more)
        capacity = (uint64_t)list->count + more;
    if (capacity > UINT32_MAX)
        return interp_trip(in, "a list grew past %u elements", UINT32_MAX);
    struct value *items = interp_alloc(in, capacity, sizeof *items);
    if (!items)
        return false;
    if (list->count > 0)
        memcpy(items, list->items, list->count * sizeof *items);
    list->items = items;
    list->capacity = (uint32_t)capacity;
    return true;
}

struct list *list_of(struct interp *in, const struct value *items, uint32_t count)
{
    struct list *list = list_new(in, count);
    if (!list || !list_extend(in, list, items, count))
        return NULL;
    return list;
}

bool list_push(struct interp *in, struct list *list, struct value item)
{
    if (list->count == list->capacity && !reserve(in, list, 1))
        return false;
    list->items[list->count++] = item;
    return true;
}

bool list_extend(struct interp *in, struct list *list, const struct value *items,
                 uint32_t count)
{
    if (count == 0)
        return true;
    if (!interp_charge(in, count / 4) || !reserve(in, list, count))
        return false;
    memcpy(list->items + list->count, items, count * sizeof *items);
    list->count += count;
    return true;
}

bool list_splice(struct interp *in, struct list *list, uint32_t begin, uint32_t removed,
                 const struct list *items)
{
    const uint32_t tail = list->count - begin - removed, count = items->count;
    if (items == list) {
        items = list_of(in, items->items, count);
        if (!items)
            return false;
    }
    if (!interp_charge(in, ((uint64_t)tail + count) / 4) ||
        (count > removed && !reserve(in, list, count - removed)))
        return false;
    if (tail > 0)
        memmove(list->items + begin + count, list->items + begin + removed,
                tail * sizeof *list->items);
    if (count > 0)
        memcpy(list->items + begin, items->items, count * sizeof *list->items);
    list->count = begin + count + tail;
    return true;
}

struct list *list_slice(struct interp *in, const struct list *list, uint32_t begin,
                        uint32_t count)
{
    return list_of(in, count > 0 ? list->items + begin : NULL, count);
}

struct list *list_repeat(struct interp *in, const struct list *list, int64_t times)
{
    const uint64_t count = times > 0 ? list->count : 0;
    if (count > 0 && (uint64_t)times > in->limits.bytes / (count * sizeof *list->items)) {
        interp_trip(in, "the program used up its %zu bytes of memory", in->limits.bytes);
        return NULL;
    }
    struct list *out = list_new(in, (uint32_t)(count * (uint64_t)(times > 0 ? times : 0)));
    for (int64_t i = 0; out && count > 0 && i < times; i++)
        if (!list_extend(in, out, list->items, list->count))
            return NULL;
    return out;
}

struct list *list_from(struct interp *in, struct value iterable)
{
    if (iterable.kind == VALUE_LIST || iterable.kind == VALUE_TUPLE)
        return list_of(in, iterable.as.list->items, iterable.as.list->count);
    struct iter *iter = iter_of(in, iterable);
    struct list *list = iter ? list_new(in, 0) : NULL;
    enum iter_result result = ITER_ITEM;
    while (list && result == ITER_ITEM) {
        struct value item;
        result = iter_next(in, iter, &item);
        if (result == ITER_ITEM && !list_push(in, list, item))
            return NULL;
    }
    return result == ITER_END ? list : NULL;
}

struct sort_item {
    struct value key, item;
};

/* Whether a must come after b. With reverse, equal keys still keep their order. */
static bool comes_after(struct interp *in, const struct sort_item *a, const struct sort_item *b,
                        bool reverse, bool *after)
{
    return reverse ? compare_less(in, a->key, b->key, after)
                   : compare_less(in, b->key, a->key, after);
}

static bool sort_run(struct interp *in, struct sort_item *items, size_t count, bool reverse)
{
    for (size_t i = 1; i < count; i++) {
        const struct sort_item moving = items[i];
        size_t at = i;
        bool after = true;
        while (at > 0) {
            if (!comes_after(in, &items[at - 1], &moving, reverse, &after))
                return false;
            if (!after)
                break;
            items[at] = items[at - 1];
            at--;
        }
        items[at] = moving;
    }
    return true;
}

struct merge {
    const struct sort_item *from;
    struct sort_item *to;
    size_t begin, middle, end;
};

static bool merge_runs(struct interp *in, const struct merge *m, bool reverse)
{
    size_t left = m->begin, right = m->middle;
    for (size_t at = m->begin; at < m->end; at++) {
        bool take_right = left == m->middle;
        if (!take_right && right < m->end &&
            !comes_after(in, &m->from[left], &m->from[right], reverse, &take_right))
            return false;
        m->to[at] = take_right ? m->from[right++] : m->from[left++];
    }
    return true;
}

static bool sort_items(struct interp *in, struct sort_item **items, size_t count, bool reverse)
{
    struct sort_item *from = *items;
    for (size_t at = 0; at < count; at += RUN)
        if (!sort_run(in, from + at, count - at < RUN ? count - at : RUN, reverse))
            return false;
    if (count <= RUN)
        return true;
    struct sort_item *to = interp_alloc(in, count, sizeof *to);
    for (size_t width = RUN; to && width < count; width *= 2) {
        for (size_t at = 0; at < count; at += 2 * width) {
            struct merge m = {from, to, at, at + width, at + 2 * width};
            m.middle = m.middle < count ? m.middle : count;
            m.end = m.end < count ? m.end : count;
            if (!merge_runs(in, &m, reverse))
                return false;
        }
        struct sort_item *other = from;
        from = to;
        to = other;
    }
    *items = from;
    return to != NULL;
}

static bool sort_into(struct interp *in, const struct list *list, struct value key,
                      bool reverse)
{
    const uint32_t count = list->count;
    struct sort_item *items = interp_alloc(in, (size_t)count + 1, sizeof *items);
    if (!items)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        items[i] = (struct sort_item){list->items[i], list->items[i]};
        const struct args args = {.values = &items[i].item, .count = 1};
        if (key.kind != VALUE_UNSET && key.kind != VALUE_NONE &&
            !eval_call_value(in, key, &args, &items[i].key))
            return false;
    }
    if (!interp_charge(in, count) || !sort_items(in, &items, count, reverse))
        return false;
    for (uint32_t i = 0; i < count; i++)
        list->items[i] = items[i].item;
    return true;
}

bool list_sort(struct interp *in, struct list *list, struct value key, bool reverse)
{
    const struct list whole = *list;
    *list = (struct list){0}; /* while it is sorted, the key function sees it empty */
    const bool sorted = sort_into(in, &whole, key, reverse);
    const bool modified = list->count != 0 || list->items;
    *list = whole;
    if (sorted && modified)
        return exception_raise(in, &exception_value, "list modified during sort");
    return sorted;
}
