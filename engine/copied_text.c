/* copied_text - see copied_text.h. */
#include "engine/copied_text.h"

#include "tokenizer/unicode.h"

#include <string.h>

enum kind {
    INNER, /* no character begins with this byte */
    BREAK,
    SPACE,
    LETTER,
    NUMBER,
    MARK,
    LOOSE,      /* an ideograph, kana */
    POINT,      /* in the middle of a word between two numbers */
    APOSTROPHE, /* and between two letters */
    OTHER,
    PAST_ASCII,
    KIND_BITS = 0x1f
};

/* The text so far. Without bytes it is only counted. */
struct speller {
    uint8_t *bytes, *marks;
    size_t size;
};

static bool is_folded(uint32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Kana, Bopomofo, ideographs. */
static bool is_loose(uint32_t c)
{
    return (c >= 0x3005 && c <= 0x312f) || (c >= 0x3400 && c <= 0x9fff) ||
           (c >= 0xf900 && c <= 0xfaff) || (c >= 0xff66 && c <= 0xff9f) ||
           (c >= 0x20000 && c <= 0x3ffff);
}

static enum kind kind_of(uint32_t c)
{
    const uint8_t class = unicode_class(c);
    if (c == '.' || c == ',')
        return POINT;
    if (c == '\'' || c == 0x2019)
        return APOSTROPHE;
    if (c == '_') /* names in programs stay whole */
        return LETTER;
    if (class & UNICODE_LETTER)
        return is_loose(c) ? LOOSE : LETTER;
    if (class & UNICODE_NUMBER)
        return NUMBER;
    if (class & UNICODE_SPACE)
        return SPACE;
    if (class & (UNICODE_PUNCT | UNICODE_SYMBOL))
        return OTHER;
    const bool is_control = c < 0x20 || (c >= 0x7f && c < 0xa0);
    return is_control ? OTHER : MARK; /* joiners and the like cling as marks do */
}

static void put(struct speller *speller, struct text spelled, enum kind kind)
{
    if (speller->bytes) {
        memcpy(speller->bytes + speller->size, spelled.data, spelled.size);
        speller->marks[speller->size] = (uint8_t)kind;
        speller->marks[speller->size + spelled.size - 1] |= COPIED_TEXT_WHOLE;
    }
    speller->size += spelled.size;
}

static void put_character(struct speller *speller, uint32_t c, struct text raw)
{
    static const char digits[] = "0123456789abcdef";
    char escape[6] = {'\\', (char)c};
    struct text spelled = {.data = escape, .size = 2};
    if (c == '\b') {
        escape[1] = 'b';
    } else if (c < 0x20) {
        memcpy(escape + 1, "u00", 3);
        escape[4] = digits[c >> 4];
        escape[5] = digits[c & 15];
        spelled.size = 6;
    } else if (c != '"' && c != '\\') {
        spelled = raw;
    }
    put(speller, spelled, kind_of(c));
}

static void spell(struct speller *speller, struct text source)
{
    bool has_space = false; /* before the next character */
    bool is_fresh = true;   /* nothing since the last break */
    for (size_t at = 0; at < source.size;) {
        const size_t before = at;
        const uint32_t c = text_utf8_next(source, &at);
        if (is_folded(c)) {
            has_space = true;
            continue;
        }
        const bool is_broken = c == UINT32_MAX;
        if (!is_fresh && is_broken)
            put(speller, TEXT("\0"), BREAK);
        else if (!is_fresh && has_space)
            put(speller, TEXT(" "), SPACE);
        if (!is_broken)
            put_character(speller, c, text_slice(source, before, at));
        has_space = false;
        is_fresh = is_broken;
    }
    put(speller, TEXT("\0"), BREAK);
}

static bool is_gap(enum kind kind)
{
    return kind == SPACE || kind == BREAK;
}

static bool is_word(enum kind kind)
{
    return kind == LETTER || kind == NUMBER;
}

static bool joins(enum kind before, enum kind middle, enum kind after)
{
    return (middle == POINT && before == NUMBER && after == NUMBER) ||
           (middle == APOSTROPHE && before == LETTER && after == LETTER);
}

/* now: of a character past ASCII only that it is one (PAST_ASCII). */
static bool begins(enum kind before2, enum kind before, enum kind now)
{
    if (is_gap(now))
        return false;
    if (is_gap(before) || before == LOOSE)
        return true;
    if (is_word(before) || before == MARK)
        return false;
    return !joins(before2, before, now == PAST_ASCII ? before2 : now);
}

static bool ends(enum kind now, enum kind after, enum kind after2)
{
    if (is_gap(now) || is_gap(after))
        return !is_gap(now);
    if (after == MARK)
        return false;
    if (now == LOOSE || after == LOOSE)
        return true;
    return !is_word(after) && !joins(now, after, after2);
}

static uint32_t next_character(const struct copied_text *text, uint32_t at)
{
    do
        at++;
    while (at < text->size && (text->marks[at] & KIND_BITS) == INNER);
    return at;
}

static enum kind kind_at(const struct copied_text *text, uint32_t at)
{
    return at < text->size ? (enum kind)(text->marks[at] & KIND_BITS) : BREAK;
}

static void mark_words(struct copied_text *text)
{
    enum kind before2 = BREAK;
    enum kind before = BREAK;
    uint32_t next = 0;
    for (uint32_t at = 0; at < text->size; at = next) {
        next = next_character(text, at);
        const enum kind now = kind_at(text, at);
        const enum kind after = kind_at(text, next);
        const enum kind after2 =
            next < text->size ? kind_at(text, next_character(text, next)) : BREAK;
        if (begins(before2, before, text->bytes[at] < 0x80 ? now : PAST_ASCII))
            text->marks[at] |= COPIED_TEXT_BEGINS;
        if (ends(now, after, after2))
            text->marks[next - 1] |= COPIED_TEXT_ENDS;
        before2 = before;
        before = now;
    }
}

/* What is too long for a word becomes a break, so that an end is never far. */
static void break_words(struct copied_text *text)
{
    uint32_t from = 0; /* behind the last end or break */
    for (uint32_t at = 0; at < text->size; at++) {
        const bool is_end = text->marks[at] & COPIED_TEXT_ENDS;
        if (is_end && at + 1 - from > COPIED_TEXT_WORD_MAX) {
            memset(text->bytes + from, 0, at + 1 - from);
            memset(text->marks + from, BREAK, at + 1 - from);
        }
        if (is_end || text->bytes[at] == 0)
            from = at + 1;
    }
}

enum status copied_text_make(struct copied_text *made, struct text source, struct arena *arena,
                             struct error *err)
{
    if (source.size > COPIED_TEXT_SOURCE_MAX)
        FAIL(err, ERR_LIMIT, "chunk to copy from: %zu bytes, the limit is %d", source.size,
             COPIED_TEXT_SOURCE_MAX);
    struct speller count = {0};
    spell(&count, source);
    if (count.size > COPIED_TEXT_SPELLED_MAX)
        FAIL(err, ERR_LIMIT, "chunk to copy from: %zu bytes in JSON, the limit is %d",
             count.size, COPIED_TEXT_SPELLED_MAX);
    struct speller speller = {.bytes = ARENA_NEW(arena, uint8_t, count.size),
                              .marks = ARENA_NEW(arena, uint8_t, count.size)};
    if (!speller.bytes || !speller.marks)
        FAIL(err, ERR_MEMORY, "chunk to copy from: no room for %zu bytes", 2 * count.size);
    spell(&speller, source);
    *made = (struct copied_text){
        .bytes = speller.bytes, .marks = speller.marks, .size = (uint32_t)speller.size};
    mark_words(made);
    break_words(made);
    return OK;
}
