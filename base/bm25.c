/* bm25 - see bm25.h. */
#include "base/bm25.h"

#include "base/words.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

const struct bm25_params bm25_default = {.k1 = 0.8, .b = 0.75, .delta = 1.0};
const struct bm25_params bm25_chunks = {.k1 = 1.5, .b = 0.75, .delta = 1.0};

/* What is known of all passages before one is scored. */
struct corpus {
    const struct bm25_query *query;
    uint32_t passages_with[BM25_QUERY_WORDS_MAX]; /* n_w */
    double count, mean;                           /* passages, words in one */
};

/* Counts the query's words in a text; gives the text's content words. */
static uint32_t count_words(const struct bm25_query *query, struct text text,
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

static bool has_any(const struct bm25_query *query, const uint32_t *frequency)
{
    for (uint32_t i = 0; i < query->count; i++)
        if (frequency[i] > 0)
            return true;
    return false;
}

/* What a passage's score is made of. */
struct counts {
    double size; /* content words in its text */
    const uint32_t *in_text, *in_heading;
};

static double score_passage(const struct bm25_params *params, const struct corpus *corpus,
                            const struct counts *counts)
{
    const struct bm25_query *query = corpus->query;
    const double norm = params->k1 * (1 - params->b + params->b * counts->size / corpus->mean);
    double score = 0;
    for (uint32_t i = 0; i < query->count; i++) {
        const double f =
            counts->in_text[i] + (counts->in_heading[i] > 0 ? BM25_HEADING_SHARE : 0);
        if (f <= 0)
            continue;
        const double with = fmax(corpus->passages_with[i], 1);
        const double idf = log((corpus->count + 1) / with);
        score += query->weights[i] * idf *
                 (fmin(f, 1) * params->delta + f * (params->k1 + 1) / (f + norm));
    }
    return score;
}

/* Reads each passage once: how many have each word. sizes[p] becomes the content words of
 * passage p, or -1 less that where none of the query's is among them. Gives the sum. */
static double count_all(struct corpus *corpus, const struct bm25_passage *passages,
                        uint32_t count, double *sizes)
{
    const struct bm25_query *query = corpus->query;
    uint32_t frequency[BM25_QUERY_WORDS_MAX];
    double words = 0;
    for (uint32_t p = 0; p < count; p++) {
        const double size = count_words(query, passages[p].text, frequency);
        words += size;
        for (uint32_t i = 0; i < query->count; i++)
            corpus->passages_with[i] += frequency[i] > 0;
        sizes[p] = has_any(query, frequency) ? size : -1 - size;
    }
    return words;
}

void bm25_query_add(struct bm25_query *query, struct text text, double weight)
{
    uint64_t stems[BM25_QUERY_WORDS_MAX];
    const uint32_t count = words_content(text, stems, BM25_QUERY_WORDS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = 0;
        while (at < query->count && query->stems[at] != stems[i])
            at++;
        if (at == BM25_QUERY_WORDS_MAX)
            continue;
        if (at == query->count)
            query->weights[query->count++] = 0;
        query->stems[at] = stems[i];
        query->weights[at] += weight;
    }
}

/* Of a long document most passages have no word of the query: those are not read again, and a
 * heading is read once for all the passages that follow under it. */
void bm25_score(const struct bm25_params *params, const struct bm25_passage *passages,
                uint32_t count, const struct bm25_query *query, double *scores)
{
    static const uint32_t nothing[BM25_QUERY_WORDS_MAX];
    uint32_t in_text[BM25_QUERY_WORDS_MAX], in_heading[BM25_QUERY_WORDS_MAX] = {0};
    struct corpus corpus = {.query = query, .count = count, .mean = 1};
    struct text heading = {0};
    const double words = count_all(&corpus, passages, count, scores);
    if (words > 0)
        corpus.mean = words / count;
    for (uint32_t p = 0; p < count; p++) {
        const bool is_in_text = scores[p] >= 0;
        const struct counts counts = {is_in_text ? scores[p] : -1 - scores[p],
                                      is_in_text ? in_text : nothing, in_heading};
        if (is_in_text)
            (void)count_words(query, passages[p].text, in_text);
        if (passages[p].heading.data != heading.data ||
            passages[p].heading.size != heading.size) {
            heading = passages[p].heading;
            (void)count_words(query, heading, in_heading);
        }
        scores[p] = score_passage(params, &corpus, &counts);
    }
}

void bm25_rank(const struct bm25_params *params, const struct bm25_passage *passages,
               uint32_t count, struct text text, double *scores)
{
    struct bm25_query query = {.count = 0};
    bm25_query_add(&query, text, 1);
    bm25_score(params, passages, count, &query, scores);
}
