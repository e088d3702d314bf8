/*
 * unicode - the general category of a code point, and its class, as far as the splitters need
 * them.
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

/* General categories; White_Space among the control characters is one of its own, so that a
 * set of categories says what is white space. */
enum unicode_category {
    UNICODE_CN, /* not assigned */
    UNICODE_LU,
    UNICODE_LL,
    UNICODE_LT,
    UNICODE_LM,
    UNICODE_LO,
    UNICODE_MN,
    UNICODE_MC,
    UNICODE_ME,
    UNICODE_ND,
    UNICODE_NL,
    UNICODE_NO,
    UNICODE_PC,
    UNICODE_PD,
    UNICODE_PS,
    UNICODE_PE,
    UNICODE_PI,
    UNICODE_PF,
    UNICODE_PO,
    UNICODE_SM,
    UNICODE_SC,
    UNICODE_SK,
    UNICODE_SO,
    UNICODE_ZS,
    UNICODE_ZL,
    UNICODE_ZP,
    UNICODE_CC,
    UNICODE_CF,
    UNICODE_CS,
    UNICODE_CO,
    UNICODE_CC_SPACE,
    UNICODE_CATEGORIES
};

/* Any value is taken; what is no code point is UNICODE_CN. */
uint8_t unicode_category(uint32_t code_point);
/* One of the bits above, or 0. Any value is taken; UINT32_MAX, a malformed byte, gives 0. */
uint8_t unicode_class(uint32_t code_point);

#endif
