/*
 * draft - guesses what a sequence says next when it copies from its own prompt.
 *
 * A citation is copied from the chunk that stands in the prompt. While the output agrees with a
 * place of the prompt, what follows there is a draft: the step computes a row for each drafted
 * token beside the sequence's own, and what is drawn from those rows tells how far the guess
 * was right. A row's result does not depend on its company, and what is drawn depends on the
 * seed and the position alone: so the text is the one that would have come without, token by
 * token (speculative decoding, Leviathan et al. 2023, with the prompt as the draft model and
 * exact agreement as the test).
 *
 * Where a shape leaves no choice of what comes next (engine/step_shape.h), that text is guessed
 * in the same way: it is jumped over in one step, and which tokens it is made of is still the
 * model's to say, so that there is nothing to be tokenized anew. A model may spell it in its
 * own way: after a wrong guess only as many are made as were right, then none until one would
 * have been, and twice as many each time that all were.
 *
 * A place is found when the last DRAFT_MATCH tokens agree with it. As many tokens are drafted
 * as have agreed in a row, so that a chance agreement costs little.
 */
#ifndef ENGINE_DRAFT_H
#define ENGINE_DRAFT_H

#include "base/token.h"

#include <stdint.h>

enum {
    DRAFT_MATCH = 3,       /* tokens that must agree before anything is drafted */
    DRAFT_MAX = 15,        /* tokens at once: with the sequence's own row, a page */
    DRAFT_FOLLOW = 64,     /* agreeing tokens that are counted at most */
    DRAFT_FORCED_FIRST = 4 /* tokens that a shape forces, guessed at once at first */
};

struct draft {
    uint32_t at;     /* the place in the prompt that the copy has reached */
    uint32_t agreed; /* tokens in a row that agreed; 0: nothing is being copied */
};

/* A prompt, and the output so far. */
struct draft_text {
    const token_id *prompt, *outputs;
    uint32_t prompt_tokens, output_count;
};

/* To be called when a token has been added to the output. */
void draft_follow(struct draft *draft, const struct draft_text *text);

/* Writes the tokens that come next if the copy goes on, at most most; returns how many. */
uint32_t draft_tokens(const struct draft *draft, const struct draft_text *text, uint32_t most,
                      token_id *tokens);

#endif
