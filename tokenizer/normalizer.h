/*
 * normalizer - what a tokenizer does to text before it is split, as a list of steps
 * (struct tokenizer_change).
 *
 * Memory   tables lie in the arena given to normalizer_init; a scratch belongs to one thread.
 * Thread   read-only after that.
 */
#ifndef TOKENIZER_NORMALIZER_H
#define TOKENIZER_NORMALIZER_H

#include "tokenizer/charsmap.h"
#include "tokenizer/split_automaton.h"
#include "tokenizer/tokenizer.h"

enum { NORMALIZER_STEPS_MAX = 8 };

struct normalizer {
    struct tokenizer_change steps[NORMALIZER_STEPS_MAX];   /* their texts in the arena */
    struct split_automaton automata[NORMALIZER_STEPS_MAX]; /* of those that replace */
    struct charsmap charsmaps[NORMALIZER_STEPS_MAX];       /* of those that are maps */
    uint32_t step_count;
};

/* Two texts, which steps write in turn. Zero it before first use. */
struct normalizer_scratch {
    struct text_buf texts[2];
};

/* ERR_LIMIT too many steps; errors as split_automaton_make's. */
MUST_USE enum status normalizer_init(struct normalizer *normalizer,
                                     const struct tokenizer_change *steps, uint32_t step_count,
                                     struct arena *arena, struct error *err);
/* *text becomes the changed text, in the scratch or as it was. Of a text in parts, is_first or
 * not: what is put before a text is put before its first part. False: no memory. */
MUST_USE bool normalizer_apply_part(const struct normalizer *normalizer,
                                    struct normalizer_scratch *scratch, bool is_first,
                                    struct text *text);
/* The same for a whole text. */
MUST_USE bool normalizer_apply(const struct normalizer *normalizer,
                               struct normalizer_scratch *scratch, struct text *text);
void normalizer_scratch_deinit(struct normalizer_scratch *scratch);

#endif
