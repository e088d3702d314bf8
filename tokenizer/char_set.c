/* char_set - see char_set.h. */
#include "tokenizer/char_set.h"

#include "tokenizer/unicode.h"
#include "tokenizer/unicode_table.h"

#include <string.h>

/* Room for one more range, at index. */
static bool make_room(struct char_set *set, uint32_t index, struct arena *arena)
{
    if (set->count == set->capacity) {
        const uint32_t capacity = set->capacity > 0 ? 2 * set->capacity : 4;
        struct char_range *ranges = ARENA_NEW(arena, struct char_range, capacity);
        if (!ranges)
            return false;
        if (set->count > 0)
            memcpy(ranges, set->ranges, set->count * sizeof *ranges);
        set->ranges = ranges;
        set->capacity = capacity;
    }
    memmove(&set->ranges[index + 1], &set->ranges[index],
            (set->count - index) * sizeof *set->ranges);
    set->count++;
    return true;
}

/* The first range that ends at or after begin. Sets mostly grow at their end. */
static uint32_t find(const struct char_set *set, uint32_t begin)
{
    uint32_t low = 0, high = set->count;
    if (high > 0 && set->ranges[high - 1].end <= begin)
        return set->ranges[high - 1].end < begin ? high : high - 1;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (set->ranges[middle].end < begin)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool char_set_add(struct char_set *set, struct char_range range, struct arena *arena)
{
    if (range.begin >= range.end)
        return true;
    const uint32_t first = find(set, range.begin);
    uint32_t after = first;
    for (; after < set->count && set->ranges[after].begin <= range.end; after++) {
        const struct char_range *old = &set->ranges[after];
        range.begin = old->begin < range.begin ? old->begin : range.begin;
        range.end = old->end > range.end ? old->end : range.end;
    }
    if (after == first && !make_room(set, first, arena))
        return false;
    if (after > first + 1) {
        memmove(&set->ranges[first + 1], &set->ranges[after],
                (set->count - after) * sizeof *set->ranges);
        set->count -= after - first - 1;
    }
    set->ranges[first] = range;
    return true;
}

bool char_set_add_categories(struct char_set *set, uint32_t categories, struct arena *arena)
{
    for (uint32_t i = 0; i < UNICODE_TABLE_RANGES; i++) {
        const uint32_t entry = unicode_table_ranges[i];
        const bool is_last = i + 1 == UNICODE_TABLE_RANGES;
        const struct char_range range = {entry >> 8, is_last
                                                         ? (uint32_t)CHAR_SET_MALFORMED
                                                         : unicode_table_ranges[i + 1] >> 8};
        if ((categories >> (entry & 0xff) & 1) && !char_set_add(set, range, arena))
            return false;
    }
    return true;
}

bool char_set_add_all(struct char_set *set, const struct char_set *other, struct arena *arena)
{
    for (uint32_t i = 0; i < other->count; i++) {
        if (!char_set_add(set, other->ranges[i], arena))
            return false;
    }
    return true;
}

bool char_set_invert(struct char_set *set, struct arena *arena)
{
    struct char_set inverse = {0};
    uint32_t begin = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        if (!char_set_add(&inverse, (struct char_range){begin, set->ranges[i].begin}, arena))
            return false;
        begin = set->ranges[i].end;
    }
    if (!char_set_add(&inverse, (struct char_range){begin, CHAR_SET_END}, arena))
        return false;
    *set = inverse;
    return true;
}

bool char_set_meet(struct char_set *set, const struct char_set *other, struct arena *arena)
{
    struct char_set meet = {0};
    uint32_t i = 0, j = 0;
    while (i < set->count && j < other->count) {
        const struct char_range a = set->ranges[i], b = other->ranges[j];
        const struct char_range both = {a.begin > b.begin ? a.begin : b.begin,
                                        a.end < b.end ? a.end : b.end};
        if (!char_set_add(&meet, both, arena))
            return false;
        i += a.end <= b.end;
        j += b.end <= a.end;
    }
    *set = meet;
    return true;
}

bool char_set_has(const struct char_set *set, uint32_t character)
{
    const uint32_t at = find(set, character + 1);
    return at < set->count && set->ranges[at].begin <= character;
}

bool char_set_equal(const struct char_set *a, const struct char_set *b)
{
    return a->count == b->count &&
           (a->count == 0 || memcmp(a->ranges, b->ranges, a->count * sizeof *a->ranges) == 0);
}
