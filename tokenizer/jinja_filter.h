/* jinja_filter - the filters of the template language: `value | name(args)`. */
#ifndef TOKENIZER_JINJA_FILTER_H
#define TOKENIZER_JINJA_FILTER_H

#include "tokenizer/jinja_args.h"

/* ERR_LIMIT a filter that we do not know. */
MUST_USE enum status jinja_filter(struct jinja *jinja, struct text name,
                                  const struct jinja_value *value,
                                  const struct jinja_args *args, struct jinja_value *result);

#endif
