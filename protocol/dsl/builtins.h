/*
 * builtins - the functions that are there without an import.
 *
 * builtins.c has those about objects and numbers, builtins_iter.c those that go through
 * iterables. The chunkers come from chunk.h.
 */
#ifndef DSL_BUILTINS_H
#define DSL_BUILTINS_H

#include "protocol/dsl/modules.h"
#include "protocol/dsl/value.h"

extern const struct modules_member builtins_table[], builtins_iter_table[];

/* What a name means when the program has not bound it; unset when nothing. false: tripped. */
bool builtins_find(struct interp *in, struct text name, struct value *out);
/* What to use in place of a name that Python has and this language not; else NULL. */
const char *builtins_refused(struct text name);
/* A function as a value. name must stay. */
bool builtins_function(struct interp *in, const char *name, value_call *call,
                       struct value *out);
#endif
