/*
 * unigram - SentencePiece's unigram model: each piece has a log-probability, and of all ways to
 * cut a text into pieces the most probable is taken (T. Kudo, Subword Regularization, 2018).
 *
 * A character that no piece covers is unknown, at ten below the least probable piece; unknown
 * ones in a row become their bytes where the vocabulary has them, else one unknown token.
 *
 * Memory   the tables lie in the arena given to unigram_init; unigram_encode works in the
 *          caller's scratch.
 * Thread   read-only after unigram_init; a scratch belongs to one thread.
 */
#ifndef TOKENIZER_UNIGRAM_H
#define TOKENIZER_UNIGRAM_H

#include "tokenizer/pair_map.h"
#include "tokenizer/words.h"

struct unigram {
    const struct vocab *vocab; /* keeps */
    struct pair_map edges;     /* node, byte -> first: node, second: its piece + 1, or 0 */
    double *scores;            /* [piece_count] */
    double unknown_score;
    token_id unknown;
    struct words words; /* where a text can be cut */
};

/* The best way to a place in the text. */
struct unigram_place {
    double score;
    uint32_t begin; /* where its last piece begins */
    token_id id;    /* TOKEN_NONE: an unknown character */
};

struct unigram_scratch {
    struct text_buf escaped;
    struct unigram_place *places; /* malloc'ed */
    size_t capacity;
    double score; /* of what was encoded before */
};

/* More text than this without a place to cut is cut anyway. */
enum { UNIGRAM_PIECE_BYTES_MAX = 1 << 20 };

/* ERR_FORMAT a vocabulary without scores, or with one that is no number; ERR_MEMORY. */
MUST_USE enum status unigram_init(struct unigram *unigram, const struct vocab *vocab,
                                  const struct tokenizer_source *source, struct arena *arena,
                                  struct error *err);

/* Appends text's tokens; space_before: as if a space stood before it. False: no memory. */
MUST_USE bool unigram_encode(const struct unigram *unigram, struct text text, bool space_before,
                             struct unigram_scratch *scratch, struct token_list *list);
void unigram_scratch_deinit(struct unigram_scratch *scratch);

#endif
