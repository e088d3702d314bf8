/*
 * views - dict.keys() and dict.items() as sets: & | - ^ and isdisjoint.
 *
 * A view is asked where it can be: only what comes into the result has to be hashable, so that
 * {'a': [1]}.items() & pairs works where a set of the items could not be made.
 */
#ifndef DSL_VIEWS_H
#define DSL_VIEWS_H

#include "protocol/dsl/sets.h"

/* One of the pair is a view, the other anything that can be gone through. A new set; NULL when
 * it raised. */
struct dict *views_combine(struct interp *in, enum sets_operation operation,
                           const struct value pair[2]);
/* pair[0] is a view. */
bool views_is_disjoint(struct interp *in, const struct value pair[2], bool *disjoint);
#endif
