/*
 * modules_itertools - the module itertools; see modules.h.
 *
 * What can be endless or long is stepped item by item (chain, islice, count, cycle, repeat,
 * accumulate, takewhile, dropwhile, starmap, zip_longest, pairwise, product, combinations,
 * permutations, groupby).
 */
#include "protocol/dsl/modules.h"

#include "protocol/dsl/args.h"
#include "protocol/dsl/compare.h"
#include "protocol/dsl/eval.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/iter.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/modules_choices.h"
#include "protocol/dsl/number.h"
#include "protocol/dsl/type.h"

static bool put_iter(struct iter *iter, struct value *out)
{
    *out = iter_value(iter);
    return iter != NULL;
}

static bool call_one(struct interp *in, struct value function, struct value argument,
                     struct value *out)
{
    const struct args args = {.values = &argument, .count = 1};
    return eval_call_value(in, function, &args, out);
}

/* source: an iterator over iterables; other: the one that is gone through now. */
static enum iter_result step_chain(struct interp *in, struct iter *iter, struct value *out)
{
    for (;;) {
        if (iter->other.kind == VALUE_ITER) {
            const enum iter_result result = iter_next(in, iter->other.as.iter, out);
            if (result != ITER_END)
                return result;
        }
        struct value next;
        const enum iter_result result = iter_next(in, iter->source.as.iter, &next);
        if (result != ITER_ITEM)
            return result;
        struct iter *inner = iter_of(in, next);
        if (!inner)
            return ITER_RAISED;
        iter->other = iter_value(inner);
    }
}

static bool chain_of(struct interp *in, struct iter *source, struct value *out)
{
    struct iter *iter = source ? iter_new(in, step_chain, "itertools.chain") : NULL;
    if (iter)
        iter->source = iter_value(source);
    return put_iter(iter, out);
}

static bool chain(struct interp *in, const struct args *args, struct value *out)
{
    struct list *all = list_of(in, args->values, args->count);
    return args_no_keywords(in, args, "chain") &&
           chain_of(in, all ? iter_of_list(in, all) : NULL, out);
}

static bool from_iterable(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"chain.from_iterable", 1, 1, {NULL}, {NULL}};
    struct value values[1];
    return args_bind(in, &SPEC, args, values) && chain_of(in, iter_of(in, values[0]), out);
}

static enum iter_result step_islice(struct interp *in, struct iter *iter, struct value *out)
{
    /* at: items taken so far; stop: where it ends; other: the next one wanted */
    while (iter->other.as.integer < iter->stop) {
        const enum iter_result result = iter_next(in, iter->source.as.iter, out);
        if (result != ITER_ITEM)
            return result;
        if (iter->at++ == iter->other.as.integer) {
            if (iter->stride > INT64_MAX - iter->other.as.integer)
                iter->stop = 0;
            else
                iter->other.as.integer += iter->stride;
            return ITER_ITEM;
        }
    }
    return ITER_END;
}

static bool islice(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"islice", 2, 4, {NULL}, {NULL}};
    struct value values[4];
    int64_t at[3] = {0, INT64_MAX, 1};
    if (!args_bind(in, &SPEC, args, values))
        return false;
    const bool plain = values[2].kind == VALUE_UNSET; /* the stop alone */
    for (uint32_t i = 0; i < 3; i++) {
        const struct value value = plain ? values[1] : values[1 + i];
        if ((plain && i != 1) || value.kind == VALUE_NONE || value.kind == VALUE_UNSET)
            continue;
        at[i] = number_is_int(value) ? number_integer(value) : -1;
    }
    if (at[1] == -1)
        return exception_raise(in, &exception_value,
                               "Stop argument for islice() must be None or an integer: "
                               "0 <= x <= sys.maxsize.");
    if (at[0] < 0 || at[1] < 0)
        return exception_raise(in, &exception_value,
                               "Indices for islice() must be None or an integer: 0 <= x <= "
                               "sys.maxsize.");
    if (at[2] < 1)
        return exception_raise(in, &exception_value,
                               "Step for islice() must be a positive integer or None.");
    struct iter *source = iter_of(in, values[0]);
    struct iter *iter = source ? iter_new(in, step_islice, "itertools.islice") : NULL;
    if (iter) {
        iter->source = iter_value(source);
        iter->other = value_int(at[0]);
        iter->stop = at[1];
        iter->stride = at[2];
    }
    return put_iter(iter, out);
}

static enum iter_result step_count(struct interp *in, struct iter *iter, struct value *out)
{
    const struct value pair[2] = {iter->source, iter->other};
    *out = iter->source;
    return eval_binary(in, AST_ADD, pair, false, &iter->source) ? ITER_ITEM : ITER_RAISED;
}

static bool count(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"count", 0, 2, {"start", "step"}, {NULL}};
    struct value values[2];
    if (!args_bind(in, &SPEC, args, values))
        return false;
    for (uint32_t i = 0; i < 2; i++)
        if (values[i].kind != VALUE_UNSET && !number_is(values[i]))
            return exception_raise(in, &exception_type, "a number is required");
    struct iter *iter = iter_new(in, step_count, "itertools.count");
    if (iter) {
        iter->source = values[0].kind == VALUE_UNSET ? value_int(0) : values[0];
        iter->other = values[1].kind == VALUE_UNSET ? value_int(1) : values[1];
        if (number_is_int(iter->source) && number_is_int(iter->other) &&
            number_integer(iter->other) == 1) /* True, 2, 3 only with another step */
            iter->source = value_int(number_integer(iter->source));
    }
    return put_iter(iter, out);
}

static enum iter_result step_cycle(struct interp *in, struct iter *iter, struct value *out)
{
    const struct list *list = iter->source.as.list;
    (void)in;
    if (list->count == 0)
        return ITER_END;
    *out = list->items[iter->at];
    iter->at = (iter->at + 1) % list->count;
    return ITER_ITEM;
}

static bool cycle(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"cycle", 1, 1, {NULL}, {NULL}};
    struct value values[1];
    if (!args_bind(in, &SPEC, args, values))
        return false;
    struct list *list = list_from(in, values[0]);
    struct iter *iter = list ? iter_new(in, step_cycle, "itertools.cycle") : NULL;
    if (iter)
        iter->source = value_list(list);
    return put_iter(iter, out);
}

/* What several go through is kept in a list. */
static enum iter_result step_tee(struct interp *in, struct iter *iter, struct value *out)
{
    struct list *kept = iter->other.as.list;
    if (iter->at == kept->count) {
        struct value item;
        const enum iter_result result = iter_next(in, iter->source.as.iter, &item);
        if (result != ITER_ITEM)
            return result;
        if (!list_push(in, kept, item))
            return ITER_RAISED;
    }
    *out = kept->items[iter->at++];
    return ITER_ITEM;
}

static bool tee(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"tee", 1, 2, {NULL}, {NULL}};
    struct value values[2];
    int64_t count = 2;
    if (!args_bind(in, &SPEC, args, values) || !args_int(in, values[1], &count))
        return false;
    if (count < 0)
        return exception_raise(in, &exception_value, "n must be >= 0");
    struct list *all = list_new(in, 0), *kept = list_new(in, 0);
    struct iter *source = count > 0 ? iter_of(in, values[0]) : NULL;
    *out = value_tuple(all);
    for (int64_t i = 0; i < count; i++) {
        struct iter *iter = source && all && kept && interp_charge(in, 1)
                                ? iter_new(in, step_tee, "itertools._tee")
                                : NULL;
        if (!iter)
            return false;
        iter->source = iter_value(source);
        iter->other = value_list(kept);
        if (!list_push(in, all, iter_value(iter)))
            return false;
    }
    return all != NULL;
}

static enum iter_result step_repeat(struct interp *in, struct iter *iter, struct value *out)
{
    (void)in;
    if (iter->at >= iter->stop)
        return ITER_END;
    iter->at += iter->stop != INT64_MAX;
    *out = iter->source;
    return ITER_ITEM;
}

static bool repeat(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"repeat", 1, 2, {"object", "times"}, {NULL}};
    struct value values[2];
    int64_t times = INT64_MAX;
    if (!args_bind(in, &SPEC, args, values) || !args_int(in, values[1], &times))
        return false;
    struct iter *iter = iter_new(in, step_repeat, "itertools.repeat");
    if (iter) {
        iter->source = values[0];
        iter->stop = times;
    }
    return put_iter(iter, out);
}

static enum iter_result step_accumulate(struct interp *in, struct iter *iter, struct value *out)
{
    struct value *sum = iter->state, pair[2];
    enum iter_result result = ITER_ITEM;
    if (iter->at == 0 && sum->kind != VALUE_UNSET) { /* initial comes first */
        iter->at = 1;
        *out = *sum;
        return ITER_ITEM;
    }
    result = iter_next(in, iter->source.as.iter, &pair[1]);
    if (result != ITER_ITEM)
        return result;
    pair[0] = *sum;
    const struct args args = {.values = pair, .count = 2};
    if (sum->kind == VALUE_UNSET)
        *sum = pair[1];
    else if (!(iter->other.kind == VALUE_UNSET || iter->other.kind == VALUE_NONE
                   ? eval_binary(in, AST_ADD, pair, false, sum)
                   : eval_call_value(in, iter->other, &args, sum)))
        return ITER_RAISED;
    iter->at = 1;
    *out = *sum;
    return ITER_ITEM;
}

static bool accumulate(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {
        "accumulate", 1, 2, {"iterable", "func"}, {"initial"}};
    struct value values[3];
    struct value *sum = INTERP_NEW(in, struct value);
    if (!sum || !args_bind(in, &SPEC, args, values))
        return false;
    struct iter *source = iter_of(in, values[0]);
    struct iter *iter = source ? iter_new(in, step_accumulate, "itertools.accumulate") : NULL;
    if (iter) {
        if (values[2].kind != VALUE_NONE)
            *sum = values[2];
        iter->source = iter_value(source);
        iter->other = values[1];
        iter->state = sum;
    }
    return put_iter(iter, out);
}

/* at: 0 while the predicate decides; 1 when it has turned. */
static enum iter_result step_while(struct interp *in, struct iter *iter, struct value *out)
{
    const bool take = iter->stride == 1;
    while (!(take && iter->at == 1)) {
        struct value verdict = value_bool(false);
        const enum iter_result result = iter_next(in, iter->source.as.iter, out);
        if (result != ITER_ITEM || iter->at == 1)
            return result;
        if (!call_one(in, iter->other, *out, &verdict))
            return ITER_RAISED;
        const bool holds = compare_truth(verdict);
        iter->at = !holds;
        if (take == holds)
            return ITER_ITEM;
    }
    return ITER_END;
}

/* NAME(function, iterable), both kept for the step. */
static bool with_function(struct interp *in, const struct args *args, const char *name,
                          value_step *step, struct value *out)
{
    const struct args_spec spec = {name, 2, 2, {NULL}, {NULL}};
    struct value values[2];
    if (!args_bind(in, &spec, args, values))
        return false;
    struct iter *source = iter_of(in, values[1]);
    struct iter *iter = source ? iter_new(in, step, name) : NULL;
    if (iter) {
        iter->source = iter_value(source);
        iter->other = values[0];
        iter->stride = name[0] == 't'; /* takewhile */
    }
    return put_iter(iter, out);
}

static bool takewhile(struct interp *in, const struct args *args, struct value *out)
{
    return with_function(in, args, "takewhile", step_while, out);
}

static bool dropwhile(struct interp *in, const struct args *args, struct value *out)
{
    return with_function(in, args, "dropwhile", step_while, out);
}

static enum iter_result step_filterfalse(struct interp *in, struct iter *iter,
                                         struct value *out)
{
    while (true) {
        struct value verdict;
        const enum iter_result result = iter_next(in, iter->source.as.iter, out);
        if (result != ITER_ITEM)
            return result;
        verdict = *out;
        if (iter->other.kind != VALUE_NONE && !call_one(in, iter->other, *out, &verdict))
            return ITER_RAISED;
        if (!compare_truth(verdict))
            return ITER_ITEM;
    }
}

static bool filterfalse(struct interp *in, const struct args *args, struct value *out)
{
    return with_function(in, args, "filterfalse", step_filterfalse, out);
}

static enum iter_result step_compress(struct interp *in, struct iter *iter, struct value *out)
{
    while (true) {
        struct value chosen;
        enum iter_result result = iter_next(in, iter->source.as.iter, out);
        if (result == ITER_ITEM)
            result = iter_next(in, iter->other.as.iter, &chosen);
        if (result != ITER_ITEM || compare_truth(chosen))
            return result;
    }
}

static bool compress(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"compress", 2, 2, {"data", "selectors"}, {NULL}};
    struct value values[2];
    if (!args_bind(in, &SPEC, args, values))
        return false;
    struct iter *data = iter_of(in, values[0]);
    struct iter *selectors = data ? iter_of(in, values[1]) : NULL;
    struct iter *iter = selectors ? iter_new(in, step_compress, "itertools.compress") : NULL;
    if (iter) {
        iter->source = iter_value(data);
        iter->other = iter_value(selectors);
    }
    return put_iter(iter, out);
}

static enum iter_result step_starmap(struct interp *in, struct iter *iter, struct value *out)
{
    struct value item;
    const enum iter_result result = iter_next(in, iter->source.as.iter, &item);
    if (result != ITER_ITEM)
        return result;
    const struct list *items = list_from(in, item);
    if (!items)
        return ITER_RAISED;
    const struct args args = {.values = items->items, .count = items->count};
    return eval_call_value(in, iter->other, &args, out) ? ITER_ITEM : ITER_RAISED;
}

static bool starmap(struct interp *in, const struct args *args, struct value *out)
{
    return with_function(in, args, "starmap", step_starmap, out);
}

static enum iter_result step_longest(struct interp *in, struct iter *iter, struct value *out)
{
    struct list *iters = iter->source.as.list, *items = list_new(in, iters->count);
    bool any = false;
    for (uint32_t i = 0; items && i < iters->count; i++) {
        struct value item = iter->other;
        enum iter_result result = ITER_END;
        if (iters->items[i].kind == VALUE_ITER)
            result = iter_next(in, iters->items[i].as.iter, &item);
        if (result == ITER_RAISED)
            return result;
        if (result == ITER_END) {
            iters->items[i] = value_none();
            item = iter->other;
        }
        any |= result == ITER_ITEM;
        if (!list_push(in, items, item))
            return ITER_RAISED;
    }
    *out = value_tuple(items);
    return !items ? ITER_RAISED : any ? ITER_ITEM : ITER_END;
}

static bool zip_longest(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"zip_longest", 0, 0, {NULL}, {"fillvalue"}};
    struct args named = *args;
    struct value fill[1];
    named.count = 0;
    struct list *iters = list_new(in, args->count);
    if (!iters || !args_bind(in, &SPEC, &named, fill))
        return false;
    for (uint32_t i = 0; i < args->count; i++) {
        struct iter *each = iter_of(in, args->values[i]);
        if (!each || !list_push(in, iters, iter_value(each)))
            return false;
    }
    struct iter *iter = iter_new(in, step_longest, "itertools.zip_longest");
    if (iter) {
        iter->source = value_list(iters);
        iter->other = fill[0].kind == VALUE_UNSET ? value_none() : fill[0];
    }
    return put_iter(iter, out);
}

static enum iter_result step_pairwise(struct interp *in, struct iter *iter, struct value *out)
{
    struct value item;
    while (true) {
        const enum iter_result result = iter_next(in, iter->source.as.iter, &item);
        if (result != ITER_ITEM)
            return result;
        const struct value pair[2] = {iter->other, item};
        iter->other = item;
        if (pair[0].kind == VALUE_UNSET)
            continue;
        *out = value_tuple(list_of(in, pair, 2));
        return out->as.list ? ITER_ITEM : ITER_RAISED;
    }
}

static bool pairwise(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"pairwise", 1, 1, {NULL}, {NULL}};
    struct value values[1];
    if (!args_bind(in, &SPEC, args, values))
        return false;
    struct iter *source = iter_of(in, values[0]);
    struct iter *iter = source ? iter_new(in, step_pairwise, "itertools.pairwise") : NULL;
    if (iter)
        iter->source = iter_value(source);
    return put_iter(iter, out);
}

/* What groupby and its groups share; the source is gone through once, by whoever asks. */
struct groups {
    struct value target, key, item; /* of the group given last; of the item read last */
    const struct iter *group;       /* the only one that still has items */
};

/* Reads an item and its key. iter is groupby's: source, other is the key function. */
static enum iter_result groups_read(struct interp *in, struct iter *iter)
{
    struct groups *groups = iter->state;
    struct value item, key;
    const enum iter_result result = iter_next(in, iter->source.as.iter, &item);
    if (result != ITER_ITEM)
        return result;
    key = item;
    if (iter->other.kind != VALUE_UNSET && !call_one(in, iter->other, item, &key))
        return ITER_RAISED;
    groups->item = item;
    groups->key = key;
    return ITER_ITEM;
}

/* source: groupby's iterator; other: the key. Another group begun since then ends this one. */
static enum iter_result step_group(struct interp *in, struct iter *iter, struct value *out)
{
    struct iter *outer = iter->source.as.iter;
    struct groups *groups = outer->state;
    bool same;
    if (groups->group != iter)
        return ITER_END;
    if (groups->item.kind == VALUE_UNSET) {
        const enum iter_result result = groups_read(in, outer);
        if (result != ITER_ITEM)
            return result;
    }
    if (!compare_equal(in, iter->other, groups->key, &same))
        return ITER_RAISED;
    if (!same)
        return ITER_END;
    *out = groups->item;
    groups->item.kind = VALUE_UNSET;
    return ITER_ITEM;
}

static enum iter_result step_groupby(struct interp *in, struct iter *iter, struct value *out)
{
    struct groups *groups = iter->state;
    groups->group = NULL;
    for (bool same = true; same;) {
        same = groups->key.kind == VALUE_UNSET; /* nothing was read yet */
        if (!same && groups->target.kind == VALUE_UNSET)
            break;
        if (!same && !compare_equal(in, groups->target, groups->key, &same))
            return ITER_RAISED;
        const enum iter_result result = same ? groups_read(in, iter) : ITER_ITEM;
        if (result != ITER_ITEM)
            return result;
    }
    struct iter *group = iter_new(in, step_group, "itertools._grouper");
    if (!group)
        return ITER_RAISED;
    group->source = iter_value(iter);
    group->other = groups->target = groups->key;
    groups->group = group;
    const struct value pair[2] = {groups->key, iter_value(group)};
    *out = value_tuple(list_of(in, pair, 2));
    return out->as.list ? ITER_ITEM : ITER_RAISED;
}

/* Neighbours with equal keys, each time as (key, iterator). */
static bool groupby(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"groupby", 1, 2, {"iterable", "key"}, {NULL}};
    struct value values[2];
    struct groups *groups = INTERP_NEW(in, struct groups);
    if (!groups || !args_bind(in, &SPEC, args, values))
        return false;
    struct iter *source = iter_of(in, values[0]);
    struct iter *iter = source ? iter_new(in, step_groupby, "groupby") : NULL;
    if (!iter)
        return false;
    iter->source = iter_value(source);
    if (values[1].kind != VALUE_NONE)
        iter->other = values[1];
    iter->state = groups;
    return put_iter(iter, out);
}

const struct modules_member modules_itertools[] = {
    {.name = "chain", .call = chain},
    {.name = "islice", .call = islice},
    {.name = "count", .call = count},
    {.name = "cycle", .call = cycle},
    {.name = "repeat", .call = repeat},
    {.name = "tee", .call = tee},
    {.name = "accumulate", .call = accumulate},
    {.name = "takewhile", .call = takewhile},
    {.name = "dropwhile", .call = dropwhile},
    {.name = "filterfalse", .call = filterfalse},
    {.name = "compress", .call = compress},
    {.name = "starmap", .call = starmap},
    {.name = "zip_longest", .call = zip_longest},
    {.name = "pairwise", .call = pairwise},
    {.name = "groupby", .call = groupby},
    {.name = "product", .call = modules_choices_product},
    {.name = "combinations", .call = modules_choices_combinations},
    {.name = "combinations_with_replacement", .call = modules_choices_combinations_repeated},
    {.name = "permutations", .call = modules_choices_permutations},
    {.name = NULL},
};

const struct methods_row modules_chain_methods[] = {
    {"from_iterable", from_iterable},
    {NULL, NULL},
};
