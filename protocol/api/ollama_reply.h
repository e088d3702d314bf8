/*
 * ollama_reply - replies in Ollama's words: one object, or one a line as the text is written,
 * the last with what was counted. Times are in nanoseconds; of loading it is 0, for the model
 * is there.
 */
#ifndef API_OLLAMA_REPLY_H
#define API_OLLAMA_REPLY_H

#include "protocol/api/reply.h"

enum { OLLAMA_REPLY_TIME_SIZE = 32 };

/* unix_s as RFC 3339 has it. */
void ollama_reply_time(int64_t unix_s, char time[OLLAMA_REPLY_TIME_SIZE]);
/* {"error": "..."} */
void ollama_reply_error(const struct reply_error *error, struct text_buf *out);

extern const struct reply_wire ollama_reply_chat_wire, ollama_reply_generate_wire,
    ollama_reply_embed_wire, ollama_reply_embedding_wire;

#endif
