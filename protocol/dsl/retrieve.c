/* retrieve - see retrieve.h. */
#include "protocol/dsl/retrieve.h"

#include "base/bm25.h"
#include "protocol/dsl/args.h"
#include "protocol/dsl/dict.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/number.h"
#include "protocol/dsl/type.h"

#include <math.h>
#include <stdlib.h>

struct entry {
    double score;
    uint32_t index;
};

static int best_first(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static int by_index(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    return a->index < b->index ? -1 : a->index > b->index;
}

static bool read_weight(struct interp *in, struct value value, double *weight)
{
    if (value.kind != VALUE_FLOAT && !number_is_int(value))
        return exception_raise(in, &exception_type,
                               "a keyword's weight must be a number, not %s", type_name(value));
    *weight = value.kind == VALUE_FLOAT ? value.as.real : (double)number_integer(value);
    if (!isfinite(*weight))
        return exception_raise(in, &exception_value, "a keyword's weight must be finite");
    return true;
}

/* The weight of one keyword: by weights, or by the dict that keywords are. */
static bool weigh(struct interp *in, struct value word, const struct dict *weights,
                  double *weight)
{
    struct dict_entry *entry = NULL;
    *weight = 1;
    if (!weights)
        return true;
    return dict_find(in, weights, word, &entry) &&
           (!entry || read_weight(in, entry->value, weight));
}

static bool read_query(struct interp *in, const struct value values[4],
                       struct bm25_query *query)
{
    const struct value given = values[2];
    const struct dict *weights = values[0].kind == VALUE_DICT ? values[0].as.dict : NULL;
    struct value keywords = values[0];
    if (given.kind != VALUE_UNSET && given.kind != VALUE_NONE) {
        if (given.kind != VALUE_DICT)
            return exception_raise(in, &exception_type, "weights must be dict, not %s",
                                   type_name(given));
        weights = given.as.dict;
    }
    struct list *words =
        keywords.kind == VALUE_STR ? list_of(in, &keywords, 1) : list_from(in, keywords);
    for (uint32_t i = 0; words && i < words->count; i++) {
        struct str *word = NULL;
        double weight = 1;
        if (!args_str(in, words->items[i], "keywords' items", &word) ||
            !interp_charge(in, word->size + 1) || !weigh(in, words->items[i], weights, &weight))
            return false;
        bm25_query_add(query, str_text(word), weight);
    }
    return words != NULL;
}

/* The texts to rank, charged for reading them twice. */
static bool read_passages(struct interp *in, const struct list *chunks,
                          const struct bm25_query *query, struct bm25_passage *passages)
{
    for (uint32_t i = 0; i < chunks->count; i++) {
        struct str *chunk = NULL;
        if (!args_str(in, chunks->items[i], "chunks' items", &chunk) ||
            !interp_charge(in, chunk->size * (2 + query->count / 8)))
            return false;
        passages[i].text = str_text(chunk);
    }
    return true;
}

static bool bm25_retrieve(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {
        "bm25_retrieve_top_k_chunks", 2, 4, {"keywords", "chunks", "weights", "k"}, {NULL}};
    struct value values[4];
    struct bm25_query query = {.count = 0};
    int64_t k = 10;
    if (!args_bind(in, &SPEC, args, values) || !args_int(in, values[3], &k) ||
        !read_query(in, values, &query))
        return false;
    if (k < 0)
        return exception_raise(in, &exception_value, "k must not be negative");
    const struct list *chunks = list_from(in, values[1]);
    const uint32_t count = chunks ? chunks->count : 0;
    struct bm25_passage *passages = interp_alloc(in, (size_t)count + 1, sizeof(*passages));
    double *scores = interp_alloc(in, (size_t)count + 1, sizeof(*scores));
    struct entry *entries = interp_alloc(in, (size_t)count + 1, sizeof(*entries));
    struct list *best = list_new(in, 0);
    if (!chunks || !passages || !scores || !entries || !best ||
        !read_passages(in, chunks, &query, passages))
        return false;
    bm25_score(&bm25_chunks, passages, count, &query, scores);
    for (uint32_t i = 0; i < count; i++)
        entries[i] = (struct entry){scores[i], i};
    qsort(entries, count, sizeof(*entries), best_first);
    const uint32_t kept = k < count ? (uint32_t)k : count;
    qsort(entries, kept, sizeof(*entries), by_index);
    for (uint32_t i = 0; i < kept; i++)
        if (!list_push(in, best, chunks->items[entries[i].index]))
            return false;
    *out = value_list(best);
    return true;
}

const struct modules_member retrieve_table[] = {
    {.name = "bm25_retrieve_top_k_chunks", .call = bm25_retrieve},
    {.name = NULL},
};
