/* compare - see compare.h. */
#include "protocol/dsl/compare.h"

#include "protocol/dsl/dict.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/iter.h"
#include "protocol/dsl/record.h"
#include "protocol/dsl/str.h"
#include "protocol/dsl/type.h"

#include <math.h>
#include <string.h>

static const char *const ORDER_SIGN[] = {"<", "<=", ">", ">="};

static bool is_number(struct value v)
{
    return v.kind == VALUE_INT || v.kind == VALUE_BOOL || v.kind == VALUE_FLOAT;
}

static int64_t integer_of(struct value v)
{
    return v.kind == VALUE_BOOL ? v.as.boolean : v.as.integer;
}

/* -1, 0, 1, or 2 when one is not a number (NaN). Exact between int and float. */
static int number_order(struct value a, struct value b)
{
    if (a.kind != VALUE_FLOAT && b.kind != VALUE_FLOAT) {
        const int64_t x = integer_of(a), y = integer_of(b);
        return (x > y) - (x < y);
    }
    if (a.kind == VALUE_FLOAT && b.kind == VALUE_FLOAT) {
        const double x = a.as.real, y = b.as.real;
        return isnan(x) || isnan(y) ? 2 : (x > y) - (x < y);
    }
    if (a.kind != VALUE_FLOAT) {
        const int order = number_order(b, a);
        return order == 2 ? 2 : -order;
    }
    const double x = a.as.real;
    const int64_t y = integer_of(b);
    if (isnan(x))
        return 2;
    if (x >= 9223372036854775808.0)
        return 1;
    if (x < -9223372036854775808.0)
        return -1;
    const double whole = trunc(x);
    const int64_t n = (int64_t)whole;
    if (n != y)
        return n > y ? 1 : -1;
    return (x > whole) - (x < whole);
}

static bool lists_equal(struct interp *in, const struct list *a, const struct list *b,
                        bool *equal)
{
    *equal = a->count == b->count;
    for (uint32_t i = 0; *equal && i < a->count && i < b->count; i++)
        if (!compare_equal(in, a->items[i], b->items[i], equal))
            return false;
    return true;
}

static bool dicts_equal(struct interp *in, const struct dict *a, const struct dict *b,
                        bool with_values, bool *equal)
{
    uint32_t at = 0;
    *equal = a->count == b->count;
    for (const struct dict_entry *entry; *equal && (entry = dict_next(a, &at)) != NULL;) {
        struct dict_entry *other;
        if (!interp_charge(in, 1) || !dict_find(in, b, entry->key, &other))
            return false;
        *equal = other != NULL;
        if (other && with_values && !compare_equal(in, entry->value, other->value, equal))
            return false;
    }
    return true;
}

static bool is_set(struct value value)
{
    return value.kind == VALUE_SET || iter_is_set_view(value);
}

static const struct dict *set_of(struct value value)
{
    return value.kind == VALUE_SET ? value.as.dict : value.as.iter->source.as.dict;
}

static bool all_within(struct interp *in, struct value small, struct value large, bool *within)
{
    struct iter *iter = iter_of(in, small);
    *within = true;
    while (*within) {
        struct value item;
        const enum iter_result result = iter ? iter_next(in, iter, &item) : ITER_RAISED;
        if (result != ITER_ITEM)
            return result == ITER_END;
        if (!compare_contains(in, large, item, within))
            return false;
    }
    return true;
}

static bool are_counters(const struct value pair[2])
{
    return pair[0].kind == VALUE_DICT && pair[0].as.dict->flavor == DICT_COUNTER &&
           pair[1].kind == VALUE_DICT && pair[1].as.dict->flavor == DICT_COUNTER;
}

/* Counters are multisets: a key that is missing counts 0. Whether the counts of every key
 * have that order; without one, whether they are equal. */
static bool counts_all(struct interp *in, const struct value pair[2],
                       const enum compare_order *order, bool *all)
{
    *all = true;
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t at = 0;
        for (const struct dict_entry *entry;
             *all && (entry = dict_next(pair[i].as.dict, &at)) != NULL;) {
            struct value counts[2] = {entry->value, entry->value};
            struct dict_entry *other;
            if (!interp_charge(in, 1) || !dict_find(in, pair[!i].as.dict, entry->key, &other))
                return false;
            counts[!i] = other ? other->value : value_int(0);
            if (!(order ? compare_ordered(in, *order, counts, all)
                        : compare_equal(in, counts[0], counts[1], all)))
                return false;
        }
    }
    return true;
}

static bool counters_ordered(struct interp *in, enum compare_order order,
                             const struct value pair[2], bool *result)
{
    const bool strict = order == COMPARE_LT || order == COMPARE_GT;
    const bool up = order == COMPARE_LT || order == COMPARE_LE;
    const enum compare_order each = up ? COMPARE_LE : COMPARE_GE;
    bool equal;
    if (!counts_all(in, pair, &each, result))
        return false;
    if (!*result || !strict)
        return true;
    if (!counts_all(in, pair, NULL, &equal))
        return false;
    *result = !equal;
    return true;
}

static bool records_equal(struct interp *in, const struct record *a, const struct record *b,
                          bool *equal)
{
    *equal = a->type == b->type;
    for (uint32_t i = 0; *equal && i < record_field_count(a->type); i++)
        if (!compare_equal(in, a->fields[i], b->fields[i], equal))
            return false;
    return true;
}

static bool deep_equal(struct interp *in, struct value a, struct value b, bool *equal)
{
    const struct value pair[2] = {a, b};
    *equal = false;
    if (is_set(a) && is_set(b) && (a.kind == VALUE_ITER || b.kind == VALUE_ITER)) {
        *equal = set_of(a)->count == set_of(b)->count;
        return !*equal || all_within(in, a, b, equal);
    }
    if (a.kind != b.kind)
        return true;
    switch (a.kind) {
    case VALUE_LIST:
    case VALUE_TUPLE:
        return lists_equal(in, a.as.list, b.as.list, equal);
    case VALUE_DICT:
        if (are_counters(pair))
            return counts_all(in, pair, NULL, equal);
        return dicts_equal(in, a.as.dict, b.as.dict, true, equal);
    case VALUE_SET:
        return dicts_equal(in, a.as.dict, b.as.dict, false, equal);
    case VALUE_RECORD:
        return records_equal(in, a.as.record, b.as.record, equal);
    case VALUE_RANGE:
        *equal = a.as.range->count == b.as.range->count &&
                 (a.as.range->count == 0 || a.as.range->start == b.as.range->start) &&
                 (a.as.range->count <= 1 || a.as.range->step == b.as.range->step);
        return true;
    default:
        return true;
    }
}

/* The same float object in CPython has the same bits: a NaN is itself, 0.0 is not -0.0. */
static uint64_t float_bits(double real)
{
    uint64_t bits;
    memcpy(&bits, &real, sizeof bits);
    return bits;
}

bool compare_same(struct value a, struct value b)
{
    if (a.kind != b.kind)
        return false;
    switch (a.kind) {
    case VALUE_UNSET:
    case VALUE_NONE:
    case VALUE_ELLIPSIS:
        return true;
    case VALUE_BOOL:
        return a.as.boolean == b.as.boolean;
    case VALUE_INT:
        return a.as.integer == b.as.integer;
    case VALUE_STR: /* short strings are interned often enough that programs lean on it */
        return str_equal(a.as.str, b.as.str);
    case VALUE_FLOAT:
        return float_bits(a.as.real) == float_bits(b.as.real);
    default:
        return a.as.list == b.as.list; /* any pointer: all share the place */
    }
}

bool compare_equal(struct interp *in, struct value a, struct value b, bool *equal)
{
    if (is_number(a) && is_number(b)) {
        *equal = number_order(a, b) == 0;
        return true;
    }
    if (a.kind == VALUE_STR && b.kind == VALUE_STR) {
        *equal = str_equal(a.as.str, b.as.str);
        return !*equal || interp_charge(in, a.as.str->size / 64);
    }
    *equal = a.kind != VALUE_FLOAT && compare_same(a, b);
    if (*equal)
        return true;
    if (!interp_charge(in, 1) || !interp_enter(in))
        return false;
    const bool fine = deep_equal(in, a, b, equal);
    interp_leave(in);
    return fine;
}

static bool by_sign(enum compare_order order, int sign)
{
    switch (order) {
    case COMPARE_LT:
        return sign == -1;
    case COMPARE_LE:
        return sign == -1 || sign == 0;
    case COMPARE_GT:
        return sign == 1;
    case COMPARE_GE:
        return sign == 1 || sign == 0;
    }
    return false;
}

static bool lists_ordered(struct interp *in, enum compare_order order,
                          const struct value pair[2], bool *result)
{
    const struct list *a = pair[0].as.list, *b = pair[1].as.list;
    for (uint32_t i = 0; i < a->count && i < b->count; i++) {
        bool equal;
        if (!compare_equal(in, a->items[i], b->items[i], &equal))
            return false;
        const struct value items[2] = {a->items[i], b->items[i]};
        if (!equal)
            return compare_ordered(in, order, items, result);
    }
    *result = by_sign(order, (a->count > b->count) - (a->count < b->count));
    return true;
}

/* Subset, for sets and views. */
static bool sets_ordered(struct interp *in, enum compare_order order,
                         const struct value pair[2], bool *result)
{
    const bool swap = order == COMPARE_GT || order == COMPARE_GE;
    const struct value small = pair[swap], large = pair[!swap];
    const bool strict = order == COMPARE_LT || order == COMPARE_GT;
    const uint32_t counts[2] = {set_of(small)->count, set_of(large)->count};
    *result = counts[0] <= counts[1] && !(strict && counts[0] == counts[1]);
    return !*result || all_within(in, small, large, result);
}

static bool no_order(struct interp *in, enum compare_order order, const struct value pair[2])
{
    return exception_raise(in, &exception_type,
                           "'%s' not supported between instances of '%s' and '%s'",
                           ORDER_SIGN[order], type_name(pair[0]), type_name(pair[1]));
}

static bool deep_ordered(struct interp *in, enum compare_order order,
                         const struct value pair[2], bool *result)
{
    if (is_set(pair[0]) && is_set(pair[1]))
        return sets_ordered(in, order, pair, result);
    if (pair[0].kind != pair[1].kind)
        return no_order(in, order, pair);
    switch (pair[0].kind) {
    case VALUE_LIST:
    case VALUE_TUPLE:
        return lists_ordered(in, order, pair, result);
    case VALUE_DICT:
        if (!are_counters(pair))
            return no_order(in, order, pair);
        return counters_ordered(in, order, pair, result);
    default:
        return no_order(in, order, pair);
    }
}

bool compare_ordered(struct interp *in, enum compare_order order, const struct value pair[2],
                     bool *result)
{
    if (is_number(pair[0]) && is_number(pair[1])) {
        *result = by_sign(order, number_order(pair[0], pair[1]));
        return interp_charge(in, 1);
    }
    if (pair[0].kind == VALUE_STR && pair[1].kind == VALUE_STR) {
        *result = by_sign(order, str_compare(pair[0].as.str, pair[1].as.str));
        return interp_charge(in, 1);
    }
    if (!interp_charge(in, 1) || !interp_enter(in))
        return false;
    const bool fine = deep_ordered(in, order, pair, result);
    interp_leave(in);
    return fine;
}

bool compare_less(struct interp *in, struct value a, struct value b, bool *less)
{
    const struct value pair[2] = {a, b};
    return compare_ordered(in, COMPARE_LT, pair, less);
}

static uint64_t mix(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdu;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53u;
    return x ^ x >> 33;
}

static uint64_t hash_float(double real)
{
    if (real >= -9223372036854775808.0 && real < 9223372036854775808.0 && real == trunc(real))
        return mix((uint64_t)(int64_t)real); /* 1.0 and 1 are one key */
    uint64_t bits;
    memcpy(&bits, &real, sizeof bits);
    return mix(bits);
}

static bool hash_tuple(struct interp *in, const struct list *items, uint64_t *hash)
{
    uint64_t sum = 0x345678 + items->count;
    if (!interp_charge(in, items->count) || !interp_enter(in))
        return false;
    bool fine = true;
    for (uint32_t i = 0; fine && i < items->count; i++) {
        uint64_t item = 0;
        fine = compare_hash(in, items->items[i], &item);
        sum = mix(sum ^ item) + i;
    }
    interp_leave(in);
    *hash = sum;
    return fine;
}

static bool hash_set(struct interp *in, const struct dict *set, uint64_t *hash)
{
    uint32_t at = 0;
    *hash = set->count;
    for (const struct dict_entry *entry; (entry = dict_next(set, &at)) != NULL;)
        *hash += mix(entry->hash); /* the order does not count */
    return interp_charge(in, set->count);
}

bool compare_hash(struct interp *in, struct value value, uint64_t *hash)
{
    switch (value.kind) {
    case VALUE_NONE:
        *hash = 0x9e3779b9;
        return true;
    case VALUE_BOOL:
    case VALUE_INT:
        *hash = mix((uint64_t)integer_of(value));
        return true;
    case VALUE_FLOAT:
        *hash = hash_float(value.as.real);
        return true;
    case VALUE_STR:
        *hash = str_hash(value.as.str);
        return interp_charge(in, value.as.str->size / 512);
    case VALUE_TUPLE:
        return hash_tuple(in, value.as.list, hash);
    case VALUE_SET:
        if (value.as.dict->frozen)
            return hash_set(in, value.as.dict, hash);
        break;
    case VALUE_LIST:
    case VALUE_DICT:
    case VALUE_RECORD:
    case VALUE_SLICE:
        break;
    case VALUE_ITER:
        if (iter_is_set_view(value))
            break;
        *hash = mix((uint64_t)(uintptr_t)value.as.iter);
        return true;
    default:
        *hash = mix((uint64_t)(uintptr_t)value.as.list); /* its identity */
        return true;
    }
    return exception_raise(in, &exception_type, "unhashable type: '%s'", type_name(value));
}

bool compare_truth(struct value value)
{
    switch (value.kind) {
    case VALUE_UNSET:
    case VALUE_NONE:
        return false;
    case VALUE_BOOL:
        return value.as.boolean;
    case VALUE_INT:
        return value.as.integer != 0;
    case VALUE_FLOAT:
        return value.as.real != 0;
    case VALUE_STR:
        return value.as.str->size > 0;
    case VALUE_LIST:
    case VALUE_TUPLE:
        return value.as.list->count > 0;
    case VALUE_DICT:
    case VALUE_SET:
        return value.as.dict->count > 0;
    case VALUE_RANGE:
        return value.as.range->count > 0;
    case VALUE_ITER:
        return !iter_is_view(value.as.iter) || value.as.iter->source.as.dict->count > 0;
    default:
        return true;
    }
}

static bool iter_contains(struct interp *in, struct value container, struct value item,
                          bool *contains)
{
    struct iter *iter = iter_of_container(in, container);
    enum iter_result result = iter ? ITER_ITEM : ITER_RAISED;
    *contains = false;
    while (result == ITER_ITEM && !*contains) {
        struct value each;
        result = iter_next(in, iter, &each);
        if (result == ITER_ITEM && !compare_equal(in, each, item, contains))
            return false;
    }
    return result != ITER_RAISED;
}

/* One look-up, not a walk. */
static bool view_contains(struct interp *in, const struct iter *view, struct value item,
                          bool *contains)
{
    const bool items = view->stride == ITER_ITEMS;
    struct dict_entry *found = NULL;
    *contains = false;
    if (items && (item.kind != VALUE_TUPLE || item.as.list->count != 2))
        return true;
    const struct value key = items ? item.as.list->items[0] : item;
    if (!dict_find(in, view->source.as.dict, key, &found))
        return false;
    *contains = found != NULL;
    return !found || !items ||
           compare_equal(in, item.as.list->items[1], found->value, contains);
}

static bool list_contains(struct interp *in, const struct list *list, struct value item,
                          bool *contains)
{
    *contains = false;
    for (uint32_t i = 0; i < list->count && !*contains; i++)
        if (!interp_charge(in, 1) || !compare_equal(in, list->items[i], item, contains))
            return false;
    return true;
}

bool compare_contains(struct interp *in, struct value container, struct value item,
                      bool *contains)
{
    struct dict_entry *found;
    switch (container.kind) {
    case VALUE_STR:
        if (item.kind != VALUE_STR)
            return exception_raise(in, &exception_type,
                                   "'in <string>' requires string as left operand, not %s",
                                   type_name(item));
        *contains =
            str_find(in, str_text(container.as.str), str_text(item.as.str), 0) != SIZE_MAX;
        return !in->out_of_budget;
    case VALUE_LIST:
    case VALUE_TUPLE:
        return list_contains(in, container.as.list, item, contains);
    case VALUE_DICT:
    case VALUE_SET:
        if (!dict_find(in, container.as.dict, item, &found))
            return false;
        *contains = found != NULL;
        return true;
    case VALUE_ITER:
        if (iter_is_set_view(container))
            return view_contains(in, container.as.iter, item, contains);
        return iter_contains(in, container, item, contains);
    default:
        return iter_contains(in, container, item, contains);
    }
}
