/*
 * anthropic_talk - a conversation as Anthropic's requests tell it.
 *
 *     {"role": "user" or "assistant", "content": a string or a list of blocks}
 *
 *     of both           {"type": "text", "text"}
 *     of the assistant  {"type": "tool_use", "id", "name", "input"}: a call of a tool
 *     of the user       {"type": "tool_result", "tool_use_id", "content"}: what came of it
 *
 * Templates have messages of tools beside the user's: what came of calls stands before what the
 * user says in the same message. Blocks of other types are refused by name.
 */
#ifndef API_ANTHROPIC_TALK_H
#define API_ANTHROPIC_TALK_H

#include "protocol/api/ask.h"

/* The messages, and before them the system's, where there is one. ERR_FORMAT and ERR_LIMIT: one
 * sentence that begins with the field's name; ERR_MEMORY: the arena is full. */
MUST_USE enum status anthropic_talk_read(const struct json *messages, const struct json *system,
                                         struct arena *arena, struct ask_prompt *prompt,
                                         struct error *err);

#endif
