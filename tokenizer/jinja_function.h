/* jinja_function - the functions of the template language: range, namespace, dict,
 * raise_exception, strftime_now. */
#ifndef TOKENIZER_JINJA_FUNCTION_H
#define TOKENIZER_JINJA_FUNCTION_H

#include "tokenizer/jinja_args.h"

bool jinja_function_exists(struct text name);
/* ERR_FORMAT wrong arguments, and what raise_exception says. The function must exist. */
MUST_USE enum status jinja_function_call(struct jinja *jinja, struct text name,
                                         const struct jinja_args *args,
                                         struct jinja_value *result);

#endif
