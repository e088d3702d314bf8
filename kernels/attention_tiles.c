/* attention_tiles - see attention_tiles.h. */
#include "kernels/attention_tiles.h"

#include "base/i32.h"
#include "kernels/attention_merge.h"
#include "kernels/attention_tile.h"

#include <assert.h>

enum { LINE_BYTES = 64, SPLIT_PAGES = ATTENTION_SPLIT / KV_PAGE_TOKENS };

struct kv_layout_block attention_tiles_page(const struct attention_args *args,
                                            const struct attention_item *item, int32_t kv_head,
                                            int32_t p)
{
    const struct kv_cache *cache = args->cache;
    const struct kv_layout_block block =
        kv_layout_block(cache, args->work->pages[item->pages_first + p], args->layer, kv_head);
    const size_t bytes =
        (size_t)KV_PAGE_TOKENS * (size_t)cache->head_dim * kv_layout_type_bytes(cache->type);
    if (block.key_scales) {
        __builtin_prefetch(block.key_scales);
        __builtin_prefetch(block.value_scales);
    }
    for (size_t at = 0; at < bytes; at += LINE_BYTES) {
        __builtin_prefetch((const uint8_t *)block.keys + at, 0, 2);
        __builtin_prefetch((const uint8_t *)block.values + at, 0, 2);
    }
    return block;
}

/* Asks for what a row reads, and for where it writes. */
static void query_fetch(const struct attention_int8_query *query, size_t dim)
{
    for (size_t i = 0; i < dim; i += LINE_BYTES / sizeof(float)) {
        __builtin_prefetch(query->query + i);
        __builtin_prefetch(query->out + i, 1);
    }
}

/* Keys of the split that a row of the batch sees. */
static int32_t row_seen(const struct attention_tiles *tiles, int32_t row)
{
    const struct attention_item *item = tiles->item;
    return i32_min(item->kv_count, tiles->args->positions[row] + 1 - item->kv_begin);
}

/* Pages that any of the task's rows sees: of a long prompt's last split the first rows see
 * few. */
static int32_t pages_seen(const struct attention_tiles *tiles)
{
    const struct attention_args *args = tiles->args;
    const int32_t *rows = args->work->rows + tiles->item->rows_first;
    const int32_t group = args->heads / args->cache->kv_heads;
    int32_t most = 0;
    for (int32_t r = tiles->first / group; r <= (tiles->end - 1) / group; r++) {
        const int32_t seen = row_seen(tiles, rows[r]);
        most = seen > most ? seen : most;
    }
    return i32_ceil_div(most, KV_PAGE_TOKENS);
}

/* The pairs from `first` on into a tile. */
static void tile_load(const struct attention_tiles *tiles, int32_t first,
                      struct attention_int8_tile *tile)
{
    const struct attention_args *args = tiles->args;
    const struct attention_item *item = tiles->item;
    const size_t dim = (size_t)args->cache->head_dim, heads = (size_t)args->heads;
    const int32_t group = args->heads / args->cache->kv_heads;
    const int32_t *row = args->work->rows + item->rows_first + first / group;
    int32_t of_group = first % group, most = 0;
    tile->rows = i32_min(tiles->kernels->tile_rows, tiles->end - first);
    for (int32_t i = 0; i < tile->rows; i++) {
        struct attention_int8_query *query = &tile->queries[i];
        const int32_t partial =
            args->work->partials_first[*row] + item->kv_begin / ATTENTION_SPLIT;
        const size_t head = (size_t)tiles->kv_head * (size_t)group + (size_t)of_group;
        const size_t at = (size_t)partial * heads + head;
        query->seen = row_seen(tiles, *row);
        assert(query->seen >= 1 && partial < args->work->partials_first[*row + 1]);
        query->query = args->q + ((size_t)*row * heads + head) * dim;
        query->out = args->partials + at * dim;
        query->stats = tiles->stats + at * ATTENTION_MERGE_STATS;
        query_fetch(query, dim);
        most = query->seen > most ? query->seen : most;
        if (++of_group == group) {
            of_group = 0;
            row++;
        }
    }
    tile->page_count = i32_ceil_div(most, KV_PAGE_TOKENS);
}

void attention_tiles_run(const struct attention_tiles *tiles)
{
    struct kv_layout_block pages[SPLIT_PAGES];
    const int32_t page_count = pages_seen(tiles);
    for (int32_t p = 0; p < page_count; p++)
        pages[p] = attention_tiles_page(tiles->args, tiles->item, tiles->kv_head, p);
    if (tiles->kernels->turn)
        tiles->kernels->turn(pages, page_count, tiles->args->cache->head_dim, tiles->turned);
    /* The next task's pages are asked for between the tiles: all at once only queue. */
    const int32_t count = i32_ceil_div(tiles->end - tiles->first, tiles->kernels->tile_rows);
    const int32_t next_pages =
        tiles->next == NULL ? 0 : i32_ceil_div(tiles->next->kv_count, KV_PAGE_TOKENS);
    int32_t next_page = 0;
    struct attention_int8_tile tile[2]; /* in turns: one is multiplied, the next is asked for */
    for (int i = 0; i < 2; i++) {
        tile[i].head_dim = tiles->args->cache->head_dim;
        tile[i].key_factor = attention_tile_factor(tiles->args->scale);
        tile[i].pages = pages;
        tile[i].turned = tiles->turned;
        tile[i].pages_turned = page_count;
        tile[i].scores = tiles->scores;
        tile[i].integers = tiles->integers;
    }
    tile_load(tiles, tiles->first, &tile[0]);
    for (int32_t i = 0; i < count; i++) {
        const int32_t next_first = tiles->first + (i + 1) * tiles->kernels->tile_rows;
        for (; next_page < next_pages * (i + 1) / count; next_page++)
            (void)attention_tiles_page(tiles->args, tiles->next, tiles->next_head, next_page);
        if (next_first < tiles->end)
            tile_load(tiles, next_first, &tile[(i + 1) % 2]);
        assert(tile[i % 2].page_count <= page_count);
        tiles->kernels->tile(&tile[i % 2]);
    }
}
