/* modules_collections - the module collections: Counter, defaultdict, OrderedDict. */
#include "protocol/dsl/modules.h"

#include "protocol/dsl/args.h"
#include "protocol/dsl/compare.h"
#include "protocol/dsl/dict.h"
#include "protocol/dsl/eval.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/iter.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/number.h"
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

/* How many are wanted: CPython compares it before it uses it as a number. */
static bool count_asked(struct interp *in, const struct dict *counter, struct value value,
                        int64_t *count)
{
    if (value.kind == VALUE_FLOAT && value.as.real == 1) {
        *count = 1;
        return true;
    }
    if (value.kind == VALUE_FLOAT && value.as.real >= counter->count)
        return exception_raise(in, &exception_type,
                               "slice indices must be integers or None or have an __index__ "
                               "method");
    if (value.kind != VALUE_UNSET && !number_is(value))
        return exception_raise(in, &exception_type,
                               "'>=' not supported between instances of '%s' and 'int'",
                               type_name(value));
    return args_int(in, value, count);
}

/* The first of the largest counts, by itself: max() compares otherwise than sorted(). */
static struct list *largest(struct interp *in, const struct dict *counter)
{
    const struct dict_entry *most = NULL, *entry;
    struct list *out = list_new(in, 1);
    uint32_t at = 0;
    while (out && (entry = dict_next(counter, &at)) != NULL) {
        const struct value pair[2] = {entry->value, most ? most->value : entry->value};
        bool more = !most;
        if (!interp_charge(in, 1) || (most && !compare_ordered(in, COMPARE_GT, pair, &more)))
            return NULL;
        most = more ? entry : most;
    }
    const struct value item[2] = {most ? most->key : value_none(),
                                  most ? most->value : value_none()};
    struct list *both = out && most ? list_of(in, item, 2) : NULL;
    return !most || (both && list_push(in, out, value_tuple(both))) ? out : NULL;
}

static bool most_common(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"Counter.most_common", 0, 1, {"n"}, {NULL}};
    struct value values[1];
    int64_t count = INT64_MAX;
    if (!args_bind_python(in, &SPEC, args, values, NULL) ||
        (values[0].kind != VALUE_NONE &&
         !count_asked(in, args->self.as.dict, values[0], &count)))
        return false;
    struct list *pairs = count <= 0   ? list_new(in, 0) /* nothing is compared */
                         : count == 1 ? largest(in, args->self.as.dict)
                                      : by_count(in, args->self.as.dict);
    if (!pairs)
        return false;
    if (count > 0 && count < (int64_t)pairs->count)
        pairs->count = (uint32_t)count;
    *out = value_list(pairs);
    return true;
}

static bool update(struct interp *in, const struct args *args, struct value *out)
{
    *out = value_none();
    return type_construct_count(in, args, args->self.as.dict, "update");
}

static bool subtract(struct interp *in, const struct args *args, struct value *out)
{
    *out = value_none();
    return type_construct_count(in, args, args->self.as.dict, "subtract");
}

/* Each key as often as it counts; a count is looked at when its turn comes. */
static enum iter_result step_elements(struct interp *in, struct iter *iter, struct value *out)
{
    struct iter *items = iter->source.as.iter;
    while (iter->left <= 0) {
        struct value item;
        const enum iter_result result = iter_next(in, items, &item);
        if (result != ITER_ITEM)
            return result;
        iter->other = item.as.list->items[0];
        if (!args_int(in, item.as.list->items[1], &iter->left))
            return ITER_RAISED;
    }
    iter->left--;
    *out = iter->other;
    return ITER_ITEM;
}

static bool elements(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"Counter.elements", 0, 0, {NULL}, {NULL}};
    struct iter *items = iter_of_dict(in, args->self.as.dict, ITER_ITEMS);
    if (!args_bind_python(in, &SPEC, args, NULL, NULL))
        return false;
    struct iter *iter = items ? iter_new(in, step_elements, "itertools.chain") : NULL;
    *out = iter_value(iter);
    if (iter)
        iter->source = iter_value(items);
    return iter != NULL;
}

static bool copy(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"Counter.copy", 0, 0, {NULL}, {NULL}};
    if (!args_bind_python(in, &SPEC, args, NULL, NULL))
        return false;
    *out = value_dict(dict_copy(in, args->self.as.dict));
    return out->as.dict != NULL;
}

static bool fromkeys(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"Counter.fromkeys", 1, 2, {"iterable", "v"}, {NULL}};
    struct value values[2];
    (void)out;
    return args_bind_python(in, &SPEC, args, values, NULL) &&
           exception_raise(in, &exception_not_implemented,
                           "Counter.fromkeys() is undefined.  Use Counter(iterable) instead.");
}

static bool total(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"Counter.total", 0, 0, {NULL}, {NULL}};
    struct value pair[2] = {value_int(0)};
    uint32_t at = 0;
    if (!args_bind_python(in, &SPEC, args, NULL, NULL))
        return false;
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

static bool put_positive(struct interp *in, struct dict *out, struct value key,
                         struct value count)
{
    const struct value pair[2] = {count, value_int(0)};
    bool positive;
    if (!compare_ordered(in, COMPARE_GT, pair, &positive))
        return false;
    return !positive || dict_set(in, out, key, count);
}

/* A key of the left counter: both counts are looked at, whether the right one has it or not. */
static bool combine_left(struct interp *in, enum ast_operator op, const struct value pair[2],
                         const struct dict_entry *entry, struct dict *out)
{
    struct value counts[2] = {entry->value}, result;
    bool less;
    if (!count_in(in, pair[1].as.dict, entry->key, &counts[1]))
        return false;
    if (op == AST_ADD || op == AST_SUB)
        return eval_binary(in, op, counts, false, &result) &&
               put_positive(in, out, entry->key, result);
    return compare_less(in, counts[0], counts[1], &less) &&
           put_positive(in, out, entry->key, counts[less == (op == AST_OR_BITS)]);
}

/* A key of the right counter: only what the left one has not counts, and by itself. */
static bool combine_right(struct interp *in, enum ast_operator op, const struct dict *left,
                          const struct dict_entry *entry, struct dict *out)
{
    struct value from_zero[2] = {value_int(0), entry->value}, result;
    struct dict_entry *found;
    bool less;
    if (!dict_find(in, left, entry->key, &found))
        return false;
    if (found)
        return true;
    if (op != AST_SUB)
        return put_positive(in, out, entry->key, entry->value);
    return compare_less(in, entry->value, value_int(0), &less) &&
           (!less || (eval_binary(in, AST_SUB, from_zero, false, &result) &&
                      dict_set(in, out, entry->key, result)));
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
    const struct dict_entry *entry;
    uint32_t at = 0;
    while (result && (entry = dict_next(pair[0].as.dict, &at)) != NULL)
        if (!interp_charge(in, 1) || !combine_left(in, op, pair, entry, result))
            return false;
    at = 0;
    while (result && op != AST_AND_BITS && (entry = dict_next(pair[1].as.dict, &at)) != NULL)
        if (!interp_charge(in, 1) || !combine_right(in, op, pair[0].as.dict, entry, result))
            return false;
    *out = value_dict(result); /* not before: it may be one of the pair */
    return result != NULL;
}

bool modules_counter_unary(struct interp *in, bool minus, const struct dict *counter,
                           struct value *out)
{
    struct dict *result = modules_counter_new(in);
    const struct dict empty = {0};
    uint32_t at = 0;
    *out = value_dict(result);
    for (const struct dict_entry *entry; result && (entry = dict_next(counter, &at)) != NULL;)
        if (!interp_charge(in, 1) ||
            !combine_right(in, minus ? AST_SUB : AST_ADD, &empty, entry, result))
            return false;
    return result != NULL;
}

/* self[key] op= other's count, where op is one of + - | &. */
static bool change_count(struct interp *in, enum ast_operator op, struct dict *self,
                         struct value key, struct value other)
{
    struct value counts[2] = {value_int(0), other};
    const bool choose = op == AST_AND_BITS || op == AST_OR_BITS;
    const enum compare_order order = op == AST_OR_BITS ? COMPARE_GT : COMPARE_LT;
    struct dict_entry *found;
    bool takes = true;
    if (!interp_charge(in, 1) || !dict_find(in, self, key, &found))
        return false;
    if (found)
        counts[0] = found->value;
    const struct value turned[2] = {counts[1], counts[0]};
    if (choose ? !compare_ordered(in, order, turned, &takes)
               : !eval_binary(in, op, counts, true, &counts[1]))
        return false;
    if (found && takes)
        found->value = counts[1]; /* in place: the entries may be those gone through */
    return found || !takes || dict_set(in, self, key, counts[1]);
}

static bool keep_positive(struct interp *in, struct dict *self)
{
    uint32_t at = 0;
    for (struct dict_entry *entry; (entry = dict_next(self, &at)) != NULL;) {
        const struct value pair[2] = {entry->value, value_int(0)};
        bool positive;
        if (!interp_charge(in, 1) || !compare_ordered(in, COMPARE_GT, pair, &positive))
            return false;
        if (!positive)
            dict_remove_entry(self, entry);
    }
    return true;
}

bool modules_counter_in_place(struct interp *in, enum ast_operator op,
                              const struct value pair[2])
{
    struct dict *self = pair[0].as.dict;
    const bool own = op == AST_AND_BITS; /* whose keys are gone through */
    const struct value walked = pair[own ? 0 : 1];
    uint32_t at = 0;
    if (walked.kind != VALUE_DICT)
        return exception_raise(in, &exception_attribute, "'%s' object has no attribute 'items'",
                               type_name(walked));
    for (const struct dict_entry *entry; (entry = dict_next(walked.as.dict, &at)) != NULL;) {
        struct value other = entry->value;
        if ((own && !eval_get_item(in, pair[1], entry->key, &other)) ||
            !change_count(in, op, self, entry->key, other))
            return false;
    }
    return keep_positive(in, self);
}

const struct methods_row modules_counter_methods[] = {
    {"most_common", most_common}, {"update", update}, {"subtract", subtract},
    {"elements", elements},       {"total", total},   {"copy", copy},
    {"fromkeys", fromkeys},       {NULL, NULL},
};

bool modules_counter_has(const struct str *name)
{
    return methods_lookup(modules_counter_methods, name) != NULL;
}

const struct modules_member modules_collections[] = {
    {.name = "Counter", .type = &type_counter},
    {.name = "defaultdict", .type = &type_defaultdict},
    {.name = "OrderedDict", .type = &type_ordered_dict},
    {.name = NULL},
};
