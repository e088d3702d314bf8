/* jinja_eval - what an expression comes to. */
#ifndef TOKENIZER_JINJA_EVAL_H
#define TOKENIZER_JINJA_EVAL_H

#include "tokenizer/jinja_value.h"

MUST_USE enum status jinja_eval(struct jinja *jinja, const struct jinja_node *node,
                                struct jinja_value *result);
/* The arguments of a call, evaluated. */
MUST_USE enum status jinja_eval_args(struct jinja *jinja, const struct jinja_node *first,
                                     struct jinja_args *args);

#endif
