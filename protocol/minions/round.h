/*
 * round - the conductor of the protocol: from a question and documents to an answer.
 *
 *     advice                                                       (remote only)
 *     per round:  program -> jobs -> workers -> outcomes -> findings -> decision
 *                 a program that fails is sent back with its fault, ROUND_ATTEMPTS times in all
 *     answer, citations
 *
 * Without a remote there is one round, with the program and the last sentence of
 * supervisor_local. A citation is a span of a document that a worker named and that is
 * verbatim there; the best come first.
 *
 * Thread   round_run from one thread; progress may be read from any meanwhile.
 */
#ifndef MINIONS_ROUND_H
#define MINIONS_ROUND_H

#include "base/error.h"
#include "base/text.h"
#include "protocol/minions/documents.h"
#include "protocol/minions/ledger.h"
#include "protocol/minions/prompts.h"
#include "protocol/minions/remote.h"
#include "protocol/minions/worker.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    ROUND_MAX = 5,
    ROUND_DEFAULT = 3,
    ROUND_ATTEMPTS = 3,
    ROUND_CITATIONS_MAX = 10,
    ROUND_QUESTION_BYTES_MAX = 16 << 10
};

enum round_worker {
    ROUND_AUTO,    /* by the model: extract below 1 billion parameters */
    ROUND_EXTRACT, /* rank sentences (extract.h) */
    ROUND_GENERATE /* write JobOutputs */
};

enum round_protocol {
    ROUND_MINIONS, /* the rounds above */
    ROUND_MINION   /* one worker talks with the supervisor (minion.h) */
};

enum round_phase { ROUND_READING, ROUND_ASKING, ROUND_WORKING, ROUND_ANSWERING, ROUND_OVER };

struct round_options {
    struct text question;
    const struct documents *documents;
    const struct worker *worker;
    struct remote *remote; /* NULL: the local supervisor */
    struct ledger *ledger;
    struct journal *journal; /* NULL: none is kept */
    struct queue *news;      /* of struct news, for a watcher; NULL: none */
    uint32_t rounds_max;     /* 1 .. ROUND_MAX; 0: ROUND_DEFAULT */
    uint32_t samples;        /* of each job; 0: 1 */
    enum round_worker kind;
    enum round_protocol protocol;
    struct prompts_wishes wishes;
    uint64_t seed;
};

/* Zero it before the run. */
struct round_progress {
    _Atomic int phase; /* enum round_phase */
    _Atomic uint32_t round;
    struct worker_progress worker;
    _Atomic uint64_t micro_dollars;
};

struct round_citation {
    uint32_t document;
    size_t offset, size; /* documents->texts[document][offset, offset + size) */
    double score;        /* higher is better */
};

/* Zero it before the run. */
struct round_result {
    struct text_buf answer;
    bool is_unanswered; /* the answer says that the documents have none */
    bool is_quoted;     /* the answer is the first citation's text, for want of a better one */
    struct round_citation citations[ROUND_CITATIONS_MAX]; /* best first */
    uint32_t citation_count;
    uint32_t rounds, repairs; /* rounds gone through, programs sent back */
};

/* ERR_LIMIT an option is out of range, or no program within ROUND_ATTEMPTS; ERR_FORMAT the
 * documents hold nothing that answers; and what the parts say. */
MUST_USE enum status round_run(const struct round_options *options,
                               struct round_progress *progress, struct round_result *result,
                               struct error *err);
/* The question alone, for those who would rather know before they load a model. ERR_FORMAT it
 * is blank, or not UTF-8; ERR_LIMIT. */
MUST_USE enum status round_check_question(struct text question, struct error *err);
/* Writes where a run stands: for those that conduct one. */
void round_show(struct round_progress *progress, enum round_phase phase, uint32_t round,
                const struct ledger *ledger);
void round_result_deinit(struct round_result *result);

#endif
