/*
 * str - strings: UTF-8 inside, indexed by code point as in Python.
 *
 * Text that is all ASCII is indexed directly. Other text keeps the byte offset of each
 * STR_MARK_EVERY-th code point, made when an index is first asked for. A slice shares bytes and
 * remembers which document it is a span of; joining loses that.
 *
 * `s += t` in a loop would be quadratic in an arena without frees. A string that was built by
 * appending therefore lies in a room with space behind it, and appending to the string that
 * ends where the room's use ends only writes the new part: older strings are prefixes of it.
 *
 * Functions answer NULL or false when a budget tripped.
 */
#ifndef DSL_STR_H
#define DSL_STR_H

#include "protocol/dsl/value.h"

enum { STR_MARK_EVERY = 128 };

struct str_room {
    char *data;
    size_t used, capacity;
};

/* Valid UTF-8. A slice shares the bytes of its whole. */
struct str {
    const char *data;
    size_t size;           /* bytes */
    size_t length;         /* code points; equals size when all is ASCII */
    struct str_room *room; /* where data lies when it was built by appending, else NULL */
    uint32_t *marks;       /* byte offset of each STR_MARK_EVERY-th code point, on demand */
    uint64_t hash;         /* 0: not computed yet */
    int32_t document;      /* whose span it is; -1: none */
    size_t offset;         /* in that document, in bytes */
};

/* text must be valid UTF-8 in all of these. */
struct str *str_copy(struct interp *in, struct text text);
/* Shares text's bytes, which must stay as long as the program. */
struct str *str_view(struct interp *in, struct text text);
/* A copy in which bytes that are not UTF-8 became U+FFFD. */
struct str *str_repair(struct interp *in, struct text text);

static inline struct text str_text(const struct str *str)
{
    return (struct text){str->data, str->size};
}

bool str_is(const struct str *str, const char *literal);
bool str_is_identifier(struct text name); /* one of Python's names */
bool str_equal(const struct str *a, const struct str *b);
int str_compare(const struct str *a, const struct str *b); /* by code point: -1, 0, 1 */
uint64_t str_hash(struct str *str);

/* Bytes [begin, end), which must lie at character borders. */
struct str *str_span(struct interp *in, struct str *str, size_t begin, size_t end);
/* Code points [begin, end), clamped. */
struct str *str_slice(struct interp *in, struct str *str, size_t begin, size_t end);
struct str *str_concat(struct interp *in, struct str *a, struct str *b);
struct str *str_repeat(struct interp *in, struct str *str, int64_t times);

/* Byte offset of a code point's index (index <= length). SIZE_MAX when a budget tripped. */
size_t str_byte_of(struct interp *in, struct str *str, size_t index);
/* Code point index of a byte offset at a character border. SIZE_MAX when tripped. */
size_t str_index_of(struct interp *in, struct str *str, size_t byte);
/* The code point that begins at *byte, which moves past it. */
uint32_t str_next(const struct str *str, size_t *byte);
/* Code points in valid UTF-8. */
size_t str_count(struct text text);

/* Byte offset of the first (last) needle that lies within bytes [begin, end). SIZE_MAX: not
 * there, or tripped (in->out_of_budget). */
size_t str_find(struct interp *in, struct text text, struct text needle, size_t begin);
size_t str_find_last(struct interp *in, struct text text, struct text needle);

/* A string in the making. Bytes are charged as they are added; the memory doubles. */
struct str_builder {
    struct interp *in;
    char *data;
    size_t size, capacity;
    bool failed; /* a budget tripped */
};

void str_builder_add(struct str_builder *b, struct text text);
void str_builder_byte(struct str_builder *b, char byte);
void str_builder_code_point(struct str_builder *b, uint32_t code_point);
void str_builder_fill(struct str_builder *b, uint32_t code_point, size_t count);
/* Makes room at once, so that what follows does not double its way up. */
bool str_builder_reserve(struct str_builder *b, size_t more);
struct str *str_builder_str(struct str_builder *b);
#endif
