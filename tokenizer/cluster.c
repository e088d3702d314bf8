/*
 * cluster - see cluster.h.
 *
 * How a character joins others follows from its general category, with the exceptions that
 * GraphemeBreakProperty.txt and DerivedCoreProperties.txt (Indic_Conjunct_Break) of Unicode 16
 * have, and with the marks that Unicode 17 added. Extend, ZWJ and SpacingMark are one kind:
 * none is ever parted from what is before it.
 */
#include "tokenizer/cluster.h"

#include "tokenizer/unicode.h"

#include <stdbool.h>

enum kind {
    OTHER,
    CONTROL,
    JOINS_BEFORE, /* Extend, ZWJ, SpacingMark */
    JOINS_NEXT,   /* Prepend */
    LEADING,      /* of a Hangul syllable: L */
    VOWEL,        /* V */
    TRAILING,     /* T */
    SYLLABLE,     /* LV or LVT */
    CONSONANT,    /* of an Indic conjunct */
    LINKER        /* between its consonants; a mark */
};

static const struct exception {
    uint32_t first, last;
    enum kind kind;
} EXCEPTIONS[] = {
    {0x0600, 0x0605, JOINS_NEXT},     {0x06dd, 0x06dd, JOINS_NEXT},
    {0x070f, 0x070f, JOINS_NEXT},     {0x0890, 0x0891, JOINS_NEXT},
    {0x08e2, 0x08e2, JOINS_NEXT},     {0x0915, 0x0939, CONSONANT},
    {0x094d, 0x094d, LINKER},         {0x0958, 0x095f, CONSONANT},
    {0x0978, 0x097f, CONSONANT},      {0x0995, 0x09a8, CONSONANT},
    {0x09aa, 0x09b0, CONSONANT},      {0x09b2, 0x09b2, CONSONANT},
    {0x09b6, 0x09b9, CONSONANT},      {0x09cd, 0x09cd, LINKER},
    {0x09dc, 0x09dd, CONSONANT},      {0x09df, 0x09df, CONSONANT},
    {0x09f0, 0x09f1, CONSONANT},      {0x0a95, 0x0aa8, CONSONANT},
    {0x0aaa, 0x0ab0, CONSONANT},      {0x0ab2, 0x0ab3, CONSONANT},
    {0x0ab5, 0x0ab9, CONSONANT},      {0x0acd, 0x0acd, LINKER},
    {0x0af9, 0x0af9, CONSONANT},      {0x0b15, 0x0b28, CONSONANT},
    {0x0b2a, 0x0b30, CONSONANT},      {0x0b32, 0x0b33, CONSONANT},
    {0x0b35, 0x0b39, CONSONANT},      {0x0b4d, 0x0b4d, LINKER},
    {0x0b5c, 0x0b5d, CONSONANT},      {0x0b5f, 0x0b5f, CONSONANT},
    {0x0b71, 0x0b71, CONSONANT},      {0x0c15, 0x0c28, CONSONANT},
    {0x0c2a, 0x0c39, CONSONANT},      {0x0c4d, 0x0c4d, LINKER},
    {0x0c58, 0x0c5a, CONSONANT},      {0x0d15, 0x0d3a, CONSONANT},
    {0x0d4d, 0x0d4d, LINKER},         {0x0d4e, 0x0d4e, JOINS_NEXT},
    {0x0e33, 0x0e33, JOINS_BEFORE},   {0x0eb3, 0x0eb3, JOINS_BEFORE},
    {0x102b, 0x102c, OTHER},          {0x1038, 0x1038, OTHER},
    {0x1062, 0x1064, OTHER},          {0x1067, 0x106d, OTHER},
    {0x1083, 0x1083, OTHER},          {0x1087, 0x108c, OTHER},
    {0x108f, 0x108f, OTHER},          {0x109a, 0x109c, OTHER},
    {0x1100, 0x115f, LEADING},        {0x1160, 0x11a7, VOWEL},
    {0x11a8, 0x11ff, TRAILING},       {0x1a61, 0x1a61, OTHER},
    {0x1a63, 0x1a64, OTHER},          {0x1acf, 0x1add, JOINS_BEFORE},
    {0x1ae0, 0x1aeb, JOINS_BEFORE},   {0x200c, 0x200d, JOINS_BEFORE},
    {0x2065, 0x2065, CONTROL},        {0xa960, 0xa97c, LEADING},
    {0xaa7b, 0xaa7b, OTHER},          {0xaa7d, 0xaa7d, OTHER},
    {0xac00, 0xd7a3, SYLLABLE},       {0xd7b0, 0xd7c6, VOWEL},
    {0xd7cb, 0xd7fb, TRAILING},       {0xff9e, 0xff9f, JOINS_BEFORE},
    {0xfff0, 0xfff8, CONTROL},        {0x10efa, 0x10efb, JOINS_BEFORE},
    {0x110bd, 0x110bd, JOINS_NEXT},   {0x110cd, 0x110cd, JOINS_NEXT},
    {0x111c2, 0x111c3, JOINS_NEXT},   {0x113d1, 0x113d1, JOINS_NEXT},
    {0x11720, 0x11721, OTHER},        {0x1193f, 0x1193f, JOINS_NEXT},
    {0x11941, 0x11941, JOINS_NEXT},   {0x11a84, 0x11a89, JOINS_NEXT},
    {0x11b60, 0x11b67, JOINS_BEFORE}, {0x11d46, 0x11d46, JOINS_NEXT},
    {0x11f02, 0x11f02, JOINS_NEXT},   {0x1e6e3, 0x1e6e3, JOINS_BEFORE},
    {0x1e6e6, 0x1e6e6, JOINS_BEFORE}, {0x1e6ee, 0x1e6ef, JOINS_BEFORE},
    {0x1e6f5, 0x1e6f5, JOINS_BEFORE}, {0x1f3fb, 0x1f3ff, JOINS_BEFORE},
    {0xe0000, 0xe001f, CONTROL},      {0xe0020, 0xe007f, JOINS_BEFORE},
    {0xe0080, 0xe00ff, CONTROL},      {0xe01f0, 0xe0fff, CONTROL},
};

static enum kind kind_of(uint32_t code_point)
{
    size_t low = 0, high = sizeof EXCEPTIONS / sizeof EXCEPTIONS[0];
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (EXCEPTIONS[middle].last < code_point)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < sizeof EXCEPTIONS / sizeof EXCEPTIONS[0] && EXCEPTIONS[low].first <= code_point)
        return EXCEPTIONS[low].kind;
    switch (unicode_category(code_point)) {
    case UNICODE_MN:
    case UNICODE_MC:
    case UNICODE_ME:
        return JOINS_BEFORE;
    case UNICODE_CC:
    case UNICODE_CC_SPACE:
    case UNICODE_CF:
    case UNICODE_ZL:
    case UNICODE_ZP:
        return CONTROL;
    default:
        return OTHER;
    }
}

/* Rules GB6 to GB8. */
static bool is_syllable(uint32_t before, enum kind kind_before, enum kind kind)
{
    const bool has_trailing = kind_before == SYLLABLE && (before - 0xac00) % 28 != 0;
    switch (kind_before) {
    case LEADING:
        return kind == LEADING || kind == VOWEL || kind == SYLLABLE;
    case VOWEL:
    case SYLLABLE:
        return kind == TRAILING || (kind == VOWEL && !has_trailing);
    case TRAILING:
        return kind == TRAILING;
    default:
        return false;
    }
}

/* How far rule GB9c, a consonant, marks with a linker among them, and a consonant, holds. */
enum conjunct { NO_CONJUNCT, AFTER_CONSONANT, AFTER_LINKER };

static enum conjunct conjunct_after(enum conjunct before, uint32_t code_point, enum kind kind)
{
    const bool is_plain_mark = kind == JOINS_BEFORE && code_point != 0x200c &&
                               unicode_category(code_point) != UNICODE_MC;
    if (kind == CONSONANT)
        return AFTER_CONSONANT;
    if (kind == LINKER)
        return before == NO_CONJUNCT ? NO_CONJUNCT : AFTER_LINKER;
    return is_plain_mark ? before : NO_CONJUNCT;
}

size_t cluster_end(struct text text, size_t at)
{
    uint32_t before = text_utf8_next(text, &at);
    enum kind kind_before = kind_of(before);
    enum conjunct conjunct = conjunct_after(NO_CONJUNCT, before, kind_before);
    if (before == '\r' && at < text.size && text.data[at] == '\n')
        return at + 1;
    if (kind_before == CONTROL)
        return at;
    while (at < text.size) {
        size_t end = at;
        const uint32_t next = text_utf8_next(text, &end);
        const enum kind kind = kind_of(next);
        const bool joins = kind == JOINS_BEFORE || kind == LINKER ||
                           kind_before == JOINS_NEXT ||
                           is_syllable(before, kind_before, kind) ||
                           (kind == CONSONANT && conjunct == AFTER_LINKER);
        if (kind == CONTROL || next == UINT32_MAX || !joins)
            break;
        conjunct = conjunct_after(conjunct, next, kind);
        before = next;
        kind_before = kind;
        at = end;
    }
    return at;
}
