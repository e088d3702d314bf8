/* text_loss - see text_loss.h. */
#include "engine/text_loss.h"

#include <math.h>

token_id text_loss_top(const float *logits, int32_t vocab)
{
    token_id best = 0;
    for (int32_t i = 1; i < vocab; i++) {
        if (logits[i] > logits[best])
            best = i;
    }
    return best;
}

double text_loss_log_sum(const float *logits, int32_t vocab)
{
    const int32_t best = text_loss_top(logits, vocab);
    const double top = (double)logits[best];
    double sum = 1; /* the top's own */
    for (int32_t i = 0; i < vocab; i++)
        sum += i == best ? 0 : exp((double)logits[i] - top);
    return top + log(sum);
}

/* A row of logits and log(sum(exp(logits))). */
struct row {
    const float *logits;
    double log_sum;
};

static double log_probability(const struct row *row, token_id token)
{
    return (double)row->logits[token] - row->log_sum;
}

/* KL(p || q). */
static double divergence(const struct row *p, const struct row *q, int32_t vocab)
{
    double kl = 0;
    for (int32_t i = 0; i < vocab; i++) {
        const double log_p = log_probability(p, i);
        kl += exp(log_p) * (log_p - log_probability(q, i));
    }
    return kl;
}

void text_loss_add(struct text_loss *loss, const float *ours, const float *other, int32_t vocab,
                   token_id next)
{
    const struct row row = {ours, text_loss_log_sum(ours, vocab)};
    loss->positions++;
    loss->scored += next != TOKEN_NONE;
    if (next != TOKEN_NONE)
        loss->nll -= log_probability(&row, next);
    if (!other)
        return;
    const struct row beside = {other, text_loss_log_sum(other, vocab)};
    loss->kl += divergence(&beside, &row, vocab);
    loss->same_top += text_loss_top(ours, vocab) == text_loss_top(other, vocab);
    if (next != TOKEN_NONE)
        loss->other_nll -= log_probability(&beside, next);
}

static enum status read_part(struct model_run *run, const struct model_run_part *part,
                             const float **logits, struct error *err)
{
    TRY(model_run_step(run, part, 1, err));
    return model_run_fetch(run, logits, err);
}

enum status text_loss_run(const struct text_loss_runs *runs, const token_id *ids, int32_t count,
                          struct text_loss *loss, struct error *err)
{
    const int32_t vocab = runs->run->model->config.vocab;
    const int32_t step = runs->run->forward.limits.rows_max;
    struct model_run_part part = {.sequence = runs->sequence, .heads = MODEL_RUN_ALL};
    const float *ours, *other = NULL;
    for (int32_t first = 0; first < count; first += step) {
        part.first = first;
        part.count = count - first < step ? count - first : step;
        part.tokens = ids + first;
        TRY(read_part(runs->run, &part, &ours, err));
        if (runs->other)
            TRY(read_part(runs->other, &part, &other, err));
        for (int32_t i = first < runs->skip ? runs->skip - first : 0; i < part.count; i++) {
            const bool is_last = first + i + 1 == count;
            const token_id after = runs->next ? *runs->next : TOKEN_NONE;
            const size_t row = (size_t)i * (size_t)vocab;
            text_loss_add(loss, ours + row, other ? other + row : NULL, vocab,
                          is_last ? after : ids[first + i + 1]);
        }
    }
    return OK;
}
