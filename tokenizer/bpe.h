/*
 * bpe - byte-pair encoding: merges neighbours by rank, inside one piece of the splitter, or
 * inside a word where the vocabulary spells a space as U+2581.
 *
 * Memory   the tables lie in the arena given to bpe_init; bpe_encode works in the caller's
 *          scratch.
 * Thread   any number after bpe_init, each with a scratch of its own.
 */
#ifndef TOKENIZER_BPE_H
#define TOKENIZER_BPE_H

#include "tokenizer/merge_heap.h"
#include "tokenizer/pair_map.h"
#include "tokenizer/words.h"

#include <stdatomic.h>

/* Whether merging a piece's bytes gives that one piece. */
enum bpe_whole { BPE_WHOLE_UNKNOWN, BPE_WHOLE, BPE_IN_PARTS };

struct bpe {
    const struct vocab *vocab; /* keeps */
    struct pair_map merges;    /* left id, right id -> first: rank, second: merged id */
    atomic_uchar *whole;       /* [piece_count] enum bpe_whole, found out when it comes up */
    bool by_character;         /* merging begins with characters; else with bytes */
    struct words words;        /* by_character: where a text can be cut */
    bool fuse_unknown;         /* by_character: unknown characters in a row are one token */
    bool takes_whole;          /* by_character: a piece that is a token is not merged */
    token_id unknown;          /* by_character: for what has no piece and no byte pieces */
};

struct bpe_symbol {
    token_id id;
    uint32_t previous, next; /* indexes */
};

struct bpe_scratch {
    struct bpe_symbol *symbols; /* malloc'ed */
    size_t capacity;
    struct merge_heap heap;
};

/* Longer pieces are cut here, at any byte: a run of letters this long is not language. */
enum { BPE_PIECE_BYTES_MAX = 1 << 20 };

/* ERR_FORMAT a merge that is not two pieces whose joined spelling is a piece (named by index);
 * ERR_LIMIT too many; ERR_MEMORY. */
MUST_USE enum status bpe_init(struct bpe *bpe, const struct vocab *vocab,
                              const struct tokenizer_source *source, struct arena *arena,
                              struct error *err);
/* From now on a piece that is a token is that token, whatever the merges say. */
void bpe_ignore_merges(struct bpe *bpe);

/* Appends the piece's tokens. Bytes that the vocabulary has no token for are left out, as the
 * reference implementations do. False: no memory. */
MUST_USE bool bpe_encode(const struct bpe *bpe, struct text piece, struct bpe_scratch *scratch,
                         struct token_list *list);
void bpe_scratch_deinit(struct bpe_scratch *scratch);

#endif
