/* logprob - an event's token, its log-probability and the best of its place, as OpenAI tells
 * it. */
#ifndef TOOLS_LOGPROB_H
#define TOOLS_LOGPROB_H

#include "base/text.h"
#include "engine/engine.h"
#include "tokenizer/tokenizer.h"

/* Adds it to content (openai_logprob_write); events without a token add nothing. */
void logprob_add(struct text_buf *content, const struct tokenizer *tokenizer,
                 const struct engine_event *event);

#endif
