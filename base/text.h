/*
 * text - a run of bytes with its size, and a buffer that one grows by appending.
 *
 * Text is never NUL-trusted: the size counts. Bytes are UTF-8 where a header says so, and
 * arbitrary otherwise. struct text borrows; struct text_buf owns.
 *
 * Failure  a text_buf that cannot grow (no memory, or past its limit) keeps what it has,
 *          sets failed and ignores later appends: check it once, at the end.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/arena.h"
#include "base/error.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct text {
    const char *data;
    size_t size;
};

/* A string literal as text. */
#define TEXT(literal) ((struct text){("" literal), sizeof(literal) - 1})
/* For printf("%.*s", TEXT_ARG(t)). */
#define TEXT_ARG(t) (int)((t).size > 0x7fffffff ? 0x7fffffff : (t).size), (t).data

struct text text_of(const char *string); /* NUL-terminated string; NULL gives empty text */
bool text_equal(struct text a, struct text b);
/* -1, 0 or 1 as a stands before b, is b, or stands behind it: in the order of bytes,
 * which for UTF-8 is that of code points; a prefix stands before what it begins. */
int text_compare(struct text a, struct text b);
bool text_starts(struct text text, struct text prefix);
bool text_ends(struct text text, struct text suffix);
/* Byte offset of the first needle at or after from; SIZE_MAX when there is none. */
size_t text_find(struct text text, struct text needle, size_t from);
/* text[begin, end), both clamped to the text. */
struct text text_slice(struct text text, size_t begin, size_t end);
/* Without ASCII white space at either end. */
struct text text_trim(struct text text);
/* A copy in the arena with a NUL after it; {NULL, 0} when the arena is full. */
struct text text_copy(struct text text, struct arena *arena);

/* Reads one code point of UTF-8 at *offset and moves *offset past it. A malformed byte gives
 * UINT32_MAX and moves one byte. Surrogates, overlong forms and values past U+10FFFF are
 * malformed (RFC 3629). */
uint32_t text_utf8_next(struct text text, size_t *offset);
/* Writes code point (valid) to out[4], returns the bytes written, 1 to 4. */
size_t text_utf8_put(uint32_t code_point, char out[4]);
/* Size of the longest prefix that is valid UTF-8; equals text.size when all of it is. */
size_t text_utf8_valid(struct text text);

struct text_buf {
    char *data; /* malloc'ed, NUL after size bytes once anything was appended */
    size_t size;
    size_t capacity;
    size_t size_max; /* 0: no limit but memory */
    bool failed;
};

void text_buf_deinit(struct text_buf *buf);
void text_buf_clear(struct text_buf *buf); /* keeps the memory, forgets content and failure */
void text_buf_add(struct text_buf *buf, struct text text);
void text_buf_byte(struct text_buf *buf, char byte);
void text_buf_format(struct text_buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
/* What was appended so far; valid until the next append. */
struct text text_buf_text(const struct text_buf *buf);

#ifdef __cplusplus
}
#endif
#endif
