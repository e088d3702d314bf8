/* bm25 - see bm25.h. */
#include "protocol/minions/bm25.h"

#include "protocol/minions/words.h"

#include <math.h>
#include <string.h>

const struct bm25_params bm25_default = {.k1 = 0.8, .b = 0.75, .delta = 1.0};

struct query {
    uint64_t stems[BM25_QUERY_WORDS_MAX];
    uint32_t passages_with[BM25_QUERY_WORDS_MAX]; /* n_w */
    uint32_t count;
};

/* Counts the query's words in a text; gives the text's content words. */
static uint32_t count_words(const struct query *query, struct text text,
                            uint32_t frequency[BM25_QUERY_WORDS_MAX])
{
    struct words_reader reader = {.text = text};
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

static double score_passage(const struct bm25_params *params, const struct query *query,
                            const struct bm25_passage *passage, double passage_count,
                            double mean)
{
    uint32_t in_text[BM25_QUERY_WORDS_MAX], in_heading[BM25_QUERY_WORDS_MAX];
    const double size = count_words(query, passage->text, in_text);
    (void)count_words(query, passage->heading, in_heading);
    const double norm = params->k1 * (1 - params->b + params->b * size / mean);
    double score = 0;
    for (uint32_t i = 0; i < query->count; i++) {
        const double f = in_text[i] + (in_heading[i] > 0 ? BM25_HEADING_SHARE : 0);
        if (f <= 0)
            continue;
        const double with = fmax(query->passages_with[i], 1);
        const double idf = log((passage_count + 1) / with);
        score += idf * (fmin(f, 1) * params->delta + f * (params->k1 + 1) / (f + norm));
    }
    return score;
}

void bm25_rank(const struct bm25_params *params, const struct bm25_passage *passages,
               uint32_t count, struct text text, double *scores)
{
    struct query query = {0};
    uint32_t frequency[BM25_QUERY_WORDS_MAX];
    double words = 0;
    query.count = words_content(text, query.stems, BM25_QUERY_WORDS_MAX);
    for (uint32_t p = 0; p < count; p++) {
        words += count_words(&query, passages[p].text, frequency);
        for (uint32_t i = 0; i < query.count; i++)
            query.passages_with[i] += frequency[i] > 0;
    }
    const double mean = words > 0 ? words / count : 1;
    for (uint32_t p = 0; p < count; p++)
        scores[p] = score_passage(params, &query, &passages[p], count, mean);
}
