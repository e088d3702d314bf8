/* bm25 - see bm25.h. */
#include "protocol/minions/bm25.h"

#include "protocol/minions/words.h"

#include <math.h>
#include <stdbool.h>
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

static bool has_any(const struct query *query, const uint32_t *frequency)
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

static double score_passage(const struct bm25_params *params, const struct query *query,
                            const struct counts *counts, double passage_count, double mean)
{
    const double norm = params->k1 * (1 - params->b + params->b * counts->size / mean);
    double score = 0;
    for (uint32_t i = 0; i < query->count; i++) {
        const double f =
            counts->in_text[i] + (counts->in_heading[i] > 0 ? BM25_HEADING_SHARE : 0);
        if (f <= 0)
            continue;
        const double with = fmax(query->passages_with[i], 1);
        const double idf = log((passage_count + 1) / with);
        score += idf * (fmin(f, 1) * params->delta + f * (params->k1 + 1) / (f + norm));
    }
    return score;
}

/* Reads each passage once: how many have each word. sizes[p] becomes the content words of
 * passage p, or -1 less that where none of the query's is among them. Gives the sum. */
static double count_all(struct query *query, const struct bm25_passage *passages,
                        uint32_t count, double *sizes)
{
    uint32_t frequency[BM25_QUERY_WORDS_MAX];
    double words = 0;
    for (uint32_t p = 0; p < count; p++) {
        const double size = count_words(query, passages[p].text, frequency);
        words += size;
        for (uint32_t i = 0; i < query->count; i++)
            query->passages_with[i] += frequency[i] > 0;
        sizes[p] = has_any(query, frequency) ? size : -1 - size;
    }
    return words;
}

/* Of a long document most passages have no word of the query: those are not read again, and a
 * heading is read once for all the passages that follow under it. */
void bm25_rank(const struct bm25_params *params, const struct bm25_passage *passages,
               uint32_t count, struct text text, double *scores)
{
    static const uint32_t nothing[BM25_QUERY_WORDS_MAX];
    uint32_t in_text[BM25_QUERY_WORDS_MAX], in_heading[BM25_QUERY_WORDS_MAX] = {0};
    struct query query = {0};
    struct text heading = {0};
    query.count = words_content(text, query.stems, BM25_QUERY_WORDS_MAX);
    const double words = count_all(&query, passages, count, scores);
    const double mean = words > 0 ? words / count : 1;
    for (uint32_t p = 0; p < count; p++) {
        const bool is_in_text = scores[p] >= 0;
        const struct counts counts = {is_in_text ? scores[p] : -1 - scores[p],
                                      is_in_text ? in_text : nothing, in_heading};
        if (is_in_text)
            (void)count_words(&query, passages[p].text, in_text);
        if (passages[p].heading.data != heading.data ||
            passages[p].heading.size != heading.size) {
            heading = passages[p].heading;
            (void)count_words(&query, heading, in_heading);
        }
        scores[p] = score_passage(params, &query, &counts, count, mean);
    }
}
