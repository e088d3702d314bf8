/*
 * lower_check - what can be known to fail before anything runs: members that a module has not,
 * and expressions that RE2 cannot do, written out where `re` is called.
 *
 * Only where the name can mean nothing but the module: each of its bindings imports that one.
 * A missing member is let through in a `try` with handlers, and in a program that calls
 * hasattr: it has another way. A regular expression that Python has not either is left to run,
 * and to raise re.error there: a program may try one.
 */
#ifndef DSL_LOWER_CHECK_H
#define DSL_LOWER_CHECK_H

#include "protocol/dsl/lower.h"

/* To be looked at when all names are known: an attribute, or a call. false: tripped. */
bool lower_check_later(struct lower *l, const struct ast *node);

/* Looks at them, after scope_resolve; false with the fault filled. */
bool lower_check_all(struct lower *l, const struct scope *globals);

/* The member of the module whose name is most like it; NULL when it takes any. */
const char *lower_check_nearest(const struct module *module, struct text name);
#endif
