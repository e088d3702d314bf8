/*
 * messages - a conversation as OpenAI's and Ollama's requests tell it.
 *
 *     {"role": ..., "content": a string or a list of parts of type "text"}
 *     of the assistant   "tool_calls": [{"function": {"name", "arguments"}}]
 *     of a tool          what came of a call
 *
 * Arguments are an object, or its JSON as a string. OpenAI's calls have an "id", and results
 * the "tool_call_id" that they answer. Ollama's have neither: calls are numbered here, and
 * results follow them in their order.
 */
#ifndef API_MESSAGES_H
#define API_MESSAGES_H

#include "protocol/api/ask.h"

enum messages_calls { MESSAGES_CALLS_BY_ID, MESSAGES_CALLS_IN_ORDER };

/* ERR_FORMAT and ERR_LIMIT: one sentence that begins with "messages"; ERR_MEMORY: the arena is
 * full. */
MUST_USE enum status messages_read(const struct json *list, enum messages_calls calls,
                                   struct arena *arena, struct ask_prompt *prompt,
                                   struct error *err);

/* A call as a message's tool_calls have it. */
struct messages_call {
    struct text id, name;
    const struct json *arguments; /* an object */
};
void messages_write_call(struct json_writer *w, const struct messages_call *call);

#endif
