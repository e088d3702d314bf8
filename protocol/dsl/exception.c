/* exception - see exception.h. */
#include "protocol/dsl/exception.h"

#include "protocol/dsl/interp.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/repr.h"
#include "protocol/dsl/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_BYTES = 480 }; /* most fit; longer ones are written once more */

#define CLASS(symbol, class_name, parent)                                                      \
    const struct type symbol = {class_name, parent, VALUE_EXCEPTION, exception_construct}

CLASS(exception_base, "BaseException", NULL);
CLASS(exception_any, "Exception", &exception_base);
CLASS(exception_arithmetic, "ArithmeticError", &exception_any);
CLASS(exception_zero_division, "ZeroDivisionError", &exception_arithmetic);
CLASS(exception_overflow, "OverflowError", &exception_arithmetic);
CLASS(exception_assertion, "AssertionError", &exception_any);
CLASS(exception_attribute, "AttributeError", &exception_any);
CLASS(exception_import, "ImportError", &exception_any);
CLASS(exception_lookup, "LookupError", &exception_any);
CLASS(exception_index, "IndexError", &exception_lookup);
CLASS(exception_key, "KeyError", &exception_lookup);
CLASS(exception_name, "NameError", &exception_any);
CLASS(exception_unbound, "UnboundLocalError", &exception_name);
CLASS(exception_os, "OSError", &exception_any);
CLASS(exception_runtime, "RuntimeError", &exception_any);
CLASS(exception_not_implemented, "NotImplementedError", &exception_runtime);
CLASS(exception_recursion, "RecursionError", &exception_runtime);
CLASS(exception_stop_iteration, "StopIteration", &exception_any);
CLASS(exception_type, "TypeError", &exception_any);
CLASS(exception_value, "ValueError", &exception_any);
CLASS(exception_json_decode, "JSONDecodeError", &exception_value);
CLASS(exception_unicode_encode, "UnicodeEncodeError", &exception_value);
CLASS(exception_validation, "ValidationError", &exception_value);
CLASS(exception_regex, "error", &exception_any);

/* Those a program may name without an import. */
static const struct type *const BY_NAME[] = {
    &exception_base,
    &exception_any,
    &exception_arithmetic,
    &exception_zero_division,
    &exception_overflow,
    &exception_assertion,
    &exception_attribute,
    &exception_import,
    &exception_lookup,
    &exception_index,
    &exception_key,
    &exception_name,
    &exception_unbound,
    &exception_os,
    &exception_runtime,
    &exception_not_implemented,
    &exception_recursion,
    &exception_stop_iteration,
    &exception_type,
    &exception_value,
    &exception_unicode_encode,
};

const struct type *exception_find(struct text name)
{
    for (size_t i = 0; i < sizeof BY_NAME / sizeof BY_NAME[0]; i++)
        if (text_equal(text_of(BY_NAME[i]->name), name))
            return BY_NAME[i];
    return NULL;
}

bool exception_type_is_a(const struct type *type, const struct type *base)
{
    for (; type; type = type->base)
        if (type == base)
            return true;
    return false;
}

bool exception_is_a(const struct exception *exception, const struct type *type)
{
    return exception_type_is_a(exception->type, type);
}

static struct exception *make(struct interp *in, const struct type *type, struct list *args)
{
    struct exception *exception = args ? INTERP_NEW(in, struct exception) : NULL;
    if (!exception)
        return NULL;
    *exception =
        (struct exception){.type = type, .args = args, .cause = value_none(), .line = in->line};
    return exception;
}

bool exception_raise_value(struct interp *in, const struct type *type, struct value arg)
{
    if (in->out_of_budget)
        return false;
    in->raised = make(in, type, list_of(in, &arg, 1));
    return false;
}

bool exception_raise(struct interp *in, const struct type *type, const char *format, ...)
{
    char brief[MESSAGE_BYTES], *message = brief;
    va_list arguments;
    if (in->out_of_budget)
        return false;
    va_start(arguments, format);
    const int size = vsnprintf(brief, sizeof brief, format, arguments);
    va_end(arguments);
    if (size >= MESSAGE_BYTES) {
        message = interp_alloc(in, (size_t)size + 1, 1);
        if (!message)
            return false;
        va_start(arguments, format);
        vsnprintf(message, (size_t)size + 1, format, arguments);
        va_end(arguments);
    }
    struct str *str = str_copy(in, text_of(message));
    return str ? exception_raise_value(in, type, value_str(str)) : false;
}

struct str *exception_text(struct interp *in, const struct exception *exception)
{
    const struct list *args = exception->args;
    if (args->count == 0)
        return str_copy(in, TEXT(""));
    if (args->count > 1)
        return repr_of(in, value_tuple(exception->args));
    if (exception_is_a(exception, &exception_key))
        return repr_of(in, args->items[0]);
    return repr_str(in, args->items[0]);
}

bool exception_construct(struct interp *in, const struct args *args, struct value *out)
{
    if (args->named_count > 0)
        return exception_raise(in, &exception_type, "%s() takes no keyword arguments",
                               args->self.as.type->name);
    struct exception *exception =
        make(in, args->self.as.type, list_of(in, args->values, args->count));
    *out = (struct value){.kind = VALUE_EXCEPTION, .as.exception = exception};
    return exception != NULL;
}
