/*
 * unicode - what Python's str methods ask about a code point.
 *
 * The tables are Unicode 14, as in CPython 3.11. No state; any thread.
 */
#ifndef DSL_UNICODE_H
#define DSL_UNICODE_H

#include <stdbool.h>
#include <stdint.h>

/* The same bits as in tools/scripts/dsl_unicode.py. */
enum {
    UNICODE_ALPHA = 1,
    UNICODE_DECIMAL = 2,
    UNICODE_DIGIT = 4,
    UNICODE_NUMERIC = 8,
    UNICODE_UPPER = 16,
    UNICODE_LOWER = 32,
    UNICODE_TITLE = 64,
    UNICODE_HIDDEN = 128, /* repr escapes it */
    UNICODE_SPACE = 256,
    UNICODE_CASE_IGNORABLE = 512,
    UNICODE_NAME_START = 1024, /* of an identifier */
    UNICODE_NAME_PART = 2048,
    UNICODE_ALNUM = UNICODE_ALPHA | UNICODE_DECIMAL | UNICODE_DIGIT | UNICODE_NUMERIC
};

/* Whether it has at least one of the flags. */
bool unicode_is(uint32_t code_point, uint32_t flags);

/* What a decimal digit counts, 0 .. 9; -1 when it is none. */
int32_t unicode_digit(uint32_t code_point);
uint32_t unicode_lower(uint32_t code_point);
/* Up to three code points; returns how many. */
uint32_t unicode_upper(uint32_t code_point, uint32_t out[3]);
uint32_t unicode_title(uint32_t code_point, uint32_t out[3]);
#endif
