/*
 * special - finds the spellings of control and user-defined pieces in text.
 *
 * User-defined pieces are text that the model has its own token for: they are found
 * everywhere. Control pieces steer the model: their spelling counts only inside a trusted
 * range, which the caller states, and never in what came from people or documents.
 *
 * Pieces that are TOKENIZER_NORMALIZED are found in text that was changed (normalizer.h),
 * spelled as the changes make them: they have a struct special of their own.
 *
 * A tree of bytes, walked from each place where some spelling could begin; the longest wins.
 *
 * Memory   in the arena; read-only after special_init.
 */
#ifndef TOKENIZER_SPECIAL_H
#define TOKENIZER_SPECIAL_H

#include "tokenizer/pair_map.h"
#include "tokenizer/vocab.h"

struct special {
    struct pair_map edges;      /* node, byte -> first: node */
    token_id *tokens;           /* [node] the piece spelled by the way to it, or TOKEN_NONE */
    const struct vocab *vocab;  /* keeps */
    const struct text *changed; /* [piece] or NULL; keeps */
    uint32_t node_count;
    bool begins[256]; /* some spelling begins with this byte */
};

/* Longer spellings are not looked for: they are not special tokens of any known model. */
enum { SPECIAL_BYTES_MAX = 256 };

/* changed: how pieces are spelled in changed text, and those are looked for; NULL: the others.
 * ERR_MEMORY. */
MUST_USE enum status special_init(struct special *special, const struct vocab *vocab,
                                  const struct text *changed, struct arena *arena,
                                  struct error *err);

/* Where control spellings count: ranges in order that do not touch. */
struct special_range {
    size_t begin, end;
};
struct special_trust {
    const struct special_range *ranges; /* [range_count] */
    size_t range_count;
};

struct special_match {
    size_t begin, end;
    token_id token;
};

/* The first match at or after from, the longest there; control pieces only when they lie
 * wholly inside one trusted range. */
bool special_find(const struct special *special, struct text text, size_t from,
                  const struct special_trust *trust, struct special_match *match);

#endif
