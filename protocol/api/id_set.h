/*
 * id_set - a set of byte strings: which custom_ids a batch has met.
 *
 * Owner    zero it before first use; id_set_deinit frees. The set copies what it keeps.
 */
#ifndef API_ID_SET_H
#define API_ID_SET_H

#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct id_set {
    struct text_buf bytes;     /* all ids, one after the other */
    struct id_set_slot *slots; /* [slot_count], a power of two */
    size_t slot_count, id_count;
};

void id_set_deinit(struct id_set *set);

/* Adds id; *is_new tells whether it was not there. ERR_MEMORY leaves the set as it was. */
MUST_USE enum status id_set_add(struct id_set *set, struct text id, bool *is_new,
                                struct error *err);
bool id_set_has(const struct id_set *set, struct text id);

/* FNV-1a, 64 bits. */
uint64_t id_set_hash(struct text id);

#endif
