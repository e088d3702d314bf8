/* batch_pad - see batch_pad.h. */
#include "engine/batch_pad.h"

#include <stdlib.h>
#include <string.h>

enum { INT_ARRAYS = 5 };

static int32_t at_most(int32_t value, int32_t limit)
{
    return value < limit ? value : limit;
}

static void copy_ints(int32_t *to, const int32_t *from, int32_t count)
{
    memcpy(to, from, (size_t)count * sizeof *to);
}

/* Rows from count on: token 0 nowhere, with logits that nobody reads. */
static void pad_rows(struct batch_pad *pad, const struct batch *batch, int32_t rows)
{
    const int32_t count = batch->row_count;
    copy_ints(pad->tokens, batch->tokens, count);
    copy_ints(pad->positions, batch->positions, count);
    copy_ints(pad->kv_pages, batch->kv_pages, count);
    copy_ints(pad->head_rows, batch->head_rows, count);
    copy_ints(pad->partials_first, batch->work.partials_first, count + 1);
    for (int32_t r = count; r < rows; r++) {
        pad->tokens[r] = 0;
        pad->positions[r] = -1;
        pad->kv_pages[r] = 0;
        pad->head_rows[r] = r;
        pad->partials_first[r + 1] = pad->partials_first[count];
    }
}

int32_t batch_pad_size(int32_t count)
{
    int32_t size = 1;
    while (size < count && size + size / 2 < count)
        size *= 2;
    return size >= count ? size : size + size / 2;
}

enum status batch_pad_init(struct batch_pad *pad, const struct batch_pad_limits *limits,
                           struct error *err)
{
    *pad = (struct batch_pad){.limits = *limits};
    int32_t most = at_most(limits->rows_max, BATCH_PAD_ROWS_MAX);
    most = at_most(most, limits->heads_max);
    pad->limits.rows_max = most;
    const size_t rows = (size_t)most;
    pad->ints = calloc(rows * INT_ARRAYS + 1, sizeof *pad->ints);
    pad->items = calloc((size_t)limits->partials_max, sizeof *pad->items);
    if (!pad->ints || !pad->items) {
        batch_pad_deinit(pad);
        FAIL(err, ERR_MEMORY, "batch: no room to pad %zu rows and %d items", rows,
             limits->partials_max);
    }
    pad->tokens = pad->ints;
    pad->positions = pad->tokens + rows;
    pad->kv_pages = pad->positions + rows;
    pad->head_rows = pad->kv_pages + rows;
    pad->partials_first = pad->head_rows + rows;
    return OK;
}

void batch_pad_deinit(struct batch_pad *pad)
{
    free(pad->ints);
    free(pad->items);
    *pad = (struct batch_pad){0};
}

bool batch_pad_make(struct batch_pad *pad, const struct batch *batch, struct batch *padded,
                    struct batch_pad_shape *shape)
{
    const int32_t rows = batch->row_count;
    if (rows == 0 || rows != batch->head_count || rows > pad->limits.rows_max)
        return false;
    *shape = (struct batch_pad_shape){.rows = batch_pad_size(rows),
                                      .items = batch_pad_size(batch->work.item_count),
                                      .partials = batch_pad_size(batch->work.partial_count)};
    if (shape->rows > pad->limits.rows_max || shape->items > pad->limits.partials_max ||
        shape->partials > pad->limits.partials_max)
        return false;
    pad_rows(pad, batch, shape->rows);
    const size_t items = (size_t)batch->work.item_count;
    memcpy(pad->items, batch->work.items, items * sizeof *pad->items);
    memset(pad->items + items, 0, ((size_t)shape->items - items) * sizeof *pad->items);
    *padded = *batch;
    padded->row_count = padded->head_count = shape->rows;
    padded->tokens = pad->tokens;
    padded->positions = pad->positions;
    padded->kv_pages = pad->kv_pages;
    padded->head_rows = pad->head_rows;
    padded->work.items = pad->items;
    padded->work.partials_first = pad->partials_first;
    padded->work.item_count = shape->items;
    padded->work.partial_count = shape->partials;
    return true;
}
