/*
 * pretokenize - cuts text into the pieces inside which byte-pair merges happen.
 *
 * A splitter is a list of steps; each cuts the pieces of the one before it, at what its
 * expression matches, in the way its behavior says. Steps run piece by piece: nothing is kept
 * but where each stands. A step that cannot match in a piece, by the bytes that the piece
 * has, is passed over: most are, in most pieces. A malformed byte of UTF-8 counts as a
 * character of no class.
 *
 * Memory   the tables of the expressions lie in the arena given to pretokenize_init.
 * Thread   read-only after that; a cursor belongs to one thread.
 */
#ifndef TOKENIZER_PRETOKENIZE_H
#define TOKENIZER_PRETOKENIZE_H

#include "tokenizer/split_automaton.h"
#include "tokenizer/splitter.h"

struct pretokenize_step {
    struct split_automaton automaton;
    enum tokenizer_behavior behavior;
    bool is_inverted;
    uint32_t loop; /* split_bytes's */
};

struct pretokenize {
    struct pretokenize_step steps[SPLITTER_STEPS_MAX];
    uint32_t step_count; /* 0: a text is one piece */
    /* [byte] bit i: a match of step i may begin with it; bit 8 + i: end with it; bit 16 + i:
     * end before it, and not only where the text ends; bit 24 + i: it leaves step i's loop. */
    uint32_t bytes[256];
    uint8_t always; /* bit i: bytes do not tell whether step i does something */
};

/* ERR_LIMIT too many steps, or an expression past what we take; ERR_FORMAT, ERR_MEMORY as
 * split_automaton_make. */
MUST_USE enum status pretokenize_init(struct pretokenize *pretokenize,
                                      const struct tokenizer_split *steps, uint32_t step_count,
                                      struct arena *arena, struct error *err);

/* A stretch of the text, and whether the expression of a step matched it. */
struct pretokenize_item {
    size_t begin, end;
    bool is_match;
};

/* Where one step stands in the piece that it cuts. */
struct pretokenize_level {
    size_t at, end;                       /* what is left of the piece */
    size_t from;                          /* where the next match is looked for */
    size_t match_end;                     /* of the last match, SIZE_MAX */
    struct pretokenize_item match, ahead; /* found already, when has_* says so */
    bool has_match, has_ahead;
    uint32_t above; /* the step whose piece it cuts */
};

struct pretokenize_cursor {
    const struct pretokenize *pretokenize;
    struct text text;
    struct pretokenize_level levels[SPLITTER_STEPS_MAX];
    uint32_t step; /* the last one that stands in a piece */
    bool has_begun;
};

/* text must stay as long as the cursor is used. */
void pretokenize_begin(struct pretokenize_cursor *cursor, const struct pretokenize *pretokenize,
                       struct text text);
/* The next piece, never empty; false: there is none left. */
bool pretokenize_next(struct pretokenize_cursor *cursor, struct text *piece);

#endif
