/* exception - see exception.h. */
#include "protocol/dsl/exception.h"

#include "protocol/dsl/interp.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/repr.h"
#include "protocol/dsl/str.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

PRINTF_LIKE(2, 3)
static struct text number_text(char room[32], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(room, 32, format, arguments);
    va_end(arguments);
    return text_of(room);
}

/* One of printf's conversions, of those that messages use; behind it. */
static const char *put_conversion(struct str_builder *b, const char *at, va_list *arguments)
{
    char room[32] = {0};
    if (strncmp(at, "%.*s", 4) == 0) {
        const int size = va_arg(*arguments, int);
        str_builder_add(b, (struct text){va_arg(*arguments, const char *), (size_t)size});
        return at + 4;
    }
    if (strncmp(at, "%lld", 4) == 0 || strncmp(at, "%llu", 4) == 0) {
        const unsigned long long number = va_arg(*arguments, unsigned long long);
        str_builder_add(b, at[3] == 'u' ? number_text(room, "%llu", number)
                                        : number_text(room, "%lld", (long long)number));
        return at + 4;
    }
    if (strncmp(at, "%zu", 3) == 0) {
        str_builder_add(b, number_text(room, "%zu", va_arg(*arguments, size_t)));
        return at + 3;
    }
    if (at[1] == 's')
        str_builder_add(b, text_of(va_arg(*arguments, const char *)));
    else if (at[1] == '%')
        str_builder_byte(b, '%');
    else if (at[1] == 'c')
        str_builder_byte(b, (char)va_arg(*arguments, int));
    else if (at[1] == 'd')
        str_builder_add(b, number_text(room, "%d", va_arg(*arguments, int)));
    else if (at[1] == 'u' || at[1] == 'x')
        str_builder_add(
            b, number_text(room, at[1] == 'u' ? "%u" : "%x", va_arg(*arguments, unsigned)));
    else
        assert(false && "a conversion that messages do not know");
    return at + 2;
}

/* As printf, but for a zero byte in a text, where %.*s would end. */
bool exception_raise(struct interp *in, const struct type *type, const char *format, ...)
{
    struct str_builder b = {.in = in};
    va_list arguments;
    if (in->out_of_budget)
        return false;
    va_start(arguments, format);
    for (const char *at = format; *at;) {
        const size_t plain = strcspn(at, "%");
        str_builder_add(&b, (struct text){at, plain});
        at += plain;
        if (*at)
            at = put_conversion(&b, at, &arguments);
    }
    va_end(arguments);
    struct str *str = str_builder_str(&b);
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
