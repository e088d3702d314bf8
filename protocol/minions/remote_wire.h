/*
 * remote_wire - how a conversation is written for a server, and how its reply is read: OpenAI's
 * chat completions and Anthropic's messages. Bytes only; remote_http moves them.
 *
 * A reply is asked for as a stream, so that silence can be told from thinking, and read when it
 * is whole. A server that answers with one JSON object all the same is understood too.
 */
#ifndef MINIONS_REMOTE_WIRE_H
#define MINIONS_REMOTE_WIRE_H

#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum remote_wire_kind { REMOTE_WIRE_OPENAI, REMOTE_WIRE_ANTHROPIC };

struct remote_message {
    const char *role; /* "system", "user", "assistant" */
    struct text content;
};

/* Zero it before first use; content belongs to the caller (text_buf_deinit). */
struct remote_reply {
    struct text_buf content;
    bool is_cut; /* the server stopped at its token limit */
    bool has_usage;
    uint64_t prompt_tokens, output_tokens;
};

/* A server, and what it has been found to want otherwise. */
struct remote_wire {
    enum remote_wire_kind kind;
    const char *model;
    uint32_t output_tokens_max;
    bool wants_completion_limit; /* OpenAI's newer models: max_completion_tokens */
    bool wants_no_stream_options;
    bool wants_no_stream;
};

/* By the host and the path of the base URL: Anthropic's, else OpenAI's. */
enum remote_wire_kind remote_wire_guess(struct text url);
/* What stands behind the base URL: "/chat/completions", "/v1/messages" (or "/messages" where
 * the URL ends in /v1). */
const char *remote_wire_path(enum remote_wire_kind kind, struct text url);

void remote_wire_write(const struct remote_wire *wire, const struct remote_message *messages,
                       uint32_t count, struct text_buf *body);

/* Reads a whole 200's body. ERR_REMOTE with why not. */
MUST_USE enum status remote_wire_read(const struct remote_wire *wire, struct text body,
                                      struct remote_reply *reply, struct error *err);

/* Whether a 400's body says that the request should be written otherwise; wire is set so. */
bool remote_wire_learn(struct remote_wire *wire, struct text body);
/* Sets wire so that it would write such a request as body is. */
void remote_wire_match(struct remote_wire *wire, struct text body);

/* A server's own words in an error body, cut to size, on one line; "" when there are none. */
void remote_wire_words(struct text body, char *words, size_t size);

#endif
