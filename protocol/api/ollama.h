/*
 * ollama - Ollama's chats, generations and embeddings: a request's body as an ask.
 *
 * Options are Ollama's, with its defaults (temperature 0.8, top_k 40, top_p 0.9). Without
 * num_predict an answer is as long as num_ctx or, without that, the model's context allows; one
 * to a conversation in which no user says anything is OLLAMA_PROBE_TOKENS long at most, since
 * clients try with such a one whether a model is there. Nothing to answer at all (no prompt, an
 * empty list of messages) is Ollama's way to load a model: it is answered at once. The context
 * is the server's: num_ctx makes it no longer. Thinking and images are refused by name.
 */
#ifndef API_OLLAMA_H
#define API_OLLAMA_H

#include "protocol/api/ask.h"
#include "protocol/api/field.h"

enum { OLLAMA_PROBE_TOKENS = 16 };

extern const struct field_list ollama_chat_fields, ollama_generate_fields, ollama_embed_fields,
    ollama_embedding_fields;

/* ERR_FORMAT a field is missing or of a wrong type; ERR_LIMIT out of range, or something we do
 * not do; ERR_MEMORY the arena is full. The ask borrows from body and arena. */
MUST_USE enum status ollama_chat_parse(const struct json *body, struct arena *arena,
                                       struct ask *ask, struct error *err);
MUST_USE enum status ollama_generate_parse(const struct json *body, struct arena *arena,
                                           struct ask *ask, struct error *err);
MUST_USE enum status ollama_embed_parse(const struct json *body, struct arena *arena,
                                        struct ask *ask, struct error *err);
/* The older one: a single prompt. */
MUST_USE enum status ollama_embedding_parse(const struct json *body, struct arena *arena,
                                            struct ask *ask, struct error *err);

#endif
