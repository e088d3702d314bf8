/*
 * step_sample - what is drawn from a row's logits. A part of engine/step.
 */
#ifndef ENGINE_STEP_SAMPLE_H
#define ENGINE_STEP_SAMPLE_H

#include "engine/step.h"

/* Adds what is to be drawn from the logits of the head-th of the sequence's positions that want
 * any. */
void step_sample_add(struct step *step, const struct seq *seq, uint32_t head);

#endif
