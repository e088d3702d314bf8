/*
 * sample_ref - the plain twin. What top_k, top_p and typical_p keep is asked of each token by
 * itself, from all the others: quadratic, and as their definitions read.
 */
#include "kernels/sample_draw.h"

#include <assert.h>
#include <math.h>

/* One row with its wishes, and what is known of it. */
struct view {
    const struct sample_args *args;
    const struct sample_row *row;
    float *l;     /* [vocab] logits after the softcap */
    float *w;     /* [vocab] after the penalties */
    float *heats; /* [vocab] of w; minus infinity where the mask does not allow */
    bool *kept;   /* [vocab] by top_k */
    bool *left;   /* [vocab] of those, by top_p and min_p */
};

static bool is_allowed(const struct sample_row *row, token_id t)
{
    return row->allowed == NULL || (row->allowed[t / 32] >> (t % 32) & 1) != 0;
}

/* Fills l and w; false when the row has a NaN or +infinity. */
static bool view_fill(const struct view *view)
{
    const struct sample_args *args = view->args;
    const struct sample_row *row = view->row;
    const float *logits = args->logits + (size_t)row->logits_row * (size_t)args->vocab;
    for (token_id t = 0; t < args->vocab; t++) {
        if (!(logits[t] < INFINITY))
            return false;
        view->l[t] = view->w[t] = sample_draw_cap(logits[t], args->softcap);
    }
    for (int32_t i = 0; i < row->seen_count; i++) {
        const token_id t = row->seen[i].token;
        assert(t >= 0 && t < args->vocab);
        view->w[t] = sample_draw_penalty(row, view->l[t], &row->seen[i]);
    }
    return true;
}

/* Logarithm of sum exp(l); NaN when the largest is not finite. */
static double log_sum(const float *l, int32_t vocab)
{
    double max = (double)-INFINITY, sum = 0.0;
    for (int32_t t = 0; t < vocab; t++)
        max = fmax(max, (double)l[t]);
    if (!isfinite(max))
        return (double)NAN;
    for (int32_t t = 0; t < vocab; t++)
        sum += exp((double)l[t] - max);
    return max + log(sum);
}

static token_id greedy(const struct view *view)
{
    token_id best = TOKEN_NONE;
    float most = -INFINITY;
    for (token_id t = 0; t < view->args->vocab; t++) {
        if (is_allowed(view->row, t) && view->w[t] > most) {
            most = view->w[t];
            best = t;
        }
    }
    return best;
}

/* Whether a stands before b in the order from the hottest down. */
static bool is_before(const struct view *view, token_id a, token_id b)
{
    return view->heats[a] > view->heats[b] || (view->heats[a] == view->heats[b] && a < b);
}

static bool top_k_keeps(const struct view *view, token_id t)
{
    if (!(view->heats[t] > -INFINITY) || view->row->top_k <= 0)
        return view->heats[t] > -INFINITY;
    int32_t before = 0;
    for (token_id other = 0; other < view->args->vocab; other++)
        before += is_before(view, other, t);
    return before < view->row->top_k;
}

/* Of the tokens that top_k keeps: whether those before t have not yet the share top_p. */
static bool top_p_keeps(const struct view *view, token_id t)
{
    uint64_t before = 0, total = 0;
    for (token_id other = 0; other < view->args->vocab; other++) {
        if (!view->kept[other])
            continue;
        const uint64_t mass = sample_draw_mass(view->heats[other]);
        total += mass;
        before += is_before(view, other, t) ? mass : 0;
    }
    return !sample_draw_is_enough(view->row->top_p, before, total);
}

/* The mean of |h| of the tokens that are left. */
static float mean_find(const struct view *view)
{
    uint64_t moment = 0, mass = 0;
    for (token_id t = 0; t < view->args->vocab; t++) {
        moment += view->left[t] ? sample_draw_moment(view->heats[t]) : 0;
        mass += view->left[t] ? sample_draw_mass(view->heats[t]) : 0;
    }
    return sample_draw_mean(moment, mass);
}

/* Whether a stands before b in the order from the most typical down. */
static bool is_nearer(const struct view *view, float mean, token_id a, token_id b)
{
    const float to_a = sample_draw_distance(view->heats[a], mean);
    const float to_b = sample_draw_distance(view->heats[b], mean);
    return to_a < to_b || (to_a == to_b && a < b);
}

/* Of the tokens that are left: whether those before t have not yet the share typical_p. */
static bool typical_p_keeps(const struct view *view, float mean, token_id t)
{
    uint64_t before = 0, total = 0;
    for (token_id other = 0; other < view->args->vocab; other++) {
        if (!view->left[other])
            continue;
        const uint64_t mass = sample_draw_mass(view->heats[other]);
        total += mass;
        before += is_nearer(view, mean, other, t) ? mass : 0;
    }
    return !sample_draw_is_enough(view->row->typical_p, before, total);
}

static bool is_left(const struct view *view, token_id t)
{
    if (!view->kept[t] || (view->row->top_p < 1.0f && !top_p_keeps(view, t)))
        return false;
    return sample_draw_is_likely(view->row, view->heats[t]);
}

static token_id gumbel_max(const struct view *view, float max)
{
    const struct sample_row *row = view->row;
    const int32_t vocab = view->args->vocab;
    token_id best = TOKEN_NONE;
    float most = -INFINITY;
    for (token_id t = 0; t < vocab; t++)
        view->heats[t] =
            is_allowed(row, t) ? sample_draw_heat(row, view->w[t], max) : -INFINITY;
    for (token_id t = 0; t < vocab; t++)
        view->kept[t] = top_k_keeps(view, t);
    for (token_id t = 0; t < vocab; t++)
        view->left[t] = is_left(view, t);
    const bool by_typical_p = sample_draw_is_typical(row);
    const float mean = by_typical_p ? mean_find(view) : 0.0f;
    for (token_id t = 0; t < vocab; t++) {
        if (!view->left[t] || (by_typical_p && !typical_p_keeps(view, mean, t)))
            continue;
        const float score = sample_draw_score(view->heats[t], sample_draw_uniform(row, t));
        if (score > most) {
            most = score;
            best = t;
        }
    }
    return best;
}

static token_id choose(const struct view *view)
{
    if (view->row->target >= 0)
        return view->row->target;
    const token_id best = greedy(view);
    if (best == TOKEN_NONE || !(view->row->temperature > 0.0f))
        return best;
    return gumbel_max(view, view->w[best]);
}

/* The best token of l after `previous`, of all with TOKEN_NONE. */
static token_id next_best(const struct view *view, token_id previous)
{
    const float *l = view->l;
    token_id best = TOKEN_NONE;
    float most = -INFINITY;
    for (token_id t = 0; t < view->args->vocab; t++) {
        const bool is_after = previous == TOKEN_NONE || l[t] < l[previous] ||
                              (l[t] == l[previous] && t > previous);
        if (is_after && l[t] > most) {
            most = l[t];
            best = t;
        }
    }
    return best;
}

static void row_sample(const struct view *view, struct sample_result *result,
                       struct sample_top *tops)
{
    const int32_t vocab = view->args->vocab, top_count = tops ? view->row->top_count : 0;
    *result = (struct sample_result){.token = TOKEN_NONE, .logprob = NAN};
    for (int32_t n = 0; n < top_count; n++)
        tops[n] = (struct sample_top){.token = TOKEN_NONE, .logprob = NAN};
    assert(view->row->target < vocab && top_count <= SAMPLE_TOP_MAX);
    const double norm = view_fill(view) ? log_sum(view->l, vocab) : (double)NAN;
    if (isnan(norm))
        return;
    result->token = choose(view);
    if (result->token != TOKEN_NONE)
        result->logprob = (float)((double)view->l[result->token] - norm);
    token_id token = TOKEN_NONE;
    for (int32_t n = 0; n < top_count; n++) {
        token = next_best(view, token);
        if (token == TOKEN_NONE)
            break;
        tops[n] = (struct sample_top){token, (float)((double)view->l[token] - norm)};
    }
}

enum status sample_ref(struct device *device, const struct sample_args *args)
{
    const size_t vocab = (size_t)args->vocab;
    assert(args->vocab <= SAMPLE_VOCAB_MAX);
    if (device_scratch_bytes(device) < vocab * (3 * sizeof(float) + 2 * sizeof(bool)))
        return ERR_LIMIT;
    float *floats = device_scratch(device, 0);
    struct view view = {.args = args, .l = floats, .w = floats + vocab};
    view.heats = floats + 2 * vocab;
    view.kept = (bool *)(floats + 3 * vocab);
    view.left = view.kept + vocab;
    for (int32_t i = 0; i < args->count; i++) {
        view.row = &args->rows[i];
        row_sample(&view, &args->results[i],
                   args->tops ? args->tops + (size_t)i * SAMPLE_TOP_MAX : NULL);
    }
    return OK;
}
