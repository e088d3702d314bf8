/* draft - see draft.h. */
#include "engine/draft.h"

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* How many tokens before prompt[end] agree with the output's last ones. */
static uint32_t agreement(const struct draft_text *text, uint32_t end)
{
    const uint32_t most = least(least(end, text->output_count), DRAFT_FOLLOW);
    const token_id *prompt = text->prompt + end, *output = text->outputs + text->output_count;
    uint32_t count = 0;
    while (count < most && prompt[-1 - (int64_t)count] == output[-1 - (int64_t)count])
        count++;
    return count;
}

/* The place that agrees with most; of equal ones the first. */
static struct draft find(const struct draft_text *text)
{
    struct draft best = {.agreed = 0};
    if (text->output_count < DRAFT_MATCH)
        return best;
    const token_id last = text->outputs[text->output_count - 1];
    for (uint32_t end = DRAFT_MATCH; end < text->prompt_tokens; end++) {
        if (text->prompt[end - 1] != last)
            continue;
        const uint32_t agreed = agreement(text, end);
        if (agreed >= DRAFT_MATCH && agreed > best.agreed)
            best = (struct draft){.at = end, .agreed = agreed};
    }
    return best;
}

void draft_follow(struct draft *draft, const struct draft_text *text)
{
    const token_id last = text->outputs[text->output_count - 1];
    if (draft->agreed > 0 && draft->at < text->prompt_tokens &&
        text->prompt[draft->at] == last) {
        draft->at++;
        draft->agreed = least(draft->agreed + 1, DRAFT_FOLLOW);
        return;
    }
    *draft = find(text);
}

uint32_t draft_tokens(const struct draft *draft, const struct draft_text *text, uint32_t most,
                      token_id *tokens)
{
    uint32_t count = least(least(draft->agreed, DRAFT_MAX), most);
    count = least(count, text->prompt_tokens - draft->at);
    for (uint32_t i = 0; i < count; i++)
        tokens[i] = text->prompt[draft->at + i];
    return count;
}
