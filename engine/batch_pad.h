/*
 * batch_pad - a decode step brought to one of few sizes, so that a recorded graph fits it.
 *
 * A step of which every row wants its logits is padded: rows, attention items and partials
 * each up to the next of 1, 2, 3, 4, 6, 8, 12, 16, 24 ... Rows that are padding have position
 * -1, so nothing is appended to the cache and no key is read for them; items that are padding
 * have no rows. What padding rows compute nobody reads, and nothing is drawn from it: samples
 * are no part of a recorded step.
 *
 * Owner    the caller owns the struct; batch_pad_init allocates, nothing else does.
 */
#ifndef ENGINE_BATCH_PAD_H
#define ENGINE_BATCH_PAD_H

#include "engine/batch.h"

#include <stdbool.h>

enum { BATCH_PAD_ROWS_MAX = 256 }; /* larger steps are no decode steps, or gain nothing */

struct batch_pad_limits {
    int32_t rows_max, heads_max, partials_max;
};

/* The sizes of a padded batch. */
struct batch_pad_shape {
    int32_t rows, items, partials;
};

struct batch_pad {
    struct batch_pad_limits limits;
    int32_t *ints; /* behind the next five */
    int32_t *tokens, *positions, *kv_pages, *head_rows, *partials_first;
    struct attention_item *items;
};

/* The smallest size that is not below count (>= 1). */
int32_t batch_pad_size(int32_t count);

/* ERR_MEMORY; batch_pad_deinit is safe after it. */
MUST_USE enum status batch_pad_init(struct batch_pad *pad,
                                    const struct batch_pad_limits *limits, struct error *err);
void batch_pad_deinit(struct batch_pad *pad); /* safe on a zeroed struct */

/* Fills *padded, whose arrays are pad's and batch's and live until the next call, and *shape.
 * False: the batch is none of those that are padded, or its sizes are past the limits. */
bool batch_pad_make(struct batch_pad *pad, const struct batch *batch, struct batch *padded,
                    struct batch_pad_shape *shape);

#endif
