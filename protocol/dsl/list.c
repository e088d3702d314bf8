/*
 * list - see list.h.
 *
 * The sort is a bottom-up merge of runs of 32 to 64 items: stable, no worst case beyond
 * n log n, and a comparison that raises leaves the list as it was. Which two are compared first
 * shows where they have no order, so a run is made as CPython makes it: what is in order stays,
 * the rest is put in by bisection. In reverse is forwards between two turnings.
 */
#include "protocol/dsl/list.h"

#include "protocol/dsl/compare.h"
#include "protocol/dsl/eval.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/iter.h"

#include <string.h>

enum { CAPACITY_FIRST = 8, RUN_MAX = 64 };

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

static void turn(struct sort_item *items, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        const struct sort_item item = items[i];
        items[i] = items[count - 1 - i];
        items[count - 1 - i] = item;
    }
}

static bool is_less(struct interp *in, const struct sort_item *a, const struct sort_item *b,
                    bool *less)
{
    return compare_less(in, a->key, b->key, less);
}

/* How many from the beginning are in order, or strictly in the opposite one: then turned. */
static bool count_run(struct interp *in, struct sort_item *items, size_t count, size_t *run)
{
    bool falls = false, less = false;
    *run = count < 2 ? count : 2;
    if (count < 2)
        return true;
    if (!is_less(in, &items[1], &items[0], &falls))
        return false;
    for (; *run < count; ++*run) {
        if (!is_less(in, &items[*run], &items[*run - 1], &less))
            return false;
        if (less != falls)
            break;
    }
    if (falls)
        turn(items, *run);
    return true;
}

static bool sort_run(struct interp *in, struct sort_item *items, size_t count)
{
    size_t sorted;
    if (!count_run(in, items, count, &sorted))
        return false;
    for (; sorted < count; sorted++) {
        const struct sort_item moving = items[sorted];
        size_t low = 0, high = sorted;
        while (low < high) {
            const size_t middle = low + (high - low) / 2;
            bool less;
            if (!is_less(in, &moving, &items[middle], &less))
                return false;
            if (less)
                high = middle;
            else
                low = middle + 1;
        }
        memmove(items + low + 1, items + low, (sorted - low) * sizeof *items);
        items[low] = moving;
    }
    return true;
}

struct merge {
    const struct sort_item *from;
    struct sort_item *to;
    size_t begin, middle, end;
};

static bool merge_runs(struct interp *in, const struct merge *m)
{
    size_t left = m->begin, right = m->middle;
    for (size_t at = m->begin; at < m->end; at++) {
        bool take_right = left == m->middle;
        if (!take_right && right < m->end &&
            !is_less(in, &m->from[right], &m->from[left], &take_right))
            return false;
        m->to[at] = take_right ? m->from[right++] : m->from[left++];
    }
    return true;
}

/* So long that their number is a power of two, or a little less. */
static size_t run_size(size_t count)
{
    size_t rest = 0;
    for (; count >= RUN_MAX; count /= 2)
        rest |= count % 2;
    return count + rest;
}

static bool sort_items(struct interp *in, struct sort_item **items, size_t count)
{
    struct sort_item *from = *items;
    const size_t run = run_size(count);
    for (size_t at = 0; at < count; at += run)
        if (!sort_run(in, from + at, count - at < run ? count - at : run))
            return false;
    if (count <= run)
        return true;
    struct sort_item *to = interp_alloc(in, count, sizeof *to);
    for (size_t width = run; to && width < count; width *= 2) {
        for (size_t at = 0; at < count; at += 2 * width) {
            struct merge m = {from, to, at, at + width, at + 2 * width};
            m.middle = m.middle < count ? m.middle : count;
            m.end = m.end < count ? m.end : count;
            if (!merge_runs(in, &m))
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
    if (reverse) /* equal ones keep their order */
        turn(items, count);
    if (!interp_charge(in, count) || !sort_items(in, &items, count))
        return false;
    if (reverse)
        turn(items, count);
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
