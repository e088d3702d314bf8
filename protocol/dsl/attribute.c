/* attribute - see attribute.h. */
#include "protocol/dsl/attribute.h"

#include "protocol/dsl/args.h"
#include "protocol/dsl/code.h"
#include "protocol/dsl/dict.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/iter.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/methods.h"
#include "protocol/dsl/modules.h"
#include "protocol/dsl/number.h"
#include "protocol/dsl/record.h"
#include "protocol/dsl/str.h"
#include "protocol/dsl/type.h"

#include <math.h>
#include <string.h>

/* model_dump() and dict() of a record. */
static bool dump(struct interp *in, const struct args *args, struct value *out)
{
    *out = value_dict(record_dump(in, args->self.as.record));
    return out->as.dict != NULL;
}

/* model_copy() and copy(); update={...} sets fields of the copy. */
static bool copy_record(struct interp *in, const struct args *args, struct value *out)
{
    struct record *copy = record_new(in, args->self.as.record->type);
    if (!copy)
        return false;
    *copy = *args->self.as.record;
    *out = record_value(copy);
    for (uint32_t i = 0; i < args->named_count; i++) {
        uint32_t at = 0;
        if (!str_is(args->names[i], "update") || args->named[i].kind != VALUE_DICT)
            continue;
        for (const struct dict_entry *e; (e = dict_next(args->named[i].as.dict, &at)) != NULL;)
            if (e->key.kind == VALUE_STR && !attribute_set(in, *out, e->key.as.str, e->value))
                return false;
    }
    return true;
}

static const struct methods_row RECORD_METHODS[] = {
    {"model_dump", dump},  {"dict", dump}, {"model_copy", copy_record},
    {"copy", copy_record}, {NULL, NULL},
};

static bool bit_length(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"bit_length", 0, 0, {NULL}, {NULL}};
    struct value none[1];
    if (!args_bind(in, &SPEC, args, none))
        return false;
    const int64_t number = number_integer(args->self);
    const uint64_t size = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    *out = value_int(size == 0 ? 0 : 64 - __builtin_clzll(size));
    return true;
}

static bool is_integer(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"is_integer", 0, 0, {NULL}, {NULL}};
    struct value none[1];
    if (!args_bind(in, &SPEC, args, none))
        return false;
    const double number = args->self.as.real;
    *out = value_bool(isfinite(number) && floor(number) == number);
    return true;
}

static const struct methods_row INT_METHODS[] = {{"bit_length", bit_length}, {NULL, NULL}};
static const struct methods_row FLOAT_METHODS[] = {{"is_integer", is_integer}, {NULL, NULL}};

/* Where the attributes lie that a program sets on an object; NULL where it can set none. */
static struct dict **own_of(struct value object)
{
    switch (object.kind) {
    case VALUE_EXCEPTION:
        return &object.as.exception->extra;
    case VALUE_FUNCTION:
        return &object.as.function->own;
    case VALUE_BUILTIN:
        return object.as.builtin->bound ? &object.as.builtin->own : NULL;
    case VALUE_DICT:
        return object.as.dict->flavor == DICT_COUNTER || object.as.dict->flavor == DICT_ORDERED
                   ? &object.as.dict->own
                   : NULL;
    default:
        return NULL;
    }
}

/* It stands before a method of that name. Few are set: they are gone through. */
static bool hides(const struct dict *own, const struct str *name)
{
    uint32_t at = 0;
    const struct dict_entry *entry = own ? dict_next(own, &at) : NULL;
    while (entry && !str_equal(entry->key.as.str, name))
        entry = dict_next(own, &at);
    return entry != NULL;
}

static bool proxy_has(const struct str *name)
{
    return str_is(name, "get") || str_is(name, "keys") || str_is(name, "values") ||
           str_is(name, "items") || str_is(name, "copy");
}

static value_call *in_dict(const struct dict *dict, const struct str *name)
{
    value_call *call = NULL;
    if (hides(dict->own, name))
        return NULL;
    if (dict->flavor == DICT_PROXY && !proxy_has(name))
        return NULL;
    if (dict->flavor == DICT_COUNTER)
        call = methods_lookup(modules_counter_methods, name);
    if (dict->flavor != DICT_ORDERED && str_is(name, "move_to_end"))
        return NULL;
    return call ? call : methods_lookup(methods_dict_table, name);
}

static value_call *in_str(const struct str *name)
{
    value_call *call = methods_lookup(methods_find_table, name);
    return call ? call : methods_lookup(methods_text_table, name);
}

static value_call *in_set(const struct dict *set, const struct str *name)
{
    value_call *call = methods_lookup(methods_frozen_table, name);
    return call || set->frozen ? call : methods_lookup(methods_set_table, name);
}

value_call *attribute_method(struct value object, const struct str *name)
{
    switch (object.kind) {
    case VALUE_INT:
    case VALUE_BOOL:
        return methods_lookup(INT_METHODS, name);
    case VALUE_FLOAT:
        return methods_lookup(FLOAT_METHODS, name);
    case VALUE_STR:
        return in_str(name);
    case VALUE_LIST:
        return methods_lookup(methods_list_table, name);
    case VALUE_TUPLE:
        return methods_lookup(methods_tuple_table, name);
    case VALUE_RANGE:
        return methods_lookup(methods_range_table, name);
    case VALUE_ITER: /* dict.keys() and dict.items() */
        return iter_is_set_view(object) ? methods_lookup(methods_view_table, name) : NULL;
    case VALUE_DICT:
        return in_dict(object.as.dict, name);
    case VALUE_SET:
        return in_set(object.as.dict, name);
    case VALUE_RECORD:
        return methods_lookup(RECORD_METHODS, name);
    case VALUE_PATTERN:
        return methods_lookup(modules_re_pattern_methods, name);
    case VALUE_MATCH:
        return methods_lookup(modules_re_match_methods, name);
    default:
        return NULL;
    }
}

/* str.lower, dict.fromkeys and so on: called with the object as first argument. */
static bool call_unbound(struct interp *in, const struct args *args, struct value *out)
{
    struct args rest = *args;
    const struct str *name = args->self.as.list->items[0].as.str;
    const struct type *type = args->self.as.list->items[1].as.type;
    if (str_is(name, "fromkeys") || str_is(name, "maketrans")) { /* these are static */
        const bool text = type == &type_str;
        struct dict like = {.flavor = type == &type_ordered_dict  ? DICT_ORDERED
                                      : type == &type_defaultdict ? DICT_DEFAULT
                                                                  : DICT_PLAIN};
        rest.self = value_dict(&like);
        if (type == &type_counter)
            return methods_lookup(modules_counter_methods, name)(in, &rest, out);
        return methods_lookup(text ? methods_text_table : methods_dict_table, name)(in, &rest,
                                                                                    out);
    }
    if (args->count == 0)
        return exception_raise(
            in, &exception_type, "unbound method %s.%.*s() needs an argument",
            type == &type_counter || type == &type_defaultdict ? "dict" : type->name,
            TEXT_ARG(str_text(name)));
    if (!type_is_instance(args->values[0], type))
        return exception_raise(
            in, &exception_type,
            "descriptor '%.*s' for '%s' objects doesn't apply to a '%s' object",
            TEXT_ARG(str_text(name)), type->name, type_name(args->values[0]));
    rest.self = args->values[0];
    rest.values++;
    rest.count--;
    return attribute_method(rest.self, name)(in, &rest, out);
}

static bool bind_method(struct interp *in, struct value self, struct str *name,
                        value_call *call, struct value *out)
{
    struct builtin *builtin = INTERP_NEW(in, struct builtin);
    struct str *copy = str_copy(in, str_text(name)); /* with a NUL behind */
    if (!builtin || !copy)
        return false;
    *builtin = (struct builtin){.name = copy->data, .call = call, .self = self};
    *out = (struct value){.kind = VALUE_BUILTIN, .as.builtin = builtin};
    return true;
}

static bool type_attribute(struct interp *in, const struct type *type, struct str *name,
                           struct value *out, bool *found)
{
    struct value probe = {.kind = type->instance};
    struct dict dict = {0};
    if (str_is(name, "__name__")) {
        struct str *text = str_view(in, text_of(type->name));
        *found = text != NULL;
        *out = value_str(text);
        return *found;
    }
    dict.frozen = type == &type_frozenset;
    if (probe.kind == VALUE_DICT || probe.kind == VALUE_SET)
        probe.as.dict = &dict;
    if (probe.kind == VALUE_RECORD || !attribute_method(probe, name))
        return true;
    const struct value pair[2] = {value_str(name), type_value(type)};
    struct list *self = list_of(in, pair, 2);
    *found = self != NULL;
    return self && bind_method(in, value_tuple(self), name, call_unbound, out);
}

static bool own_attribute(struct interp *in, struct value object, struct str *name,
                          struct value *out, bool *found)
{
    struct dict *const *own = own_of(object);
    struct dict_entry *entry = NULL;
    if (own && *own && !dict_find(in, *own, value_str(name), &entry))
        return false;
    *found = entry != NULL;
    if (entry)
        *out = entry->value;
    return true;
}

/* func, args and keywords of a partial. */
static bool partial_attribute(struct interp *in, const struct builtin *partial,
                              const struct str *name, struct value *out, bool *found)
{
    *found = true;
    if (str_is(name, "func")) {
        *out = partial->self;
    } else if (str_is(name, "args")) {
        *out = value_tuple(list_of(in, partial->bound->items, partial->bound->count));
        return out->as.list != NULL;
    } else if (str_is(name, "keywords")) {
        *out = value_dict(dict_copy(in, partial->bound_named)); /* its keys stay strs */
        return out->as.dict != NULL;
    } else {
        *found = false;
    }
    return true;
}

/* start, stop and step. */
static bool bound_of(struct value object, const struct str *name, struct value *out)
{
    static const char *const NAMES[3] = {"start", "stop", "step"};
    struct value bounds[3];
    if (object.kind == VALUE_RANGE) {
        bounds[0] = value_int(object.as.range->start);
        bounds[1] = value_int(object.as.range->stop);
        bounds[2] = value_int(object.as.range->step);
    } else {
        bounds[0] = object.as.slice->start;
        bounds[1] = object.as.slice->stop;
        bounds[2] = object.as.slice->step;
    }
    for (size_t i = 0; i < 3; i++)
        if (str_is(name, NAMES[i])) {
            *out = bounds[i];
            return true;
        }
    return false;
}

static bool data_attribute(struct interp *in, struct value object, struct str *name,
                           struct value *out, bool *found)
{
    int32_t field;
    if (!own_attribute(in, object, name, out, found))
        return false;
    if (*found)
        return true;
    switch (object.kind) {
    case VALUE_RECORD:
        field = record_field_find(object.as.record->type, str_text(name));
        *found = field >= 0;
        if (*found)
            *out = object.as.record->fields[field];
        return true;
    case VALUE_MODULE:
        *found = modules_member(in, object.as.module, str_text(name), out);
        if (!*found && !in->out_of_budget)
            in->raised = NULL;
        return !in->out_of_budget;
    case VALUE_TYPE:
        return type_attribute(in, object.as.type, name, out, found);
    case VALUE_EXCEPTION:
        *found = str_is(name, "args");
        *out = value_tuple(object.as.exception->args);
        return true;
    case VALUE_DICT:
        *found = object.as.dict->flavor == DICT_DEFAULT && str_is(name, "default_factory");
        *out = object.as.dict->factory;
        return true;
    case VALUE_PATTERN:
    case VALUE_MATCH:
        return modules_re_match_attribute(in, object, name, out, found);
    case VALUE_FUNCTION:
        *found = str_is(name, "__name__");
        *out = value_str(object.as.function->code->name);
        return true;
    case VALUE_BUILTIN: /* itertools.chain.from_iterable */
        if (object.as.builtin->bound)
            return partial_attribute(in, object.as.builtin, name, out, found);
        if (strcmp(object.as.builtin->name, "chain") != 0)
            return true;
        *found = methods_lookup(modules_chain_methods, name) != NULL;
        return !*found ||
               bind_method(in, object, name, methods_lookup(modules_chain_methods, name), out);
    case VALUE_INT:
    case VALUE_BOOL:
    case VALUE_FLOAT:
        if (str_is(name, "real")) {
            *found = true;
            *out = object.kind == VALUE_BOOL ? value_int(object.as.boolean) : object;
        } else if (str_is(name, "imag")) {
            *found = true;
            *out = object.kind == VALUE_FLOAT ? value_float(0) : value_int(0);
        }
        return true;
    case VALUE_RANGE:
    case VALUE_SLICE:
        *found = bound_of(object, name, out);
        return true;
    default:
        return true;
    }
}

bool attribute_find(struct interp *in, struct value object, struct str *name, struct value *out,
                    bool *found)
{
    value_call *method = attribute_method(object, name);
    *found = method != NULL;
    if (method)
        return bind_method(in, object, name, method, out);
    return data_attribute(in, object, name, out, found);
}

bool attribute_get(struct interp *in, struct value object, struct str *name, struct value *out)
{
    bool found;
    if (!attribute_find(in, object, name, out, &found))
        return false;
    if (found)
        return true;
    const struct text text = str_text(name);
    if (object.kind == VALUE_TYPE)
        return exception_raise(
            in, &exception_attribute, "type object '%s%s' has no attribute '%.*s'",
            object.as.type == &type_counter ? "" : type_prefix(object.as.type),
            object.as.type->name, TEXT_ARG(text));
    if (object.kind == VALUE_MODULE)
        return exception_raise(in, &exception_attribute, "module '%s' has no attribute '%.*s'",
                               modules_name(object.as.module), TEXT_ARG(text));
    return exception_raise(in, &exception_attribute, "'%s' object has no attribute '%.*s'",
                           type_name(object), TEXT_ARG(text));
}

/* What cannot be set or deleted: it is a method, or not there. */
static bool no_such(struct interp *in, struct value object, const struct str *name)
{
    return exception_raise(in, &exception_attribute,
                           attribute_method(object, name)
                               ? "'%s' object attribute '%.*s' is read-only"
                               : "'%s' object has no attribute '%.*s'",
                           type_name(object), TEXT_ARG(str_text(name)));
}

bool attribute_set(struct interp *in, struct value object, struct str *name, struct value value)
{
    const struct text text = str_text(name);
    if (object.kind == VALUE_RECORD) {
        const int32_t field = record_field_find(object.as.record->type, text);
        if (field < 0)
            return exception_raise(in, &exception_value, "\"%s\" object has no field \"%.*s\"",
                                   object.as.record->type->name, TEXT_ARG(text));
        object.as.record->fields[field] = value;
        return true;
    }
    struct dict **own = own_of(object);
    if (own && !(object.kind == VALUE_EXCEPTION && str_is(name, "args"))) {
        if (!*own)
            *own = dict_new(in);
        return *own && dict_set(in, *own, value_str(name), value);
    }
    if (object.kind == VALUE_DICT && object.as.dict->flavor == DICT_DEFAULT &&
        str_is(name, "default_factory")) {
        object.as.dict->factory = value;
        return true;
    }
    if (object.kind == VALUE_TYPE && object.as.type != &type_counter)
        return exception_raise(
            in, &exception_type, "cannot set '%.*s' attribute of immutable type '%s%s'",
            TEXT_ARG(text), type_prefix(object.as.type), object.as.type->name);
    return no_such(in, object, name);
}

bool attribute_delete(struct interp *in, struct value object, struct str *name)
{
    struct dict *const *own = own_of(object);
    struct value removed = {.kind = VALUE_UNSET};
    if (own && *own && !dict_remove(in, *own, value_str(name), &removed))
        return false;
    return removed.kind != VALUE_UNSET || no_such(in, object, name);
}
