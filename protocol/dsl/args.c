/* args - see args.h. */
#include "protocol/dsl/args.h"

#include "protocol/dsl/interp.h"
#include "protocol/dsl/iter.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/number.h"
#include "protocol/dsl/signature.h"
#include "protocol/dsl/str.h"
#include "protocol/dsl/type.h"

#include <string.h>

/* CPython has several ways to say it, by how a function takes its arguments. */
static bool wrong_count(struct interp *in, const struct args_spec *spec,
                        const struct args *args)
{
    const uint32_t given = args->count;
    const bool many = given > spec->most;
    const uint32_t limit = many ? spec->most : spec->required;
    const bool is_method = ((args->self.kind >= VALUE_STR && args->self.kind <= VALUE_RANGE) ||
                            iter_is_set_view(args->self)) &&
                           !strchr(spec->function, '.');
    const char *owner = is_method ? type_name(args->self) : "";
    const char *dot = is_method ? "." : "";
    if (spec->most == 0)
        return exception_raise(in, &exception_type, "%s%s%s() takes no arguments (%u given)",
                               owner, dot, spec->function, given);
    if (spec->most == 1 && spec->required == 1)
        return exception_raise(in, &exception_type,
                               "%s%s%s() takes exactly one argument (%u given)", owner, dot,
                               spec->function, given);
    if (!many && spec->names[0] && given < ARGS_MAX && spec->names[given])
        return exception_raise(in, &exception_type,
                               "%s() missing required argument '%s' (pos %u)", spec->function,
                               spec->names[given], given + 1);
    if (!many && !spec->names[0] && spec->names[1])
        return exception_raise(in, &exception_type,
                               "%s() takes at least %u positional argument%s (%u given)",
                               spec->function, limit, limit == 1 ? "" : "s", given);
    return exception_raise(in, &exception_type, "%s expected %s%u argument%s, got %u",
                           spec->function,
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

bool args_bind(struct interp *in, const struct args_spec *spec, const struct args *args,
               struct value *values)
{
    uint32_t extra = 0;
    while (extra < ARGS_MAX && spec->only_named[extra])
        extra++;
    for (uint32_t i = 0; i < spec->most + extra; i++)
        values[i] = (struct value){.kind = VALUE_UNSET};
    if (args->count > spec->most)
        return wrong_count(in, spec, args);
    for (uint32_t i = 0; i < args->count; i++)
        values[i] = args->values[i];
    for (uint32_t i = 0; i < args->named_count; i++) {
        const int32_t place = place_of(spec, args->names[i]);
        const struct text name = str_text(args->names[i]);
        if (place < 0 && extra == 0 && !spec->names[0] && !spec->names[1])
            return exception_raise(in, &exception_type, "%s() takes no keyword arguments",
                                   spec->function);
        if (place < 0)
            return exception_raise(in, &exception_type,
                                   "'%.*s' is an invalid keyword argument for %s()",
                                   TEXT_ARG(name), spec->function);
        if (values[place].kind != VALUE_UNSET)
            return exception_raise(in, &exception_type,
                                   "argument for %s() given by name ('%.*s') and position (%d)",
                                   spec->function, TEXT_ARG(name), place + 1);
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
    uint32_t all = spec->most, only_named = 0;
    while (all < spec->most + ARGS_MAX && spec->only_named[all - spec->most])
        all++;
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
