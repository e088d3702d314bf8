/*
 * jinja_print - values as text: as a template writes them (Python's str), inside lists
 * (Python's repr), and as JSON (Python's json.dumps).
 *
 * What is not a string itself comes out as data, not trusted.
 */
#ifndef TOKENIZER_JINJA_PRINT_H
#define TOKENIZER_JINJA_PRINT_H

#include "tokenizer/jinja_string.h"

MUST_USE enum status jinja_print_str(struct jinja *jinja, const struct jinja_value *value,
                                     struct jinja_builder *out);

struct jinja_print_json {
    int64_t indent; /* -1: all on one line */
    struct text item_separator, key_separator;
    bool ascii, sort_keys;
};
/* ERR_FORMAT a value that JSON does not have. */
MUST_USE enum status jinja_print_json(struct jinja *jinja, const struct jinja_value *value,
                                      const struct jinja_print_json *style,
                                      struct jinja_builder *out);

#endif
