/* step_shape - see step_shape.h. */
#include "engine/step_shape.h"

static const uint32_t *allowed(const struct step *step, const struct seq *seq,
                               const struct grammar_cursor *cursor, uint32_t ahead)
{
    const uint32_t left = seq->job->output_max - seq->output_count - ahead;
    return grammar_allowed(step->options.grammar, cursor, left, seq->job->output_max);
}

const uint32_t *step_shape_allowed(const struct step *step, const struct seq *seq,
                                   uint32_t ahead)
{
    struct grammar_cursor cursor = seq->grammar;
    for (uint32_t i = 0; i < ahead; i++)
        grammar_advance(step->options.grammar, &cursor, seq->drafted[i]);
    return allowed(step, seq, &cursor, ahead);
}

uint32_t step_shape_fits(const struct step *step, const struct seq *seq, uint32_t count)
{
    struct grammar_cursor cursor = seq->grammar;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t token = (uint32_t)seq->drafted[i];
        const uint32_t *mask = allowed(step, seq, &cursor, i);
        if ((mask[token / 32] >> token % 32 & 1) == 0)
            return i;
        grammar_advance(step->options.grammar, &cursor, seq->drafted[i]);
        if (grammar_is_complete(step->options.grammar, &cursor))
            return i; /* nothing is drawn after it */
    }
    return count;
}
