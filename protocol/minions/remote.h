/*
 * remote - conversations with a paid model: OpenAI-compatible chat completions, or Anthropic's
 * messages (remote_wire), over HTTP (remote_http).
 *
 * Every byte that is sent is in the ledger, and in the egress log before it leaves.
 *
 *   Key         from a file or the environment: COHORT_API_KEY, else OPENAI_API_KEY or
 *               ANTHROPIC_API_KEY by the wire; never an argument, never in a message, wiped at
 *               the end.
 *   Time        5 s to connect, 60 s without a byte, a deadline per call (retries and their
 *               waits included).
 *   Retries     when no connection came about, and on 408, 409, 429 and 5xx: few, after a
 *               random wait of up to 0.5 s, 1 s, 2 s ... (full jitter), or Retry-After where it
 *               is longer and within the deadline. Never after the first byte of a 200: such a
 *               call may have been served and paid.
 *   Money       each attempt is charged to the ledger before it is sent (ledger.h).
 *   Journal     each attempt is written before it is sent, the answer when it is whole. In a
 *               resumed run a call that was answered is answered from there. All attempts of
 *               a call carry one Idempotency-Key.
 *   Replay      a URL "replay:FILE" answers from a record (remote_record): nothing is sent.
 *
 * Owner    remote_open gives, and keeps ledger, journal and egress until remote_close.
 * Thread   one thread at a time.
 */
#ifndef MINIONS_REMOTE_H
#define MINIONS_REMOTE_H

#include "base/error.h"
#include "base/text.h"
#include "protocol/minions/egress.h"
#include "protocol/minions/journal.h"
#include "protocol/minions/ledger.h"
#include "protocol/minions/remote_wire.h"

#include <stdbool.h>
#include <stdint.h>

struct remote;

enum remote_api { REMOTE_API_GUESS, REMOTE_API_OPENAI, REMOTE_API_ANTHROPIC };

/* Zero means: the default (in brackets). */
struct remote_options {
    const char *url; /* base, such as https://api.openai.com/v1, or replay:FILE */
    const char *model;
    enum remote_api api;         /* [by the URL] */
    const char *key_path;        /* [the environment] a file that holds the key */
    const char *record_path;     /* [none] a file that each call is added to */
    struct journal *journal;     /* [none] */
    const struct egress *egress; /* [none] */
    double connect_s;            /* [5] */
    double stall_s;              /* [60] */
    double deadline_s;           /* [300] */
    double retry_wait_s;         /* [0.5] the first wait is at most this */
    uint32_t attempts_max;       /* [4] */
    size_t response_max;         /* [4 MiB] */
    uint32_t output_tokens_max;  /* [4096] per reply */
    bool is_dry;                 /* nothing is sent; see remote_dry */
};

/* ERR_FORMAT the URL makes no sense or is not allowed, or the key cannot be sent; ERR_IO a file
 * cannot be read or made; ERR_MEMORY. Opens no connection. */
MUST_USE enum status remote_open(struct remote **remote, const struct remote_options *options,
                                 struct ledger *ledger, struct error *err);
void remote_close(struct remote *remote); /* NULL is fine */

/* Sends the conversation and reads one reply (what reply held before is dropped).
 * ERR_LIMIT  the budget does not cover it, or the reply is larger than response_max.
 * ERR_REMOTE the server refused, hung, or answered nonsense; ERR_IO no connection.
 * ERR_FORMAT a resumed run would send something else than it did. */
MUST_USE enum status remote_chat(struct remote *remote, const struct remote_message *messages,
                                 uint32_t count, struct remote_reply *reply, struct error *err);

/* What is_dry has kept from being sent so far: each body on a line. Replies are placeholders
 * then: `[the reply to call 1]`. Valid until the next chat. */
struct text remote_dry(const struct remote *remote);

#endif
