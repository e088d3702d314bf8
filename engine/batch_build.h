/*
 * batch_build - makes a step's flat arrays (struct batch) and its attention work list.
 *
 * The work list groups rows that read the same pages: for each cut of limits.split absolute
 * positions, the sequences whose page numbers are the same there share one group, and its keys
 * are read once for all their rows. Page numbers are compared one by one.
 *
 * Memory   batch_build_init allocates for the limits, nothing else does; what batch_build_end
 *          gives is valid until the next batch_build_begin.
 */
#ifndef ENGINE_BATCH_BUILD_H
#define ENGINE_BATCH_BUILD_H

#include "base/arena.h"
#include "engine/batch.h"

#include <stdbool.h>

/* Rows of one item at most, so that threads have something to share. */
enum { BATCH_BUILD_ITEM_ROWS = 128 };

struct batch_build_limits {
    int32_t rows_max, heads_max, partials_max;
    int32_t samples_max; /* >= heads_max: several samples may use one row of logits */
    int32_t copies_max;
    int32_t page_count;
    int32_t spans_max; /* sequences in one step */
    int32_t split;     /* keys, as the back end wants it: struct ops.attention_split */
};

/* A run of consecutive tokens of one sequence. */
struct batch_build_span {
    const int32_t *pages; /* borrowed until batch_build_end */
    int32_t first;        /* position of its first row */
    int32_t count;
    int32_t row; /* batch row of its first */
};

struct batch_build {
    struct batch_build_limits limits;
    token_id *tokens;
    int32_t *positions, *kv_pages, *copy_from, *copy_to, *head_rows;
    struct sample_row *samples;
    struct batch_build_span *spans;
    struct batch_build_groups *groups; /* private to batch_build.c */
    int32_t row_count, copy_count, head_count, sample_count, span_count;
};

/* ERR_MEMORY: the arena is too small. */
MUST_USE enum status batch_build_init(struct batch_build *build,
                                      const struct batch_build_limits *limits,
                                      struct arena *arena, struct error *err);

void batch_build_begin(struct batch_build *build);
void batch_build_copy(struct batch_build *build, int32_t from, int32_t to);
/* Adds rows for count tokens at positions first ..; the caller fills the tokens returned.
 * pages is the sequence's table. */
token_id *batch_build_rows(struct batch_build *build, const int32_t *pages, int32_t first,
                           int32_t count);
/* The logits of a row are wanted; rows must come in ascending order. Returns the logits row. */
int32_t batch_build_head(struct batch_build *build, int32_t row);
/* Makes the work list and fills *batch, but for its samples. */
void batch_build_end(struct batch_build *build, struct batch *batch);
/* Adds a sample, before or after batch_build_end. Returns the index of its result. */
int32_t batch_build_sample(struct batch_build *build, const struct sample_row *sample);
/* Fills *batch's samples. */
void batch_build_samples(const struct batch_build *build, struct batch *batch);

#endif
