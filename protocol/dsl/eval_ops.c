/* eval_ops - binary operators on all kinds of values; see eval.h. */
#include "protocol/dsl/eval.h"

#include "protocol/dsl/compare.h"
#include "protocol/dsl/dict.h"
#include "protocol/dsl/format.h"
#include "protocol/dsl/iter.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/modules.h"
#include "protocol/dsl/number.h"
#include "protocol/dsl/sets.h"
#include "protocol/dsl/str.h"
#include "protocol/dsl/type.h"
#include "protocol/dsl/type_construct.h"
#include "protocol/dsl/views.h"

static const char *const SIGNS[] = {"+", "-", "*", "/",  "//", "%", "** or pow()",
                                    "&", "|", "^", "<<", ">>", "@"};

static bool unsupported(struct interp *in, enum ast_operator op, const struct value pair[2],
                        bool in_place)
{
    const bool power = op == AST_POW;
    return exception_raise(in, &exception_type,
                           "unsupported operand type(s) for %s%s: '%s' and '%s'",
                           power && in_place ? "**" : SIGNS[op], in_place ? "=" : "",
                           type_name(pair[0]), type_name(pair[1]));
}

static bool is_sequence(struct value value)
{
    return value.kind == VALUE_STR || value.kind == VALUE_LIST || value.kind == VALUE_TUPLE;
}

static bool add_sequences(struct interp *in, const struct value pair[2], bool in_place,
                          struct value *out)
{
    const enum value_kind kind = pair[0].kind;
    if (in_place && kind == VALUE_LIST) { /* list += any iterable, in place */
        const struct list *items = list_from(in, pair[1]);
        *out = pair[0];
        return items && list_extend(in, pair[0].as.list, items->items, items->count);
    }
    if (pair[1].kind != kind)
        return exception_raise(in, &exception_type,
                               "can only concatenate %s (not \"%s\") to %s", type_name(pair[0]),
                               type_name(pair[1]), type_name(pair[0]));
    if (kind == VALUE_STR) {
        *out = value_str(str_concat(in, pair[0].as.str, pair[1].as.str));
        return out->as.str != NULL;
    }
    const struct list *a = pair[0].as.list, *b = pair[1].as.list;
    if (b->count > UINT32_MAX - a->count)
        return interp_trip(in, "a list grew past %u elements", UINT32_MAX);
    struct list *joined = list_new(in, a->count + b->count);
    *out = (struct value){.kind = kind, .as.list = joined};
    return joined && list_extend(in, joined, a->items, a->count) &&
           list_extend(in, joined, b->items, b->count);
}

static bool repeat(struct interp *in, const struct value pair[2], bool in_place,
                   struct value *out)
{
    const bool swap = !is_sequence(pair[0]);
    const struct value sequence = pair[swap], times = pair[!swap];
    if (!number_is_int(times))
        return exception_raise(in, &exception_type,
                               "can't multiply sequence by non-int of type '%s'",
                               type_name(times));
    const int64_t count = number_integer(times);
    if (sequence.kind == VALUE_STR) {
        *out = value_str(str_repeat(in, sequence.as.str, count));
        return out->as.str != NULL;
    }
    struct list *list = list_repeat(in, sequence.as.list, count);
    if (!list)
        return false;
    if (in_place && !swap && sequence.kind == VALUE_LIST) {
        *sequence.as.list = *list;
        *out = sequence;
        return true;
    }
    *out = (struct value){.kind = sequence.kind, .as.list = list};
    return true;
}

static bool set_operator(struct interp *in, enum ast_operator op, const struct value pair[2],
                         bool in_place, struct value *out)
{
    enum sets_operation operation;
    switch (op) {
    case AST_AND_BITS:
        operation = SETS_INTERSECTION;
        break;
    case AST_OR_BITS:
        operation = SETS_UNION;
        break;
    case AST_XOR:
        operation = SETS_SYMMETRIC;
        break;
    case AST_SUB:
        operation = SETS_DIFFERENCE;
        break;
    default:
        return unsupported(in, op, pair, in_place);
    }
    const bool views = iter_is_set_view(pair[0]) || iter_is_set_view(pair[1]);
    struct dict *set = views ? views_combine(in, operation, pair)
                             : sets_combine(in, operation, pair[0].as.dict, pair[1].as.dict);
    *out = value_set(set);
    if (!set || views) /* a new set, where a set is on the left, too */
        return set != NULL;
    set->frozen = pair[0].as.dict->frozen;
    if (in_place && !pair[0].as.dict->frozen) {
        *pair[0].as.dict = *set;
        set = pair[0].as.dict;
    }
    *out = value_set(set);
    return true;
}

/* a | b */
static bool merge_dicts(struct interp *in, const struct value pair[2], struct value *out)
{
    struct dict *merged = dict_copy(in, pair[0].as.dict);
    *out = value_dict(merged);
    if (!merged)
        return false;
    if (merged->flavor == DICT_COUNTER)
        merged->flavor = DICT_PLAIN; /* a Counter with another kind of dict */
    if (merged->flavor == DICT_PLAIN && pair[1].as.dict->flavor != DICT_COUNTER &&
        pair[1].as.dict->flavor != DICT_PROXY) {
        merged->flavor = pair[1].as.dict->flavor;
        merged->factory = pair[1].as.dict->factory;
    }
    return dict_merge(in, merged, pair[1].as.dict);
}

static bool is_bitwise(enum ast_operator op)
{
    return op == AST_SUB || op == AST_AND_BITS || op == AST_OR_BITS || op == AST_XOR;
}

/* dict |= a mapping or pairs */
static bool update_dict(struct interp *in, const struct value pair[2], struct value *out)
{
    const struct args args = {.values = &pair[1], .count = 1};
    *out = pair[0];
    if (pair[0].as.dict->flavor == DICT_PROXY)
        return exception_raise(in, &exception_type,
                               "'|=' is not supported by mappingproxy; use '|' instead");
    return type_construct_fill(in, &args, pair[0].as.dict);
}

static bool is_counter(struct value value)
{
    return value.kind == VALUE_DICT && value.as.dict->flavor == DICT_COUNTER;
}

/* What counters know. */
static bool counts(enum ast_operator op)
{
    return op == AST_ADD || op == AST_SUB || op == AST_AND_BITS || op == AST_OR_BITS;
}

static bool other_kinds(struct interp *in, enum ast_operator op, const struct value pair[2],
                        bool in_place, struct value *out)
{
    const bool dicts = pair[0].kind == VALUE_DICT && pair[1].kind == VALUE_DICT;
    if (in_place && counts(op) && is_counter(pair[0])) {
        *out = pair[0];
        return modules_counter_in_place(in, op, pair);
    }
    if (counts(op) && is_counter(pair[0]) && is_counter(pair[1]))
        return modules_counter_binary(in, op, pair, out);
    if (in_place && pair[0].kind == VALUE_DICT && op == AST_OR_BITS)
        return update_dict(in, pair, out);
    if (dicts && op == AST_OR_BITS)
        return merge_dicts(in, pair, out);
    /* With anything that can be gone through: a.keys() & ['x'] */
    const bool views = iter_is_set_view(pair[0]) || iter_is_set_view(pair[1]);
    if ((pair[0].kind == VALUE_SET && pair[1].kind == VALUE_SET) || (views && is_bitwise(op)))
        return set_operator(in, op, pair, in_place, out);
    return unsupported(in, op, pair, in_place);
}

bool eval_binary(struct interp *in, enum ast_operator op, const struct value pair[2],
                 bool in_place, struct value *out)
{
    const bool reals = pair[0].kind == VALUE_FLOAT || pair[1].kind == VALUE_FLOAT;
    if (number_is(pair[0]) && number_is(pair[1]) && op != AST_MATMUL &&
        !(reals && op >= AST_AND_BITS))
        return number_binary(in, op, pair, out);
    if (op == AST_ADD && is_sequence(pair[0]))
        return add_sequences(in, pair, in_place, out);
    if (op == AST_MUL && (is_sequence(pair[0]) || is_sequence(pair[1])))
        return repeat(in, pair, in_place, out);
    if (op == AST_MOD && pair[0].kind == VALUE_STR) {
        *out = value_str(format_percent(in, pair[0].as.str, pair[1]));
        return out->as.str != NULL;
    }
    return other_kinds(in, op, pair, in_place, out);
}
