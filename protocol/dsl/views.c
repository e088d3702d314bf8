/* views - see views.h. */
#include "protocol/dsl/views.h"

#include "protocol/dsl/compare.h"
#include "protocol/dsl/dict.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/iter.h"
#include "protocol/dsl/list.h"

static struct dict *viewed(struct value view)
{
    return view.as.iter->source.as.dict;
}

static struct dict *as_set(struct interp *in, struct value value)
{
    struct dict *set = dict_new(in);
    return set && dict_add_all(in, set, value) ? set : NULL;
}

/* Goes through walked up to what is in asked, too; item is that one, or unset at the end. */
static bool next_common(struct interp *in, struct iter *walked, struct value asked,
                        struct value *item)
{
    bool common = false;
    while (!common) {
        const enum iter_result result = iter_next(in, walked, item);
        if (result == ITER_RAISED)
            return false;
        if (result == ITER_END) {
            item->kind = VALUE_UNSET;
            return true;
        }
        if (!compare_contains(in, asked, *item, &common))
            return false;
    }
    return true;
}

/* Which one is gone through shows in what has to be hashable. CPython goes through a view that
 * is no larger than a set, and through the smaller of two views. */
static struct dict *intersect(struct interp *in, const struct value pair[2])
{
    const bool swapped = !iter_is_set_view(pair[0]);
    struct value asked = pair[swapped], walked = pair[!swapped];
    const uint32_t count = viewed(asked)->count;
    if ((walked.kind == VALUE_SET && !walked.as.dict->frozen &&
         count <= walked.as.dict->count) ||
        (iter_is_set_view(walked) && viewed(walked)->count > count)) {
        walked = pair[swapped];
        asked = pair[!swapped];
    }
    struct dict *out = dict_new(in);
    struct iter *iter = out ? iter_of(in, walked) : NULL;
    struct value item = value_none();
    while (iter && item.kind != VALUE_UNSET)
        if (!next_common(in, iter, asked, &item) ||
            (item.kind != VALUE_UNSET && !dict_set(in, out, item, value_none())))
            return NULL;
    return iter ? out : NULL;
}

static struct dict *subtract(struct interp *in, const struct value pair[2])
{
    struct dict *out = as_set(in, pair[0]);
    struct iter *iter = out ? iter_of(in, pair[1]) : NULL;
    enum iter_result result = iter ? ITER_ITEM : ITER_RAISED;
    while (result == ITER_ITEM) {
        struct value item, removed;
        result = iter_next(in, iter, &item);
        if (result == ITER_ITEM && !dict_remove(in, out, item, &removed))
            return NULL;
    }
    return result == ITER_END ? out : NULL;
}

/* Items of two dicts: where both have the same value nothing is hashed but the key. */
static struct dict *items_of_one(struct interp *in, const struct dict *a, const struct dict *b)
{
    struct dict *rest = dict_new(in), *out = dict_new(in);
    uint32_t at = 0;
    if (!rest || !out || !dict_merge(in, rest, a))
        return NULL;
    for (const struct dict_entry *entry; (entry = dict_next(b, &at)) != NULL;) {
        const struct value pair[2] = {entry->key, entry->value};
        struct dict_entry *found;
        bool equal = false;
        if (!interp_charge(in, 1) || !dict_find(in, rest, entry->key, &found) ||
            (found && !compare_equal(in, found->value, entry->value, &equal)))
            return NULL;
        if (equal) {
            dict_remove_entry(rest, found);
            continue;
        }
        struct list *item = list_of(in, pair, 2);
        if (!item || !dict_set(in, out, value_tuple(item), value_none()))
            return NULL;
    }
    struct iter *left = iter_of_dict(in, rest, ITER_ITEMS);
    return left && dict_add_all(in, out, iter_value(left)) ? out : NULL;
}

static bool is_items(struct value value)
{
    return iter_is_set_view(value) && value.as.iter->stride == ITER_ITEMS;
}

struct dict *views_combine(struct interp *in, enum sets_operation operation,
                           const struct value pair[2])
{
    if (operation == SETS_INTERSECTION)
        return intersect(in, pair);
    if (operation == SETS_DIFFERENCE)
        return subtract(in, pair);
    if (operation == SETS_SYMMETRIC && is_items(pair[0]) && is_items(pair[1]))
        return items_of_one(in, viewed(pair[0]), viewed(pair[1]));
    struct dict *left = as_set(in, pair[0]);
    struct dict *right = left ? as_set(in, pair[1]) : NULL;
    return right ? sets_combine(in, operation, left, right) : NULL;
}

bool views_is_disjoint(struct interp *in, const struct value pair[2], bool *disjoint)
{
    const struct value other = pair[1];
    const bool sized = other.kind == VALUE_SET || iter_is_set_view(other);
    const uint32_t count = other.kind == VALUE_SET ? other.as.dict->count
                           : sized                 ? viewed(other)->count
                                                   : 0;
    const bool swapped = count > viewed(pair[0])->count; /* the smaller one is gone through */
    struct iter *iter = iter_of(in, pair[!swapped]);
    struct value item;
    if (!iter || !next_common(in, iter, pair[swapped], &item))
        return false;
    *disjoint = item.kind == VALUE_UNSET;
    return true;
}
