/* jinja_list - the filters of the template language that go through a list; each takes a value,
 * its arguments, and gives a result, as jinja_filter does. */
#ifndef TOKENIZER_JINJA_LIST_H
#define TOKENIZER_JINJA_LIST_H

#include "tokenizer/jinja_args.h"

#define JINJA_LIST_FILTER(name)                                                                \
    MUST_USE enum status jinja_list_##name(                                                    \
        struct jinja *jinja, const struct jinja_value *value, const struct jinja_args *args,   \
        struct jinja_value *result)

JINJA_LIST_FILTER(list);
JINJA_LIST_FILTER(first); /* undefined when there is none */
JINJA_LIST_FILTER(last);
JINJA_LIST_FILTER(join);     /* (separator="", attribute=none) */
JINJA_LIST_FILTER(reverse);  /* a string stays one */
JINJA_LIST_FILTER(unique);   /* by value; strings without regard to case */
JINJA_LIST_FILTER(sort);     /* (reverse, case_sensitive, attribute); stable */
JINJA_LIST_FILTER(dictsort); /* (case_sensitive, by="key", reverse); tuples */
JINJA_LIST_FILTER(min);
JINJA_LIST_FILTER(max);
JINJA_LIST_FILTER(sum); /* (attribute, start=0) */

#endif
