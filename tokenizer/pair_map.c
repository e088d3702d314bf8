/* pair_map - see pair_map.h. Open addressing, at most half full. */
#include "tokenizer/pair_map.h"

#include <assert.h>

enum { COUNT_LIMIT = 1 << 30 };

enum status pair_map_init(struct pair_map *map, uint32_t count_max, struct arena *arena,
                          struct error *err)
{
    assert(count_max <= COUNT_LIMIT);
    uint32_t size = 16;
    while (size / 2 < count_max)
        size *= 2;
    struct pair_map_entry *entries = ARENA_NEW(arena, struct pair_map_entry, size);
    if (!entries)
        FAIL(err, ERR_MEMORY, "tokenizer: no room for %u pairs", count_max);
    *map = (struct pair_map){.entries = entries, .mask = size - 1, .count_max = count_max};
    return OK;
}

struct pair_map_entry *pair_map_put(struct pair_map *map, uint64_t key, bool *is_new)
{
    assert(key != UINT64_MAX);
    uint32_t slot = (uint32_t)pair_map_slot(key) & map->mask;
    while (map->entries[slot].key != 0 && map->entries[slot].key != key + 1)
        slot = (slot + 1) & map->mask;
    struct pair_map_entry *entry = &map->entries[slot];
    *is_new = entry->key == 0;
    if (*is_new) {
        assert(map->count < map->count_max);
        map->count++;
        entry->key = key + 1;
    }
    return entry;
}
