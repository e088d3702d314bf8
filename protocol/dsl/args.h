/*
 * args - the arguments of built-in functions, sorted into places by a table.
 */
#ifndef DSL_ARGS_H
#define DSL_ARGS_H

#include "protocol/dsl/value.h"

enum { ARGS_MAX = 9 };

struct args_spec {
    const char *function;             /* for messages */
    uint32_t required, most;          /* plain arguments */
    const char *names[ARGS_MAX];      /* keywords by place; NULL: by place only */
    const char *only_named[ARGS_MAX]; /* they come after, by keyword only */
};

/* values[0 .. most + only_named): unset where not given. TypeError as CPython words it. */
bool args_bind(struct interp *in, const struct args_spec *spec, const struct args *args,
               struct value *values);

/* The same for what is written in Python there: TypeError in those words. A function with a dot
 * in its name is a method, whose object counts. other: the first keyword that it has not, unset
 * when there is none; NULL: that is an error. */
bool args_bind_python(struct interp *in, const struct args_spec *spec, const struct args *args,
                      struct value *values, struct value *other);

/* For what takes any number of arguments, but none by name. */
bool args_no_keywords(struct interp *in, const struct args *args, const char *name);

/* Typed readings of a bound value; what is unset leaves *out alone. TypeError otherwise. */
bool args_int(struct interp *in, struct value value, int64_t *out);
/* The same for what CPython has as a C int: OverflowError beyond 32 bits. */
bool args_c_int(struct interp *in, struct value value, int64_t *out);
/* "what" names the argument, as in "replace() argument 1". */
bool args_str(struct interp *in, struct value value, const char *what, struct str **out);
#endif
