/* bm25 - see bm25.h. */
#include "protocol/minions/bm25.h"

#include "protocol/minions/words.h"

#include <math.h>
#include <string.h>

const struct bm25_params bm25_default = {.k1 = 1.2, .b = 0.75, .delta = 1.0};

struct query {
    uint64_t stems[BM25_QUERY_WORDS_MAX];
    uint32_t passages_with[BM25_QUERY_WORDS_MAX]; /* n_w */
    uint32_t count;
};

/* Counts the query's words in one passage; gives the passage's content words. */
static uint32_t count_words(const struct query *query, struct text passage,
                            uint32_t frequency[BM25_QUERY_WORDS_MAX])
{
    struct words_reader reader = {.text = passage};
    struct words_word word;
    uint32_t size = 0;
    memset(frequency, 0, BM25_QUERY_WORDS_MAX * sizeof(frequency[0]));
    while (words_next(&reader, &word)) {
        if (word.is_common)
            continue;
        size++;
        for (uint32_t i = 0; i < query->count; i++)
            frequency[i] += query->stems[i] == word.stem;
    }
    return size;
}

void bm25_rank(const struct bm25_params *params, const struct text *passages, uint32_t count,
               struct text text, double *scores)
{
    struct query query = {0};
    uint32_t frequency[BM25_QUERY_WORDS_MAX];
    double words = 0;
    query.count = words_content(text, query.stems, BM25_QUERY_WORDS_MAX);
    for (uint32_t p = 0; p < count; p++) {
        words += count_words(&query, passages[p], frequency);
        for (uint32_t i = 0; i < query.count; i++)
            query.passages_with[i] += frequency[i] > 0;
    }
    const double mean = words > 0 ? words / count : 1;
    for (uint32_t p = 0; p < count; p++) {
        const double size = count_words(&query, passages[p], frequency);
        const double norm = params->k1 * (1 - params->b + params->b * size / mean);
        scores[p] = 0;
        for (uint32_t i = 0; i < query.count; i++) {
            if (frequency[i] == 0)
                continue;
            const double f = frequency[i];
            const double idf = log((count + 1.0) / query.passages_with[i]);
            scores[p] += idf * (params->delta + f * (params->k1 + 1) / (f + norm));
        }
    }
}
