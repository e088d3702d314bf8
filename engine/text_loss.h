/*
 * text_loss - what a model loses on a text: negative log-likelihood of each next token, and the
 * Kullback-Leibler divergence from another model's predictions of the same. In nats, summed in
 * double: what judges must not be what errs.
 */
#ifndef ENGINE_TEXT_LOSS_H
#define ENGINE_TEXT_LOSS_H

#include "engine/model_run.h"

struct text_loss {
    int32_t positions; /* predictions made */
    int32_t scored;    /* of them with a next token to hold them against */
    double nll;        /* over those scored: sum of -log p(next) */
    double other_nll;  /* the same of the other model */
    double kl;         /* over all positions: sum of KL(other || ours) */
    int32_t same_top;  /* positions where both give one token the greatest logit */
};

/* Adds one position: logits[vocab], those of the other model or NULL, and the token that
 * follows or TOKEN_NONE. */
void text_loss_add(struct text_loss *loss, const float *ours, const float *other, int32_t vocab,
                   token_id next);

/* What reads a text. */
struct text_loss_runs {
    struct model_run *run;
    struct model_run *other; /* NULL, or another precision of the model */
    int32_t sequence;        /* of both */
    int32_t skip;            /* positions at the beginning that are context alone */
    const token_id *next;    /* the token that follows the last; NULL: not known */
};

/* Runs ids[count] as a sequence, in steps of the run's rows_max (head_max >= rows_max), beside
 * the other run if there is one, and adds every position from skip on. The last step's logits
 * stand in the run. */
MUST_USE enum status text_loss_run(const struct text_loss_runs *runs, const token_id *ids,
                                   int32_t count, struct text_loss *loss, struct error *err);

/* log(sum(exp(logits))); and the token with the greatest logit, the lowest of equals. */
double text_loss_log_sum(const float *logits, int32_t vocab);
token_id text_loss_top(const float *logits, int32_t vocab);

#endif
