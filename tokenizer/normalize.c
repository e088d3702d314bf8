/*
 * normalize - see normalize.h.
 *
 * Unicode Standard Annex 15: take every character apart, put marks in the order of their
 * combining classes, then join each with the last starter before it where a joint character
 * exists and nothing between them is in the way. Korean syllables are joined by arithmetic
 * (Unicode Standard, section 3.12). An ASCII character never joins what stands before it, so
 * text is done in stretches that begin with one.
 */
#include "tokenizer/normalize.h"

#include "base/checked.h"
#include "tokenizer/normalize_table.h"

#include <stdlib.h>

enum {
    PART_BITS = 21,
    PART_MASK = (1 << PART_BITS) - 1,
    RAW_BYTE = 1 << 30, /* a byte that is no UTF-8 */
    MARKS_BYTE = 0xcc,  /* the first byte of U+0300 */
    HANGUL_BASE = 0xac00,
    LEAD_BASE = 0x1100,
    VOWEL_BASE = 0x1161,
    TAIL_BASE = 0x11a7,
    LEADS = 19,
    VOWELS = 21,
    TAILS = 28,
    PARTS_MAX = 4 /* of one character, by the longest chain of the table */
};

struct mark {
    uint32_t code_point, class;
    size_t index; /* keeps the sort stable */
};

struct marks {
    struct mark *items; /* malloc'ed */
    size_t count, capacity;
};

static uint32_t combining_class(uint32_t code_point)
{
    uint32_t low = 0, high = NORMALIZE_TABLE_CLASSES;
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        if (normalize_table_classes[middle] >> 8 <= code_point)
            low = middle;
        else
            high = middle;
    }
    return normalize_table_classes[low] & 0xff;
}

/* The entry of table whose part above shift is key, without that part; 0 when there is none. */
static uint64_t search(const uint64_t *table, uint32_t count, uint64_t key, uint32_t shift)
{
    uint32_t low = 0, high = count;
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        if (table[middle] >> shift <= key)
            low = middle;
        else
            high = middle;
    }
    return table[low] >> shift == key ? table[low] & (((uint64_t)1 << shift) - 1) : 0;
}

static void put(struct marks *marks, uint32_t code_point)
{
    const uint32_t class = code_point >= RAW_BYTE ? 0 : combining_class(code_point);
    marks->items[marks->count] = (struct mark){code_point, class, marks->count};
    marks->count++;
}

static void take_apart(struct marks *marks, uint32_t code_point)
{
    const uint32_t syllable = code_point - HANGUL_BASE;
    if (syllable < LEADS * VOWELS * TAILS) {
        put(marks, LEAD_BASE + syllable / (VOWELS * TAILS));
        put(marks, VOWEL_BASE + syllable / TAILS % VOWELS);
        if (syllable % TAILS != 0)
            put(marks, TAIL_BASE + syllable % TAILS);
        return;
    }
    uint32_t last[PARTS_MAX], last_count = 0;
    for (;;) {
        const uint64_t parts =
            search(normalize_table_parts, NORMALIZE_TABLE_PARTS, code_point, 2 * PART_BITS);
        if (parts == 0)
            break;
        const uint32_t second = (uint32_t)(parts & PART_MASK);
        code_point = (uint32_t)(parts >> PART_BITS);
        if (second != 0 && last_count < PARTS_MAX)
            last[last_count++] = second;
    }
    put(marks, code_point);
    while (last_count > 0)
        put(marks, last[--last_count]);
}

static int by_class(const void *a, const void *b)
{
    const struct mark *x = a, *y = b;
    if (x->class != y->class)
        return x->class < y->class ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static void sort_marks(struct marks *marks)
{
    for (size_t begin = 0; begin < marks->count;) {
        size_t end = begin + 1;
        while (marks->items[begin].class != 0 && end < marks->count &&
               marks->items[end].class != 0)
            end++;
        if (end > begin + 1)
            qsort(&marks->items[begin], end - begin, sizeof *marks->items, by_class);
        begin = end;
    }
}

/* What two characters make together, 0 for nothing. */
static uint32_t join(uint32_t first, uint32_t second)
{
    const uint32_t lead = first - LEAD_BASE, vowel = second - VOWEL_BASE;
    const uint32_t syllable = first - HANGUL_BASE, tail = second - TAIL_BASE;
    if (lead < LEADS && vowel < VOWELS)
        return HANGUL_BASE + (lead * VOWELS + vowel) * TAILS;
    if (syllable < LEADS * VOWELS * TAILS && syllable % TAILS == 0 && tail - 1 < TAILS - 1)
        return first + tail;
    if (first >= RAW_BYTE || second >= RAW_BYTE)
        return 0;
    return (uint32_t)search(normalize_table_whole, NORMALIZE_TABLE_WHOLE,
                            (uint64_t)first << PART_BITS | second, PART_BITS);
}

/* Joins in place; the count that is left. */
static size_t compose(struct marks *marks)
{
    size_t starter = SIZE_MAX, count = 0;
    for (size_t i = 0; i < marks->count; i++) {
        const struct mark mark = marks->items[i];
        const bool adjacent = starter != SIZE_MAX && starter + 1 == count;
        const bool free_way =
            adjacent || (starter != SIZE_MAX && marks->items[count - 1].class < mark.class);
        const uint32_t joint =
            free_way ? join(marks->items[starter].code_point, mark.code_point) : 0;
        if (joint != 0) {
            marks->items[starter].code_point = joint;
            continue;
        }
        if (mark.class == 0)
            starter = count;
        marks->items[count++] = mark;
    }
    return count;
}

static void write(const struct marks *marks, size_t count, struct text_buf *out)
{
    for (size_t i = 0; i < count; i++) {
        const uint32_t code_point = marks->items[i].code_point;
        char bytes[4] = {(char)(code_point & 0xff)};
        const size_t size = code_point >= RAW_BYTE ? 1 : text_utf8_put(code_point, bytes);
        text_buf_add(out, (struct text){bytes, size});
    }
}

/* One stretch: no byte gives more than PARTS_MAX marks. */
static bool stretch(struct marks *marks, struct text text, struct text_buf *out)
{
    size_t capacity;
    if (!checked_mul_size(text.size, PARTS_MAX, &capacity))
        return false;
    if (capacity > marks->capacity) {
        struct mark *items = reallocarray(marks->items, capacity, sizeof *items);
        if (!items)
            return false;
        marks->items = items;
        marks->capacity = capacity;
    }
    marks->count = 0;
    for (size_t at = 0; at < text.size;) {
        const uint8_t byte = (uint8_t)text.data[at];
        const uint32_t code_point = text_utf8_next(text, &at);
        if (code_point == UINT32_MAX)
            put(marks, RAW_BYTE | byte);
        else
            take_apart(marks, code_point);
    }
    sort_marks(marks);
    write(marks, compose(marks), out);
    return true;
}

bool normalize_is_plain(struct text text)
{
    for (size_t i = 0; i < text.size; i++) {
        if ((uint8_t)text.data[i] >= MARKS_BYTE)
            return false;
    }
    return true;
}

bool normalize_nfc(struct text text, struct text_buf *out)
{
    struct marks marks = {0};
    bool done = true;
    for (size_t begin = 0; begin < text.size && done;) {
        size_t end = begin + 1;
        while (end < text.size && (uint8_t)text.data[end] >= 0x80)
            end++;
        const struct text part = text_slice(text, begin, end);
        if (normalize_is_plain(part))
            text_buf_add(out, part);
        else
            done = stretch(&marks, part, out);
        begin = end;
    }
    free(marks.items);
    return done && !out->failed;
}
