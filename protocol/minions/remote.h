/*
 * remote - conversations with an OpenAI-compatible server: POST URL/chat/completions.
 *
 * The only file that opens a socket to the outside, and every byte it sends is in the ledger.
 *
 *   Addresses   https; http only to this machine itself. Redirects are not followed.
 *   Key         from the environment, COHORT_API_KEY or else OPENAI_API_KEY; never an argument,
 *               never in a message, wiped at the end.
 *   Time        5 s to connect, a deadline per call (retries and their waits included).
 *   Size        a reply past response_max is cut off while it arrives.
 *   Retries     when no connection came about, and on 408, 409, 429 and 5xx: few, after a
 *               random wait of up to 0.5 s, 1 s, 2 s ... (full jitter), or Retry-After where it
 *               is longer and within the deadline. Never after the first byte of a 200: such a
 *               call may have been served and paid.
 *   Money       each attempt is charged to the ledger before it is sent (ledger.h).
 *
 * Owner    remote_open gives and keeps the ledger (borrowed until remote_close).
 * Thread   one thread at a time.
 */
#ifndef MINIONS_REMOTE_H
#define MINIONS_REMOTE_H

#include "base/error.h"
#include "base/text.h"
#include "protocol/minions/ledger.h"

#include <stdbool.h>
#include <stdint.h>

struct remote;

/* Zero means: the default (in brackets). */
struct remote_options {
    const char *url; /* base, such as https://api.openai.com/v1 */
    const char *model;
    double connect_s;           /* [5] */
    double deadline_s;          /* [120] */
    double retry_wait_s;        /* [0.5] the first wait is at most this */
    uint32_t attempts_max;      /* [4] */
    size_t response_max;        /* [4 MiB] */
    uint32_t output_tokens_max; /* [4096] per reply */
};

struct remote_message {
    const char *role; /* "system", "user", "assistant" */
    struct text content;
};

/* Zero it before first use; content belongs to the caller (text_buf_deinit). */
struct remote_reply {
    struct text_buf content;
    bool is_cut; /* the server stopped at its token limit */
    uint64_t prompt_tokens, output_tokens;
};

/* ERR_FORMAT the URL makes no sense or is not allowed; ERR_MEMORY. Opens no connection. */
MUST_USE enum status remote_open(struct remote **remote, const struct remote_options *options,
                                 struct ledger *ledger, struct error *err);
void remote_close(struct remote *remote); /* NULL is fine */

/* Sends the conversation and reads one reply (what reply held before is dropped).
 * ERR_LIMIT  the budget does not cover it, or the reply is larger than response_max.
 * ERR_REMOTE the server refused, hung, or answered nonsense; ERR_IO no connection. */
MUST_USE enum status remote_chat(struct remote *remote, const struct remote_message *messages,
                                 uint32_t count, struct remote_reply *reply, struct error *err);

#endif
