/*
 * openai_text - OpenAI's completions of plain text: a request's body as an ask, replies in its
 * words.
 *
 * Prompts are strings or tokens, one or many; choices are numbered prompt after prompt. echo
 * puts the prompt before what goes on from it; with logprobs its tokens are told too, which is
 * not streamed, for they are known after the text has begun. max_tokens 0 writes nothing.
 */
#ifndef API_OPENAI_TEXT_H
#define API_OPENAI_TEXT_H

#include "protocol/api/ask.h"
#include "protocol/api/field.h"
#include "protocol/api/reply.h"

extern const struct field_list openai_text_fields;
extern const struct reply_wire openai_text_wire;

/* As openai_chat_parse. */
MUST_USE enum status openai_text_parse(const struct json *body, struct arena *arena,
                                       struct ask *ask, struct error *err);

#endif
