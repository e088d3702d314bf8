/* jinja_parse - parses a template, from its source to a chain of statements. */
#ifndef TOKENIZER_JINJA_PARSE_H
#define TOKENIZER_JINJA_PARSE_H

#include "tokenizer/jinja.h"

/* Nodes lie in the arena of jinja and point into source: both must outlive them. *body is NULL
 * for an empty template. ERR_FORMAT no template; ERR_LIMIT a statement that we do not know. */
MUST_USE enum status jinja_parse(struct jinja *jinja, struct text source,
                                 const struct jinja_node **body);

#endif
