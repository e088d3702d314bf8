/*
 * bm25 - how well passages match a query by their words: BM25Plus.
 *
 *     score(d) = sum over query words w in d of
 *                weight(w) * idf(w) *
 *                (delta + f * (k1 + 1) / (f + k1 * (1 - b + b * |d| / mean|d|)))
 *     idf(w)   = ln((n + 1) / n_w)
 *
 * f is how often w stands in d (plus BM25_HEADING_SHARE when it stands in the heading that d is
 * under), n_w in how many of the n passages. delta is what BM25Plus adds
 * (Lv and Zhai, "Lower-bounding term frequency normalization", CIKM 2011): a long passage that
 * has the word never scores like one that has it not. Words are those of words.h, without the
 * common ones.
 */
#ifndef BASE_BM25_H
#define BASE_BM25_H

#include "base/text.h"

#include <stdint.h>

enum { BM25_QUERY_WORDS_MAX = 64 };
#define BM25_HEADING_SHARE 0.3

struct bm25_params {
    double k1, b, delta;
};

/* For sentences: k1 0.8, b 0.75, delta 1: they are short, so repeated words say little. */
extern const struct bm25_params bm25_default;
/* For chunks: k1 1.5, b 0.75, delta 1, the usual ones. */
extern const struct bm25_params bm25_chunks;

struct bm25_passage {
    struct text text, heading; /* heading may be empty */
};

/* Zero it, then add to it. */
struct bm25_query {
    uint64_t stems[BM25_QUERY_WORDS_MAX];
    double weights[BM25_QUERY_WORDS_MAX]; /* each word's part of a score is multiplied by it */
    uint32_t count;
};

/* Adds the distinct words of text; the weights of a word that is there already add up. Words
 * past BM25_QUERY_WORDS_MAX are left out. */
void bm25_query_add(struct bm25_query *query, struct text text, double weight);

/* Writes scores[0 .. count-1] for passages; those that share no word get 0. Two passes over all
 * passages. */
void bm25_score(const struct bm25_params *params, const struct bm25_passage *passages,
                uint32_t count, const struct bm25_query *query, double *scores);

/* bm25_score of a query of that text, all words weighing 1. */
void bm25_rank(const struct bm25_params *params, const struct bm25_passage *passages,
               uint32_t count, struct text query, double *scores);

#endif
