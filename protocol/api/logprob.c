/* logprob - see logprob.h. */
#include "tools/logprob.h"

#include "protocol/api/openai.h"

void logprob_add(struct text_buf *content, const struct tokenizer *tokenizer,
                 const struct engine_event *event)
{
    struct openai_token tops[ENGINE_TOPS_MAX];
    uint32_t count = 0;
    if (event->token == TOKEN_NONE)
        return;
    const struct openai_token token = {tokenizer_bytes(tokenizer, event->token),
                                       event->logprob};
    for (; count < event->top_count && event->tops[count].token != TOKEN_NONE; count++)
        tops[count] = (struct openai_token){
            tokenizer_bytes(tokenizer, event->tops[count].token), event->tops[count].logprob};
    openai_logprob_write(content, &token, tops, count);
}
