/*
 * modules_json_read - json.loads: JSON text to values, with Python's own messages.
 */
#ifndef DSL_MODULES_JSON_READ_H
#define DSL_MODULES_JSON_READ_H

#include "protocol/dsl/value.h"

/* TypeError for cls= that is not None. */
bool modules_json_read_no_class(struct interp *in, const char *function, struct value cls);
bool modules_json_read_loads(struct interp *in, const struct args *args, struct value *out);
#endif
