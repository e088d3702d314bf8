/*
 * pretokenize - cuts text into the pieces inside which byte-pair merges happen.
 *
 * A splitter is a list of steps; each cuts the pieces of the one before it, at what its
 * expression matches, in the way its behavior says. Steps run piece by piece: nothing is kept
 * but where each stands. A malformed byte of UTF-8 counts as a character of no class.
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
};

struct pretokenize {
    struct pretokenize_step steps[SPLITTER_STEPS_MAX];
    uint32_t step_count; /* 0: a text is one piece */
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
};

struct pretokenize_cursor {
    const struct pretokenize *pretokenize;
    struct text text;
    struct pretokenize_level levels[SPLITTER_STEPS_MAX];
    bool has_begun;
};

/* text must stay as long as the cursor is used. */
void pretokenize_begin(struct pretokenize_cursor *cursor, const struct pretokenize *pretokenize,
                       struct text text);
/* The next piece, never empty; false: there is none left. */
bool pretokenize_next(struct pretokenize_cursor *cursor, struct text *piece);

#endif
