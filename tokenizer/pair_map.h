/*
 * pair_map - from a 64-bit key, made of two numbers, to two numbers.
 *
 * Merges of byte-pair encoding (left, right -> rank, result) and edges of the tree of special
 * spellings (node, byte -> node) both live in one. Filled once, then only read.
 *
 * Memory   in the arena; room for the count given at init.
 */
#ifndef TOKENIZER_PAIR_MAP_H
#define TOKENIZER_PAIR_MAP_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

struct pair_map_entry {
    uint64_t key; /* plus one; 0: free */
    uint32_t first, second;
};

struct pair_map {
    struct pair_map_entry *entries; /* [mask + 1] */
    uint32_t mask;
    uint32_t count, count_max;
};

/* ERR_MEMORY when the arena is too small; count_max at most 2^30. */
MUST_USE enum status pair_map_init(struct pair_map *map, uint32_t count_max,
                                   struct arena *arena, struct error *err);
/* The entry of that key (left << 32 | right), made empty when it was not there. key must not be
 * UINT64_MAX, and no more than count_max keys may be put. */
struct pair_map_entry *pair_map_put(struct pair_map *map, uint64_t key, bool *is_new);

static inline uint64_t pair_map_slot(uint64_t key)
{
    const uint64_t mixed = (key + 1) * 0x9e3779b97f4a7c15u;
    return mixed ^ mixed >> 32;
}

/* NULL when the key was never put. */
static inline const struct pair_map_entry *pair_map_get(const struct pair_map *map,
                                                        uint64_t key)
{
    uint32_t slot = (uint32_t)pair_map_slot(key) & map->mask;
    while (map->entries[slot].key != 0) {
        if (map->entries[slot].key == key + 1)
            return &map->entries[slot];
        slot = (slot + 1) & map->mask;
    }
    return NULL;
}

#endif
