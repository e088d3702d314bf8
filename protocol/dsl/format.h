/*
 * format - f-string fields, format(), str.format and the % op.
 *
 * Widths and precisions are charged before anything is written. NULL when it raised.
 */
#ifndef DSL_FORMAT_H
#define DSL_FORMAT_H

#include "protocol/dsl/str.h"
#include "protocol/dsl/value.h"

/* format(value, spec) */
struct str *format_value(struct interp *in, struct value value, struct text spec);
/* !r, !s, !a */
struct str *format_convert(struct interp *in, struct value value, char conversion);
/* format % argument; a tuple has the arguments one by one, a dict by name. */
struct str *format_percent(struct interp *in, struct str *format, struct value argument);
/* format.format(...) */
struct str *format_braces(struct interp *in, struct str *format, const struct args *args);
/* format.format_map(map) */
struct str *format_map(struct interp *in, struct str *format, struct value map);
#endif
