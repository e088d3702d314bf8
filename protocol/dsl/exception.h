/*
 * exception - the built-in exception classes, and raising them.
 *
 * An exception is a value: its class, its arguments, the line that raised it. Messages are
 * worded as CPython 3.11 words them, because programs and supervisors read them.
 */
#ifndef DSL_EXCEPTION_H
#define DSL_EXCEPTION_H

#include "base/error.h"
#include "protocol/dsl/value.h"

extern const struct type exception_base, exception_any, exception_value, exception_type,
    exception_key, exception_index, exception_attribute, exception_name, exception_unbound,
    exception_zero_division, exception_overflow, exception_runtime, exception_recursion,
    exception_stop_iteration, exception_assertion, exception_import, exception_lookup,
    exception_arithmetic, exception_not_implemented, exception_os, exception_json_decode,
    exception_regex, exception_unicode_encode, exception_validation;

/* Raises type(message); always false. */
bool exception_raise(struct interp *in, const struct type *type, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* Raises type(arg), such as KeyError(key); always false. */
bool exception_raise_value(struct interp *in, const struct type *type, struct value arg);

/* Built-in class of that name; NULL when there is none. */
const struct type *exception_find(struct text name);

bool exception_is_a(const struct exception *exception, const struct type *type);
bool exception_type_is_a(const struct type *type, const struct type *base);

/* str(exception) as Python gives it: "" without arguments, repr of a KeyError's key. NULL when
 * a budget tripped. */
struct str *exception_text(struct interp *in, const struct exception *exception);

/* Constructor of every exception class. args->self is the class. */
bool exception_construct(struct interp *in, const struct args *args, struct value *out);
#endif
