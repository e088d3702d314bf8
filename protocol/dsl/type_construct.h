/*
 * type_construct - int(...), str(...), list(...) and the other built-in classes, called.
 *
 * Each is a value_call whose args->self is the class.
 */
#ifndef DSL_TYPE_CONSTRUCT_H
#define DSL_TYPE_CONSTRUCT_H

#include "protocol/dsl/value.h"

value_call type_construct_int, type_construct_bool, type_construct_float, type_construct_str,
    type_construct_list, type_construct_tuple, type_construct_dict, type_construct_set,
    type_construct_frozenset, type_construct_range, type_construct_slice, type_construct_type,
    type_construct_counter, type_construct_defaultdict, type_construct_ordered_dict;

/* dict.update: entries from a mapping or pairs, then from keywords. */
bool type_construct_fill(struct interp *in, const struct args *args, struct dict *dict);
/* The Counter's method of that name: __init__ and update add counts, subtract takes off. */
bool type_construct_count(struct interp *in, const struct args *args, struct dict *counter,
                          const char *words);
#endif
