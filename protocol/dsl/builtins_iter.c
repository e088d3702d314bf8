/* builtins_iter - built-in functions that go through iterables; see builtins.h. */
#include "protocol/dsl/builtins.h"

#include "protocol/dsl/args.h"
#include "protocol/dsl/compare.h"
#include "protocol/dsl/eval.h"
#include "protocol/dsl/iter.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/number.h"
#include "protocol/dsl/type.h"

static enum iter_result step_enumerate(struct interp *in, struct iter *iter, struct value *out)
{
    struct value pair[2] = {value_int(iter->at)};
    const enum iter_result result = iter_next(in, iter->source.as.iter, &pair[1]);
    if (result != ITER_ITEM)
        return result;
    const struct value next[2] = {pair[0], value_int(1)};
    struct value sum;
    if (iter->left > 0 && !number_binary(in, AST_ADD, next, &sum))
        return ITER_RAISED; /* the one before was the last that fits */
    iter->left = iter->at == INT64_MAX;
    iter->at += iter->at != INT64_MAX;
    *out = value_tuple(list_of(in, pair, 2));
    return out->as.list ? ITER_ITEM : ITER_RAISED;
}

static bool enumerate(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"enumerate", 1, 2, {"iterable", "start"}, {NULL}};
    struct value values[2];
    int64_t start = 0;
    if (!args_bind(in, &SPEC, args, values) || !args_int(in, values[1], &start))
        return false;
    struct iter *source = iter_of(in, values[0]);
    struct iter *iter = source ? iter_new(in, step_enumerate, "enumerate") : NULL;
    if (!iter)
        return false;
    iter->source = iter_value(source);
    iter->at = start;
    *out = iter_value(iter);
    return true;
}

/* Iterators of all arguments, in a list. */
static struct list *iters_of(struct interp *in, const struct value *values, uint32_t count)
{
    struct list *list = list_new(in, count);
    for (uint32_t i = 0; list && i < count; i++) {
        struct iter *iter = iter_of(in, values[i]);
        if (!iter || !list_push(in, list, iter_value(iter)))
            return NULL;
    }
    return list;
}

/* The next item of each; ITER_END as soon as one ends (at *ended). */
static enum iter_result step_all(struct interp *in, const struct list *iters,
                                 struct list *items, uint32_t *ended)
{
    for (uint32_t i = 0; i < iters->count; i++) {
        struct value item;
        const enum iter_result result = iter_next(in, iters->items[i].as.iter, &item);
        *ended = i;
        if (result != ITER_ITEM)
            return result;
        if (!list_push(in, items, item))
            return ITER_RAISED;
    }
    return iters->count > 0 ? ITER_ITEM : ITER_END;
}

static enum iter_result step_zip(struct interp *in, struct iter *iter, struct value *out)
{
    const struct list *iters = iter->source.as.list;
    struct list *items = list_new(in, iters->count);
    uint32_t ended = 0;
    if (!items)
        return ITER_RAISED;
    const enum iter_result result = step_all(in, iters, items, &ended);
    *out = value_tuple(items);
    if (result != ITER_END || iter->at == 0 || iters->count == 0)
        return result;
    struct value extra; /* strict: all must end here */
    for (uint32_t i = ended + 1; ended == 0 && i < iters->count; i++)
        if (iter_next(in, iters->items[i].as.iter, &extra) == ITER_ITEM)
            ended = i;
        else if (in->raised || in->out_of_budget)
            return ITER_RAISED;
    if (items->count == 0 && ended == 0)
        return ITER_END;
    exception_raise(in, &exception_value, "zip() argument %u is %s than argument%s", ended + 1,
                    items->count == 0 ? "longer" : "shorter", ended == 1 ? " 1" : "s 1-2");
    return ITER_RAISED;
}

static bool zip(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"zip", 0, 0, {NULL}, {"strict"}};
    struct args named = *args;
    struct value strict[1];
    named.count = 0;
    if (!args_bind(in, &SPEC, &named, strict))
        return false;
    struct list *iters = iters_of(in, args->values, args->count);
    struct iter *iter = iters ? iter_new(in, step_zip, "zip") : NULL;
    if (!iter)
        return false;
    iter->source = value_list(iters);
    iter->at = compare_truth(strict[0]);
    *out = iter_value(iter);
    return true;
}

static enum iter_result step_map(struct interp *in, struct iter *iter, struct value *out)
{
    const struct list *iters = iter->source.as.list;
    struct list *items = list_new(in, iters->count);
    uint32_t ended;
    if (!items)
        return ITER_RAISED;
    const enum iter_result result = step_all(in, iters, items, &ended);
    if (result != ITER_ITEM)
        return result;
    const struct args args = {.values = items->items, .count = items->count};
    return eval_call_value(in, iter->other, &args, out) ? ITER_ITEM : ITER_RAISED;
}

static bool map(struct interp *in, const struct args *args, struct value *out)
{
    if (args->count < 2)
        return exception_raise(in, &exception_type, "map() must have at least two arguments.");
    struct list *iters = iters_of(in, args->values + 1, args->count - 1);
    struct iter *iter = iters ? iter_new(in, step_map, "map") : NULL;
    if (!iter)
        return false;
    iter->source = value_list(iters);
    iter->other = args->values[0];
    *out = iter_value(iter);
    return true;
}

static enum iter_result step_filter(struct interp *in, struct iter *iter, struct value *out)
{
    for (;;) {
        const enum iter_result result = iter_next(in, iter->source.as.iter, out);
        if (result != ITER_ITEM)
            return result;
        struct value verdict = *out;
        const struct args args = {.values = out, .count = 1};
        if (iter->other.kind != VALUE_NONE &&
            !eval_call_value(in, iter->other, &args, &verdict))
            return ITER_RAISED;
        if (compare_truth(verdict))
            return ITER_ITEM;
    }
}

static bool filter(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"filter", 2, 2, {NULL}, {NULL}};
    struct value values[2];
    if (!args_bind(in, &SPEC, args, values))
        return false;
    struct iter *source = iter_of(in, values[1]);
    struct iter *iter = source ? iter_new(in, step_filter, "filter") : NULL;
    if (!iter)
        return false;
    iter->source = iter_value(source);
    iter->other = values[0];
    *out = iter_value(iter);
    return true;
}

static bool sorted(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"sorted", 0, 1, {NULL}, {"key", "reverse"}};
    if (args->count != 1)
        return exception_raise(in, &exception_type, "sorted expected 1 argument, got %u",
                               args->count);
    struct value values[3];
    int64_t reverse = 0;
    if (!args_bind(in, &SPEC, args, values))
        return false;
    struct list *list = list_from(in, values[0]);
    *out = value_list(list);
    return list && args_c_int(in, values[2], &reverse) &&
           list_sort(in, list, values[1], reverse != 0);
}

static bool reversed(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"reversed", 1, 1, {NULL}, {NULL}};
    struct value values[1];
    if (!args_bind(in, &SPEC, args, values))
        return false;
    const bool view = values[0].kind == VALUE_ITER && iter_is_view(values[0].as.iter);
    if (values[0].kind == VALUE_SET || (values[0].kind == VALUE_ITER && !view))
        return exception_raise(in, &exception_type, "'%s' object is not reversible",
                               type_name(values[0]));
    struct list *list = list_from(in, values[0]);
    if (!list) {
        if (in->raised && values[0].kind != VALUE_DICT && !view)
            return exception_raise(in, &exception_type, "'%s' object is not reversible",
                                   type_name(values[0]));
        return false;
    }
    for (uint32_t i = 0; i < list->count / 2; i++) {
        const struct value swap = list->items[i];
        list->items[i] = list->items[list->count - 1 - i];
        list->items[list->count - 1 - i] = swap;
    }
    struct iter *iter = iter_of_list(in, list);
    *out = iter_value(iter);
    if (iter)
        iter->type_name = "list_reverseiterator";
    return iter != NULL;
}

/* Neumaier's compensation is 3.12's: 3.11 adds floats plainly, from left to right. */
static bool sum(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"sum", 1, 2, {NULL, "start"}, {NULL}};
    struct value values[2], pair[2];
    if (!args_bind(in, &SPEC, args, values))
        return false;
    struct iter *iter = iter_of(in, values[0]);
    pair[0] = values[1].kind == VALUE_UNSET ? value_int(0) : values[1];
    if (iter && pair[0].kind == VALUE_STR)
        return exception_raise(in, &exception_type,
                               "sum() can't sum strings [use ''.join(seq) instead]");
    enum iter_result result = iter ? ITER_ITEM : ITER_RAISED;
    while (result == ITER_ITEM) {
        result = iter_next(in, iter, &pair[1]);
        if (result == ITER_ITEM && !eval_binary(in, AST_ADD, pair, false, &pair[0]))
            return false;
    }
    *out = pair[0];
    return result == ITER_END;
}

static bool key_of(struct interp *in, struct value function, const struct value *item,
                   struct value *key)
{
    const struct args args = {.values = item, .count = 1};
    *key = *item;
    return function.kind == VALUE_UNSET || function.kind == VALUE_NONE ||
           eval_call_value(in, function, &args, key);
}

static bool extreme(struct interp *in, const struct args *args, bool largest, struct value *out)
{
    const struct args_spec spec = {largest ? "max" : "min", 0, 0, {NULL}, {"key", "default"}};
    struct args named = *args;
    struct value options[2], item, keys[2];
    bool any = false;
    named.count = 0;
    if (!args_bind(in, &spec, &named, options))
        return false;
    if (args->count == 0)
        return exception_raise(in, &exception_type, "%s expected at least 1 argument, got 0",
                               spec.function);
    struct list *all = args->count > 1 ? list_of(in, args->values, args->count) : NULL;
    struct iter *iter =
        args->count > 1 ? (all ? iter_of_list(in, all) : NULL) : iter_of(in, args->values[0]);
    enum iter_result result = iter ? ITER_ITEM : ITER_RAISED;
    while (result == ITER_ITEM) {
        bool better = true;
        result = iter_next(in, iter, &item);
        if (result != ITER_ITEM)
            break;
        if (!key_of(in, options[0], &item, &keys[0]) ||
            (any && !compare_ordered(in, largest ? COMPARE_GT : COMPARE_LT, keys, &better)))
            return false;
        if (better) {
            *out = item;
            keys[1] = keys[0];
        }
        any = true;
    }
    if (result == ITER_RAISED || any)
        return result == ITER_END;
    *out = options[1];
    return out->kind != VALUE_UNSET ||
           exception_raise(in, &exception_value, "%s() arg is an empty sequence",
                           spec.function);
}

static bool max(struct interp *in, const struct args *args, struct value *out)
{
    return extreme(in, args, true, out);
}

static bool min(struct interp *in, const struct args *args, struct value *out)
{
    return extreme(in, args, false, out);
}

/* any and all: goes on until an item's truth is stop. */
static bool until(struct interp *in, const struct args *args, const char *name, bool stop,
                  struct value *out)
{
    const struct args_spec spec = {name, 1, 1, {NULL}, {NULL}};
    struct value values[1], item;
    if (!args_bind(in, &spec, args, values))
        return false;
    struct iter *iter = iter_of(in, values[0]);
    enum iter_result result = iter ? ITER_ITEM : ITER_RAISED;
    *out = value_bool(!stop);
    while (result == ITER_ITEM && out->as.boolean != stop) {
        result = iter_next(in, iter, &item);
        if (result == ITER_ITEM && compare_truth(item) == stop)
            *out = value_bool(stop);
    }
    return result != ITER_RAISED;
}

static bool any(struct interp *in, const struct args *args, struct value *out)
{
    return until(in, args, "any", true, out);
}

static bool all(struct interp *in, const struct args *args, struct value *out)
{
    return until(in, args, "all", false, out);
}

static bool iter(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"iter", 1, 1, {NULL}, {NULL}};
    struct value values[1];
    if (!args_bind(in, &SPEC, args, values))
        return false;
    struct iter *made = iter_of(in, values[0]);
    *out = iter_value(made);
    return made != NULL;
}

static bool next(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"next", 1, 2, {NULL}, {NULL}};
    struct value values[2];
    if (!args_bind(in, &SPEC, args, values))
        return false;
    if (values[0].kind != VALUE_ITER)
        return exception_raise(in, &exception_type, "'%s' object is not an iterator",
                               type_name(values[0]));
    const enum iter_result result = iter_next(in, values[0].as.iter, out);
    if (result != ITER_END)
        return result == ITER_ITEM;
    *out = values[1];
    if (out->kind != VALUE_UNSET)
        return true;
    const struct args none = {.self = type_value(&exception_stop_iteration)};
    if (exception_construct(in, &none, out))
        in->raised = out->as.exception;
    return false;
}

const struct modules_member builtins_iter_table[] = {
    {.name = "enumerate", .call = enumerate},
    {.name = "zip", .call = zip},
    {.name = "map", .call = map},
    {.name = "filter", .call = filter},
    {.name = "sorted", .call = sorted},
    {.name = "reversed", .call = reversed},
    {.name = "sum", .call = sum},
    {.name = "max", .call = max},
    {.name = "min", .call = min},
    {.name = "any", .call = any},
    {.name = "all", .call = all},
    {.name = "iter", .call = iter},
    {.name = "next", .call = next},
    {.name = NULL},
};
