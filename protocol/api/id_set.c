/* id_set - see id_set.h: open addressing, at most half full. */
#include "protocol/api/id_set.h"

#include <stdlib.h>

enum { FIRST_SLOTS = 64 };

struct id_set_slot {
    size_t offset, size; /* in bytes */
    bool is_used;
};

uint64_t id_set_hash(struct text id)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < id.size; i++)
        hash = (hash ^ (unsigned char)id.data[i]) * 0x100000001b3u;
    return hash;
}

static struct text slot_id(const struct id_set *set, const struct id_set_slot *slot)
{
    return text_slice(text_buf_text(&set->bytes), slot->offset, slot->offset + slot->size);
}

/* The slot that holds id, or the free one where it belongs. */
static struct id_set_slot *find_slot(const struct id_set *set, struct text id)
{
    size_t at = (size_t)id_set_hash(id) & (set->slot_count - 1);
    while (set->slots[at].is_used && !text_equal(slot_id(set, &set->slots[at]), id))
        at = (at + 1) & (set->slot_count - 1);
    return &set->slots[at];
}

static bool grow(struct id_set *set)
{
    const size_t count = set->slot_count ? set->slot_count * 2 : FIRST_SLOTS;
    struct id_set_slot *old = set->slots;
    const size_t old_count = set->slot_count;
    struct id_set_slot *slots = calloc(count, sizeof *slots);
    if (!slots)
        return false;
    set->slots = slots;
    set->slot_count = count;
    for (size_t i = 0; i < old_count; i++) {
        if (old[i].is_used)
            *find_slot(set, slot_id(set, &old[i])) = old[i];
    }
    free(old);
    return true;
}

void id_set_deinit(struct id_set *set)
{
    free(set->slots);
    text_buf_deinit(&set->bytes);
    *set = (struct id_set){0};
}

enum status id_set_add(struct id_set *set, struct text id, bool *is_new, struct error *err)
{
    if (set->id_count >= set->slot_count / 2 && !grow(set))
        FAIL(err, ERR_MEMORY, "no memory for %zu ids", set->id_count + 1);
    struct id_set_slot *slot = find_slot(set, id);
    *is_new = !slot->is_used;
    if (slot->is_used)
        return OK;
    const size_t offset = set->bytes.size;
    text_buf_add(&set->bytes, id);
    if (set->bytes.failed)
        FAIL(err, ERR_MEMORY, "no memory for %zu ids", set->id_count + 1);
    *slot = (struct id_set_slot){.offset = offset, .size = id.size, .is_used = true};
    set->id_count++;
    return OK;
}

bool id_set_has(const struct id_set *set, struct text id)
{
    return set->slot_count > 0 && find_slot(set, id)->is_used;
}
