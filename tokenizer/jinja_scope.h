/* jinja_scope - names that have values, in scopes inside each other. */
#ifndef TOKENIZER_JINJA_SCOPE_H
#define TOKENIZER_JINJA_SCOPE_H

#include "tokenizer/jinja_value.h"

/* A new scope inside parent, empty. */
MUST_USE enum status jinja_scope_new(struct jinja *jinja, const struct jinja_scope *parent,
                                     struct jinja_scope **scope);
/* Gives the name a value in the innermost scope of jinja. */
MUST_USE enum status jinja_scope_set(struct jinja *jinja, struct text name,
                                     struct jinja_value value);
/* The name's value; undefined when it has none in any scope. */
MUST_USE enum status jinja_scope_get(struct jinja *jinja, struct text name,
                                     struct jinja_value *value);

#endif
