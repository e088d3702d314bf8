/*
 * modules_choices - product, combinations, permutations of itertools; value_call, see value.h.
 */
#ifndef DSL_MODULES_CHOICES_H
#define DSL_MODULES_CHOICES_H

#include "protocol/dsl/modules.h"

bool modules_choices_product(struct interp *in, const struct args *args, struct value *out);
bool modules_choices_combinations(struct interp *in, const struct args *args,
                                  struct value *out);
bool modules_choices_combinations_repeated(struct interp *in, const struct args *args,
                                           struct value *out);
bool modules_choices_permutations(struct interp *in, const struct args *args,
                                  struct value *out);

#endif
