/* jinja_format - strings with places for values, as Python's % fills them. */
#ifndef TOKENIZER_JINJA_FORMAT_H
#define TOKENIZER_JINJA_FORMAT_H

#include "tokenizer/jinja.h"

/* Places are %s, %d, %i, %f and %.Nf, N up to 9; %% is one percent sign. ERR_FORMAT too few or
 * too many values, or one that is no number; ERR_LIMIT any other place, by its spelling. */
MUST_USE enum status jinja_format(struct jinja *jinja, struct jinja_string format,
                                  const struct jinja_list *values, struct jinja_value *result);

#endif
