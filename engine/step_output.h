/*
 * step_output - what comes out of a step: tokens become text, text and ends become events.
 * A part of engine/step, in a file of its own.
 */
#ifndef ENGINE_STEP_OUTPUT_H
#define ENGINE_STEP_OUTPUT_H

#include "engine/step.h"

/* One of the device's results, and its best tokens where some row asked for them. */
struct step_result {
    const struct sample_result *sample;
    const struct sample_top *tops; /* [SAMPLE_TOP_MAX], or NULL */
};

/* Moves on by count results. */
void step_output_next(struct step_result *result, uint32_t count);

/* Makes room for text once. ERR_MEMORY. */
MUST_USE enum status step_output_init(struct step *step, struct error *err);

/* The next token of a running sequence: notes it, sends its text, ends the sequence when it
 * was the last. True: it goes on. */
bool step_output_token(struct step *step, struct seq *seq, const struct step_result *result);

/* Log-probabilities of the next count targets of a score job; ends it after the last. */
void step_output_scores(struct step *step, struct seq *seq, const struct step_result *first,
                        uint32_t count);

/* Ends a sequence, running or waiting, with those of its samples that never began: lets go of
 * its slot and pages, sends what text was held back, and one DONE event per sample. After the
 * job's last, the job belongs to the poller. */
void step_output_end(struct step *step, struct seq *seq, enum engine_finish finish);

#endif
