/* methods_set - methods of set and frozenset. */
#include "protocol/dsl/methods.h"

#include "protocol/dsl/args.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/iter.h"
#include "protocol/dsl/sets.h"
#include "protocol/dsl/str.h"
#include "protocol/dsl/views.h"

static bool add(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"set.add", 1, 1, {NULL}, {NULL}};
    struct value values[1];
    *out = value_none();
    return args_bind(in, &SPEC, args, values) &&
           dict_set(in, args->self.as.dict, values[0], value_none());
}

/* A set that is looked for is taken as it stands, though it is not hashable. */
static bool take_out(struct interp *in, const struct args *args, struct value key,
                     struct value *removed)
{
    struct dict copy;
    if (key.kind == VALUE_SET && !key.as.dict->frozen) {
        copy = *key.as.dict;
        copy.frozen = true;
        key.as.dict = &copy;
    }
    return dict_remove(in, args->self.as.dict, key, removed);
}

static bool discard(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"set.discard", 1, 1, {NULL}, {NULL}};
    struct value values[1], removed;
    *out = value_none();
    return args_bind(in, &SPEC, args, values) && take_out(in, args, values[0], &removed);
}

static bool remove_item(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"set.remove", 1, 1, {NULL}, {NULL}};
    struct value values[1], removed;
    *out = value_none();
    if (!args_bind(in, &SPEC, args, values) || !take_out(in, args, values[0], &removed))
        return false;
    return removed.kind != VALUE_UNSET || exception_raise_value(in, &exception_key, values[0]);
}

static bool pop(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"pop", 0, 0, {NULL}, {NULL}};
    uint32_t at = 0;
    if (!args_bind(in, &SPEC, args, NULL))
        return false;
    struct dict_entry *entry = dict_next(args->self.as.dict, &at);
    if (!entry) {
        struct str *message = str_copy(in, TEXT("pop from an empty set"));
        return message && exception_raise_value(in, &exception_key, value_str(message));
    }
    *out = entry->key;
    dict_remove_entry(args->self.as.dict, entry);
    return interp_charge(in, at / 4); /* removed entries were passed over */
}

static bool clear(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"clear", 0, 0, {NULL}, {NULL}};
    *out = value_none();
    if (!args_bind(in, &SPEC, args, NULL))
        return false;
    dict_clear(args->self.as.dict);
    return true;
}

static bool copy(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"copy", 0, 0, {NULL}, {NULL}};
    if (!args_bind(in, &SPEC, args, NULL))
        return false;
    struct dict *set = dict_copy(in, args->self.as.dict);
    *out = value_set(set);
    if (set)
        set->frozen = args->self.as.dict->frozen;
    return set != NULL;
}

/* Any iterable as a set; a set as it is. */
static struct dict *as_set(struct interp *in, struct value value)
{
    if (value.kind == VALUE_SET)
        return value.as.dict;
    struct dict *set = dict_new(in);
    return set && dict_add_all(in, set, value) ? set : NULL;
}

/* self combined with each argument in turn; in place or as a new set. */
static bool combine(struct interp *in, const struct args *args, enum sets_operation operation,
                    bool in_place, struct value *out)
{
    struct dict *self = args->self.as.dict;
    struct dict *set = dict_copy(in, self);
    for (uint32_t i = 0; set && i < args->count; i++) {
        struct dict *other = as_set(in, args->values[i]);
        set = other ? sets_combine(in, operation, set, other) : NULL;
    }
    if (!set)
        return false;
    set->frozen = self->frozen;
    *out = value_set(set);
    if (!in_place)
        return true;
    *self = *set;
    *out = value_none();
    return true;
}

#define COMBINE(function, name, operation, in_place)                                           \
    static bool function(struct interp *in, const struct args *args, struct value *out)        \
    {                                                                                          \
        return args_no_keywords(in, args, name) &&                                             \
               combine(in, args, operation, in_place, out);                                    \
    }
#define COMBINE_ONE(function, operation, in_place)                                             \
    static bool function(struct interp *in, const struct args *args, struct value *out)        \
    {                                                                                          \
        static const struct args_spec SPEC = {#function, 1, 1, {NULL}, {NULL}};                \
        struct value other[1];                                                                 \
        return args_bind(in, &SPEC, args, other) &&                                            \
               combine(in, args, operation, in_place, out);                                    \
    }

COMBINE(union_, "union", SETS_UNION, false)
COMBINE(intersection, "intersection", SETS_INTERSECTION, false)
COMBINE(difference, "difference", SETS_DIFFERENCE, false)
COMBINE_ONE(symmetric_difference, SETS_SYMMETRIC, false)
COMBINE(update, "update", SETS_UNION, true)
COMBINE(intersection_update, "intersection_update", SETS_INTERSECTION, true)
COMBINE(difference_update, "difference_update", SETS_DIFFERENCE, true)
COMBINE_ONE(symmetric_difference_update, SETS_SYMMETRIC, true)

static bool issubset(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"issubset", 1, 1, {NULL}, {NULL}};
    struct value values[1];
    *out = value_bool(false);
    if (!args_bind(in, &SPEC, args, values))
        return false;
    const struct dict *other = as_set(in, values[0]);
    return other && sets_is_subset(in, args->self.as.dict, other, &out->as.boolean);
}

/* Whether an item of `other` is in the set, or is not, as `wanted` says. As in CPython the
 * first that is ends the search: an item behind it need not be hashable. */
static bool has_item(struct interp *in, const struct dict *set, struct value other, bool wanted,
                     bool *found)
{
    struct iter *iter = iter_of(in, other);
    struct dict_entry *entry;
    struct value item;
    *found = false;
    while (iter && !*found) {
        const enum iter_result result = iter_next(in, iter, &item);
        if (result != ITER_ITEM)
            return result == ITER_END;
        if (!dict_find(in, set, item, &entry))
            return false;
        *found = (entry != NULL) == wanted;
    }
    return iter != NULL;
}

/* *out: whether no item of the argument is in the set, or is not, as `wanted` says. */
static bool has_none(struct interp *in, const struct args *args, const char *name, bool wanted,
                     struct value *out)
{
    const struct args_spec spec = {name, 1, 1, {NULL}, {NULL}};
    struct value other[1];
    bool found = false;
    if (!args_bind(in, &spec, args, other) ||
        !has_item(in, args->self.as.dict, other[0], wanted, &found))
        return false;
    *out = value_bool(!found);
    return true;
}

static bool issuperset(struct interp *in, const struct args *args, struct value *out)
{
    return has_none(in, args, "issuperset", false, out);
}

static bool isdisjoint(struct interp *in, const struct args *args, struct value *out)
{
    return has_none(in, args, "isdisjoint", true, out);
}

static bool view_isdisjoint(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"isdisjoint", 1, 1, {NULL}, {NULL}};
    struct value pair[2] = {args->self};
    *out = value_bool(false);
    return args_bind(in, &SPEC, args, &pair[1]) &&
           views_is_disjoint(in, pair, &out->as.boolean);
}

const struct methods_row methods_view_table[] = {{"isdisjoint", view_isdisjoint}, {NULL, NULL}};

/* What leaves the set as it is; a frozenset has no more. */
const struct methods_row methods_frozen_table[] = {
    {"copy", copy},
    {"union", union_},
    {"intersection", intersection},
    {"difference", difference},
    {"symmetric_difference", symmetric_difference},
    {"issubset", issubset},
    {"issuperset", issuperset},
    {"isdisjoint", isdisjoint},
    {NULL, NULL},
};

const struct methods_row methods_set_table[] = {
    {"add", add},
    {"discard", discard},
    {"remove", remove_item},
    {"pop", pop},
    {"clear", clear},
    {"update", update},
    {"intersection_update", intersection_update},
    {"difference_update", difference_update},
    {"symmetric_difference_update", symmetric_difference_update},
    {NULL, NULL},
};
