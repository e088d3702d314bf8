/*
 * minion - the plain Minion protocol: one local worker talks with the supervisor.
 *
 *     talk:  supervisor's message -> worker, with the documents before it -> its reply -> ...
 *            until the supervisor answers, at most rounds_max messages
 *
 * Cheaper than the rounds of round.h and weaker: the worker reads everything at once, or, where
 * its context does not hold the documents, the passages that go best with what is asked of it.
 * What the supervisor is sent of a reply is what was read out of it: answer, explanation, and a
 * citation only when it is verbatim in what the worker had before it.
 */
#ifndef MINIONS_MINION_H
#define MINIONS_MINION_H

#include "protocol/minions/round.h"

/* As round_run, which calls it: options were checked and there is a remote. ERR_REMOTE the
 * supervisor's decision could not be read, twice. */
MUST_USE enum status minion_run(const struct round_options *options,
                                struct round_progress *progress, struct round_result *result,
                                struct error *err);

/* Makes the calls of a talk of one message with a remote that is dry (remote_options.is_dry).
 * Of the options, remote, question, documents and rounds_max count. */
MUST_USE enum status minion_rehearse(const struct round_options *options, struct error *err);

#endif
