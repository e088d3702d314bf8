/* jinja_args - how built-ins of the template language find their arguments. */
#ifndef TOKENIZER_JINJA_ARGS_H
#define TOKENIZER_JINJA_ARGS_H

#include "tokenizer/jinja_value.h"

/* The argument at index, or of that name (NULL: it has none); NULL when it was not given. */
const struct jinja_value *jinja_args_get(const struct jinja_args *args, uint32_t index,
                                         const char *name);
/* The same as text or integer; *value stays where it was not given or is none. ERR_FORMAT
 * another type. */
MUST_USE enum status jinja_args_text(struct jinja *jinja, const struct jinja_value *arg,
                                     struct text *value);
MUST_USE enum status jinja_args_int(struct jinja *jinja, const struct jinja_value *arg,
                                    int64_t *value);
bool jinja_args_bool(const struct jinja_value *arg); /* false where it was not given */
/* The arguments from index on; rest is where their list is put. */
struct jinja_args jinja_args_rest(const struct jinja_args *args, uint32_t index,
                                  struct jinja_list *rest);

#endif
