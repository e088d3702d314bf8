/*
 * anthropic - Anthropic's messages, of text and calls of tools: a request's body as an ask.
 *
 * What would change the answer and is not done (thinking, an answer that the request begins,
 * content that is no text, tools that the API itself would run) is refused by name; metadata,
 * cache_control and the like change nothing here. output_config's format is a schema that the
 * answer is valid against.
 */
#ifndef API_ANTHROPIC_H
#define API_ANTHROPIC_H

#include "protocol/api/ask.h"
#include "protocol/api/field.h"

extern const struct field_list anthropic_messages_fields, anthropic_count_fields;

/* ERR_FORMAT a field is missing or of a wrong type; ERR_LIMIT out of range, or something we do
 * not do; ERR_MEMORY the arena is full. The ask borrows from body and arena. */
MUST_USE enum status anthropic_messages_parse(const struct json *body, struct arena *arena,
                                              struct ask *ask, struct error *err);

/* {"input_tokens": n} of a body that is not answered; what it takes is in the arena. Fails as
 * the parser does, and where the model's template does not take the messages. */
MUST_USE enum status anthropic_count(const struct tokenizer *tokenizer, const struct json *body,
                                     struct arena *arena, struct text_buf *out,
                                     struct error *err);

#endif
