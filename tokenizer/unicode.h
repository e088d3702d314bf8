/*
 * unicode - the class of a code point, as far as the splitters need it.
 *
 * Classes are bits, so that a set of classes is a mask and membership one test. The table's
 * Unicode version is noted in unicode_table.c.
 */
#ifndef TOKENIZER_UNICODE_H
#define TOKENIZER_UNICODE_H

#include <stdint.h>

enum {
    UNICODE_UPPER = 1,    /* Lu, Lt */
    UNICODE_LOWER = 2,    /* Ll */
    UNICODE_CASELESS = 4, /* Lm, Lo */
    UNICODE_MARK = 8,     /* M */
    UNICODE_NUMBER = 16,  /* N */
    UNICODE_SPACE = 32,   /* White_Space, taken out of the other classes */
    UNICODE_PUNCT = 64,   /* P */
    UNICODE_SYMBOL = 128, /* S */
    UNICODE_LETTER = UNICODE_UPPER | UNICODE_LOWER | UNICODE_CASELESS
};

/* One of the bits above, or 0. Any value is taken; UINT32_MAX, a malformed byte, gives 0. */
uint8_t unicode_class(uint32_t code_point);

#endif
