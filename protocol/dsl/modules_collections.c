/* modules_collections - the module collections: Counter, defaultdict, OrderedDict. */
#include "protocol/dsl/modules.h"

#include "protocol/dsl/args.h"
#include "protocol/dsl/compare.h"
#include "protocol/dsl/dict.h"
#include "protocol/dsl/eval.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/iter.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/type.h"
#include "protocol/dsl/type_construct.h"

/* The count of a (key, count) pair: the sort key. */
static bool second(struct interp *in, const struct args *args, struct value *out)
{
    (void)in;
    *out = args->values[0].as.list->items[1];
    return true;
}

/* (key, count) pairs, largest count first; equal ones in order of insertion. */
static struct list *by_count(struct interp *in, const struct dict *counter)
{
    struct list *pairs = list_new(in, counter->count);
    struct builtin key = {.name = "second", .call = second};
    uint32_t at = 0;
    for (const struct dict_entry *entry; pairs && (entry = dict_next(counter, &at)) != NULL;) {
        const struct value pair[2] = {entry->key, entry->value};
        struct list *tuple = list_of(in, pair, 2);
        if (!tuple || !list_push(in, pairs, value_tuple(tuple)))
            return NULL;
    }
    const struct value function = {.kind = VALUE_BUILTIN, .as.builtin = &key};
    return pairs && list_sort(in, pairs, function, true) ? pairs : NULL;
}

struct dict *modules_counter_sorted(struct interp *in, const struct dict *counter)
{
    struct dict *sorted = dict_new(in);
    const struct list *pairs = sorted ? by_count(in, counter) : NULL;
    if (!pairs && !in->out_of_budget && in->raised &&
        exception_is_a(in->raised, &exception_type)) {
        in->raised = NULL; /* counts that are no numbers: as they come */
        return dict_merge(in, sorted, counter) ? sorted : NULL;
    }
    if (!pairs)
        return NULL;
    for (uint32_t i = 0; i < pairs->count; i++) {
        const struct list *pair = pairs->items[i].as.list;
        if (!dict_set(in, sorted, pair->items[0], pair->items[1]))
            return NULL;
    }
    return sorted;
}

static bool most_common(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"most_common", 0, 1, {"n"}, {NULL}};
    struct value values[1];
    int64_t count = INT64_MAX;
    if (!args_bind(in, &SPEC, args, values) ||
        (values[0].kind != VALUE_NONE && !args_int(in, values[0], &count)))
        return false;
    struct list *pairs = by_count(in, args->self.as.dict);
    if (!pairs)
        return false;
    if (count < (int64_t)pairs->count)
        pairs->count = count < 0 ? 0 : (uint32_t)count;
    *out = value_list(pairs);
    return true;
}

static bool update(struct interp *in, const struct args *args, struct value *out)
{
    *out = value_none();
    return type_construct_count(in, args, args->self.as.dict, 1);
}

static bool subtract(struct interp *in, const struct args *args, struct value *out)
{
    *out = value_none();
    return type_construct_count(in, args, args->self.as.dict, -1);
}

/* Each key as often as it counts. */
static bool elements(struct interp *in, const struct args *args, struct value *out)
{
    struct list *list = list_new(in, 0);
    uint32_t at = 0;
    for (const struct dict_entry *entry;
         list && (entry = dict_next(args->self.as.dict, &at)) != NULL;) {
        int64_t count = 0;
        if (!args_int(in, entry->value, &count))
            return false;
        for (int64_t i = 0; i < count; i++)
            if (!interp_charge(in, 1) || !list_push(in, list, entry->key))
                return false;
    }
    struct iter *iter = list ? iter_of_list(in, list) : NULL;
    *out = iter_value(iter);
    return iter != NULL;
}

static bool total(struct interp *in, const struct args *args, struct value *out)
{
    struct value pair[2] = {value_int(0)};
    uint32_t at = 0;
    for (const struct dict_entry *entry;
         (entry = dict_next(args->self.as.dict, &at)) != NULL;) {
        pair[1] = entry->value;
        if (!interp_charge(in, 1) || !eval_binary(in, AST_ADD, pair, false, &pair[0]))
            return false;
    }
    *out = pair[0];
    return true;
}

static bool count_in(struct interp *in, const struct dict *counter, struct value key,
                     struct value *count)
{
    struct dict_entry *found;
    if (!dict_find(in, counter, key, &found))
        return false;
    *count = found ? found->value : value_int(0);
    return true;
}

/* One key's count in the result; only positive ones are kept. */
static bool combine_key(struct interp *in, enum ast_operator op, const struct value pair[2],
                        struct value key, struct dict *out)
{
    struct value counts[2], result;
    bool less, positive;
    if (!count_in(in, pair[0].as.dict, key, &counts[0]) ||
        !count_in(in, pair[1].as.dict, key, &counts[1]) ||
        !compare_less(in, counts[0], counts[1], &less))
        return false;
    if (op == AST_AND_BITS)
        result = counts[less ? 0 : 1];
    else if (op == AST_OR_BITS)
        result = counts[less ? 1 : 0];
    else if (!eval_binary(in, op, counts, false, &result))
        return false;
    if (!compare_less(in, value_int(0), result, &positive))
        return false;
    return !positive || dict_set(in, out, key, result);
}

struct dict *modules_counter_new(struct interp *in)
{
    struct dict *counter = dict_new(in);
    if (counter)
        counter->flavor = DICT_COUNTER;
    return counter;
}

bool modules_counter_binary(struct interp *in, enum ast_operator op, const struct value pair[2],
                            struct value *out)
{
    struct dict *result = modules_counter_new(in);
    if (op != AST_ADD && op != AST_SUB && op != AST_AND_BITS && op != AST_OR_BITS)
        return exception_raise(in, &exception_type,
                               "unsupported operand type(s) for 'Counter' and 'Counter'");
    if (!result)
        return false;
    *out = value_dict(result);
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t at = 0;
        for (const struct dict_entry *entry; (entry = dict_next(pair[i].as.dict, &at)) != NULL;)
            if (!interp_charge(in, 1) || !combine_key(in, op, pair, entry->key, result))
                return false;
    }
    return true;
}

const struct methods_row modules_counter_methods[] = {
    {"most_common", most_common}, {"update", update}, {"subtract", subtract},
    {"elements", elements},       {"total", total},   {NULL, NULL},
};

const struct modules_member modules_collections[] = {
    {.name = "Counter", .type = &type_counter},
    {.name = "defaultdict", .type = &type_defaultdict},
    {.name = "OrderedDict", .type = &type_ordered_dict},
    {.name = NULL},
};
