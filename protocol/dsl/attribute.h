/*
 * attribute - object.name: fields of records, methods of built-in kinds, members of modules.
 *
 * There is no attribute protocol behind this: what is not in the tables does not exist, but
 * for what a program itself has set on an exception, a function, a partial, a Counter or an
 * OrderedDict.
 */
#ifndef DSL_ATTRIBUTE_H
#define DSL_ATTRIBUTE_H

#include "protocol/dsl/value.h"

/* AttributeError where there is none. */
bool attribute_get(struct interp *in, struct value object, struct str *name, struct value *out);
bool attribute_set(struct interp *in, struct value object, struct str *name,
                   struct value value);
bool attribute_delete(struct interp *in, struct value object, struct str *name);
/* The method of that name, without making it a value; NULL when it is none. */
value_call *attribute_method(struct value object, const struct str *name);
/* Like attribute_get, but answers whether it exists and raises nothing; false when tripped. */
bool attribute_find(struct interp *in, struct value object, struct str *name, struct value *out,
                    bool *found);
#endif
