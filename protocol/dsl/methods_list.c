/* methods_list - methods of list, tuple and range. */
#include "protocol/dsl/methods.h"

#include "protocol/dsl/args.h"
#include "protocol/dsl/compare.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/number.h"
#include "protocol/dsl/repr.h"
#include "protocol/dsl/str.h"

#include <math.h>

static bool append(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"list.append", 1, 1, {NULL}, {NULL}};
    struct value values[1];
    *out = value_none();
    return args_bind(in, &SPEC, args, values) && list_push(in, args->self.as.list, values[0]);
}

static bool extend(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"list.extend", 1, 1, {NULL}, {NULL}};
    struct value values[1];
    *out = value_none();
    if (!args_bind(in, &SPEC, args, values))
        return false;
    const struct list *items = list_from(in, values[0]);
    return items && list_extend(in, args->self.as.list, items->items, items->count);
}

static bool insert(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"insert", 2, 2, {NULL}, {NULL}};
    struct list *self = args->self.as.list;
    struct value values[2];
    int64_t at = 0;
    *out = value_none();
    if (!args_bind(in, &SPEC, args, values) || !args_int(in, values[0], &at))
        return false;
    at += at < 0 ? self->count : 0;
    at = at < 0 ? 0 : at > self->count ? self->count : at;
    const struct list item = {.items = &values[1], .count = 1};
    return list_splice(in, self, (uint32_t)at, 0, &item);
}

static bool pop(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"pop", 0, 1, {NULL}, {NULL}};
    struct list *self = args->self.as.list;
    const struct list none = {0};
    struct value values[1];
    int64_t at = -1;
    if (!args_bind(in, &SPEC, args, values) || !args_int(in, values[0], &at))
        return false;
    if (self->count == 0)
        return exception_raise(in, &exception_index, "pop from empty list");
    at += at < 0 ? self->count : 0;
    if (at < 0 || at >= self->count)
        return exception_raise(in, &exception_index, "pop index out of range");
    *out = self->items[at];
    return list_splice(in, self, (uint32_t)at, 1, &none);
}

/* The first place of item; UINT32_MAX when it is not there. */
static bool locate(struct interp *in, const struct list *list, struct value item,
                   uint32_t range[2], uint32_t *at)
{
    for (*at = range[0]; *at < range[1] && *at < list->count; ++*at) {
        bool equal;
        if (!interp_charge(in, 1) || !compare_equal(in, list->items[*at], item, &equal))
            return false;
        if (equal)
            return true;
    }
    *at = UINT32_MAX;
    return true;
}

static bool remove_item(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"list.remove", 1, 1, {NULL}, {NULL}};
    struct list *self = args->self.as.list;
    const struct list none = {0};
    struct value values[1];
    uint32_t range[2] = {0, self->count}, at;
    *out = value_none();
    if (!args_bind(in, &SPEC, args, values) || !locate(in, self, values[0], range, &at))
        return false;
    if (at == UINT32_MAX)
        return exception_raise(in, &exception_value, "list.remove(x): x not in list");
    return list_splice(in, self, at, 1, &none);
}

static bool index_of(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"index", 1, 3, {NULL}, {NULL}};
    const struct list *self = args->self.as.list;
    struct value values[3];
    int64_t bounds[2] = {0, self->count};
    uint32_t range[2], at;
    if (!args_bind(in, &SPEC, args, values))
        return false;
    for (uint32_t i = 0; i < 2; i++) {
        if (values[i + 1].kind != VALUE_UNSET && !number_is_int(values[i + 1]))
            return exception_raise(
                in, &exception_type,
                "slice indices must be integers or have an __index__ method");
        if (values[i + 1].kind != VALUE_UNSET)
            bounds[i] = number_integer(values[i + 1]);
        bounds[i] += bounds[i] < 0 ? self->count : 0;
        range[i] = (uint32_t)(bounds[i] < 0             ? 0
                              : bounds[i] > self->count ? self->count
                                                        : bounds[i]);
    }
    if (!locate(in, self, values[0], range, &at))
        return false;
    *out = value_int(at);
    if (at != UINT32_MAX)
        return true;
    if (args->self.kind == VALUE_TUPLE)
        return exception_raise(in, &exception_value, "tuple.index(x): x not in tuple");
    struct str *repr = repr_of(in, values[0]);
    return repr && exception_raise(in, &exception_value, "%.*s is not in list",
                                   TEXT_ARG(str_text(repr)));
}

static bool count(struct interp *in, const struct args *args, struct value *out)
{
    const bool tuple = args->self.kind == VALUE_TUPLE;
    const struct args_spec SPEC = {tuple ? "tuple.count" : "list.count", 1, 1, {NULL}, {NULL}};
    const struct list *self = args->self.as.list;
    struct value values[1];
    int64_t found = 0;
    if (!args_bind(in, &SPEC, args, values))
        return false;
    for (uint32_t i = 0; i < self->count; i++) {
        bool equal;
        if (!interp_charge(in, 1) || !compare_equal(in, self->items[i], values[0], &equal))
            return false;
        found += equal;
    }
    *out = value_int(found);
    return true;
}

static bool sort(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"sort", 0, 0, {NULL}, {"key", "reverse"}};
    struct value values[2];
    int64_t reverse = 0;
    *out = value_none();
    return args_bind(in, &SPEC, args, values) && args_c_int(in, values[1], &reverse) &&
           list_sort(in, args->self.as.list, values[0], reverse != 0);
}

static bool reverse(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"reverse", 0, 0, {NULL}, {NULL}};
    struct list *self = args->self.as.list;
    *out = value_none();
    if (!args_bind(in, &SPEC, args, NULL) || !interp_charge(in, self->count / 4))
        return false;
    for (uint32_t i = 0; i < self->count / 2; i++) {
        const struct value swap = self->items[i];
        self->items[i] = self->items[self->count - 1 - i];
        self->items[self->count - 1 - i] = swap;
    }
    return true;
}

static bool clear(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"clear", 0, 0, {NULL}, {NULL}};
    *out = value_none();
    if (!args_bind(in, &SPEC, args, NULL))
        return false;
    args->self.as.list->count = 0;
    return true;
}

static bool copy(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"copy", 0, 0, {NULL}, {NULL}};
    if (!args_bind(in, &SPEC, args, NULL))
        return false;
    *out = value_list(list_of(in, args->self.as.list->items, args->self.as.list->count));
    return out->as.list != NULL;
}

const struct methods_row methods_list_table[] = {
    {"append", append},      {"extend", extend},  {"insert", insert}, {"pop", pop},
    {"remove", remove_item}, {"index", index_of}, {"count", count},   {"sort", sort},
    {"reverse", reverse},    {"clear", clear},    {"copy", copy},     {NULL, NULL},
};

const struct methods_row methods_tuple_table[] = {
    {"index", index_of},
    {"count", count},
    {NULL, NULL},
};

static bool range_find(struct interp *in, const struct args *args, const char *name,
                       int64_t *at)
{
    const struct args_spec spec = {name, 1, 1, {NULL}, {NULL}};
    const struct range *self = args->self.as.range;
    struct value values[1];
    if (!args_bind(in, &spec, args, values))
        return false;
    const struct value value = values[0];
    double whole = value.kind == VALUE_FLOAT ? value.as.real : 0.5;
    int64_t number = 0;
    *at = -1;
    if (number_is_int(value))
        number = number_integer(value);
    else if (floor(whole) == whole && fabs(whole) < 0x1p63)
        number = (int64_t)whole;
    else
        return true;
    /* In unsigned steps from the start: a range may span all 64 bits. */
    const bool up = self->step > 0;
    const uint64_t away = up ? (uint64_t)number - (uint64_t)self->start
                             : (uint64_t)self->start - (uint64_t)number;
    const uint64_t step = up ? (uint64_t)self->step : 0 - (uint64_t)self->step;
    const bool behind = up ? number >= self->start : number <= self->start;
    if (behind && away % step == 0 && away / step < (uint64_t)self->count)
        *at = (int64_t)(away / step);
    return true;
}

static bool range_index(struct interp *in, const struct args *args, struct value *out)
{
    int64_t at;
    if (!range_find(in, args, "range.index", &at))
        return false;
    *out = value_int(at);
    if (at >= 0)
        return true;
    if (!number_is_int(args->values[0]))
        return exception_raise(in, &exception_value, "sequence.index(x): x not in sequence");
    struct str *repr = repr_of(in, args->values[0]);
    return repr && exception_raise(in, &exception_value, "%.*s is not in range",
                                   TEXT_ARG(str_text(repr)));
}

static bool range_count(struct interp *in, const struct args *args, struct value *out)
{
    int64_t at;
    if (!range_find(in, args, "range.count", &at))
        return false;
    *out = value_int(at >= 0);
    return true;
}

const struct methods_row methods_range_table[] = {
    {"index", range_index},
    {"count", range_count},
    {NULL, NULL},
};

value_call *methods_lookup(const struct methods_row *table, const struct str *name)
{
    for (; table->name; table++)
        if (str_is(name, table->name))
            return table->call;
    return NULL;
}
