/*
 * step_draft - which guesses a sequence's next rows carry (engine/draft.h: what it copies, or
 * what its shape forces), and what is learnt from how many were right. A part of engine/step.
 */
#ifndef ENGINE_STEP_DRAFT_H
#define ENGINE_STEP_DRAFT_H

#include "engine/step.h"

/* Writes guesses at what follows the sequence's last token to seq->drafted: within the page of
 * its next row, what is left of its output, and its shape. Returns how many. */
uint32_t step_draft_plan(struct step *step, struct seq *seq);

/* Whether it copies well enough to wait for its results, so that guesses can be made, instead
 * of being planned one row ahead. */
bool step_draft_is_awaited(const struct seq *seq);

/* Of drafted guesses so many were right, and then came token, or TOKEN_NONE. */
void step_draft_learn(struct seq *seq, uint32_t drafted, uint32_t right, token_id token);

#endif
