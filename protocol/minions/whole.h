/*
 * whole - the question put to the paid model with the documents themselves: what MinionS is
 * measured against. Nothing is decomposed, and everything leaves the machine.
 */
#ifndef MINIONS_WHOLE_H
#define MINIONS_WHOLE_H

#include "base/error.h"
#include "base/text.h"
#include "protocol/minions/documents.h"
#include "protocol/minions/remote.h"

#include <stdint.h>

/* Bytes of documents for each token of the model's context: English text has about four, tables
 * of numbers fewer. */
enum { WHOLE_BYTES_PER_TOKEN = 3, WHOLE_CONTEXT_MIN = 8192 };

struct whole_options {
    struct text question;
    const struct documents *documents;
    uint32_t context_tokens; /* what the model takes, at least WHOLE_CONTEXT_MIN */
};

/* Appends the answer. *left_bytes: of the documents, left off for want of room: they are taken
 * in their order, the last ones are cut. ERR_REMOTE the reply holds no answer to the question;
 * what remote_chat says. */
MUST_USE enum status whole_answer(struct remote *remote, const struct whole_options *options,
                                  struct text_buf *answer, uint64_t *left_bytes,
                                  struct error *err);

#endif
