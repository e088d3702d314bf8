/* type - see type.h. */
#include "protocol/dsl/type.h"

#include "protocol/dsl/dict.h"
#include "protocol/dsl/exception.h"
#include "protocol/dsl/record.h"
#include "protocol/dsl/type_construct.h"

#include <string.h>

const struct type type_object = {"object", NULL, VALUE_UNSET, NULL};
const struct type type_none = {"NoneType", &type_object, VALUE_NONE, NULL};
const struct type type_int = {"int", &type_object, VALUE_INT, type_construct_int};
const struct type type_bool = {"bool", &type_int, VALUE_BOOL, type_construct_bool};
const struct type type_float = {"float", &type_object, VALUE_FLOAT, type_construct_float};
const struct type type_str = {"str", &type_object, VALUE_STR, type_construct_str};
const struct type type_list = {"list", &type_object, VALUE_LIST, type_construct_list};
const struct type type_tuple = {"tuple", &type_object, VALUE_TUPLE, type_construct_tuple};
const struct type type_dict = {"dict", &type_object, VALUE_DICT, type_construct_dict};
const struct type type_set = {"set", &type_object, VALUE_SET, type_construct_set};
const struct type type_frozenset = {"frozenset", &type_object, VALUE_SET,
                                    type_construct_frozenset};
const struct type type_range = {"range", &type_object, VALUE_RANGE, type_construct_range};
const struct type type_type = {"type", &type_object, VALUE_TYPE, type_construct_type};
const struct type type_counter = {"Counter", &type_dict, VALUE_DICT, type_construct_counter};
const struct type type_defaultdict = {"defaultdict", &type_dict, VALUE_DICT,
                                      type_construct_defaultdict};
const struct type type_ordered_dict = {"OrderedDict", &type_dict, VALUE_DICT,
                                       type_construct_ordered_dict};

static const struct type type_proxy = {"mappingproxy", &type_object, VALUE_DICT, NULL};
static const struct type type_slice = {"slice", &type_object, VALUE_SLICE,
                                       type_construct_slice};
static const struct type type_ellipsis = {"ellipsis", &type_object, VALUE_ELLIPSIS, NULL};
static const struct type type_function = {"function", &type_object, VALUE_FUNCTION, NULL};
static const struct type type_builtin = {"builtin_function_or_method", &type_object,
                                         VALUE_BUILTIN, NULL};
static const struct type type_partial = {"partial", &type_object, VALUE_BUILTIN, NULL};
static const struct type type_iter = {"iterator", &type_object, VALUE_ITER, NULL};
static const struct type type_module = {"module", &type_object, VALUE_MODULE, NULL};
static const struct type type_pattern = {"Pattern", &type_object, VALUE_PATTERN, NULL};
static const struct type type_match = {"Match", &type_object, VALUE_MATCH, NULL};
static const struct type type_typing = {"_GenericAlias", &type_object, VALUE_TYPING, NULL};

static const struct type *const BY_NAME[] = {
    &type_object, &type_int,       &type_bool,           &type_float,
    &type_str,    &type_list,      &type_tuple,          &type_dict,
    &type_set,    &type_frozenset, &type_range,          &type_type,
    &type_slice,  &record_job,     &record_job_manifest, &record_job_output,
};

static const struct type *dict_type(const struct dict *dict)
{
    switch (dict->flavor) {
    case DICT_PLAIN:
        return &type_dict;
    case DICT_DEFAULT:
        return &type_defaultdict;
    case DICT_COUNTER:
        return &type_counter;
    case DICT_ORDERED:
        return &type_ordered_dict;
    case DICT_PROXY:
        return &type_proxy;
    }
    return &type_dict;
}

static const struct type *iter_type(const struct iter *iter)
{
    static const struct type NAMED[] = {
        {"dict_keys", &type_object, VALUE_ITER, NULL},
        {"dict_values", &type_object, VALUE_ITER, NULL},
        {"dict_items", &type_object, VALUE_ITER, NULL},
        {"odict_keys", &type_object, VALUE_ITER, NULL},
        {"odict_values", &type_object, VALUE_ITER, NULL},
        {"odict_items", &type_object, VALUE_ITER, NULL},
        {"generator", &type_object, VALUE_ITER, NULL},
        {"enumerate", &type_object, VALUE_ITER, NULL},
        {"zip", &type_object, VALUE_ITER, NULL},
        {"map", &type_object, VALUE_ITER, NULL},
        {"filter", &type_object, VALUE_ITER, NULL},
    };
    for (size_t i = 0; i < sizeof NAMED / sizeof NAMED[0]; i++)
        if (strcmp(NAMED[i].name, iter->type_name) == 0)
            return &NAMED[i];
    return &type_iter;
}

const struct type *type_of(struct value value)
{
    static const struct type *const BY_KIND[] = {
        [VALUE_UNSET] = &type_none,        [VALUE_NONE] = &type_none,
        [VALUE_BOOL] = &type_bool,         [VALUE_INT] = &type_int,
        [VALUE_FLOAT] = &type_float,       [VALUE_STR] = &type_str,
        [VALUE_LIST] = &type_list,         [VALUE_TUPLE] = &type_tuple,
        [VALUE_RANGE] = &type_range,       [VALUE_SLICE] = &type_slice,
        [VALUE_ELLIPSIS] = &type_ellipsis, [VALUE_FUNCTION] = &type_function,
        [VALUE_BUILTIN] = &type_builtin,   [VALUE_TYPE] = &type_type,
        [VALUE_MODULE] = &type_module,     [VALUE_PATTERN] = &type_pattern,
        [VALUE_MATCH] = &type_match,       [VALUE_TYPING] = &type_typing,
    };
    switch (value.kind) {
    case VALUE_DICT:
        return dict_type(value.as.dict);
    case VALUE_SET:
        return value.as.dict->frozen ? &type_frozenset : &type_set;
    case VALUE_EXCEPTION:
        return value.as.exception->type;
    case VALUE_RECORD:
        return value.as.record->type;
    case VALUE_ITER:
        return iter_type(value.as.iter);
    case VALUE_BUILTIN:
        return value.as.builtin->bound ? &type_partial : &type_builtin;
    default:
        return BY_KIND[value.kind];
    }
}

const char *type_prefix(const struct type *type)
{
    if (type == &type_counter || type == &type_defaultdict || type == &type_ordered_dict)
        return "collections.";
    if (type == &type_pattern || type == &type_match || type == &exception_regex)
        return "re.";
    return type == &exception_json_decode ? "json.decoder."
           : type == &type_partial        ? "functools."
                                          : "";
}

const char *type_name(struct value value)
{
    const struct type *type = type_of(value);
    if (value.kind == VALUE_ITER)
        return value.as.iter->type_name;
    return type == &type_ordered_dict  ? "collections.OrderedDict"
           : type == &type_defaultdict ? "collections.defaultdict"
           : type == &type_pattern     ? "re.Pattern"
           : type == &type_match       ? "re.Match"
           : type == &type_partial     ? "functools.partial"
                                       : type->name;
}

bool type_is_instance(struct value value, const struct type *type)
{
    return type == &type_object || exception_type_is_a(type_of(value), type);
}

const struct type *type_find(struct text name)
{
    for (size_t i = 0; i < sizeof BY_NAME / sizeof BY_NAME[0]; i++)
        if (text_equal(text_of(BY_NAME[i]->name), name))
            return BY_NAME[i];
    return exception_find(name);
}
