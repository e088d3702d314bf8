/* unicode - see unicode.h. */
#include "tokenizer/unicode.h"

#include "tokenizer/unicode_table.h"

enum { CODE_POINT_MAX = 0x10ffff };

uint8_t unicode_class(uint32_t code_point)
{
    if (code_point > CODE_POINT_MAX)
        return 0;
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
