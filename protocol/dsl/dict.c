/* dict - see dict.h. */
#include "protocol/dsl/dict.h"

#include "protocol/dsl/compare.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/iter.h"

#include <string.h>

enum { INDEX_FIRST = 8, SLOT_FREE = -1, SLOT_REMOVED = -2 };

struct dict *dict_new(struct interp *in)
{
    return INTERP_NEW(in, struct dict);
}

struct dict_entry *dict_next(const struct dict *dict, uint32_t *at)
{
    while (*at < dict->used) {
        struct dict_entry *entry = &dict->entries[(*at)++];
        if (entry->key.kind != VALUE_UNSET)
            return entry;
    }
    return NULL;
}

/* The slot that holds key, or the slot where it would go (*found NULL). */
static bool probe(struct interp *in, const struct dict *dict, const struct dict_entry *want,
                  uint32_t *slot, struct dict_entry **found)
{
    const uint32_t mask = dict->index_size - 1;
    uint32_t at = (uint32_t)want->hash & mask;
    *found = NULL;
    for (uint32_t step = 1;; at = (at + step++) & mask) {
        const int32_t number = dict->index[at];
        *slot = at;
        if (number == SLOT_FREE)
            return true;
        if (step % 8 == 0 && !interp_charge(in, 1))
            return false;
        if (number == SLOT_REMOVED || dict->entries[number].hash != want->hash)
            continue;
        bool equal;
        if (!compare_equal(in, dict->entries[number].key, want->key, &equal))
            return false;
        if (equal) {
            *found = &dict->entries[number];
            return true;
        }
    }
}

/* Makes the index anew, twice as large as the keys need, and sweeps removed entries. */
static bool rebuild(struct interp *in, struct dict *dict)
{
    uint64_t size = INDEX_FIRST;
    while (size < (uint64_t)dict->count * 3 + 3)
        size *= 2;
    if (size > INT32_MAX)
        return interp_trip(in, "a dict grew past %d slots", INT32_MAX);
    const uint32_t capacity = (uint32_t)(size / 3 * 2);
    int32_t *index = dict->index;
    struct dict_entry *entries = dict->entries;
    if (size != dict->index_size) {
        index = interp_alloc(in, size, sizeof *index);
        entries = interp_alloc(in, capacity, sizeof *entries);
        if (!index || !entries)
            return false;
    }
    if (!interp_charge(in, size / 16 + dict->used / 4))
        return false;
    memset(index, 0xff, size * sizeof *index);
    uint32_t kept = 0, at = 0;
    for (const struct dict_entry *entry; (entry = dict_next(dict, &at)) != NULL;) {
        uint32_t slot = (uint32_t)entry->hash & ((uint32_t)size - 1);
        for (uint32_t step = 1; index[slot] != SLOT_FREE; step++)
            slot = (slot + step) & ((uint32_t)size - 1);
        index[slot] = (int32_t)kept;
        entries[kept++] = *entry;
    }
    dict->index = index;
    dict->index_size = (uint32_t)size;
    dict->entries = entries;
    dict->capacity = capacity;
    dict->used = kept;
    return true;
}

bool dict_find(struct interp *in, const struct dict *dict, struct value key,
               struct dict_entry **found)
{
    struct dict_entry want = {.key = key};
    uint32_t slot;
    *found = NULL;
    if (!compare_hash(in, key, &want.hash))
        return false;
    return dict->count == 0 || probe(in, dict, &want, &slot, found);
}

bool dict_set(struct interp *in, struct dict *dict, struct value key, struct value value)
{
    struct dict_entry want = {.key = key, .value = value}, *found;
    uint32_t slot;
    if (!compare_hash(in, key, &want.hash))
        return false;
    if (dict->used == dict->capacity && !rebuild(in, dict))
        return false;
    if (!probe(in, dict, &want, &slot, &found))
        return false;
    if (found) {
        found->value = value;
        return true;
    }
    dict->index[slot] = (int32_t)dict->used;
    dict->entries[dict->used++] = want;
    dict->count++;
    return true;
}

void dict_remove_entry(struct dict *dict, struct dict_entry *entry)
{
    const int32_t number = (int32_t)(entry - dict->entries);
    const uint32_t mask = dict->index_size - 1;
    uint32_t slot = (uint32_t)entry->hash & mask;
    for (uint32_t step = 1; dict->index[slot] != number; step++)
        slot = (slot + step) & mask;
    dict->index[slot] = SLOT_REMOVED;
    entry->key = (struct value){.kind = VALUE_UNSET};
    entry->value = value_none();
    dict->count--; /* used stays: whoever walks the entries must not find them moved */
}

bool dict_remove(struct interp *in, struct dict *dict, struct value key, struct value *removed)
{
    struct dict_entry *found;
    *removed = (struct value){.kind = VALUE_UNSET};
    if (!dict_find(in, dict, key, &found))
        return false;
    if (found) {
        *removed = found->value;
        dict_remove_entry(dict, found);
    }
    return true;
}

void dict_clear(struct dict *dict)
{
    if (dict->index)
        memset(dict->index, 0xff, dict->index_size * sizeof *dict->index);
    dict->used = 0;
    dict->count = 0;
}

struct dict *dict_copy(struct interp *in, const struct dict *dict)
{
    struct dict *copy = dict_new(in);
    if (!copy)
        return NULL;
    copy->flavor = dict->flavor == DICT_PROXY ? DICT_PLAIN : dict->flavor;
    copy->factory = dict->factory;
    return dict_merge(in, copy, dict) ? copy : NULL;
}

bool dict_merge(struct interp *in, struct dict *dict, const struct dict *other)
{
    uint32_t at = 0;
    if (dict->count == 0 && other != dict) /* CPython takes over the other's table then */
        dict_clear(dict);
    for (const struct dict_entry *entry; (entry = dict_next(other, &at)) != NULL;)
        if (!interp_charge(in, 1) || !dict_set(in, dict, entry->key, entry->value))
            return false;
    return true;
}

bool dict_add_all(struct interp *in, struct dict *set, struct value iterable)
{
    struct iter *iter = iter_of(in, iterable);
    enum iter_result result = iter ? ITER_ITEM : ITER_RAISED;
    while (result == ITER_ITEM) {
        struct value item;
        result = iter_next(in, iter, &item);
        if (result == ITER_ITEM && !dict_set(in, set, item, value_none()))
            return false;
    }
    return result == ITER_END;
}
