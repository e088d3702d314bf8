/*
 * ledger - what left the machine, what stayed, what it cost, and what may still be spent.
 *
 * A paid call is charged before it is sent, at its worst case, and corrected when the server
 * says what it used:
 *
 *     ledger_charge --sent--> ledger_settle (usage known)
 *                        \--> ledger_release (surely not served: no connection, or a refusal)
 *                        \--> nothing: whether it was served is unknown, the charge stays
 *
 * So the sum shown is never below what was truly spent, and never above the budget.
 * Worst case: a byte is never more than one token.
 *
 * Thread   one thread at a time.
 */
#ifndef MINIONS_LEDGER_H
#define MINIONS_LEDGER_H

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "protocol/minions/job_output.h"

#include <stdbool.h>
#include <stdint.h>

struct ledger_price {
    double in, out; /* dollars per million tokens */
};

/* What a call may cost at most, until it is known what it did. */
struct ledger_charge {
    double dollars;
    uint64_t tokens;
};

/* Where the time of a run went; what no part has is the process's own start and end. */
struct ledger_times {
    double read_s;      /* documents opened and made text of, by who opened them */
    double load_s;      /* the model loaded, or the workers elsewhere found, by the same */
    double remote_s;    /* waiting for the supervisor */
    double parse_s;     /* programs read */
    double chunk_s;     /* prepare_jobs; sentences cut for a worker that ranks them */
    double schedule_s;  /* prompts made and ordered */
    double model_s;     /* waiting for the workers */
    double journal_s;   /* results written down and looked up */
    double aggregate_s; /* sentences ranked, replies read, transform_outputs, citations found */
};

struct ledger {
    struct ledger_price price;
    double budget_dollars;  /* no call is sent that might pass it */
    uint64_t budget_tokens; /* nor this, in and out together; 0: none is set */
    double dollars;         /* spent or charged */
    uint64_t tokens;        /* the same */
    bool is_spent;          /* a call was not sent, for the budget did not cover it */

    /* What left the machine, and what came back. */
    uint32_t calls;                      /* requests sent, retries included */
    uint32_t retries;                    /* of them */
    uint64_t sent_bytes, received_bytes; /* bodies */
    uint64_t remote_prompt_tokens, remote_output_tokens;
    const char *worker_hosts; /* workers on other machines; NULL or "": there are none */
    uint64_t worker_sent_bytes, worker_received_bytes; /* theirs: documents' text is in them */
    bool is_estimated; /* a reply did not say its usage: its tokens are bytes / 4 */

    /* What stayed. */
    uint64_t document_bytes;
    uint32_t documents, jobs;
    uint64_t local_prompt_tokens, local_cached_tokens, local_output_tokens;
    uint32_t outcomes[JOB_OUTPUT_KINDS]; /* of the workers' jobs, by kind */
    double seconds;
    struct ledger_times times;
};

/* Charges a call of at most prompt_bytes and output_tokens before it is sent; gives the sum
 * charged. ERR_LIMIT when the budget does not cover it: nothing is charged then. */
MUST_USE enum status ledger_charge(struct ledger *ledger, size_t prompt_bytes,
                                   uint32_t output_tokens, struct ledger_charge *charge,
                                   struct error *err);
/* Puts the true usage in place of the charge. */
void ledger_settle(struct ledger *ledger, const struct ledger_charge *charge,
                   uint64_t prompt_tokens, uint64_t output_tokens);
void ledger_release(struct ledger *ledger, const struct ledger_charge *charge);

/* What one call with all documents in it would have cost. */
double ledger_remote_only_dollars(const struct ledger *ledger);

/* Appends a few lines for people. */
void ledger_print(const struct ledger *ledger, struct text_buf *buf);
/* Writes one JSON object. */
void ledger_write(const struct ledger *ledger, struct json_writer *writer);

#endif
