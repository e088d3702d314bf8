/*
 * openai - OpenAI's chat completions: a request's body to a job, a job's end to a reply.
 *
 * Fields that would change the answer and that we do not do (tools, best_of, parts that are
 * not text) are refused by name; response_format is response_format.h's; fields that
 * change nothing here (user, metadata, store ...) are passed over. Beyond OpenAI's own there
 * are top_k, min_p, typical_p, repetition_penalty, priority, deadline_ms (engine.h), the last
 * with a finish_reason of its own, "deadline"; and chunk, a text that a schema's strings are
 * copied from where they have "x-copied-from": "chunk".
 *
 * Owner    what openai_chat_parse fills borrows from the JSON tree and the arena.
 */
#ifndef API_OPENAI_H
#define API_OPENAI_H

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "engine/engine.h"
#include "tokenizer/tokenizer.h"

enum { OPENAI_MESSAGES_MAX = 4096, OPENAI_PARTS_MAX = 4096 };

struct openai_chat {
    const struct tokenizer_message *messages; /* [message_count] */
    uint32_t message_count;
    struct engine_job job; /* all but the prompt; max_tokens 0: what the context has room for */
    bool has_seed, stream, logprobs;
};

/* ERR_FORMAT a field is missing or of a wrong type; ERR_LIMIT out of range, or something we do
 * not do; ERR_MEMORY the arena is full. */
MUST_USE enum status openai_chat_parse(const struct json *body, struct arena *arena,
                                       struct openai_chat *chat, struct error *err);

/* What OpenAI says of tokens that are less likely than it tells. */
#define OPENAI_LOGPROB_MIN (-9999.0F)

struct openai_token {
    struct text bytes;
    float logprob;
};

/* Adds a token of a choice to what is told of its log-probabilities. */
void openai_logprob_write(struct text_buf *content, const struct openai_token *token,
                          const struct openai_token *tops, uint32_t top_count);

struct openai_choice {
    struct text text;
    enum engine_finish finish;
    bool has_logprobs;
    struct text logprobs; /* as openai_logprob_write made it, token after token */
};

struct openai_completion {
    struct text id, model;
    int64_t created;                     /* Unix seconds */
    const struct openai_choice *choices; /* [choice_count] */
    uint32_t choice_count;
    uint32_t prompt_tokens, cached_tokens, completion_tokens;
};

/* Writes the "chat.completion" object. */
void openai_completion_write(struct json_writer *w, const struct openai_completion *completion);

/* Writes {"error": {...}}; type such as "invalid_request_error". */
void openai_error_write(struct json_writer *w, const char *type, struct text message);

#endif
