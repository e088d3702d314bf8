/*
 * split_automaton - a splitter's regular expression, as a table: finds what it matches in text,
 * one look-up per character, as a backtracking engine would.
 *
 * Memory   the tables lie in the arena; making them takes SPLIT_SCRATCH_BYTES for a while.
 * Thread   read-only once made.
 */
#ifndef TOKENIZER_SPLIT_AUTOMATON_H
#define TOKENIZER_SPLIT_AUTOMATON_H

#include "base/text.h"
#include "tokenizer/char_set.h"
#include "tokenizer/tokenizer.h"

enum { SPLIT_PAGES = (CHAR_SET_MALFORMED >> 8) + 1, SPLIT_SCRATCH_BYTES = 64 << 20 };

struct split_automaton {
    /* [state row + class]: next state's row << 1 | a match ends before this character. Row 0 is
     * the dead state, from which nothing follows. */
    const uint32_t *table;
    uint32_t start;            /* row */
    uint32_t row_count, shift; /* a row is 1 << shift entries */
    uint8_t ascii[128];        /* class of a character */
    const uint16_t *pages;     /* [SPLIT_PAGES] block of each 256 code points */
    const uint8_t *blocks;     /* [block * 256 + low byte] class */
    uint8_t malformed, finis;  /* classes: of a malformed byte, of the end of the text */
    bool by_byte;              /* each byte is a character: the one that spells it in GPT-2's */
    uint8_t bytes[256];        /* their classes */
    bool skips[256];           /* no match begins with the byte; of ASCII alone */
};

/* ERR_FORMAT, ERR_LIMIT an expression that we do not take, or whose table would be too large;
 * ERR_MEMORY. */
MUST_USE enum status split_automaton_make(struct split_automaton *automaton,
                                          const struct tokenizer_split *split,
                                          struct arena *arena, struct error *err);

/* Where the match that begins at begin ends (begin: an empty one); SIZE_MAX: there is none. */
size_t split_automaton_match(const struct split_automaton *automaton, struct text text,
                             size_t begin);

/* What ASCII has to do with matches: one in text of ASCII begins with a byte of begins and ends
 * with one of ends, before one of follows or at the end of the text. A text whose first two
 * bytes lead to loop (split_automaton_enter) and whose others all stay there, none of leaves
 * among them, is one match. */
struct split_bytes {
    bool begins[128], ends[128], follows[128];
    bool is_any;   /* the empty text matches somewhere: bytes do not tell */
    uint32_t loop; /* row; 0: none */
    bool leaves[128];
};
void split_automaton_bytes(const struct split_automaton *automaton, struct split_bytes *bytes);

/* The row after two characters of ASCII; 0 after others. */
uint32_t split_automaton_enter(const struct split_automaton *automaton, const char pair[2]);

struct split_found {
    size_t begin, end;
};
/* The first match that begins at from or later; false: none. Time is linear where what failed
 * before stays in one state, as every repetition does. */
bool split_automaton_find(const struct split_automaton *automaton, struct text text,
                          size_t from, struct split_found *found);

#endif
