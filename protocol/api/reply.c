/* reply - see reply.h. */
#include "protocol/api/reply.h"

#include <stdlib.h>

enum status reply_init(struct reply *reply, uint32_t choice_count, struct error *err)
{
    *reply = (struct reply){.choice_count = choice_count};
    reply->choices = calloc(choice_count > 0 ? choice_count : 1, sizeof *reply->choices);
    if (!reply->choices)
        FAIL(err, ERR_MEMORY, "no memory for %u choices", choice_count);
    return OK;
}

void reply_deinit(struct reply *reply)
{
    for (uint32_t i = 0; reply->choices && i < reply->choice_count; i++) {
        text_buf_deinit(&reply->choices[i].text);
        logprob_list_deinit(&reply->choices[i].logprobs);
    }
    free(reply->choices);
    *reply = (struct reply){0};
}

bool reply_has_failed(const struct reply *reply)
{
    bool has_failed = false;
    for (uint32_t i = 0; i < reply->choice_count; i++)
        has_failed |= reply->choices[i].text.failed || reply->choices[i].logprobs.failed;
    return has_failed;
}
