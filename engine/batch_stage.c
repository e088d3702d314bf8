/* batch_stage - see batch_stage.h. */
#include "engine/batch_stage.h"

#include "base/checked.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { PLACE_ALIGN = 64, PLACES = 16 /* arrays at most, for the room that alignment takes */ };

/* Where the next array goes. */
struct cursor {
    struct batch_stage *stage;
    size_t used, end;
};

static size_t mask_bytes(const struct batch_stage_limits *limits)
{
    return ((size_t)limits->vocab + 31) / 32 * sizeof(uint32_t);
}

static size_t round_up(size_t bytes)
{
    return (bytes + PLACE_ALIGN - 1) / PLACE_ALIGN * PLACE_ALIGN;
}

/* Puts bytes of from in the image, and keeps room bytes for them. NULL: they do not fit. Gives
 * the place on the device. */
static void *put(struct cursor *cursor, const void *from, size_t bytes, size_t room)
{
    struct batch_stage *stage = cursor->stage;
    const size_t place = cursor->used;
    assert(bytes <= room);
    if (place > cursor->end || room > cursor->end - place)
        return NULL;
    if (bytes > 0)
        memcpy(stage->host + place, from, bytes);
    cursor->used = round_up(place + room);
    return stage->there + place;
}

static const int32_t *put_ints(struct cursor *cursor, const int32_t *from, int32_t count,
                               int32_t room)
{
    const void *place =
        put(cursor, from, (size_t)count * sizeof *from, (size_t)room * sizeof *from);
    assert(place); /* within the limits */
    return place;
}

/* The lists of rows and pages end with the last that an item names; they have room for as many
 * as the counts of partials and items allow. */
static void put_work(struct cursor *cursor, const struct attention_work *work, int32_t rows,
                     struct attention_work *up)
{
    int32_t pages = 0, row_entries = 0;
    for (int32_t i = 0; i < work->item_count; i++) {
        const struct attention_item *item = &work->items[i];
        const int32_t item_pages = (item->kv_count + KV_PAGE_TOKENS - 1) / KV_PAGE_TOKENS;
        if (pages < item->pages_first + item_pages)
            pages = item->pages_first + item_pages;
        if (row_entries < item->rows_first + item->row_count)
            row_entries = item->rows_first + item->row_count;
    }
    const size_t item_bytes = (size_t)work->item_count * sizeof *work->items;
    *up = *work;
    up->partials_first = put_ints(cursor, work->partials_first, rows + 1, rows + 1);
    up->items = put(cursor, work->items, item_bytes, item_bytes);
    assert(up->items);
    up->rows = put_ints(cursor, work->rows, row_entries, work->partial_count);
    up->pages =
        put_ints(cursor, work->pages, pages, work->item_count * (work->split / KV_PAGE_TOKENS));
}

/* The mask's place on the device; the same for rows that have the same one. */
static const uint32_t *put_mask(struct cursor *cursor, const uint32_t *mask, int32_t *count)
{
    struct batch_stage *stage = cursor->stage;
    for (int32_t i = *count - 1; i >= 0; i--)
        if (stage->masks[i] == mask)
            return (const uint32_t *)(stage->there + stage->mask_places[i]);
    stage->masks[*count] = mask;
    stage->mask_places[(*count)++] = cursor->used;
    const size_t bytes = mask_bytes(&stage->limits);
    const uint32_t *place = put(cursor, mask, bytes, bytes);
    assert(place);
    return place;
}

/* Room for lists of tokens seen: for the longest, in which each token of the vocabulary is. */
static size_t seen_bytes(const struct batch_stage_limits *limits)
{
    return round_up((size_t)limits->vocab * sizeof(struct sample_seen));
}

/* What the sample rows point to. Gives of how many rows it has room; never of none. */
static int32_t put_behind(struct cursor *cursor, struct sample_row *rows, int32_t count)
{
    int32_t mask_count = 0;
    for (int32_t i = 0; i < count; i++)
        if (rows[i].allowed)
            rows[i].allowed = put_mask(cursor, rows[i].allowed, &mask_count);
    cursor->end = cursor->used + seen_bytes(&cursor->stage->limits);
    for (int32_t i = 0; i < count; i++) {
        const size_t bytes = (size_t)rows[i].seen_count * sizeof *rows[i].seen;
        if (bytes == 0)
            continue;
        assert(rows[i].seen_count <= cursor->stage->limits.vocab);
        rows[i].seen = put(cursor, rows[i].seen, bytes, bytes);
        if (!rows[i].seen)
            return i;
    }
    return count;
}

static size_t rows_bytes(const struct batch_stage_limits *limits)
{
    const size_t rows = (size_t)limits->rows_max, partials = (size_t)limits->partials_max;
    const size_t ints = 4 * rows + 1 + 2 * (size_t)limits->copies_max +
                        (size_t)limits->heads_max +
                        partials * (1 + (size_t)limits->split / KV_PAGE_TOKENS);
    return round_up(ints * sizeof(int32_t) + partials * sizeof(struct attention_item) +
                    (size_t)PLACES * PLACE_ALIGN);
}

static enum status send(const struct cursor *cursor, size_t from, const char *what,
                        struct error *err)
{
    struct batch_stage *stage = cursor->stage;
    const size_t bytes = cursor->used - from;
    const enum status status =
        device_upload(stage->device, stage->there + from, stage->host + from, bytes);
    if (status != OK)
        FAIL(err, status, "batch: uploading %zu bytes of %s failed", bytes, what);
    return OK;
}

size_t batch_stage_bytes(const struct device *device, const struct batch_stage_limits *limits)
{
    if (device_is_host(device))
        return 0;
    const size_t sample_bytes = sizeof(struct sample_row) + round_up(mask_bytes(limits));
    return rows_bytes(limits) + (size_t)limits->samples_max * sample_bytes +
           seen_bytes(limits) + (size_t)PLACES * PLACE_ALIGN;
}

enum status batch_stage_init(struct batch_stage *stage, struct device *device,
                             const struct batch_stage_limits *limits, struct error *err)
{
    *stage = (struct batch_stage){
        .device = device, .limits = *limits, .bytes = batch_stage_bytes(device, limits)};
    stage->samples_at = rows_bytes(limits);
    if (stage->bytes == 0)
        return OK;
    const size_t samples = (size_t)limits->samples_max;
    stage->host = aligned_alloc(PLACE_ALIGN, round_up(stage->bytes));
    stage->there = device_alloc(device, stage->bytes);
    stage->masks = calloc(samples + 1, sizeof *stage->masks);
    stage->mask_places = calloc(samples + 1, sizeof *stage->mask_places);
    size_t free_bytes, total_bytes;
    device_memory_bytes(device, &free_bytes, &total_bytes);
    if (!stage->host || !stage->there || !stage->masks || !stage->mask_places)
        FAIL(err, ERR_MEMORY,
             "batch: needs %zu bytes, here and on the device; %zu of its %zu bytes are free",
             stage->bytes, free_bytes, total_bytes);
    return OK;
}

void batch_stage_deinit(struct batch_stage *stage)
{
    free(stage->host);
    free(stage->masks);
    free(stage->mask_places);
    if (stage->there)
        device_free(stage->device, stage->there, stage->bytes);
    *stage = (struct batch_stage){0};
}

enum status batch_stage_rows(struct batch_stage *stage, const struct batch *batch,
                             struct batch *up, struct error *err)
{
    *up = *batch;
    if (stage->bytes == 0)
        return OK;
    assert(batch->row_count <= stage->limits.rows_max);
    assert(batch->head_count <= stage->limits.heads_max);
    assert(batch->copy_count <= stage->limits.copies_max);
    const int32_t rows = batch->row_count, heads = batch->head_count;
    const int32_t copies = batch->copy_count;
    struct cursor cursor = {.stage = stage, .end = stage->samples_at};
    up->tokens = put_ints(&cursor, batch->tokens, rows, rows);
    up->positions = put_ints(&cursor, batch->positions, rows, rows);
    up->kv_pages = put_ints(&cursor, batch->kv_pages, rows, rows);
    up->head_rows = put_ints(&cursor, batch->head_rows, heads, heads);
    if (rows > 0)
        put_work(&cursor, &batch->work, rows, &up->work);
    up->copy_from = put_ints(&cursor, batch->copy_from, copies, copies);
    up->copy_to = put_ints(&cursor, batch->copy_to, copies, copies);
    return send(&cursor, 0, "rows", err);
}

enum status batch_stage_samples(struct batch_stage *stage, const struct batch *batch,
                                int32_t first, struct batch *up, struct error *err)
{
    const struct sample_row *from = batch->samples + first;
    const int32_t count = batch->sample_count - first;
    up->samples = from;
    up->sample_count = count;
    if (stage->bytes == 0)
        return OK;
    assert(count >= 0 && batch->sample_count <= stage->limits.samples_max);
    const size_t bytes = (size_t)count * sizeof *from;
    struct cursor cursor = {.stage = stage, .used = stage->samples_at, .end = stage->bytes};
    struct sample_row *samples = (struct sample_row *)(void *)(stage->host + cursor.used);
    up->samples = put(&cursor, from, bytes, bytes);
    assert(up->samples);
    up->sample_count = put_behind(&cursor, samples, count);
    assert(up->sample_count > 0 || count == 0); /* the longest list has room */
    return send(&cursor, stage->samples_at, "samples", err);
}
