/* type_construct - see type_construct.h. */
#include "protocol/dsl/type_construct.h"

#include "protocol/dsl/args.h"
#include "protocol/dsl/compare.h"
#include "protocol/dsl/dict.h"
#include "protocol/dsl/eval.h"
#include "protocol/dsl/iter.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/number.h"
#include "protocol/dsl/repr.h"
#include "protocol/dsl/str.h"
#include "protocol/dsl/type.h"

#include <string.h>

bool type_construct_int(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"int", 0, 2, {NULL, "base"}, {NULL}};
    struct value values[2];
    int64_t base = 10;
    if (!args_bind(in, &SPEC, args, values) || !args_int(in, values[1], &base))
        return false;
    if (base != 0 && (base < 2 || base > 36))
        return exception_raise(in, &exception_value, "int() base must be >= 2 and <= 36, or 0");
    if (values[1].kind != VALUE_UNSET && values[0].kind != VALUE_STR)
        return exception_raise(in, &exception_type,
                               "int() can't convert non-string with explicit base");
    switch (values[0].kind) {
    case VALUE_UNSET:
        *out = value_int(0);
        return true;
    case VALUE_INT:
    case VALUE_BOOL:
        *out = value_int(number_integer(values[0]));
        return true;
    case VALUE_FLOAT:
        return number_truncate(in, values[0].as.real, out);
    case VALUE_STR:
        return number_parse_int(in, values[0].as.str, base, out);
    default:
        return exception_raise(in, &exception_type,
                               "int() argument must be a string, a bytes-like object or a real "
                               "number, not '%s'",
                               type_name(values[0]));
    }
}

bool type_construct_bool(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"bool", 0, 1, {NULL}, {NULL}};
    struct value values[1];
    if (!args_bind(in, &SPEC, args, values))
        return false;
    *out = value_bool(compare_truth(values[0]));
    return true;
}

bool type_construct_float(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"float", 0, 1, {NULL}, {NULL}};
    struct value values[1];
    if (!args_bind(in, &SPEC, args, values))
        return false;
    if (values[0].kind == VALUE_STR)
        return number_parse_float(in, values[0].as.str, out);
    if (values[0].kind != VALUE_UNSET && !number_is(values[0]))
        return exception_raise(in, &exception_type,
                               "float() argument must be a string or a real number, not '%s'",
                               type_name(values[0]));
    *out = value_float(values[0].kind == VALUE_UNSET ? 0 : number_real(values[0]));
    return true;
}

/* A word for C, which ends at a zero byte. */
static bool codec_word(struct interp *in, struct value value, const char *what)
{
    struct str *word = NULL;
    return args_str(in, value, what, &word) &&
           (!word || word->size == 0 || !memchr(word->data, '\0', word->size) ||
            exception_raise(in, &exception_value, "embedded null character"));
}

bool type_construct_str(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {
        "str", 0, 3, {"object", "encoding", "errors"}, {NULL}};
    struct value values[3];
    if (!args_bind(in, &SPEC, args, values) ||
        !codec_word(in, values[1], "str() argument 'encoding'") ||
        !codec_word(in, values[2], "str() argument 'errors'"))
        return false;
    if (values[1].kind != VALUE_UNSET || values[2].kind != VALUE_UNSET)
        return exception_raise(in, &exception_type,
                               values[0].kind == VALUE_STR
                                   ? "decoding str is not supported"
                                   : "decoding to str: need a bytes-like object, %s found",
                               type_name(values[0]));
    *out = value_str(values[0].kind == VALUE_UNSET ? str_copy(in, TEXT(""))
                                                   : repr_str(in, values[0]));
    return out->as.str != NULL;
}

static struct list *list_of_argument(struct interp *in, const struct args *args,
                                     const char *name)
{
    const struct args_spec spec = {name, 0, 1, {NULL}, {NULL}};
    struct value values[1];
    if (!args_bind(in, &spec, args, values))
        return NULL;
    return values[0].kind == VALUE_UNSET ? list_new(in, 0) : list_from(in, values[0]);
}

bool type_construct_list(struct interp *in, const struct args *args, struct value *out)
{
    *out = value_list(list_of_argument(in, args, "list"));
    return out->as.list != NULL;
}

bool type_construct_tuple(struct interp *in, const struct args *args, struct value *out)
{
    *out = value_tuple(list_of_argument(in, args, "tuple"));
    return out->as.list != NULL;
}

static bool set_of_argument(struct interp *in, const struct args *args, const char *name,
                            struct value *out)
{
    const struct args_spec spec = {name, 0, 1, {NULL}, {NULL}};
    struct value values[1];
    struct dict *set = dict_new(in);
    *out = value_set(set);
    return set && args_bind(in, &spec, args, values) &&
           (values[0].kind == VALUE_UNSET || dict_add_all(in, set, values[0]));
}

bool type_construct_set(struct interp *in, const struct args *args, struct value *out)
{
    return set_of_argument(in, args, "set", out);
}

bool type_construct_frozenset(struct interp *in, const struct args *args, struct value *out)
{
    if (!set_of_argument(in, args, "frozenset", out))
        return false;
    out->as.dict->frozen = true;
    return true;
}

/* (key, value) pairs into a dict. */
static bool fill_pairs(struct interp *in, struct value pairs, struct dict *dict)
{
    struct iter *iter = iter_of(in, pairs);
    uint32_t nth = 0;
    for (; iter; nth++) {
        struct value item;
        const enum iter_result result = iter_next(in, iter, &item);
        if (result != ITER_ITEM)
            return result == ITER_END;
        if (!iter_can(item))
            return exception_raise(in, &exception_type,
                                   "cannot convert dictionary update sequence element #%u to a "
                                   "sequence",
                                   nth);
        const struct list *pair = list_from(in, item);
        if (!pair)
            return false;
        if (pair->count != 2)
            return exception_raise(in, &exception_value,
                                   "dictionary update sequence element #%u has length %u; 2 is "
                                   "required",
                                   nth, pair->count);
        if (!dict_set(in, dict, pair->items[0], pair->items[1]))
            return false;
    }
    return false;
}

static bool fill_named(struct interp *in, const struct args *args, struct dict *dict)
{
    for (uint32_t i = 0; i < args->named_count; i++)
        if (!args->names[i] && dict->flavor != DICT_ORDERED)
            return exception_raise(in, &exception_type, "keywords must be strings");
    for (uint32_t i = 0; i < args->named_count; i++)
        if (!dict_set(in, dict, args->names[i] ? value_str(args->names[i]) : args->keys[i],
                      args->named[i]))
            return false;
    return true;
}

/* The same into an OrderedDict, whose words are others. */
static bool fill_ordered(struct interp *in, struct value pairs, struct dict *dict)
{
    struct iter *iter = iter_of(in, pairs);
    while (iter) {
        struct value item, part[3];
        uint32_t count = 0;
        enum iter_result result = iter_next(in, iter, &item);
        if (result != ITER_ITEM)
            return result == ITER_END;
        struct iter *parts = iter_of(in, item);
        for (; parts && count < 3; count++) {
            result = iter_next(in, parts, &part[count]);
            if (result != ITER_ITEM)
                break;
        }
        if (!parts || result == ITER_RAISED)
            return false;
        if (count > 2)
            return exception_raise(in, &exception_value,
                                   "too many values to unpack (expected 2)");
        if (count < 2)
            return exception_raise(in, &exception_value, "need more than %u value%s to unpack",
                                   count, count == 1 ? "" : "s");
        if (!dict_set(in, dict, part[0], part[1]))
            return false;
    }
    return false;
}

bool type_construct_fill(struct interp *in, const struct args *args, struct dict *dict)
{
    const bool ordered = dict->flavor == DICT_ORDERED;
    const bool update = args->self.kind == VALUE_DICT;
    if (args->count > 1)
        return exception_raise(
            in, &exception_type,
            ordered  ? update ? "update() takes at most 1 positional argument (%u given)"
                              : "expected at most 1 arguments, got %u"
            : update ? "update expected at most 1 argument, got %u"
                     : "dict expected at most 1 argument, got %u",
            args->count);
    if (args->count == 1) {
        const struct value from = args->values[0];
        if (!(from.kind == VALUE_DICT ? dict_merge(in, dict, from.as.dict)
              : ordered               ? fill_ordered(in, from, dict)
                                      : fill_pairs(in, from, dict)))
            return false;
    }
    return fill_named(in, args, dict);
}

static bool make_dict(struct interp *in, const struct args *args, enum dict_flavor flavor,
                      struct value *out)
{
    struct dict *dict = dict_new(in);
    *out = value_dict(dict);
    if (!dict)
        return false;
    dict->flavor = flavor;
    dict->factory = value_none();
    return type_construct_fill(in, args, dict);
}

bool type_construct_dict(struct interp *in, const struct args *args, struct value *out)
{
    return make_dict(in, args, DICT_PLAIN, out);
}

bool type_construct_ordered_dict(struct interp *in, const struct args *args, struct value *out)
{
    return make_dict(in, args, DICT_ORDERED, out);
}

bool type_construct_defaultdict(struct interp *in, const struct args *args, struct value *out)
{
    struct args rest = *args;
    const struct value factory = args->count > 0 ? args->values[0] : value_none();
    if (factory.kind != VALUE_NONE && !eval_can_call(factory))
        return exception_raise(in, &exception_type, "first argument must be callable or None");
    if (args->count > 0) {
        rest.values++;
        rest.count--;
    }
    if (!make_dict(in, &rest, DICT_DEFAULT, out))
        return false;
    out->as.dict->factory = factory;
    return true;
}

static bool count_of(struct interp *in, const struct dict *counter, struct value key,
                     struct value *count)
{
    struct dict_entry *found;
    if (!dict_find(in, counter, key, &found))
        return false;
    *count = found ? found->value : value_int(0);
    return true;
}

static bool count_items(struct interp *in, struct value from, struct dict *counter,
                        enum ast_operator op)
{
    struct iter *iter = iter_of(in, from);
    enum iter_result result = iter ? ITER_ITEM : ITER_RAISED;
    while (result == ITER_ITEM) {
        struct value item, pair[2] = {value_int(0), value_int(1)};
        result = iter_next(in, iter, &item);
        if (result == ITER_ITEM && (!count_of(in, counter, item, &pair[0]) ||
                                    !eval_binary(in, op, pair, false, &pair[0]) ||
                                    !dict_set(in, counter, item, pair[0])))
            return false;
    }
    return result == ITER_END;
}

/* amount + count, as CPython has it: its messages name the kinds in that order. */
static bool add_count(struct interp *in, struct dict *counter, struct value key,
                      struct value amount, enum ast_operator op)
{
    const bool amount_first = op == AST_ADD;
    struct value pair[2] = {amount, amount};
    return count_of(in, counter, key, &pair[amount_first]) &&
           eval_binary(in, op, pair, false, &pair[0]) && dict_set(in, counter, key, pair[0]);
}

bool type_construct_count(struct interp *in, const struct args *args, struct dict *counter,
                          const char *words)
{
    const int64_t sign = words[0] == 's' ? -1 : 1; /* __init__, update, subtract */
    const enum ast_operator op = sign < 0 ? AST_SUB : AST_ADD;
    uint32_t at = 0;
    if (args->count > 1)
        return exception_raise(
            in, &exception_type,
            "Counter.%s() takes from 1 to 2 positional arguments but %u were given", words,
            args->count + 1);
    const struct value from =
        args->count == 1 ? args->values[0] : (struct value){.kind = VALUE_NONE};
    /* What comes into an empty one is taken as it is: it need not be a number. */
    if (from.kind == VALUE_DICT && counter->count == 0 && sign > 0) {
        if (!dict_merge(in, counter, from.as.dict))
            return false;
    } else if (from.kind == VALUE_DICT) {
        for (const struct dict_entry *entry; (entry = dict_next(from.as.dict, &at)) != NULL;)
            if (!interp_charge(in, 1) || !add_count(in, counter, entry->key, entry->value, op))
                return false;
    } else if (from.kind != VALUE_NONE && !count_items(in, from, counter, op)) {
        return false;
    }
    if (counter->count == 0 && sign > 0)
        return fill_named(in, args, counter);
    for (uint32_t i = 0; i < args->named_count; i++)
        if (!add_count(in, counter, value_str(args->names[i]), args->named[i], op))
            return false;
    return true;
}

bool type_construct_counter(struct interp *in, const struct args *args, struct value *out)
{
    struct dict *counter = dict_new(in);
    if (!counter)
        return false;
    counter->flavor = DICT_COUNTER;
    *out = value_dict(counter);
    return type_construct_count(in, args, counter, "__init__");
}

bool type_construct_range(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"range", 1, 3, {NULL}, {NULL}};
    struct value values[3];
    int64_t at[3] = {0, 0, 1};
    struct range *range = INTERP_NEW(in, struct range);
    if (!range || !args_bind(in, &SPEC, args, values) || !args_int(in, values[0], &at[0]) ||
        !args_int(in, values[1], &at[1]) || !args_int(in, values[2], &at[2]))
        return false;
    if (values[1].kind == VALUE_UNSET) {
        at[1] = at[0];
        at[0] = 0;
    }
    if (at[2] == 0)
        return exception_raise(in, &exception_value, "range() arg 3 must not be zero");
    *range = (struct range){.start = at[0], .stop = at[1], .step = at[2]};
    const bool up = at[2] > 0;
    if (up ? at[0] < at[1] : at[0] > at[1]) {
        const uint64_t distance =
            up ? (uint64_t)at[1] - (uint64_t)at[0] : (uint64_t)at[0] - (uint64_t)at[1];
        const uint64_t stride = up ? (uint64_t)at[2] : (uint64_t)0 - (uint64_t)at[2];
        const uint64_t count = (distance - 1) / stride + 1;
        if (count > INT64_MAX) {
            interp_leave_64(in);
            return exception_raise(in, &exception_overflow,
                                   "the range's length does not fit in 64 bits");
        }
        range->count = (int64_t)count;
    }
    *out = (struct value){.kind = VALUE_RANGE, .as.range = range};
    return true;
}

bool type_construct_slice(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"slice", 1, 3, {NULL}, {NULL}};
    struct value values[3];
    struct slice *slice = INTERP_NEW(in, struct slice);
    if (!slice || !args_bind(in, &SPEC, args, values))
        return false;
    for (uint32_t i = 0; i < 3; i++)
        if (values[i].kind == VALUE_UNSET)
            values[i] = value_none();
    const bool one = args->count == 1; /* it is the end */
    *slice = (struct slice){one ? values[1] : values[0], values[one ? 0 : 1], values[2]};
    *out = (struct value){.kind = VALUE_SLICE, .as.slice = slice};
    return true;
}

bool type_construct_type(struct interp *in, const struct args *args, struct value *out)
{
    if (args->count != 1 || args->named_count > 0)
        return exception_raise(in, &exception_type,
                               "type() takes 1 argument here: classes cannot be made");
    *out = type_value(type_of(args->values[0]));
    return true;
}
