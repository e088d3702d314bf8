/*
 * sets - union, intersection and so on, of sets.
 */
#ifndef DSL_SETS_H
#define DSL_SETS_H

#include "protocol/dsl/dict.h"

enum sets_operation { SETS_UNION, SETS_INTERSECTION, SETS_DIFFERENCE, SETS_SYMMETRIC };

/* A new set; NULL when it raised. */
struct dict *sets_combine(struct interp *in, enum sets_operation operation,
                          const struct dict *a, const struct dict *b);
/* Whether every key of a is in b. */
bool sets_is_subset(struct interp *in, const struct dict *a, const struct dict *b,
                    bool *subset);
#endif
