/* step_shape - see step_shape.h. */
#include "engine/step_shape.h"

#include <assert.h>
#include <string.h>

enum { FORCED_BYTES_MAX = 128 };

static bool is_job_output(const struct seq *seq)
{
    return seq->job->ask.format == ENGINE_FORMAT_JOB_OUTPUT;
}

static const uint32_t *allowed(const struct step *step, const struct seq *seq,
                               const struct grammar_cursor *cursor, uint32_t ahead)
{
    const uint32_t left = seq->job->output_max - seq->output_count - ahead;
    return grammar_allowed(step->options.grammar, cursor, left, seq->job->output_max);
}

/* False: the token is none that the text could go on with. */
static bool go_on(const struct step *step, const struct seq *seq, struct constraint_text *text,
                  token_id token)
{
    struct mask_walk *walk = &step->options.masks->walk;
    const struct text bytes = walk->bytes[token];
    return bytes.size > 0 && bytes.size <= VOCAB_TREE_DEPTH_MAX &&
           constraint_advance(seq->job->constraint, &walk->matcher, text, bytes);
}

void step_shape_start(struct step *step, struct seq *seq)
{
    const struct constraint *constraint = seq->job->constraint;
    if (step->options.grammar)
        grammar_start(step->options.grammar, &seq->grammar);
    if (constraint)
        constraint_start_copying(constraint, seq->job->chunk,
                                 &step->options.masks->walk.matcher, seq->constrained);
}

void step_shape_begin(struct step *step)
{
    if (step->options.masks)
        masks_begin(step->options.masks);
}

static const uint32_t *allowed_by_constraint(struct step *step, const struct seq *seq,
                                             uint32_t ahead)
{
    const struct constraint *constraint = seq->job->constraint;
    const uint32_t left = seq->job->output_max - seq->output_count - ahead;
    if (ahead == 0)
        return masks_of(step->options.masks, constraint, seq->constrained, left);
    constraint_copy(constraint, &step->ahead, seq->constrained);
    for (uint32_t i = 0; i < ahead; i++) {
        const bool fits = go_on(step, seq, &step->ahead, seq->drafted[i]);
        assert(fits);
        (void)fits;
    }
    return masks_of(step->options.masks, constraint, &step->ahead, left);
}

const uint32_t *step_shape_allowed(struct step *step, const struct seq *seq, uint32_t ahead)
{
    if (seq->job->constraint)
        return allowed_by_constraint(step, seq, ahead);
    if (!is_job_output(seq))
        return NULL;
    struct grammar_cursor cursor = seq->grammar;
    for (uint32_t i = 0; i < ahead; i++)
        grammar_advance(step->options.grammar, &cursor, seq->drafted[i]);
    return allowed(step, seq, &cursor, ahead);
}

static uint32_t constraint_fits(struct step *step, const struct seq *seq, uint32_t count)
{
    const struct constraint *constraint = seq->job->constraint;
    constraint_copy(constraint, &step->ahead, seq->constrained);
    for (uint32_t i = 0; i < count; i++)
        if (!go_on(step, seq, &step->ahead, seq->drafted[i]) ||
            constraint_is_over(constraint, &step->ahead))
            return i; /* after what is over nothing is drawn */
    return count;
}

uint32_t step_shape_fits(struct step *step, const struct seq *seq, uint32_t count)
{
    if (seq->job->constraint)
        return constraint_fits(step, seq, count);
    if (!is_job_output(seq))
        return count;
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

static size_t forced_bytes(const struct step *step, const struct seq *seq, uint8_t *bytes,
                           size_t most)
{
    if (seq->job->constraint)
        return constraint_forced(seq->job->constraint, &step->options.masks->walk.matcher,
                                 seq->constrained, bytes, most);
    return is_job_output(seq)
               ? grammar_forced(step->options.grammar, &seq->grammar, bytes, most)
               : 0;
}

uint32_t step_shape_forced(const struct step *step, const struct seq *seq, uint32_t most,
                           token_id *tokens)
{
    const struct masks *masks = step->options.masks;
    uint8_t bytes[FORCED_BYTES_MAX];
    uint32_t count = 0;
    if (!masks || most == 0)
        return 0;
    const size_t size = forced_bytes(step, seq, bytes, sizeof bytes);
    struct text text = {(const char *)bytes, size};
    for (; text.size > 0 && count < most; count++) {
        const token_id token = vocab_tree_longest(&masks->walk.tree, text);
        if (token == TOKEN_NONE)
            break;
        tokens[count] = token;
        text = text_slice(text, masks->walk.bytes[token].size, text.size);
    }
    return count;
}

void step_shape_advance(struct step *step, struct seq *seq, token_id token)
{
    if (is_job_output(seq))
        grammar_advance(step->options.grammar, &seq->grammar, token);
    if (!seq->job->constraint)
        return;
    const bool fits = go_on(step, seq, seq->constrained, token);
    assert(fits);
    (void)fits;
}

bool step_shape_is_over(const struct step *step, const struct seq *seq)
{
    if (seq->job->constraint)
        return constraint_is_over(seq->job->constraint, seq->constrained);
    return is_job_output(seq) && grammar_is_complete(step->options.grammar, &seq->grammar);
}

bool step_shape_is_stuck(struct step *step, const struct seq *seq)
{
    if (!seq->job->constraint)
        return false;
    return masks_is_none(step->options.masks, step_shape_allowed(step, seq, 0));
}
