/*
 * jinja_string - strings in which every byte knows whether it is trusted, and the builder that
 * makes new ones.
 *
 * A builder that cannot grow fails for good, like struct text_buf: jinja_string_take says so.
 */
#ifndef TOKENIZER_JINJA_STRING_H
#define TOKENIZER_JINJA_STRING_H

#include "tokenizer/jinja.h"

struct jinja_builder {
    struct arena *arena;
    char *data;
    uint8_t *trust;
    size_t size, capacity;
    bool failed;
};

void jinja_string_add(struct jinja_builder *builder, struct jinja_string string);
void jinja_string_add_text(struct jinja_builder *builder, struct text text, bool trusted);
/* What was added; ERR_LIMIT when the arena was too small. The bytes count as work. */
MUST_USE enum status jinja_string_take(struct jinja *jinja, const struct jinja_builder *builder,
                                       struct jinja_value *value);

static inline struct text jinja_string_text(struct jinja_string string)
{
    return (struct text){string.data, string.size};
}
/* string[begin, end), clamped. */
struct jinja_string jinja_string_slice(struct jinja_string string, size_t begin, size_t end);
/* Without the characters of set (NULL: white space) at its beginning, its end. */
struct jinja_string jinja_string_strip(struct jinja_string string, const struct text *set,
                                       bool left, bool right);
/* Characters (code points), and the byte offset of one of them; size when past the end. */
size_t jinja_string_length(struct jinja_string string);
size_t jinja_string_offset(struct jinja_string string, size_t character);

#endif
