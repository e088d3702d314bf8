/*
 * signature - what is wrong with the arguments of a function that is written in Python, in
 * CPython's words: of the program's own functions, of those of re, json, string and Counter.
 *
 * Each raises TypeError and answers false.
 */
#ifndef DSL_SIGNATURE_H
#define DSL_SIGNATURE_H

#include "protocol/dsl/value.h"

struct signature {
    struct text name;
    uint32_t least, most; /* positional arguments */
};

/* More positional arguments than it takes; only_named: how many of those were given, too. */
bool signature_too_many(struct interp *in, const struct signature *signature, uint32_t given,
                        uint32_t only_named);
/* names: of those missing, as strs. */
bool signature_missing(struct interp *in, struct text function, const struct list *names,
                       bool only_named);
bool signature_unexpected(struct interp *in, struct text function, const struct str *name);
bool signature_twice(struct interp *in, struct text function, const struct str *name);
#endif
