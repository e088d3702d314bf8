/*
 * openai_reply - replies in OpenAI's words: chat completions whole and as a stream of chunks,
 * and errors.
 */
#ifndef API_OPENAI_REPLY_H
#define API_OPENAI_REPLY_H

#include "protocol/api/reply.h"

/* What OpenAI says of tokens that are less likely than it tells. */
#define OPENAI_REPLY_LOGPROB_MIN (-9999.0F)

/* A list's tokens first .. first + count - 1, as an array. */
void openai_reply_tokens(struct json_writer *w, const struct logprob_list *list, uint32_t first,
                         uint32_t count);
const char *openai_reply_finish(enum engine_finish finish); /* "stop", "length", "deadline" */
void openai_reply_usage(struct json_writer *w, const struct reply *reply);
/* The "chat.completion" object. */
void openai_reply_chat(struct json_writer *w, const struct reply *reply);
/* {"error": {...}}; the type follows from the status. */
void openai_reply_error(struct json_writer *w, const struct reply_error *error);

/* The same as a body, and inside a stream of events. */
void openai_reply_error_whole(const struct reply_error *error, struct text_buf *out);
void openai_reply_error_event(const struct reply_error *error, struct text_buf *out);

extern const struct reply_wire openai_reply_chat_wire;

#endif
