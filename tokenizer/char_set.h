/*
 * char_set - a set of characters, as the expressions of splitters name them: ranges of code
 * points, general categories, complements.
 *
 * A byte that is no UTF-8 counts as a character of its own, CHAR_SET_MALFORMED, which has no
 * category and is in every complement that does not name it.
 *
 * Memory   in the arena given to the calls. Each answers false when that is full.
 */
#ifndef TOKENIZER_CHAR_SET_H
#define TOKENIZER_CHAR_SET_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

enum { CHAR_SET_MALFORMED = 0x110000, CHAR_SET_END = 0x110001 };

/* [begin, end) */
struct char_range {
    uint32_t begin, end;
};

/* Ranges in order that do not touch. {0} is the empty set. */
struct char_set {
    struct char_range *ranges;
    uint32_t count, capacity;
};

MUST_USE bool char_set_add(struct char_set *set, struct char_range range, struct arena *arena);
/* categories: bits 1 << enum unicode_category. */
MUST_USE bool char_set_add_categories(struct char_set *set, uint32_t categories,
                                      struct arena *arena);
MUST_USE bool char_set_add_all(struct char_set *set, const struct char_set *other,
                               struct arena *arena);
MUST_USE bool char_set_invert(struct char_set *set, struct arena *arena);
/* What both have. */
MUST_USE bool char_set_meet(struct char_set *set, const struct char_set *other,
                            struct arena *arena);
bool char_set_has(const struct char_set *set, uint32_t character);
bool char_set_equal(const struct char_set *a, const struct char_set *b);

#endif
