/* jinja_is - the tests of the template language: `x is name(args)`. */
#ifndef TOKENIZER_JINJA_IS_H
#define TOKENIZER_JINJA_IS_H

#include "tokenizer/jinja_args.h"

/* ERR_LIMIT a test that we do not know. */
MUST_USE enum status jinja_is(struct jinja *jinja, struct text name,
                              const struct jinja_value *value, const struct jinja_args *args,
                              bool *result);

#endif
