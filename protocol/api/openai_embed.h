/*
 * openai_embed - OpenAI's embeddings: a request's body as an ask, replies in its words.
 *
 * Vectors are the mean of the model's hidden states over an input's tokens, of length 1 as
 * OpenAI's are.
 */
#ifndef API_OPENAI_EMBED_H
#define API_OPENAI_EMBED_H

#include "protocol/api/ask.h"
#include "protocol/api/field.h"
#include "protocol/api/reply.h"

extern const struct field_list openai_embed_fields;
extern const struct reply_wire openai_embed_wire;

/* As openai_chat_parse. */
MUST_USE enum status openai_embed_parse(const struct json *body, struct arena *arena,
                                        struct ask *ask, struct error *err);

#endif
