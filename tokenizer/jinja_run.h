/* jinja_run - carries out statements: text goes to the builder of jinja. */
#ifndef TOKENIZER_JINJA_RUN_H
#define TOKENIZER_JINJA_RUN_H

#include "tokenizer/jinja_args.h"

/* A whole template; jinja.scope and jinja.out must be set. */
MUST_USE enum status jinja_run(struct jinja *jinja, const struct jinja_node *body);
/* A macro's body with its parameters; the result is what it wrote. */
MUST_USE enum status jinja_run_macro(struct jinja *jinja, const struct jinja_macro *macro,
                                     const struct jinja_args *args, struct jinja_value *result);

#endif
