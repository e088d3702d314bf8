/*
 * aggregate - one text out of many answers, when the program's own transform_outputs fails.
 *
 * What the protocol's reference falls back to: jobs without an answer are dropped, the rest is
 * grouped by task, then by chunk, and each answer listed with its citation. Ours lists what
 * was read from a reply, never its raw text, and marks an answer without a citation that its
 * chunk holds as ungrounded.
 */
#ifndef MINIONS_AGGREGATE_H
#define MINIONS_AGGREGATE_H

#include "base/text.h"
#include "protocol/dsl/dsl.h"

#include <stdint.h>

/* Appends at most bytes_max bytes. Equal answers to one task from one chunk are listed once,
 * with their number. */
void aggregate_add(struct text_buf *buf, const struct dsl_finished *finished, size_t bytes_max);

#endif
