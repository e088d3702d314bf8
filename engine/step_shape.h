/*
 * step_shape - what a job with a shape (a schema, a regular expression) may say
 * next, also past tokens that are only guessed. A part of engine/step.
 */
#ifndef ENGINE_STEP_SHAPE_H
#define ENGINE_STEP_SHAPE_H

#include "engine/step.h"

/* The text's beginning. */
void step_shape_start(struct step *step, struct seq *seq);

/* Rows of a new step: the masks of the last are not wanted any more. */
void step_shape_begin(struct step *step);
/* The tokens that may come after the sequence's output and the first ahead of its guesses,
 * which must fit; valid until step_shape_begin. NULL: any. */
const uint32_t *step_shape_allowed(struct step *step, const struct seq *seq, uint32_t ahead);

/* How many of the first count guesses fit the shape, one after the other. */
uint32_t step_shape_fits(struct step *step, const struct seq *seq, uint32_t count);

/* Guesses where the shape leaves no choice: the text that must come next, cut into the longest
 * tokens there are, as a tokenizer mostly does. At most most are written; returns how many. */
uint32_t step_shape_forced(const struct step *step, const struct seq *seq, uint32_t most,
                           token_id *tokens);

/* Moves past a token that was allowed. */
void step_shape_advance(struct step *step, struct seq *seq, token_id token);
/* Whether nothing may follow what is there, so that the text ends. */
bool step_shape_is_over(const struct seq *seq);
/* Whether no token may follow, though the text is not over. */
bool step_shape_is_stuck(struct step *step, const struct seq *seq);

#endif
