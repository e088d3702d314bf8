/*
 * methods - the methods of built-in kinds, by name.
 *
 * Each table is in its own file: methods_find.c and methods_text.c for str, methods_list.c,
 * methods_dict.c, methods_set.c. In each, args->self is the object.
 */
#ifndef DSL_METHODS_H
#define DSL_METHODS_H

#include "protocol/dsl/value.h"

struct methods_row {
    const char *name;
    value_call *call;
};

/* Tables end with a NULL name. */
extern const struct methods_row methods_find_table[], methods_text_table[],
    methods_list_table[], methods_tuple_table[], methods_range_table[], methods_dict_table[],
    methods_set_table[], methods_frozen_table[], methods_view_table[];

/* NULL when the table has no such name. */
value_call *methods_lookup(const struct methods_row *table, const struct str *name);
#endif
