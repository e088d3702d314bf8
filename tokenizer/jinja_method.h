/* jinja_method - methods of strings, maps, lists and `loop`. Upper and lower case are those of
 * ASCII. */
#ifndef TOKENIZER_JINJA_METHOD_H
#define TOKENIZER_JINJA_METHOD_H

#include "tokenizer/jinja_args.h"

bool jinja_method_exists(const struct jinja_value *self, struct text name);
/* ERR_FORMAT wrong arguments. The method must exist. */
MUST_USE enum status jinja_method_call(struct jinja *jinja, const struct jinja_method *method,
                                       const struct jinja_args *args,
                                       struct jinja_value *result);

enum jinja_method_case { JINJA_UPPER, JINJA_LOWER, JINJA_TITLE, JINJA_CAPITALIZE };
MUST_USE enum status jinja_method_case(struct jinja *jinja, struct jinja_string string,
                                       enum jinja_method_case style,
                                       struct jinja_value *result);
/* count: at most so many from the left; -1 for all. */
MUST_USE enum status jinja_method_replace(struct jinja *jinja, struct jinja_string string,
                                          const struct jinja_args *args,
                                          struct jinja_value *result);
/* Items as text with the separator between them. */
MUST_USE enum status jinja_method_join(struct jinja *jinja, struct jinja_string separator,
                                       const struct jinja_list *items,
                                       struct jinja_value *result);
/* [key, value] tuples of a map. */
MUST_USE enum status jinja_method_items(struct jinja *jinja, const struct jinja_map *map,
                                        struct jinja_value *result);

#endif
