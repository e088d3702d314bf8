/*
 * compare - equality, order, hash and truth of values, as Python defines them.
 *
 * Each comparison of elements is charged and counted as a level of nesting, so comparing
 * structures that share or contain themselves ends in a budget, not in the machine's stack.
 */
#ifndef DSL_COMPARE_H
#define DSL_COMPARE_H

#include "protocol/dsl/value.h"

enum compare_order { COMPARE_LT, COMPARE_LE, COMPARE_GT, COMPARE_GE };

bool compare_equal(struct interp *in, struct value a, struct value b, bool *equal);
/* TypeError where the two have no order. */
bool compare_ordered(struct interp *in, enum compare_order order, const struct value pair[2],
                     bool *result);
bool compare_less(struct interp *in, struct value a, struct value b, bool *less);
/* `a is b`. */
bool compare_same(struct value a, struct value b);
/* TypeError where the value cannot be a key. */
bool compare_hash(struct interp *in, struct value value, uint64_t *hash);
bool compare_truth(struct value value);
/* `item in container`. */
bool compare_contains(struct interp *in, struct value container, struct value item,
                      bool *contains);
#endif
