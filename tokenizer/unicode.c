/* unicode - see unicode.h. */
#include "tokenizer/unicode.h"

#include "tokenizer/unicode_table.h"

enum { CODE_POINT_MAX = 0x10ffff };

static const uint8_t CLASSES[UNICODE_CATEGORIES] = {
    [UNICODE_LU] = UNICODE_UPPER,    [UNICODE_LT] = UNICODE_UPPER,
    [UNICODE_LL] = UNICODE_LOWER,    [UNICODE_LM] = UNICODE_CASELESS,
    [UNICODE_LO] = UNICODE_CASELESS, [UNICODE_MN] = UNICODE_MARK,
    [UNICODE_MC] = UNICODE_MARK,     [UNICODE_ME] = UNICODE_MARK,
    [UNICODE_ND] = UNICODE_NUMBER,   [UNICODE_NL] = UNICODE_NUMBER,
    [UNICODE_NO] = UNICODE_NUMBER,   [UNICODE_PC] = UNICODE_PUNCT,
    [UNICODE_PD] = UNICODE_PUNCT,    [UNICODE_PS] = UNICODE_PUNCT,
    [UNICODE_PE] = UNICODE_PUNCT,    [UNICODE_PI] = UNICODE_PUNCT,
    [UNICODE_PF] = UNICODE_PUNCT,    [UNICODE_PO] = UNICODE_PUNCT,
    [UNICODE_SM] = UNICODE_SYMBOL,   [UNICODE_SC] = UNICODE_SYMBOL,
    [UNICODE_SK] = UNICODE_SYMBOL,   [UNICODE_SO] = UNICODE_SYMBOL,
    [UNICODE_ZS] = UNICODE_SPACE,    [UNICODE_ZL] = UNICODE_SPACE,
    [UNICODE_ZP] = UNICODE_SPACE,    [UNICODE_CC_SPACE] = UNICODE_SPACE,
};

uint8_t unicode_category(uint32_t code_point)
{
    if (code_point > CODE_POINT_MAX)
        return UNICODE_CN;
    const uint32_t page = code_point >> 8;
    const uint32_t last = UNICODE_TABLE_PAGES - 1;
    uint32_t low = unicode_table_pages[page < last ? page : last];
    uint32_t high =
        page < last ? unicode_table_pages[page + 1] + 1u : (uint32_t)UNICODE_TABLE_RANGES;
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        if (unicode_table_ranges[middle] >> 8 <= code_point)
            low = middle;
        else
            high = middle;
    }
    return (uint8_t)unicode_table_ranges[low];
}

uint8_t unicode_class(uint32_t code_point)
{
    return CLASSES[unicode_category(code_point)];
}
