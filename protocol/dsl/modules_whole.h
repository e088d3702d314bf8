/*
 * modules_whole - what the module math does with whole numbers; value_call, see value.h.
 */
#ifndef DSL_MODULES_WHOLE_H
#define DSL_MODULES_WHOLE_H

#include "protocol/dsl/modules.h"

bool modules_whole_gcd(struct interp *in, const struct args *args, struct value *out);
bool modules_whole_lcm(struct interp *in, const struct args *args, struct value *out);
bool modules_whole_prod(struct interp *in, const struct args *args, struct value *out);
bool modules_whole_factorial(struct interp *in, const struct args *args, struct value *out);
bool modules_whole_comb(struct interp *in, const struct args *args, struct value *out);
bool modules_whole_perm(struct interp *in, const struct args *args, struct value *out);
bool modules_whole_isqrt(struct interp *in, const struct args *args, struct value *out);

#endif
