/*
 * special - finds the spellings of control and user-defined pieces in text.
 *
 * User-defined pieces are text that the model has its own token for: they are found
 * everywhere. Control pieces steer the model: their spelling counts only inside a trusted
 * range, which the caller states, and never in what came from people or documents.
 *
 * Pieces that are TOKENIZER_NORMALIZED are found in text in which a space was put first and
 * spaces became U+2581, as they did too: after a space, after U+2581, or at the beginning.
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
    struct pair_map edges; /* node, byte -> first: node */
    token_id *tokens;      /* [node] the piece spelled by the way to it, or TOKEN_NONE */
    uint8_t *marks;        /* [node] what has to hold there; private to special.c */
    const uint8_t *flags;  /* [token] enum tokenizer_flag */
    uint32_t node_count, node_count_max;
    bool begins[256]; /* some spelling begins with this byte */
};

/* Longer spellings are not looked for: they are not special tokens of any known model. */
enum { SPECIAL_BYTES_MAX = 256 };

/* puts_space: TOKENIZER_NORMALIZED means something here. ERR_MEMORY. */
MUST_USE enum status special_init(struct special *special, const struct vocab *vocab,
                                  bool puts_space, struct arena *arena, struct error *err);

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
    size_t fresh;       /* in: where a space may still be put before the text; SIZE_MAX */
    bool is_normalized; /* found after that: what follows gets no space */
    bool took_space;    /* it was that space that made it one */
};

/* The first match at or after from, the longest there; control pieces only when they lie
 * wholly inside one trusted range. */
bool special_find(const struct special *special, struct text text, size_t from,
                  const struct special_trust *trust, struct special_match *match);

#endif
