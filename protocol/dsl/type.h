/*
 * type - the class of each value, and the built-in classes by name.
 */
#ifndef DSL_TYPE_H
#define DSL_TYPE_H

#include "protocol/dsl/value.h"

extern const struct type type_object, type_none, type_bool, type_int, type_float, type_str,
    type_list, type_tuple, type_dict, type_set, type_frozenset, type_range, type_type,
    type_counter, type_defaultdict, type_ordered_dict;

/* Never NULL. */
const struct type *type_of(struct value value);
/* What messages call its type: its __name__, for some behind a module's: re.Match. */
const char *type_name(struct value value);
/* What stands before its name in its repr: "collections." or "". */
const char *type_prefix(const struct type *type);
bool type_is_instance(struct value value, const struct type *type);
/* A built-in class that a program may name, exceptions included; NULL when there is none. */
const struct type *type_find(struct text name);

static inline struct value type_value(const struct type *type)
{
    return (struct value){.kind = VALUE_TYPE, .as.type = type};
}
#endif
