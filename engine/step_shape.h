/*
 * step_shape - what a job with a shape may say next, also past tokens that are only guessed. A
 * part of engine/step.
 */
#ifndef ENGINE_STEP_SHAPE_H
#define ENGINE_STEP_SHAPE_H

#include "engine/step.h"

/* The tokens that may come after the sequence's output and the first ahead of its guesses,
 * which must fit. */
const uint32_t *step_shape_allowed(const struct step *step, const struct seq *seq,
                                   uint32_t ahead);

/* How many of the first count guesses fit the shape, one after the other. */
uint32_t step_shape_fits(const struct step *step, const struct seq *seq, uint32_t count);

#endif
