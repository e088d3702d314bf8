/*
 * step_view - what sched_decide is shown of the sequences: where they are, what they may
 * compute next, what they will want. A part of engine/step.
 */
#ifndef ENGINE_STEP_VIEW_H
#define ENGINE_STEP_VIEW_H

#include "engine/step.h"

/* Of one that runs. Catches up with what others have computed, and plans its draft. */
struct sched_seq step_view_seq(struct step *step, struct seq *seq);
/* step->views = those of all that run. */
void step_view_all(struct step *step);
/* Of the next waiting one, or of none. */
struct sched_waiting step_view_waiting(const struct step *step, const struct seq *next);

#endif
