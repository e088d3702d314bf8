/*
 * normalize - see normalize.h.
 *
 * Unicode Standard Annex 15: take every character apart, put marks in the order of their
 * combining classes, then, to compose, join each with the last starter before it where a joint
 * character exists and nothing between them is in the way. Korean syllables are joined by
 * arithmetic (Unicode Standard, section 3.12). An ASCII character never joins what stands
 * before it, so text is done in stretches that begin with one.
 */
#include "tokenizer/normalize.h"

#include "base/checked.h"
#include "tokenizer/normalize_table.h"

#include <assert.h>
#include <stdlib.h>

enum {
    PART_BITS = 21,
    PART_MASK = (1 << PART_BITS) - 1,
    RAW_BYTE = 1 << 30, /* a byte that is no UTF-8 */
    HANGUL_BASE = 0xac00,
    LEAD_BASE = 0x1100,
    VOWEL_BASE = 0x1161,
    TAIL_BASE = 0x11a7,
    LEADS = 19,
    VOWELS = 21,
    TAILS = 28,
    CHAIN_MAX = 8, /* more than the longest chain of the tables */
    EXPANSION = 6, /* code points of one byte of text, by the longest: 18 for U+FDFA */
    DOTTED_I = 0x130
};

/* The first byte of the first character that each form changes. */
static const uint8_t FIRST_BYTE[] = {[NORMALIZE_NFC] = 0xcc,  /* U+0300 */
                                     [NORMALIZE_NFD] = 0xc3,  /* U+00C0 */
                                     [NORMALIZE_NFKC] = 0xc2, /* U+00A0 */
                                     [NORMALIZE_NFKD] = 0xc2};

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

/* Entries whose part above 2 * PART_BITS is at most code_point: the last of them, or 0. */
static uint64_t last_before(const uint64_t *table, uint32_t count, uint32_t code_point)
{
    uint32_t low = 0, high = count;
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        if (table[middle] >> 2 * PART_BITS <= code_point)
            low = middle;
        else
            high = middle;
    }
    return table[low] >> 2 * PART_BITS <= code_point ? table[low] : 0;
}

static void take_apart(struct marks *marks, bool compatible, uint32_t code_point,
                       uint32_t depth);

/* A character that only looks like others becomes those; false: it is none. */
static bool take_compatible(struct marks *marks, uint32_t code_point, uint32_t depth)
{
    const uint64_t run = last_before(normalize_table_runs, NORMALIZE_TABLE_RUNS, code_point);
    const uint32_t past = code_point - (uint32_t)(run >> 2 * PART_BITS);
    if (run != 0 && past < (run >> PART_BITS & PART_MASK)) {
        take_apart(marks, true, (uint32_t)(run & PART_MASK) + past, depth);
        return true;
    }
    const uint64_t sequence =
        search(normalize_table_sequences, NORMALIZE_TABLE_SEQUENCES, code_point, 2 * PART_BITS);
    const uint32_t *points = normalize_table_points + (sequence >> PART_BITS);
    for (uint64_t i = 0; i < (sequence & PART_MASK); i++)
        take_apart(marks, true, points[i], depth);
    return sequence != 0;
}

/* Down to characters that are made of no others; depth: more than any chain in the tables. */
static void take_apart(struct marks *marks, bool compatible, uint32_t code_point,
                       uint32_t depth)
{
    const uint32_t syllable = code_point - HANGUL_BASE;
    if (syllable < LEADS * VOWELS * TAILS) {
        put(marks, LEAD_BASE + syllable / (VOWELS * TAILS));
        put(marks, VOWEL_BASE + syllable / TAILS % VOWELS);
        if (syllable % TAILS != 0)
            put(marks, TAIL_BASE + syllable % TAILS);
        return;
    }
    assert(depth > 0);
    if (compatible && take_compatible(marks, code_point, depth - 1))
        return;
    const uint64_t parts =
        search(normalize_table_parts, NORMALIZE_TABLE_PARTS, code_point, 2 * PART_BITS);
    if (parts == 0) {
        put(marks, code_point);
        return;
    }
    take_apart(marks, compatible, (uint32_t)(parts >> PART_BITS), depth - 1);
    if ((parts & PART_MASK) != 0)
        take_apart(marks, compatible, (uint32_t)(parts & PART_MASK), depth - 1);
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

/* One stretch: no byte gives more than EXPANSION marks. */
static bool stretch(struct marks *marks, enum normalize_form form, struct text text,
                    struct text_buf *out)
{
    const bool composes = form == NORMALIZE_NFC || form == NORMALIZE_NFKC;
    const bool compatible = form == NORMALIZE_NFKC || form == NORMALIZE_NFKD;
    size_t capacity;
    if (!checked_mul_size(text.size, EXPANSION, &capacity))
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
            take_apart(marks, compatible, code_point, CHAIN_MAX);
    }
    sort_marks(marks);
    write(marks, composes ? compose(marks) : marks->count, out);
    return true;
}

bool normalize_is_plain(enum normalize_form form, struct text text)
{
    for (size_t i = 0; i < text.size; i++) {
        if ((uint8_t)text.data[i] >= FIRST_BYTE[form])
            return false;
    }
    return true;
}

bool normalize_text(enum normalize_form form, struct text text, struct text_buf *out)
{
    struct marks marks = {0};
    bool done = true;
    for (size_t begin = 0; begin < text.size && done;) {
        size_t end = begin + 1;
        while (end < text.size && (uint8_t)text.data[end] >= 0x80)
            end++;
        const struct text part = text_slice(text, begin, end);
        if (normalize_is_plain(form, part))
            text_buf_add(out, part);
        else
            done = stretch(&marks, form, part, out);
        begin = end;
    }
    free(marks.items);
    return done && !out->failed;
}

static uint32_t small_of(uint32_t code_point)
{
    uint32_t low = 0, high = NORMALIZE_TABLE_LOWER;
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        if (normalize_table_lower[middle].first <= code_point)
            low = middle;
        else
            high = middle;
    }
    const struct normalize_table_small *run = &normalize_table_lower[low];
    const uint32_t past = code_point - run->first;
    const bool is_in =
        code_point >= run->first && past % run->step == 0 && past / run->step < run->count;
    return is_in ? run->small + past : code_point;
}

bool normalize_lower(struct text text, struct text_buf *out)
{
    for (size_t at = 0; at < text.size;) {
        const size_t begin = at;
        const uint32_t code_point = text_utf8_next(text, &at);
        char bytes[4];
        if (code_point == DOTTED_I) /* the one that becomes two: i and a dot above */
            text_buf_add(out, TEXT("i\xcc\x87"));
        else if (code_point == UINT32_MAX)
            text_buf_add(out, text_slice(text, begin, at));
        else
            text_buf_add(out, (struct text){bytes, text_utf8_put(small_of(code_point), bytes)});
    }
    return !out->failed;
}
