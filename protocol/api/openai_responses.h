/*
 * openai_responses - OpenAI's responses, as far as they are text: a request's body as an ask,
 * replies in its words, whole and as named events.
 *
 * Nothing is kept between requests: store, and a conversation, are taken and change nothing;
 * previous_response_id, which would, is refused, and so are tools, which chats have.
 */
#ifndef API_OPENAI_RESPONSES_H
#define API_OPENAI_RESPONSES_H

#include "protocol/api/ask.h"
#include "protocol/api/field.h"
#include "protocol/api/reply.h"

extern const struct field_list openai_responses_fields;
extern const struct reply_wire openai_responses_wire; /* openai_responses_reply.c */

/* As openai_chat_parse. */
MUST_USE enum status openai_responses_parse(const struct json *body, struct arena *arena,
                                            struct ask *ask, struct error *err);

#endif
