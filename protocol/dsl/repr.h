/*
 * repr - str() and repr() of values, letter for letter as CPython 3.11 prints them.
 *
 * Functions answer NULL when they raised or a budget tripped.
 */
#ifndef DSL_REPR_H
#define DSL_REPR_H

#include "protocol/dsl/str.h"
#include "protocol/dsl/value.h"

enum { REPR_FLOAT_MAX = 40 };

struct str *repr_of(struct interp *in, struct value value);    /* repr(value) */
struct str *repr_str(struct interp *in, struct value value);   /* str(value) */
struct str *repr_ascii(struct interp *in, struct value value); /* ascii(value) */

/* Appends repr(value); false when it raised. */
bool repr_write(struct str_builder *b, struct value value);

/* The shortest decimal that reads back as the same number, as Python writes it. Returns its
 * size. */
size_t repr_float(double real, char out[REPR_FLOAT_MAX]);
#endif
