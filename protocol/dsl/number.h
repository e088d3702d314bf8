/*
 * number - arithmetic on int, float and bool, and reading numbers from text.
 *
 * An int has 64 bits; a result beyond them raises OverflowError and never wraps.
 */
#ifndef DSL_NUMBER_H
#define DSL_NUMBER_H

#include "protocol/dsl/ast.h"
#include "protocol/dsl/value.h"

bool number_is(struct value value);
bool number_is_int(struct value value); /* int or bool */
int64_t number_integer(struct value value);
double number_real(struct value value);

/* Both operands are numbers. Raises ZeroDivisionError, OverflowError, or TypeError for bit
 * operations on floats. */
bool number_binary(struct interp *in, enum ast_operator op, const struct value pair[2],
                   struct value *out);
/* The OverflowError of a whole number past 64 bits; false. */
bool number_too_large(struct interp *in);
bool number_negate(struct interp *in, struct value value, struct value *out);

/* int(text, base) and float(text) with Python's syntax and messages. */
bool number_parse_int(struct interp *in, struct str *str, int64_t base, struct value *out);
bool number_parse_float(struct interp *in, struct str *str, struct value *out);
/* int(real): OverflowError, ValueError for what is no integer of 64 bits. */
bool number_truncate(struct interp *in, double real, struct value *out);
/* round(value, digits); digits unset gives an int. */
bool number_round(struct interp *in, struct value value, struct value digits,
                  struct value *out);
#endif
