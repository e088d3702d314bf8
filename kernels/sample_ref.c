/*
 * sample_ref - the plain twin. What top_k and top_p keep is asked of each token by itself, from
 * all the others: quadratic, and as their definitions read.
 */
#include "kernels/sample.h"

#include <assert.h>
#include <math.h>

/* One row of logits with its wishes, and what is known of it. */
struct view {
    const struct sample_row *row;
    const float *logits;
    int32_t vocab;
    float max; /* of the allowed logits */
};

static bool is_allowed(const struct sample_row *row, token_id t)
{
    return row->allowed == NULL || (row->allowed[t / 32] >> (t % 32) & 1) != 0;
}

/* Logarithm of sum exp(logit); NaN when the largest is not finite. */
static double log_sum(const float *logits, int32_t vocab)
{
    double max = (double)-INFINITY, sum = 0.0;
    for (int32_t t = 0; t < vocab; t++) {
        if (isnan(logits[t]))
            return (double)NAN;
        max = fmax(max, (double)logits[t]);
    }
    if (!isfinite(max))
        return (double)NAN;
    for (int32_t t = 0; t < vocab; t++)
        sum += exp((double)logits[t] - max);
    return max + log(sum);
}

static token_id greedy(const struct view *view)
{
    token_id best = TOKEN_NONE;
    float most = -INFINITY;
    for (token_id t = 0; t < view->vocab; t++) {
        if (is_allowed(view->row, t) && view->logits[t] > most) {
            most = view->logits[t];
            best = t;
        }
    }
    return best;
}

/* Logits over temperature, with the best at 0. */
static float heat(const struct view *view, token_id t)
{
    return (view->logits[t] - view->max) / view->row->temperature;
}

/* Whether a stands before b in the order from the best down. */
static bool is_before(const struct view *view, token_id a, token_id b)
{
    return view->logits[a] > view->logits[b] || (view->logits[a] == view->logits[b] && a < b);
}

static bool top_k_keeps(const struct view *view, token_id t)
{
    if (!is_allowed(view->row, t) || view->row->top_k <= 0)
        return is_allowed(view->row, t);
    int32_t before = 0;
    for (token_id other = 0; other < view->vocab; other++)
        before += is_allowed(view->row, other) && is_before(view, other, t);
    return before < view->row->top_k;
}

/* Of the tokens that top_k keeps: whether those before t have not yet the share top_p. */
static bool top_p_keeps(const struct view *view, const bool *kept, token_id t)
{
    double before = 0.0, total = 0.0;
    for (token_id other = 0; other < view->vocab; other++) {
        if (!kept[other])
            continue;
        const double mass = exp((double)heat(view, other));
        total += mass;
        before += is_before(view, other, t) ? mass : 0.0;
    }
    return before < (double)view->row->top_p * total;
}

static bool is_left(const struct view *view, const bool *kept, token_id t)
{
    const struct sample_row *row = view->row;
    if (!kept[t] || (row->top_p < 1.0f && !top_p_keeps(view, kept, t)))
        return false;
    return exp((double)heat(view, t)) >= (double)row->min_p;
}

static token_id gumbel_max(const struct view *view, bool *kept)
{
    token_id best = TOKEN_NONE;
    float most = -INFINITY;
    for (token_id t = 0; t < view->vocab; t++)
        kept[t] = top_k_keeps(view, t);
    for (token_id t = 0; t < view->vocab; t++) {
        if (!is_left(view, kept, t))
            continue;
        const float score = heat(view, t) - logf(-logf(sample_uniform(view->row, t)));
        if (score > most) {
            most = score;
            best = t;
        }
    }
    return best;
}

enum status sample_ref(struct device *device, const struct sample_args *args)
{
    if (device_scratch_bytes(device) < (size_t)args->vocab * sizeof(bool))
        return ERR_LIMIT;
    bool *kept = device_scratch(device, 0);
    for (int32_t i = 0; i < args->count; i++) {
        const struct sample_row *row = &args->rows[i];
        const float *logits = args->logits + (size_t)row->logits_row * (size_t)args->vocab;
        const double norm = log_sum(logits, args->vocab);
        struct sample_result *result = &args->results[i];
        struct view view = {.row = row, .logits = logits, .vocab = args->vocab};
        *result = (struct sample_result){.token = TOKEN_NONE, .logprob = NAN};
        if (isnan(norm))
            continue;
        assert(row->target < args->vocab);
        const token_id best = greedy(&view);
        if (row->target >= 0) {
            result->token = row->target;
        } else if (best != TOKEN_NONE && row->temperature > 0.0f) {
            view.max = logits[best];
            result->token = gumbel_max(&view, kept);
        } else {
            result->token = best;
        }
        if (result->token != TOKEN_NONE)
            result->logprob = (float)((double)logits[result->token] - norm);
    }
    return OK;
}
