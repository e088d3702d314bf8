/*
 * openai - OpenAI's chat completions: a request's body as an ask.
 *
 * Fields that would change the answer and that we do not do (best_of, parts that are not text)
 * are refused by name; response_format is response_format.h's, tools are tools.h's; fields that
 * change nothing here (user, metadata, store ...) are passed over. Beyond OpenAI's own there
 * are top_k, min_p, typical_p, repetition_penalty, priority, deadline_ms (engine.h), the last
 * with a finish_reason of its own, "deadline"; and chunk, a text that a schema's strings are
 * copied from where they have "x-copied-from": "chunk".
 */
#ifndef API_OPENAI_H
#define API_OPENAI_H

#include "protocol/api/ask.h"
#include "protocol/api/field.h"

extern const struct field_list openai_chat_fields;

/* ERR_FORMAT a field is missing or of a wrong type; ERR_LIMIT out of range, or something we do
 * not do; ERR_MEMORY the arena is full. The ask borrows from body and arena. */
MUST_USE enum status openai_chat_parse(const struct json *body, struct arena *arena,
                                       struct ask *ask, struct error *err);

#endif
