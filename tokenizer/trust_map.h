/*
 * trust_map - where the trusted ranges of a text lie once the text was changed.
 *
 * Changes have no account of where each byte came from. So a text is changed again from bound
 * to bound, and what comes out is looked for in the whole: where it does not go on so, as
 * where a mark of the next stretch went into a letter of this one, all from there on is not
 * trusted. Linear in the text, whatever the number of ranges.
 *
 * Memory   of the map, freed by trust_map_deinit. Zero it before first use.
 */
#ifndef TOKENIZER_TRUST_MAP_H
#define TOKENIZER_TRUST_MAP_H

#include "tokenizer/normalizer.h"
#include "tokenizer/special.h"

struct trust_map {
    struct special_range *ranges; /* [count], in the changed text; malloc'ed */
    size_t count, capacity;
    struct normalizer_scratch scratch;
};

/* A stretch of a text, which begins at offset begin of it, and what it became. */
struct trust_stretch {
    struct text text, changed;
    size_t begin;
};

/* trust: ranges of the text. False: no memory. */
MUST_USE bool trust_map_make(struct trust_map *map, const struct normalizer *normalizer,
                             struct trust_stretch stretch, struct special_trust trust);
void trust_map_deinit(struct trust_map *map);

#endif
