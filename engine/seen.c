/* seen - see seen.h. */
#include "engine/seen.h"

#include <stdlib.h>
#include <string.h>

bool seen_is_wanted(const struct engine_job *ask)
{
    const bool repetition = ask->repetition_penalty > 0 &&
                            (ask->repetition_penalty < 1 || ask->repetition_penalty > 1);
    return repetition || ask->frequency_penalty < 0 || ask->frequency_penalty > 0 ||
           ask->presence_penalty < 0 || ask->presence_penalty > 0;
}

static int by_token(const void *a, const void *b)
{
    const struct sample_seen *x = a, *y = b;
    return (x->token > y->token) - (x->token < y->token);
}

/* Makes one of entries with the same token: seen if one of them is, the biases added. */
static uint32_t merge(struct sample_seen *list, uint32_t count)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (kept == 0 || list[kept - 1].token != list[i].token) {
            list[kept++] = list[i];
            continue;
        }
        struct sample_seen *same = &list[kept - 1];
        same->bias += list[i].bias;
        same->count = same->count > list[i].count ? same->count : list[i].count;
    }
    return kept;
}

bool seen_of_job(const struct engine_job *ask, struct sample_seen **list, uint32_t *count)
{
    const size_t prompt = seen_is_wanted(ask) ? ask->prompt_tokens : 0;
    const size_t total = prompt + ask->bias_count;
    *list = NULL;
    *count = 0;
    if (total == 0)
        return true;
    struct sample_seen *made = malloc(total * sizeof *made);
    if (!made)
        return false;
    for (size_t i = 0; i < prompt; i++)
        made[i] = (struct sample_seen){.token = ask->prompt[i]};
    for (size_t i = prompt; i < total; i++)
        made[i] = (struct sample_seen){.token = ask->biases[i - prompt].token,
                                       .count = SAMPLE_UNSEEN,
                                       .bias = ask->biases[i - prompt].bias};
    qsort(made, total, sizeof *made, by_token);
    *list = made;
    *count = merge(made, (uint32_t)total);
    return true;
}

void seen_add(struct seen *seen, token_id token)
{
    uint32_t first = 0, end = seen->count;
    if (!seen->grows)
        return;
    while (first < end) {
        const uint32_t middle = first + (end - first) / 2;
        if (seen->list[middle].token < token)
            first = middle + 1;
        else
            end = middle;
    }
    struct sample_seen *at = &seen->list[first];
    if (first < seen->count && at->token == token) {
        at->count = at->count < 0 ? 1 : at->count + 1;
        return;
    }
    memmove(at + 1, at, (seen->count - first) * sizeof *at);
    *at = (struct sample_seen){.token = token, .count = 1};
    seen->count++;
}
