/*
 * tools - the functions that a chat may call, as requests tell of them.
 *
 *     OpenAI's, and Ollama's, which have no choice
 *     "tools":       [{"type": "function", "function": {"name", "description", "parameters"}}]
 *     "tool_choice": "none", "auto", "required", {"type": "function", "function": {"name"}}
 *
 *     Anthropic's
 *     "tools":       [{"name", "description", "input_schema"}]
 *     "tool_choice": {"type": "none", "auto", "any", "tool" with a "name";
 *                     "disable_parallel_tool_use"}
 *
 * The model's own chat template tells it of them, and its calls are read back from what it
 * writes (tool_calls.h). A call that must come, with tool_choice "required" or a name, is held
 * to the parameters' schema: one call, whose arguments are valid. Otherwise the text is free,
 * whatever a function's "strict" says.
 */
#ifndef API_TOOLS_H
#define API_TOOLS_H

#include "protocol/api/ask.h"

enum { TOOLS_MAX = 128, TOOLS_NAME_MAX = 64 };

/* What a request's two fields say, into ask->tools. ERR_FORMAT, ERR_LIMIT: a sentence that
 * names the field. */
MUST_USE enum status tools_read(const struct json *tools, const struct json *choice,
                                struct ask *ask, struct error *err);
/* The same of Anthropic's. */
MUST_USE enum status tools_read_bare(const struct json *tools, const struct json *choice,
                                     struct ask *ask, struct error *err);
/* Whether a model of that template can be told of tools, and its calls be read. */
bool tools_are_taken(enum tokenizer_tools format);
/* Fits them to the model that is to answer: what its template is told, how its calls are read,
 * and the schema of a call that must come. ERR_LIMIT: it cannot be told of tools. */
MUST_USE enum status tools_settle(struct ask *ask, const struct tokenizer *tokenizer,
                                  struct arena *arena, struct error *err);
/* What stands before a call that must come, after the conversation's tokens. */
struct text tools_opening(enum tokenizer_tools format);

#endif
