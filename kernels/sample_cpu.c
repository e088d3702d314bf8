/*
 * sample_cpu - sample with threads over rows and vectors along them.
 *
 *     formula   token = argmax of logit / temperature + g; logprob = logit - log sum exp
 *     tensors   logits [rows, vocab]; results [count]
 *     work      every row: its maximum, then the sum of exponentials (in eight lanes, groups of
 *               SUM_GROUP added in double); then by what the row asks for:
 *                 target       nothing more
 *                 greedy       the maximum under the mask, and the first token that has it
 *                 no filter    Gumbel-max over the tokens that can still win
 *                 top_k/top_p  a heap of the allowed tokens, best first, as far as needed
 *     bound by  arithmetic: about 25 vector operations per 8 logits
 *
 * Gumbel-max does not need most of its logarithms. With `most` the best score so far (the
 * greedy token begins), token t wins only if g > d = most - z, that is -log u < e^-d; and
 * -log u >= 1 - u, so only if 1 - u < e^(z - most). That is one exponential for eight tokens
 * and a comparison; a margin covers its rounding. The tokens passed over could not have won:
 * the result is the plain one's.
 */
#include "kernels/exp.h"
#include "kernels/sample.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum {
    LANES = EXP_LANES,
    SUM_GROUP = 512, /* logits whose exponentials are summed in float */
    WORD_BITS = 32,
    PHILOX_LANES = 4
};

#define WIN_MARGIN 1.0001f

struct candidate {
    float heat;
    token_id token;
};

/* One row of logits with its wishes, and what is known of it. */
struct view {
    const struct sample_row *row;
    const float *logits;
    int32_t vocab;
    float max_allowed;
    struct candidate *heap; /* [vocab] scratch */
};

/* The winner so far. */
struct winner {
    token_id token;
    float score;
};

struct job {
    const struct sample_args *args;
    struct device *device;
    void (*row)(const struct job *job, int32_t index, struct candidate *heap);
};

/* Eight logits from `first` on; past the end, minus infinity. */
EXP_CALL void lanes_load(const float *logits, int32_t first, int32_t vocab, exp_f32 *lanes)
{
    if (first + LANES <= vocab) {
        *lanes = *(const exp_f32 *)(logits + first);
        return;
    }
    for (int32_t lane = 0; lane < LANES; lane++)
        (*lanes)[lane] = first + lane < vocab ? logits[first + lane] : -INFINITY;
}

EXP_CALL void lanes_greater(exp_f32 *most, const exp_f32 *lanes)
{
    const exp_i32 above = *lanes > *most;
    *most = (exp_f32)(((exp_i32)*lanes & above) | ((exp_i32)*most & ~above));
}

static float lanes_max(const float *lanes)
{
    float most = lanes[0];
    for (int32_t lane = 1; lane < LANES; lane++)
        most = lanes[lane] > most ? lanes[lane] : most;
    return most;
}

static bool lanes_any(const int32_t *lanes)
{
    int32_t any = 0;
    for (int32_t lane = 0; lane < LANES; lane++)
        any |= lanes[lane];
    return any != 0;
}

/* The largest of a row, NaN when it has one. */
EXP_CALL float row_max(const float *logits, int32_t vocab)
{
    exp_f32 most = {-INFINITY, -INFINITY, -INFINITY, -INFINITY,
                    -INFINITY, -INFINITY, -INFINITY, -INFINITY};
    exp_i32 is_nan = {0};
    for (int32_t first = 0; first < vocab; first += LANES) {
        exp_f32 lanes;
        lanes_load(logits, first, vocab, &lanes);
        is_nan |= lanes != lanes;
        lanes_greater(&most, &lanes);
    }
    return lanes_any((const int32_t *)&is_nan) ? NAN : lanes_max((const float *)&most);
}

/* Sum over the row of e^(logit - max). */
EXP_CALL double row_sum(const float *logits, int32_t vocab, float max)
{
    double total = 0.0;
    for (int32_t group = 0; group < vocab; group += SUM_GROUP) {
        const int32_t end = vocab - group < SUM_GROUP ? vocab : group + SUM_GROUP;
        exp_f32 sum = {0};
        for (int32_t first = group; first < end; first += LANES) {
            exp_f32 lanes;
            lanes_load(logits, first, vocab, &lanes);
            lanes = lanes - max;
            exp_natural(&lanes, &lanes);
            sum += lanes;
        }
        for (int32_t lane = 0; lane < LANES; lane++)
            total += (double)sum[lane];
    }
    return total;
}

/* Bits of the eight tokens from `first` (a multiple of 8) on. */
static uint32_t allowed_byte(const struct view *view, int32_t first)
{
    if (view->row->allowed == NULL)
        return 0xff;
    return view->row->allowed[first / WORD_BITS] >> (first % WORD_BITS) & 0xff;
}

/* Eight logits, those that may not come minus infinity. */
EXP_CALL void allowed_load(const struct view *view, int32_t first, uint32_t byte,
                           exp_f32 *lanes)
{
    const exp_i32 bit = {1, 2, 4, 8, 16, 32, 64, 128};
    const exp_i32 minus_infinity = (exp_i32)((exp_f32){0} - INFINITY);
    const exp_i32 is_allowed = (bit & (int32_t)byte) != 0;
    lanes_load(view->logits, first, view->vocab, lanes);
    *lanes = (exp_f32)(((exp_i32)*lanes & is_allowed) | (minus_infinity & ~is_allowed));
}

/* The first allowed token with the greatest logit; TOKEN_NONE when none is finite. */
EXP_CALL token_id greedy(const struct view *view)
{
    exp_f32 lanes, most = (exp_f32){0} - INFINITY;
    for (int32_t first = 0; first < view->vocab; first += LANES) {
        const uint32_t byte = allowed_byte(view, first);
        if (byte == 0)
            continue;
        allowed_load(view, first, byte, &lanes);
        lanes_greater(&most, &lanes);
    }
    const float max = lanes_max((const float *)&most);
    for (int32_t first = 0; first < view->vocab && max > -INFINITY; first += LANES) {
        allowed_load(view, first, allowed_byte(view, first), &lanes);
        const exp_i32 is_max = lanes == max;
        if (!lanes_any((const int32_t *)&is_max))
            continue;
        int32_t lane = 0;
        while (is_max[lane] == 0)
            lane++;
        return first + lane;
    }
    return TOKEN_NONE;
}

/* Logits over temperature, with the best allowed at 0. */
static float heat(const struct view *view, token_id token)
{
    return (view->logits[token] - view->max_allowed) / view->row->temperature;
}

static float score(float heat_of_token, float uniform)
{
    return heat_of_token - logf(-logf(uniform));
}

static void compete(struct winner *winner, token_id token, float token_score)
{
    const bool is_tie = token_score == winner->score && token < winner->token;
    if (token_score > winner->score || is_tie)
        *winner = (struct winner){token, token_score};
}

/* Four tokens of one Philox block, of which those in `bits` may win. */
static void compete_block(const struct view *view, token_id first, uint32_t bits,
                          const float *chances, struct winner *winner)
{
    uint32_t words[PHILOX_LANES];
    sample_words(view->row, (uint32_t)first / PHILOX_LANES, words);
    for (int32_t lane = 0; lane < PHILOX_LANES; lane++) {
        const float uniform = sample_uniform_of(words[lane]);
        if ((bits >> lane & 1) == 0 || 1.0f - uniform > chances[lane] * WIN_MARGIN)
            continue;
        const float token_heat = heat(view, first + lane);
        if (exp((double)token_heat) >= (double)view->row->min_p)
            compete(winner, first + lane, score(token_heat, uniform));
    }
}

/* Gumbel-max over the allowed tokens. */
EXP_CALL token_id gumbel_all(const struct view *view, token_id best)
{
    struct winner winner = {best, score(0.0f, sample_uniform(view->row, best))};
    for (int32_t first = 0; first < view->vocab; first += LANES) {
        const uint32_t byte = allowed_byte(view, first);
        if (byte == 0)
            continue;
        exp_f32 chances;
        allowed_load(view, first, byte, &chances);
        chances = (chances - view->max_allowed) / view->row->temperature - winner.score;
        exp_natural(&chances, &chances);
        float values[LANES];
        memcpy(values, &chances, sizeof values);
        for (int32_t half = 0; half < LANES; half += PHILOX_LANES) {
            const uint32_t bits = byte >> half & 0xf;
            if (bits != 0 && first + half < view->vocab)
                compete_block(view, first + half, bits, values + half, &winner);
        }
    }
    return winner.token;
}

/* Whether a stands before b in the order from the best down. */
static bool is_before(const struct candidate *a, const struct candidate *b)
{
    return a->heat > b->heat || (a->heat == b->heat && a->token < b->token);
}

/* Puts heap[at] where it belongs among its descendants. */
static void heap_sink(struct candidate *heap, int32_t count, int32_t at)
{
    const struct candidate sinking = heap[at];
    for (;;) {
        int32_t child = 2 * at + 1;
        if (child >= count)
            break;
        if (child + 1 < count && is_before(&heap[child + 1], &heap[child]))
            child++;
        if (!is_before(&heap[child], &sinking))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = sinking;
}

/* All allowed tokens, the best at the top; gives how many. */
static int32_t heap_fill(const struct view *view)
{
    int32_t count = 0;
    for (token_id token = 0; token < view->vocab; token++) {
        if ((allowed_byte(view, token / LANES * LANES) >> (token % LANES) & 1) != 0)
            view->heap[count++] = (struct candidate){heat(view, token), token};
    }
    for (int32_t at = count / 2 - 1; at >= 0; at--)
        heap_sink(view->heap, count, at);
    return count;
}

/* Takes the best off the top and puts it in the place that becomes free behind the heap. */
static struct candidate heap_pop(struct candidate *heap, int32_t count)
{
    const struct candidate best = heap[0];
    heap[0] = heap[count - 1];
    heap[count - 1] = best;
    heap_sink(heap, count - 1, 0);
    return best;
}

/* Gumbel-max over what top_k, top_p and min_p leave. `total`: the mass of all allowed. */
static token_id gumbel_best(const struct view *view, double total)
{
    const struct sample_row *row = view->row;
    const int32_t count = heap_fill(view);
    const int32_t most = row->top_k > 0 && row->top_k < count ? row->top_k : count;
    if (most < count) {
        total = 0.0;
        for (int32_t i = 0; i < most; i++)
            total += exp((double)heap_pop(view->heap, count - i).heat);
    }
    struct winner winner = {TOKEN_NONE, -INFINITY};
    double before = 0.0;
    for (int32_t i = 0; i < most; i++) {
        const struct candidate next =
            most < count ? view->heap[count - 1 - i] : heap_pop(view->heap, count - i);
        const double mass = exp((double)next.heat);
        if ((row->top_p < 1.0f && before >= (double)row->top_p * total) ||
            mass < (double)row->min_p)
            break;
        before += mass;
        compete(&winner, next.token, score(next.heat, sample_uniform(row, next.token)));
    }
    return winner.token;
}

/* Sum over the allowed tokens of e^heat. */
EXP_CALL double allowed_mass(const struct view *view)
{
    double total = 0.0;
    for (int32_t first = 0; first < view->vocab; first += LANES) {
        const uint32_t byte = allowed_byte(view, first);
        if (byte == 0)
            continue;
        exp_f32 lanes;
        allowed_load(view, first, byte, &lanes);
        lanes = (lanes - view->max_allowed) / view->row->temperature;
        exp_natural(&lanes, &lanes);
        for (int32_t lane = 0; lane < LANES; lane++)
            total += (double)lanes[lane];
    }
    return total;
}

EXP_CALL token_id choose(struct view *view)
{
    const struct sample_row *row = view->row;
    if (row->target >= 0)
        return row->target;
    const token_id best = greedy(view);
    if (best == TOKEN_NONE || !(row->temperature > 0.0f))
        return best;
    view->max_allowed = view->logits[best];
    if (row->top_k <= 0 && row->top_p >= 1.0f)
        return gumbel_all(view, best);
    return gumbel_best(view, row->top_p < 1.0f ? allowed_mass(view) : 0.0);
}

EXP_CALL void row_any(const struct job *job, int32_t index, struct candidate *heap)
{
    const struct sample_args *args = job->args;
    struct view view = {.row = &args->rows[index], .vocab = args->vocab, .heap = heap};
    view.logits = args->logits + (size_t)view.row->logits_row * (size_t)args->vocab;
    struct sample_result *result = &args->results[index];
    *result = (struct sample_result){.token = TOKEN_NONE, .logprob = NAN};
    assert(view.row->target < args->vocab);
    const float max = row_max(view.logits, args->vocab);
    if (!isfinite(max))
        return;
    result->token = choose(&view);
    if (result->token == TOKEN_NONE)
        return;
    const double sum = row_sum(view.logits, args->vocab, max);
    const double above = (double)view.logits[result->token] - (double)max;
    result->logprob = (float)(above - log(sum));
}

static void row_plain(const struct job *job, int32_t index, struct candidate *heap)
{
    row_any(job, index, heap);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void row_avx2(const struct job *job, int32_t index,
                                                     struct candidate *heap)
{
    row_any(job, index, heap);
}
#endif

static void sample_task(void *context, int32_t index, uint32_t worker)
{
    const struct job *job = context;
    job->row(job, index, device_scratch(job->device, worker));
}

enum status sample_cpu(struct device *device, const struct sample_args *args)
{
    struct job job = {.args = args, .device = device, .row = row_plain};
    if (device_scratch_bytes(device) < (size_t)args->vocab * sizeof(struct candidate))
        return ERR_LIMIT;
#if defined(__x86_64__)
    if (device_simd(device) >= DEVICE_SIMD_AVX2)
        job.row = row_avx2;
#endif
    device_parallel(device, args->count, sample_task, &job);
    return OK;
}
