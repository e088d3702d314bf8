/*
 * bm25 - how well passages match a query by their words: BM25Plus.
 *
 *     score(d) = sum over query words w in d of
 *                idf(w) * (delta + f * (k1 + 1) / (f + k1 * (1 - b + b * |d| / mean|d|)))
 *     idf(w)   = ln((n + 1) / n_w)
 *
 * f is how often w stands in d, n_w in how many of the n passages. delta is what BM25Plus adds
 * (Lv and Zhai, "Lower-bounding term frequency normalization", CIKM 2011): a long passage that
 * has the word never scores like one that has it not. Words are those of words.h, without the
 * common ones.
 */
#ifndef MINIONS_BM25_H
#define MINIONS_BM25_H

#include "base/text.h"

#include <stdint.h>

enum { BM25_QUERY_WORDS_MAX = 64 };

struct bm25_params {
    double k1, b, delta;
};

/* k1 1.2, b 0.75, delta 1. */
extern const struct bm25_params bm25_default;

/* Writes scores[0 .. count-1] for passages; those that share no word get 0. Query words past
 * BM25_QUERY_WORDS_MAX are left out. One pass over all passages for counts and one for scores. */
void bm25_rank(const struct bm25_params *params, const struct text *passages, uint32_t count,
               struct text query, double *scores);

#endif
