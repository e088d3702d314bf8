/*
 * sample_cpu - sample with threads over rows and vectors along them.
 *
 *     formula   token = argmax of h + g; logprob = l - log sum exp (sample.h)
 *     tensors   logits [rows, vocab]; results [count]; tops [count][SAMPLE_TOP_MAX]
 *     work      every row: its slices' maxima and masses; then by what the row asks for:
 *                 softcap      a copy of the row with it, before anything else
 *                 penalties    a copy of the row, changed at the tokens seen
 *                 target       nothing more
 *                 greedy       the maximum under the mask, and the first token that has it
 *                 no filter    Gumbel-max over the tokens that can still win
 *                 top_k/top_p  a heap of the allowed tokens, best first, as far as needed
 *                 typical_p    a heap of what is left by then, nearest the mean first
 *                 tops         the best so far, in order
 *     bound by  arithmetic: about 30 vector operations per 8 logits
 *
 * Gumbel-max does not need most of its logarithms. With `most` the best score so far (the
 * greedy token begins), token t wins only if g > d = most - h, that is -log u < e^-d; and
 * -log u >= 1 - u, so only if 1 - u < e^(h - most). That is one exponential for eight tokens
 * and a comparison; a margin covers its rounding. The tokens passed over could not have won:
 * the result is the plain one's.
 */
#include "kernels/exp.h"
#include "kernels/sample_draw.h"
#include "kernels/sample_heap.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { LANES = EXP_LANES, WORD_BITS = 32, PHILOX_LANES = SAMPLE_DRAW_LANES };

/* Half masses of a slice fit 32 bits in each lane. */
static_assert(SAMPLE_DRAW_SLICE / LANES * (1 << 21) < INT32_MAX, "slices are too long");

#define WIN_MARGIN 1.0001f

/* One row of logits with its wishes, and what is known of it. */
struct view {
    const struct sample_row *row;
    const float *logits; /* [vocab] l, later w: the caller's, or work */
    int32_t vocab;
    float max_allowed;
    struct sample_heap_item *heap; /* [vocab] scratch; keys are heats */
    float *work;                   /* [vocab] scratch */
};

/* Sums of masses in eight lanes, each mass in units of 2^-21 and the rest in 2^-42. */
struct masses {
    exp_i32 high, low;
};

/* A row's largest l, and the sum of its e^(l - max) in units of mass. */
struct norm {
    float max;
    double shares;
};

/* The winner so far. */
struct winner {
    token_id token;
    float score;
};

struct job {
    const struct sample_args *args;
    struct device *device;
    void (*row)(const struct job *job, int32_t index, struct sample_heap_item *heap);
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

/* The largest of eight or more logits, NaN when there is one. */
EXP_CALL float logits_max(const float *logits, int32_t count)
{
    exp_f32 most = (exp_f32){0} - INFINITY;
    exp_i32 is_nan = {0};
    for (int32_t first = 0; first < count; first += LANES) {
        exp_f32 lanes;
        lanes_load(logits, first, count, &lanes);
        is_nan |= lanes != lanes;
        lanes_greater(&most, &lanes);
    }
    return lanes_any((const int32_t *)&is_nan) ? NAN : lanes_max((const float *)&most);
}

/* Adds eight numbers of 0 to 1, each cut to a multiple of 2^-42, in two halves. */
EXP_CALL void masses_put(struct masses *masses, const exp_f32 *numbers)
{
    exp_f32 lanes = *numbers * SAMPLE_DRAW_HALFMASS;
    const exp_i32 high = __builtin_convertvector(lanes, exp_i32);
    lanes = (lanes - __builtin_convertvector(high, exp_f32)) * SAMPLE_DRAW_HALFMASS;
    masses->high += high;
    masses->low += __builtin_convertvector(lanes, exp_i32);
}

/* Adds the masses of eight exponents: as sample_draw_mass. */
EXP_CALL void masses_add(struct masses *masses, const exp_f32 *exponents)
{
    exp_f32 lanes;
    exp_natural(&lanes, exponents);
    masses_put(masses, &lanes);
}

EXP_CALL uint64_t masses_total(const struct masses *masses)
{
    uint64_t high = 0, low = 0;
    for (int32_t lane = 0; lane < LANES; lane++) {
        high += (uint64_t)masses->high[lane];
        low += (uint64_t)masses->low[lane];
    }
    return (high << 21) + low;
}

/* Sum of the masses e^(logit - max) of a slice. */
EXP_CALL uint64_t slice_mass(const float *logits, int32_t count, float max)
{
    struct masses masses = {0};
    for (int32_t first = 0; first < count; first += LANES) {
        exp_f32 lanes;
        lanes_load(logits, first, count, &lanes);
        lanes = lanes - max;
        masses_add(&masses, &lanes);
    }
    return masses_total(&masses);
}

/* False when the row's largest logit is not finite, or there is a NaN. */
EXP_CALL bool norm_find(const float *logits, int32_t vocab, struct norm *norm)
{
    float maxima[SAMPLE_DRAW_SLICES_MAX];
    uint64_t masses[SAMPLE_DRAW_SLICES_MAX];
    int32_t count = 0;
    *norm = (struct norm){.max = -INFINITY};
    for (int32_t first = 0; first < vocab; first += SAMPLE_DRAW_SLICE) {
        const int32_t left = vocab - first;
        const int32_t size = left < SAMPLE_DRAW_SLICE ? left : SAMPLE_DRAW_SLICE;
        const float max = logits_max(logits + first, size);
        if (!(max < INFINITY))
            return false;
        maxima[count] = max;
        masses[count++] = max > -INFINITY ? slice_mass(logits + first, size, max) : 0;
        norm->max = max > norm->max ? max : norm->max;
    }
    if (!(norm->max > -INFINITY))
        return false;
    for (int32_t i = 0; i < count; i++)
        norm->shares += sample_draw_share(masses[i], maxima[i], norm->max);
    return true;
}

/* Eight times sample_draw_cap. */
EXP_CALL void lanes_cap(exp_f32 *lanes, float softcap)
{
    const exp_i32 sign = (exp_i32)*lanes & INT32_MIN, is_least = *lanes == -INFINITY;
    const exp_f32 logits = *lanes;
    exp_f32 e = (exp_f32)((exp_i32)(*lanes / softcap) & INT32_MAX) * -2.0f;
    exp_natural(&e, &e);
    *lanes = softcap * ((1.0f - e) / (1.0f + e));
    *lanes = (exp_f32)(((((exp_i32)*lanes) | sign) & ~is_least) | ((exp_i32)logits & is_least));
}

/* l of the whole row, in work. False where a logit is a NaN or +infinity. */
EXP_CALL bool cap_row(struct view *view, float softcap)
{
    if (!(logits_max(view->logits, view->vocab) < INFINITY))
        return false;
    for (int32_t first = 0; first < view->vocab; first += LANES) {
        exp_f32 lanes;
        const int32_t left = view->vocab - first;
        lanes_load(view->logits, first, view->vocab, &lanes);
        lanes_cap(&lanes, softcap);
        memcpy(view->work + first, &lanes,
               (size_t)(left < LANES ? left : LANES) * sizeof(float));
    }
    view->logits = view->work;
    return true;
}

/* w of the whole row, in work. */
static void penalise_row(struct view *view)
{
    const struct sample_row *row = view->row;
    if (view->logits != view->work)
        memcpy(view->work, view->logits, (size_t)view->vocab * sizeof(float));
    for (int32_t i = 0; i < row->seen_count; i++) {
        const token_id token = row->seen[i].token;
        assert(token >= 0 && token < view->vocab);
        view->work[token] = sample_draw_penalty(row, view->work[token], &row->seen[i]);
    }
    view->logits = view->work;
}

/* The best tokens of l. */
static void tops_find(const struct view *view, const struct norm *norm, struct sample_top *tops)
{
    const int32_t most = view->row->top_count;
    int32_t count = 0;
    for (token_id token = 0; token < view->vocab; token++) {
        const float l = view->logits[token];
        if (!(l > (count == most ? tops[most - 1].logprob : -INFINITY)))
            continue;
        int32_t at = count < most ? count++ : most - 1;
        for (; at > 0 && tops[at - 1].logprob < l; at--)
            tops[at] = tops[at - 1];
        tops[at] = (struct sample_top){token, l};
    }
    for (int32_t i = 0; i < count; i++) /* until here, logprob was l */
        tops[i].logprob = sample_draw_logprob(tops[i].logprob, norm->max, norm->shares);
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

static float heat(const struct view *view, token_id token)
{
    return sample_draw_heat(view->row, view->logits[token], view->max_allowed);
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
    sample_draw_words(view->row, (uint32_t)first / PHILOX_LANES, words);
    for (int32_t lane = 0; lane < PHILOX_LANES; lane++) {
        const float uniform = sample_draw_uniform_of(words[lane]);
        if ((bits >> lane & 1) == 0 || 1.0f - uniform > chances[lane] * WIN_MARGIN)
            continue;
        const float token_heat = heat(view, first + lane);
        if (sample_draw_is_likely(view->row, token_heat))
            compete(winner, first + lane, sample_draw_score(token_heat, uniform));
    }
}

/* Gumbel-max over the allowed tokens. */
EXP_CALL token_id gumbel_all(const struct view *view, token_id best)
{
    struct winner winner = {best,
                            sample_draw_score(0.0f, sample_draw_uniform(view->row, best))};
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

/* All tokens that may come, in order of their numbers; gives how many. */
EXP_CALL int32_t heap_fill(const struct view *view)
{
    int32_t count = 0;
    for (int32_t first = 0; first < view->vocab; first += LANES) {
        const uint32_t byte = allowed_byte(view, first);
        const int32_t left = view->vocab - first;
        if (byte == 0)
            continue;
        exp_f32 heats;
        allowed_load(view, first, byte, &heats);
        heats = (heats - view->max_allowed) / view->row->temperature;
        for (int32_t lane = 0; lane < (left < LANES ? left : LANES); lane++) {
            view->heap[count] = (struct sample_heap_item){heats[lane], first + lane};
            count += heats[lane] > -INFINITY;
        }
    }
    return count;
}

/* Sum of the masses of all tokens that may come. */
EXP_CALL uint64_t allowed_mass(const struct view *view)
{
    uint64_t total = 0;
    for (int32_t slice = 0; slice < view->vocab; slice += SAMPLE_DRAW_SLICE) {
        const int32_t left = view->vocab - slice;
        const int32_t end = left < SAMPLE_DRAW_SLICE ? view->vocab : slice + SAMPLE_DRAW_SLICE;
        struct masses masses = {0};
        for (int32_t first = slice; first < end; first += LANES) {
            const uint32_t byte = allowed_byte(view, first);
            exp_f32 lanes;
            if (byte == 0)
                continue;
            allowed_load(view, first, byte, &lanes);
            lanes = (lanes - view->max_allowed) / view->row->temperature;
            masses_add(&masses, &lanes);
        }
        total += masses_total(&masses);
    }
    return total;
}

/* Sum of the masses of candidates. */
static uint64_t heap_mass(const struct sample_heap_item *candidates, int32_t count)
{
    uint64_t total = 0;
    for (int32_t i = 0; i < count; i++)
        total += sample_draw_mass(candidates[i].key);
    return total;
}

/* Moves what top_k, top_p and min_p leave behind the others; gives how many these are. `total`:
 * the mass of all. */
static int32_t keep_hottest(const struct view *view, int32_t count, uint64_t total)
{
    const struct sample_row *row = view->row;
    struct sample_heap_item *heap = view->heap;
    const int32_t most = row->top_k > 0 && row->top_k < count ? row->top_k : count;
    sample_heap_make(heap, count);
    if (most < count) {
        for (int32_t i = 0; i < most; i++)
            sample_heap_pop(heap, count - i);
        total = heap_mass(heap + count - most, most);
    }
    uint64_t before = 0;
    for (int32_t kept = 0; kept < most; kept++) {
        const struct sample_heap_item next =
            most < count ? heap[count - 1 - kept] : sample_heap_pop(heap, count - kept);
        if ((row->top_p < 1.0f && sample_draw_is_enough(row->top_p, before, total)) ||
            !sample_draw_is_likely(row, next.key))
            return kept;
        before += sample_draw_mass(next.key);
    }
    return most;
}

/* Moves the likely ones to the front; gives how many these are. */
static int32_t keep_likely(const struct sample_row *row, struct sample_heap_item *left,
                           int32_t count)
{
    int32_t kept = 0;
    for (int32_t i = 0; i < count; i++)
        if (sample_draw_is_likely(row, left[i].key))
            left[kept++] = left[i];
    return kept;
}

/* Sums of masses and moments of candidates, eight at a time. */
EXP_CALL void candidates_sum(const struct sample_heap_item *left, int32_t count, uint64_t *mass,
                             uint64_t *moment)
{
    *mass = *moment = 0;
    for (int32_t slice = 0; slice < count; slice += SAMPLE_DRAW_SLICE) {
        struct masses masses = {0}, moments = {0};
        for (int32_t i = slice; i < count && i < slice + SAMPLE_DRAW_SLICE; i += LANES) {
            exp_f32 heats = {0}, lanes;
            for (int32_t lane = 0; lane < LANES; lane++)
                heats[lane] = i + lane < count ? left[i + lane].key : -FLT_MAX;
            exp_natural(&lanes, &heats);
            masses_put(&masses, &lanes);
            lanes = lanes * -heats;
            masses_put(&moments, &lanes);
        }
        *mass += masses_total(&masses);
        *moment += masses_total(&moments);
    }
}

/* As keep_hottest, what typical_p leaves of these. */
EXP_CALL int32_t keep_typical(const struct view *view, struct sample_heap_item *left,
                              int32_t count)
{
    uint64_t total, moment, before = 0;
    candidates_sum(left, count, &total, &moment);
    const float mean = sample_draw_mean(moment, total);
    for (int32_t i = 0; i < count; i++)
        left[i].key = -sample_draw_distance(left[i].key, mean);
    sample_heap_make(left, count);
    int32_t kept = 0;
    while (kept < count && !sample_draw_is_enough(view->row->typical_p, before, total)) {
        const token_id token = sample_heap_pop(left, count - kept).token;
        const float token_heat = heat(view, token);
        left[count - ++kept].key = token_heat;
        before += sample_draw_mass(token_heat);
    }
    return kept;
}

/* Gumbel-max over what the filters leave. `total`: the mass of all allowed. */
EXP_CALL token_id gumbel_best(const struct view *view, uint64_t total)
{
    const struct sample_row *row = view->row;
    struct sample_heap_item *left = view->heap;
    int32_t end = heap_fill(view), count = end;
    if (row->top_k > 0 || row->top_p < 1.0f) {
        count = keep_hottest(view, end, total);
        left += end - count;
        end = count;
    }
    if (sample_draw_is_typical(row)) {
        end = keep_likely(row, left, count);
        count = keep_typical(view, left, end);
    }
    struct winner winner = {TOKEN_NONE, -INFINITY};
    for (int32_t i = end - count; i < end; i++)
        compete(&winner, left[i].token,
                sample_draw_score(left[i].key, sample_draw_uniform(row, left[i].token)));
    return winner.token;
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
    if (row->top_k <= 0 && row->top_p >= 1.0f && !sample_draw_is_typical(row))
        return gumbel_all(view, best);
    return gumbel_best(view, row->top_p < 1.0f ? allowed_mass(view) : 0);
}

EXP_CALL void row_any(const struct job *job, int32_t index, struct sample_heap_item *heap)
{
    const struct sample_args *args = job->args;
    const struct sample_row *row = &args->rows[index];
    const float *logits = args->logits + (size_t)row->logits_row * (size_t)args->vocab;
    struct view view = {.row = row, .logits = logits, .vocab = args->vocab, .heap = heap};
    view.work = (float *)(heap + args->vocab);
    struct sample_result *result = &args->results[index];
    struct sample_top *tops = args->tops ? args->tops + (size_t)index * SAMPLE_TOP_MAX : NULL;
    struct norm norm;
    *result = (struct sample_result){.token = TOKEN_NONE, .logprob = NAN};
    assert(row->target < args->vocab && row->top_count <= SAMPLE_TOP_MAX);
    for (int32_t i = 0; tops && i < row->top_count; i++)
        tops[i] = (struct sample_top){.token = TOKEN_NONE, .logprob = NAN};
    if ((args->softcap > 0.0f && !cap_row(&view, args->softcap)) ||
        !norm_find(view.logits, args->vocab, &norm))
        return;
    if (tops && row->top_count > 0)
        tops_find(&view, &norm, tops);
    if (row->seen_count > 0)
        penalise_row(&view);
    result->token = choose(&view);
    if (result->token != TOKEN_NONE)
        result->logprob = sample_draw_logprob(
            sample_draw_cap(logits[result->token], args->softcap), norm.max, norm.shares);
}

static void row_plain(const struct job *job, int32_t index, struct sample_heap_item *heap)
{
    row_any(job, index, heap);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void row_avx2(const struct job *job, int32_t index,
                                                     struct sample_heap_item *heap)
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
    const size_t token_bytes = sizeof(struct sample_heap_item) + sizeof(float);
    assert(args->vocab <= SAMPLE_VOCAB_MAX);
    if (device_scratch_bytes(device) < (size_t)args->vocab * token_bytes)
        return ERR_LIMIT;
#if defined(__x86_64__)
    if (device_simd(device) >= DEVICE_SIMD_AVX2)
        job.row = row_avx2;
#endif
    device_parallel(device, args->count, sample_task, &job);
    return OK;
}
