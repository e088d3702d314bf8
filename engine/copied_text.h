/*
 * copied_text - a chunk as it stands between the quotes of a JSON string, and where its words
 * begin and end.
 *
 * White space is folded as protocol/minions/fold folds it: each run of ASCII's is one space,
 * and none at either end. A quote, a backslash and a control character are escaped the way
 * base/json writes them; any other character stands for itself. What is not UTF-8 is left out,
 * and so is a run of more than COPIED_TEXT_WORD_MAX bytes without a word's end: there the text
 * breaks (a byte 0), and no copy goes over it.
 *
 * A word begins
 *   - behind white space or a break, with what is not white space;
 *   - behind punctuation (and symbols), with a letter, a number or more punctuation;
 *   - behind an ideograph or kana, with anything.
 * It ends before white space, a break or punctuation, and before and behind an ideograph or
 * kana. A point or comma between two numbers and an apostrophe between two letters are in the
 * middle of a word: "3.5", "don't". Marks belong to the character before them. So nothing
 * begins with the full stop of the sentence before.
 *
 * Whether a word begins at a byte is told by that byte and the two characters before, and by
 * the second of them only where no word begins at the first: copied builds on it. So of a
 * character past ASCII, of which the first byte tells little, nothing is asked there.
 */
#ifndef ENGINE_COPIED_TEXT_H
#define ENGINE_COPIED_TEXT_H

#include "base/arena.h"
#include "base/text.h"

enum {
    COPIED_TEXT_SOURCE_MAX = 1 << 20,  /* bytes of a chunk */
    COPIED_TEXT_SPELLED_MAX = 2 << 20, /* bytes between the quotes */
    COPIED_TEXT_WORD_MAX = 1024
};

enum {                            /* marks of a byte */
       COPIED_TEXT_BEGINS = 0x20, /* first byte of a word */
       COPIED_TEXT_WHOLE = 0x40,  /* last byte of a character */
       COPIED_TEXT_ENDS = 0x80    /* last byte of a word */
};

struct copied_text {
    uint8_t *bytes; /* [size] the last is 0 */
    uint8_t *marks; /* [size] the low bits: what kind of character begins here */
    uint32_t size;
};

/* ERR_LIMIT: longer than SOURCE_MAX, or than SPELLED_MAX once spelled. */
MUST_USE enum status copied_text_make(struct copied_text *made, struct text source,
                                      struct arena *arena, struct error *err);

#endif
