/* args - see args.h. */
#include "protocol/dsl/args.h"

#include "protocol/dsl/dict.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/iter.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/modules.h"
#include "protocol/dsl/number.h"
#include "protocol/dsl/signature.h"
#include "protocol/dsl/str.h"
#include "protocol/dsl/type.h"

#include <stdio.h>
#include <string.h>

static const char *owner_of_dict(const struct dict *dict, const char *name)
{
    if (dict->flavor == DICT_ORDERED && strcmp(name, "get") != 0)
        return "OrderedDict";
    return dict->flavor == DICT_DEFAULT && strcmp(name, "copy") == 0 ? "defaultdict" : "dict";
}

/* "dict" of dict.get, "math" of math.sqrt: where CPython says that a function comes from; NULL
 * when it says nothing, or the name has it already. */
static const char *owner_of(const struct args *args, const char *name)
{
    const struct value self = args->self;
    if (strchr(name, '.'))
        return NULL;
    for (const struct modules_member *at = modules_math; at->name && !self.kind; at++)
        if (strcmp(at->name, name) == 0 && strcmp(name, "log") != 0)
            return "math";
    if (self.kind == VALUE_DICT)
        return owner_of_dict(self.as.dict, name);
    if (self.kind == VALUE_INT || self.kind == VALUE_BOOL)
        return "int";
    if (iter_is_set_view(self))
        return type_name(self);
    return (self.kind >= VALUE_FLOAT && self.kind <= VALUE_RANGE) ||
                   self.kind == VALUE_PATTERN || self.kind == VALUE_MATCH
               ? type_of(self)->name
               : NULL;
}

/* owner.name() takes ... */
static bool takes_no_such(struct interp *in, const struct args *args, const char *name,
                          const char *what)
{
    const char *owner = owner_of(args, name);
    return exception_raise(in, &exception_type, "%s%s%s() takes %s", owner ? owner : "",
                           owner ? "." : "", name, what);
}

bool args_no_keywords(struct interp *in, const struct args *args, const char *name)
{
    return args->named_count == 0 || takes_no_such(in, args, name, "no keyword arguments");
}

static const char *bare(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot ? dot + 1 : name;
}

static uint32_t count_named(const struct args_spec *spec)
{
    uint32_t count = 0;
    while (count < ARGS_MAX && spec->only_named[count])
        count++;
    return count;
}

/* It has keywords: then all that is given is counted, or what is given by place. */
static bool too_many(struct interp *in, const struct args_spec *spec, const struct args *args)
{
    const uint32_t all = spec->most + count_named(spec);
    const uint32_t given = args->count + args->named_count;
    const bool in_all = given > all;
    const uint32_t limit = in_all ? all : spec->most;
    return exception_raise(
        in, &exception_type, "%s() takes %s %u %sargument%s (%u given)", bare(spec->function),
        !in_all && spec->most == spec->required ? "exactly" : "at most", limit,
        in_all ? "" : "positional ", limit == 1 ? "" : "s", in_all ? given : args->count);
}

/* CPython has several ways to say it, by how a function takes its arguments. */
static bool wrong_count(struct interp *in, const struct args_spec *spec,
                        const struct args *args)
{
    const uint32_t given = args->count;
    const bool many = given > spec->most;
    const uint32_t limit = many ? spec->most : spec->required;
    char what[64];
    if (many && spec->most > 0 && (spec->names[0] || spec->names[1] || spec->only_named[0]))
        return too_many(in, spec, args);
    if (spec->most == 0) {
        snprintf(what, sizeof what, "no arguments (%u given)", given);
        return takes_no_such(in, args, spec->function, what);
    }
    if (!many && spec->names[0] && given < ARGS_MAX && spec->names[given])
        return exception_raise(in, &exception_type,
                               "%s() missing required argument '%s' (pos %u)",
                               bare(spec->function), spec->names[given], given + 1);
    if (spec->most == 1 && spec->required == 1) {
        snprintf(what, sizeof what, "exactly one argument (%u given)", given);
        return takes_no_such(in, args, spec->function, what);
    }
    if (!many && !spec->names[0] && spec->names[1])
        return exception_raise(in, &exception_type,
                               "%s() takes at least %u positional argument%s (%u given)",
                               bare(spec->function), limit, limit == 1 ? "" : "s", given);
    return exception_raise(in, &exception_type, "%s expected %s%u argument%s, got %u",
                           bare(spec->function),
                           spec->most == spec->required ? ""
                           : many                       ? "at most "
                                                        : "at least ",
                           limit, limit == 1 ? "" : "s", given);
}

static int32_t place_of(const struct args_spec *spec, const struct str *name)
{
    for (uint32_t i = 0; i < spec->most; i++)
        if (spec->names[i] && str_is(name, spec->names[i]))
            return (int32_t)i;
    for (uint32_t i = 0; i < ARGS_MAX && spec->only_named[i]; i++)
        if (str_is(name, spec->only_named[i]))
            return (int32_t)(spec->most + i);
    return -1;
}

/* The first required argument with a name that is not there by place or name; or most. */
static uint32_t first_missing(const struct args_spec *spec, const struct args *args)
{
    for (uint32_t i = args->count; i < spec->required && spec->names[i]; i++) {
        bool is_there = false;
        for (uint32_t j = 0; j < args->named_count && !is_there; j++)
            is_there = str_is(args->names[j], spec->names[i]);
        if (!is_there)
            return i;
    }
    return spec->most;
}

static bool unknown_keyword(struct interp *in, const struct args_spec *spec,
                            const struct args *args, const struct str *name)
{
    const uint32_t lacks = first_missing(spec, args);
    if (!spec->only_named[0] && !spec->names[0] && !spec->names[1])
        return args_no_keywords(in, args, spec->function);
    if (lacks < spec->most)
        return exception_raise(in, &exception_type,
                               "%s() missing required argument '%s' (pos %u)",
                               bare(spec->function), spec->names[lacks], lacks + 1);
    return exception_raise(in, &exception_type,
                           "'%.*s' is an invalid keyword argument for %s()",
                           TEXT_ARG(str_text(name)), bare(spec->function));
}

bool args_bind(struct interp *in, const struct args_spec *spec, const struct args *args,
               struct value *values)
{
    const uint32_t all = spec->most + count_named(spec);
    for (uint32_t i = 0; i < all; i++)
        values[i] = (struct value){.kind = VALUE_UNSET};
    if (args->count > spec->most)
        return wrong_count(in, spec, args);
    for (uint32_t i = 0; i < args->count; i++)
        values[i] = args->values[i];
    for (uint32_t i = 0; i < args->named_count; i++) {
        const int32_t place = place_of(spec, args->names[i]);
        if (place < 0)
            return unknown_keyword(in, spec, args, args->names[i]);
        if (values[place].kind != VALUE_UNSET)
            return exception_raise(in, &exception_type,
                                   "argument for %s() given by name ('%.*s') and position (%d)",
                                   bare(spec->function), TEXT_ARG(str_text(args->names[i])),
                                   place + 1);
        values[place] = args->named[i];
    }
    for (uint32_t i = 0; i < spec->required; i++)
        if (values[i].kind == VALUE_UNSET)
            return wrong_count(in, spec, args);
    return true;
}

/* What is required and not there. */
static bool missing(struct interp *in, const struct args_spec *spec, const struct value *values)
{
    struct list *names = list_new(in, spec->required);
    for (uint32_t i = 0; names && i < spec->required; i++) {
        struct str *name = str_view(in, text_of(spec->names[i]));
        if (!name || (values[i].kind == VALUE_UNSET && !list_push(in, names, value_str(name))))
            return false;
    }
    return names &&
           (names->count == 0 || signature_missing(in, text_of(spec->function), names, false));
}

bool args_bind_python(struct interp *in, const struct args_spec *spec, const struct args *args,
                      struct value *values, struct value *other)
{
    const struct text function = text_of(spec->function);
    const uint32_t self = text_find(function, TEXT("."), 0) != SIZE_MAX;
    const struct signature signature = {function, spec->required + self, spec->most + self};
    const uint32_t all = spec->most + count_named(spec);
    uint32_t only_named = 0;
    for (uint32_t i = 0; i < all; i++)
        values[i] = i < args->count && i < spec->most ? args->values[i]
                                                      : (struct value){.kind = VALUE_UNSET};
    if (other)
        other->kind = VALUE_UNSET;
    for (uint32_t i = 0; i < args->named_count; i++) {
        const int32_t place = place_of(spec, args->names[i]);
        if (place < 0 && !other)
            return signature_unexpected(in, function, args->names[i]);
        if (place < 0) {
            if (other->kind == VALUE_UNSET)
                *other = value_str(args->names[i]);
            continue;
        }
        if (values[place].kind != VALUE_UNSET)
            return signature_twice(in, function, args->names[i]);
        only_named += place >= (int32_t)spec->most;
        values[place] = args->named[i];
    }
    if (args->count > spec->most)
        return signature_too_many(in, &signature, args->count + self, only_named);
    return missing(in, spec, values);
}

bool args_int(struct interp *in, struct value value, int64_t *out)
{
    if (value.kind == VALUE_UNSET)
        return true;
    if (!number_is_int(value))
        return exception_raise(in, &exception_type,
                               "'%s' object cannot be interpreted as an integer",
                               type_name(value));
    *out = number_integer(value);
    return true;
}

bool args_c_int(struct interp *in, struct value value, int64_t *out)
{
    if (!args_int(in, value, out))
        return false;
    return (*out >= INT32_MIN && *out <= INT32_MAX) ||
           exception_raise(in, &exception_overflow, "Python int too large to convert to C int");
}

bool args_str(struct interp *in, struct value value, const char *what, struct str **out)
{
    if (value.kind == VALUE_UNSET)
        return true;
    if (value.kind != VALUE_STR)
        return exception_raise(in, &exception_type, "%s must be str, not %s", what,
                               value.kind == VALUE_NONE ? "None" : type_name(value));
    *out = value.as.str;
    return true;
}
