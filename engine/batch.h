/*
 * batch - one step's work as flat arrays: what goes up to the device in one piece.
 *
 * A row is one token of one sequence. Rows of prefill chunks and of decoding sequences stand
 * side by side; attention finds its keys through the work list, not through row order.
 *
 * Owner    whoever built it (engine/step, tests); forward_run borrows it for the call.
 */
#ifndef ENGINE_BATCH_H
#define ENGINE_BATCH_H

#include "base/token.h"
#include "kernels/attention.h"
#include "kernels/sample.h"

struct batch {
    int32_t row_count;
    const token_id *tokens;   /* [row_count]; EMBED_CHOSEN(i): that of the last result i */
    const int32_t *positions; /* [row_count] */
    const int32_t *kv_pages;  /* [row_count] page that takes the row's key and value */
    struct attention_work work;

    const int32_t *copy_from, *copy_to; /* [copy_count] pages copied before anything else */
    int32_t copy_count;

    const int32_t *head_rows; /* [head_count] batch rows whose logits are wanted, ascending */
    int32_t head_count;
    const struct sample_row *samples; /* [sample_count]; logits_row indexes head_rows */
    int32_t sample_count;
};

#endif
