/*
 * model_judge - texts with the results of a float64 forward pass, and the distances of ours
 * from them: log-probabilities, mean negative log-likelihood, greedy continuations, and the
 * Kullback-Leibler divergence of one precision from another.
 */
#ifndef TESTS_HARNESS_MODEL_JUDGE_H
#define TESTS_HARNESS_MODEL_JUDGE_H

#include "base/json.h"
#include "engine/model_run.h"

enum { MODEL_JUDGE_TOP = 10, MODEL_JUDGE_GREEDY = 64, MODEL_JUDGE_TEXTS_MAX = 32 };

struct model_judge_text {
    token_id *ids; /* [count], in the arena of the texts */
    int32_t count;
    double mean_nll;
    token_id top_ids[MODEL_JUDGE_TOP];
    double top_logprobs[MODEL_JUDGE_TOP]; /* after the last id */
    token_id greedy[MODEL_JUDGE_GREEDY];
    double smallest_margin; /* between the first two logits, on the greedy way */
};

struct model_judge_texts {
    struct model_judge_text texts[MODEL_JUDGE_TEXTS_MAX];
    int32_t count;
    int32_t ids_max; /* of the longest */
    struct arena arena;
};

/* Reads an array of {ids, mean_nll, last_top10, greedy_64, smallest_margin}.
 * Whatever the outcome, model_judge_deinit gives all of it back. */
MUST_USE enum status model_judge_read(struct model_judge_texts *texts, const char *path,
                                      struct error *err);
void model_judge_deinit(struct model_judge_texts *texts);

/* Ids of a JSON array; ERR_FORMAT when it is none, or has more than max. */
MUST_USE enum status model_judge_ids(const struct json *array, token_id *ids, int32_t max,
                                     int32_t *count, struct error *err);

struct model_judge_score {
    double mean_nll;
    double top_difference; /* greatest |log-probability - reference| of the ten */
    double kl_sum;         /* over all positions, from the other run to this; nats */
    double other_mean_nll;
    token_id next; /* greatest logit after the last id */
};

struct model_judge_runs {
    struct model_run *run;   /* is judged */
    struct model_run *other; /* NULL, or runs the same beside it */
};
/* Runs the text as the sequence, in steps of the run's rows_max, logits of every position
 * (head_max >= rows_max). */
MUST_USE enum status model_judge_score(const struct model_judge_runs *runs, int32_t sequence,
                                       const struct model_judge_text *text,
                                       struct model_judge_score *score, struct error *err);

/* Continues each sequence, all in one batch: tokens[i * length] is given, the rest written. */
MUST_USE enum status model_judge_greedy(struct model_run *run,
                                        const struct model_judge_texts *texts, token_id *tokens,
                                        int32_t length, struct error *err);

#endif
