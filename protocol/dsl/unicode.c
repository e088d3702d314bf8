/* unicode - see unicode.h. */
#include "protocol/dsl/unicode.h"

#include "protocol/dsl/unicode_tables.h"

static uint32_t flags_of(uint32_t code_point)
{
    /* The first 16 ranges are ASCII. */
    uint32_t low = 0, high = code_point < 0x80 ? 16 : unicode_tables_property_count;
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        if (unicode_tables_properties[2 * middle] <= code_point)
            low = middle;
        else
            high = middle;
    }
    return unicode_tables_kinds[unicode_tables_properties[2 * low + 1]];
}

static uint32_t map(const struct unicode_tables_run *runs, uint32_t count, uint32_t code_point)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const struct unicode_tables_run *run = &runs[middle];
        if (code_point < run->first)
            high = middle;
        else if (code_point > run->last)
            low = middle + 1;
        else if ((code_point - run->first) % (uint32_t)run->step != 0)
            return code_point;
        else
            return (uint32_t)((int32_t)code_point + run->delta);
    }
    return code_point;
}

bool unicode_is(uint32_t code_point, uint32_t flags)
{
    return (flags_of(code_point) & flags) != 0;
}

/* Digits come ten in a row: from a code point that ends in 0 or in 6, but for the last, which
 * are five such rows. */
int32_t unicode_digit(uint32_t code_point)
{
    enum { MATHEMATICAL = 0x1d7ce };
    if (!unicode_is(code_point, UNICODE_DECIMAL))
        return -1;
    if (code_point >= MATHEMATICAL && code_point < MATHEMATICAL + 50)
        return (int32_t)(code_point - MATHEMATICAL) % 10;
    const uint32_t row = code_point & ~0xfu;
    return (int32_t)(code_point - (unicode_is(row, UNICODE_DECIMAL) ? row : row + 6));
}

uint32_t unicode_lower(uint32_t code_point)
{
    if (code_point < 0x80)
        return code_point >= 'A' && code_point <= 'Z' ? code_point + 32 : code_point;
    return map(unicode_tables_lower, unicode_tables_lower_count, code_point);
}

uint32_t unicode_upper(uint32_t code_point, uint32_t out[3])
{
    if (code_point < 0x80) {
        out[0] = code_point >= 'a' && code_point <= 'z' ? code_point - 32 : code_point;
        return 1;
    }
    for (uint32_t i = 0; i < unicode_tables_long_upper_count; i++) {
        const struct unicode_tables_long *entry = &unicode_tables_long_upper[i];
        if (entry->code_point != code_point)
            continue;
        uint32_t count = 0;
        for (; count < 3 && entry->upper[count] != 0; count++)
            out[count] = entry->upper[count];
        return count;
    }
    out[0] = map(unicode_tables_upper, unicode_tables_upper_count, code_point);
    return 1;
}

uint32_t unicode_title(uint32_t code_point, uint32_t out[3])
{
    const uint32_t title = map(unicode_tables_title, unicode_tables_title_count, code_point);
    const bool georgian = code_point >= 0x10d0 && code_point <= 0x10ff; /* has no titles */
    out[0] = title;
    if (title != code_point || unicode_is(code_point, UNICODE_TITLE) || georgian)
        return 1;
    const uint32_t count = unicode_upper(code_point, out);
    for (uint32_t i = 1; i < count && code_point != 0x149; i++) /* Ss of the sharp s */
        out[i] = unicode_lower(out[i]);
    return count;
}
