/* step_shape - see step_shape.h. */
#include "engine/step_shape.h"

#include <assert.h>
#include <string.h>

enum { FORCED_BYTES_MAX = 128 };

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
    if (constraint)
        constraint_start_copying(constraint, seq->job->chunk,
                                 &step->options.masks->walk.matcher, seq->constrained);
}

void step_shape_begin(struct step *step)
{
    if (step->options.masks)
        masks_begin(step->options.masks);
}

const uint32_t *step_shape_allowed(struct step *step, const struct seq *seq, uint32_t ahead)
{
    const struct constraint *constraint = seq->job->constraint;
    if (!constraint)
        return NULL;
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

uint32_t step_shape_fits(struct step *step, const struct seq *seq, uint32_t count)
{
    const struct constraint *constraint = seq->job->constraint;
    if (!constraint)
        return count;
    constraint_copy(constraint, &step->ahead, seq->constrained);
    for (uint32_t i = 0; i < count; i++)
        if (!go_on(step, seq, &step->ahead, seq->drafted[i]) ||
            constraint_is_over(constraint, &step->ahead))
            return i; /* after what is over nothing is drawn */
    return count;
}

uint32_t step_shape_forced(const struct step *step, const struct seq *seq, uint32_t most,
                           token_id *tokens)
{
    struct masks *masks = step->options.masks;
    uint8_t bytes[FORCED_BYTES_MAX];
    uint32_t count = 0;
    if (!seq->job->constraint || most == 0)
        return 0;
    const size_t size = constraint_forced(seq->job->constraint, &masks->walk.matcher,
                                          seq->constrained, bytes, sizeof bytes);
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
    if (!seq->job->constraint)
        return;
    const bool fits = go_on(step, seq, seq->constrained, token);
    assert(fits);
    (void)fits;
}

bool step_shape_is_over(const struct seq *seq)
{
    return seq->job->constraint && constraint_is_over(seq->job->constraint, seq->constrained);
}

bool step_shape_is_stuck(struct step *step, const struct seq *seq)
{
    if (!seq->job->constraint)
        return false;
    return masks_is_none(step->options.masks, step_shape_allowed(step, seq, 0));
}
