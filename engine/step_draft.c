/* step_draft - see step_draft.h. */
#include "engine/step_draft.h"

#include "engine/step_shape.h"

#include <string.h>

enum { AWAITED_FROM = 4 }; /* tokens agreed for which waiting for results pays */

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Guesses that a row for the last token can have behind it. */
static uint32_t draft_max(const struct step *step, const struct seq *seq)
{
    const uint32_t in_page = KV_PAGE_TOKENS - 1 - seq->ready % KV_PAGE_TOKENS;
    const uint32_t left = seq->job->output_max - seq->output_count;
    /* With a penalty each row depends on the tokens before it: guesses are not among them. */
    if (!step->options.has_drafts || seq->job->ask.kind != ENGINE_GENERATE || seq->seen.grows ||
        seq->ready + 1 != seq_total(seq))
        return 0;
    return least(left - 1, in_page);
}

/* What is forced is guessed where it is more than what is copied; where none of it is trusted,
 * its first token is kept to learn from. */
uint32_t step_draft_plan(struct step *step, struct seq *seq)
{
    const uint32_t most = draft_max(step, seq);
    seq->draft_planned = 0;
    seq->draft_forced = false;
    seq->forced_next = TOKEN_NONE;
    if (most == 0)
        return 0;
    const struct draft_text text = seq_draft_text(seq);
    const uint32_t copied = draft_tokens(&seq->draft, &text, most, seq->drafted);
    seq->draft_planned = step_shape_fits(step, seq, copied);
    token_id forced[DRAFT_MAX];
    const uint32_t trusted = least(most, seq->forced_trust);
    const uint32_t count = step_shape_forced(step, seq, trusted > 0 ? trusted : 1, forced);
    seq->forced_next = count > 0 ? forced[0] : TOKEN_NONE;
    seq->draft_forced = trusted > 0 && count > seq->draft_planned;
    if (seq->draft_forced) {
        memcpy(seq->drafted, forced, count * sizeof *forced);
        seq->draft_planned = step_shape_fits(step, seq, count);
    }
    return seq->draft_planned;
}

bool step_draft_is_awaited(const struct seq *seq)
{
    return seq->result != SEQ_NO_RESULT && seq->draft.agreed >= AWAITED_FROM;
}

void step_draft_learn(struct seq *seq, uint32_t drafted, uint32_t right, token_id token)
{
    if (seq->draft_forced && drafted > 0) {
        const uint32_t trust = right == drafted ? 2 * seq->forced_trust : right;
        seq->forced_trust = least(trust, DRAFT_MAX);
    } else if (seq->forced_trust == 0 && token != TOKEN_NONE && token == seq->forced_next) {
        seq->forced_trust = 1;
    }
    seq->forced_next = TOKEN_NONE;
}
