/*
 * message - what goes between a program's process and this one, as bytes.
 *
 * Both ends are the same build on the same machine: numbers lie as they are. What is read is
 * checked nevertheless, for a program may have taken its process over: a reader past its end,
 * or with a number out of range, is failed and gives zeros from then on.
 */
#ifndef DSL_MESSAGE_H
#define DSL_MESSAGE_H

#include "protocol/dsl/dsl.h"

#include <stdbool.h>
#include <stdint.h>

struct message_reader {
    struct text rest;
    bool is_failed;
};

void message_put_u64(struct text_buf *message, uint64_t value);
void message_put_text(struct text_buf *message, struct text text);
uint64_t message_get_u64(struct message_reader *reader, uint64_t max);
struct text message_get_text(struct message_reader *reader); /* lies in the message */

/* Jobs with what came of them; a chunk or a task that many share goes once. Read ones are the
 * caller's to free (one malloc: jobs); their texts lie in the message, and chunks that are
 * spans in documents. */
void message_put_finished(struct text_buf *message, const struct dsl_finished *finished);
bool message_get_finished(struct message_reader *reader, const struct dsl_options *options,
                          struct dsl_finished *finished);

/* Jobs alone, each text once. Read ones are the caller's to free, texts as above. */
void message_put_jobs(struct text_buf *message, const struct dsl_jobs *jobs);
bool message_get_jobs(struct message_reader *reader, const struct dsl_options *options,
                      struct dsl_jobs *jobs);

void message_put_fault(struct text_buf *message, const struct dsl_fault *fault);
void message_get_fault(struct message_reader *reader, struct dsl_fault *fault);

#endif
