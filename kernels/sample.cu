/*
 * sample - the card of four kernels, one after the other.
 *
 *   formula   token = argmax of h + g; logprob = l - log sum exp (sample.h, sample_draw.h)
 *   tensors   logits [rows, vocab] F32; results [count]; tops [count][SAMPLE_TOP_MAX]
 *   slices    block (row, slice): 4,096 logits in the registers of 256 threads; their best
 *             token before and after penalties and mask, and their mass, to the workspace
 *   draws     block (row, slice), rows with a temperature and no top_k, top_p or typical_p:
 *             Gumbel-max, in slices where a token may still win; the best by an atomic maximum
 *   filters   block (row), rows with one of these: 512 threads, histograms instead of a sort
 *             (parts/sample_filter.cuh), then Gumbel-max over what is left
 *   answers   block (row): puts the slices together, in order; the tops by a tournament of
 *             the slices' best, reading the winner's slice again
 *   shared    16,448, 16,448, 73,968 and 8,256 bytes
 *   registers 50, 48, 92 and 48 on sm_89; 50, 56, 94 and 56 on sm_90
 *   bytes     per row of V logits: greedy and scores 4 V (+ V / 8 of a mask), once. Sampled:
 *             the same, and once more those slices whose best heat + 16.7 reaches the greedy
 *             token's score: all 4 V at worst. top_k, top_p: 4 V, 4 V for the first digit,
 *             and once more the slices that reach into what is left; 4 V for each of 4 further
 *             digits and the draw where more than 4,096 candidates are left. typical_p: 4 V for
 *             the mean, then as these (3.15 times 4 V in all, counted at 0.2 of 49,152 logits);
 *             after one of them, from its list. Tops: 16 KB each.
 *   operations  per logit: about 25 for its mass; drawn, 20 of Philox and 30 of two logarithms,
 *             which only tokens within reach of the best have
 *   bound by  reading the logits, from L2 where the head has just written them
 *   share     not yet measured on a GPU
 *   lost      reading the row's wishes through a pointer in filters: they were read again after
 *             every atomic, 0.55 MB of sectors for a row of 49,152 logits instead of 0.42;
 *             leaving it to the compiler to unroll a slice's loop: since the filters are three,
 *             its values lay in local memory; lanes that go on to the next slice when they
 *             have added their own: emulated, typical_p then reads 4.1 times 4 V
 *
 * Nothing depends on the order of blocks and threads: maxima are of (value, ~token), sums are
 * of integers, and what is added in double is added in order by one thread.
 */
#include "kernels/parts/sample_bound.cuh"

namespace
{

enum { THREADS = 256, WARPS = THREADS / SIMT_WARP, VALUES = SAMPLE_SLICE_SIZE / THREADS };

SIMT bool is_filtered(const struct sample_row *row)
{
    return row->top_k > 0 || row->top_p < 1.0f || sample_draw_is_typical(row);
}

SIMT const float *row_logits(const struct sample_args &args, const struct sample_row *row)
{
    return args.logits + static_cast<size_t>(row->logits_row) * static_cast<size_t>(args.vocab);
}

SIMT const struct sample_slice_part *row_parts(const struct sample_slice_work &work)
{
    return work.parts + static_cast<size_t>(blockIdx.x) * static_cast<size_t>(work.slice_count);
}

/* The best token that the mask allows, of all slices of the block's row. */
template <int BLOCK>
SIMT uint64_t row_best_w(const struct sample_slice_work &work, uint64_t *scratch)
{
    uint64_t best = 0;
    for (int32_t i = static_cast<int32_t>(threadIdx.x); i < work.slice_count; i += BLOCK) {
        const uint64_t part = row_parts(work)[i].best_w;
        best = part > best ? part : best;
    }
    return sample_slice_max<BLOCK>(best, scratch);
}

SIMT_KERNEL(THREADS, 4)
slices(struct sample_args args, struct sample_slice_work work)
{
    struct simt_shared shared = simt_shared_begin();
    uint64_t *scratch = simt_shared_take<uint64_t>(shared, WARPS);
    float *stage = simt_shared_take<float>(shared, SAMPLE_SLICE_SIZE);
    const struct sample_row *row = args.rows + blockIdx.x;
    const int32_t first = static_cast<int32_t>(blockIdx.y) * SAMPLE_SLICE_SIZE;
    float value[VALUES];
    sample_slice_read<THREADS>(row_logits(args, row), args.vocab, first, value);
    bool is_sound = true;
    for (int i = 0; i < VALUES; i++)
        is_sound = is_sound && value[i] < INFINITY;
    sample_slice_cap<THREADS>(args.softcap, value);
    uint64_t best =
        is_sound ? sample_slice_best<THREADS>(value, first, UINT64_MAX) : UINT64_MAX;
    best = sample_slice_max<THREADS>(best, scratch);
    const float max = sample_slice_value(best);
    uint64_t mass = 0;
    for (int i = 0; i < VALUES && max > -INFINITY; i++)
        mass += sample_draw_mass(value[i] - max);
    mass = sample_slice_sum<THREADS>(mass, scratch);
    sample_slice_wish<THREADS>(row, args.vocab, first, value, stage);
    const uint64_t best_w = sample_slice_max<THREADS>(
        sample_slice_best<THREADS>(value, first, UINT64_MAX), scratch);
    if (threadIdx.x != 0)
        return;
    const size_t part = static_cast<size_t>(blockIdx.x) * gridDim.y + blockIdx.y;
    work.parts[part] = {best, best_w, mass};
    if (blockIdx.y == 0)
        work.winners[blockIdx.x] = 0;
}

/* The best score of four tokens of one Philox block, of those that can reach `least`. */
SIMT uint64_t draw_four(const struct sample_row *row, const float *heats, int32_t token,
                        float least)
{
    uint32_t words[SAMPLE_DRAW_LANES];
    uint64_t best = 0;
    sample_draw_words(row, static_cast<uint32_t>(token) / SAMPLE_DRAW_LANES, words);
    for (int j = 0; j < SAMPLE_DRAW_LANES; j++) {
        if (!(heats[j] + SAMPLE_DRAW_MOST >= least) || !sample_draw_is_likely(row, heats[j]))
            continue;
        const float score = sample_draw_score(heats[j], sample_draw_uniform_of(words[j]));
        const uint64_t packed = sample_slice_pack(score, token + j);
        best = packed > best ? packed : best;
    }
    return best;
}

SIMT_KERNEL(THREADS, 4)
draws(struct sample_args args, struct sample_slice_work work)
{
    struct simt_shared shared = simt_shared_begin();
    uint64_t *scratch = simt_shared_take<uint64_t>(shared, WARPS);
    float *stage = simt_shared_take<float>(shared, SAMPLE_SLICE_SIZE);
    const struct sample_row *row = args.rows + blockIdx.x;
    if (row->target >= 0 || !(row->temperature > 0.0f) || is_filtered(row))
        return;
    const uint64_t greedy = row_best_w<THREADS>(work, scratch);
    const float max = sample_slice_value(greedy);
    if (!(max > -INFINITY))
        return;
    /* The greedy token is among the drawn: what cannot reach its score cannot win. */
    const float least =
        sample_draw_score(0.0f, sample_draw_uniform(row, sample_slice_token(greedy)));
    const float slice_max = sample_slice_value(row_parts(work)[blockIdx.y].best_w);
    if (!(sample_draw_heat(row, slice_max, max) + SAMPLE_DRAW_MOST >= least))
        return;
    const int32_t first = static_cast<int32_t>(blockIdx.y) * SAMPLE_SLICE_SIZE;
    float value[VALUES];
    sample_slice_read<THREADS>(row_logits(args, row), args.vocab, first, value);
    sample_slice_cap<THREADS>(args.softcap, value);
    sample_slice_wish<THREADS>(row, args.vocab, first, value, stage);
    uint64_t best = 0;
    SIMT_UNROLL
    for (int group = 0; group < VALUES / 4; group++) {
        float heats[4], hottest = -INFINITY;
        for (int j = 0; j < 4; j++) {
            heats[j] = sample_draw_heat(row, value[4 * group + j], max);
            hottest = heats[j] > hottest ? heats[j] : hottest;
        }
        if (!(hottest + SAMPLE_DRAW_MOST >= least))
            continue;
        const uint64_t four =
            draw_four(row, heats, sample_slice_at<THREADS>(first, group), least);
        best = four > best ? four : best;
    }
    best = sample_slice_max<THREADS>(best, scratch);
    if (threadIdx.x == 0 && best != 0)
        simt_atomic_max(work.winners + blockIdx.x, best);
}

/* The pieces of shared memory that a filtered row wants. */
SIMT struct sample_filter_shared filter_shared()
{
    struct simt_shared shared = simt_shared_begin();
    struct sample_filter_shared s;
    s.list = simt_shared_take<uint64_t>(shared, SAMPLE_FILTER_LIST);
    s.counts = simt_shared_take<int32_t>(shared, SAMPLE_FILTER_BINS);
    s.lows = simt_shared_take<int32_t>(shared, SAMPLE_FILTER_BINS);
    s.highs = simt_shared_take<int32_t>(shared, SAMPLE_FILTER_BINS);
    s.scratch = simt_shared_take<uint64_t>(shared, SAMPLE_FILTER_WARPS);
    s.warp_counts = simt_shared_take<int32_t>(shared, SAMPLE_FILTER_WARPS);
    s.cut = simt_shared_take<struct sample_filter_cut>(shared, 1);
    s.list_count = simt_shared_take<int32_t>(shared, 1);
    s.stage = simt_shared_take<float>(shared, SAMPLE_SLICE_SIZE);
    return s;
}

SIMT_KERNEL(SAMPLE_FILTER_THREADS, 1)
filters(struct sample_args args, struct sample_slice_work work)
{
    const struct sample_filter_shared s = filter_shared();
    /* A copy: what is written to shared memory does not make it be read again. */
    const struct sample_row wishes = args.rows[blockIdx.x], *row = &wishes;
    if (row->target >= 0 || !(row->temperature > 0.0f) || !is_filtered(row) ||
        row->top_p <= 0.0f)
        return;
    struct sample_filter f = {};
    f.max = sample_slice_value(row_best_w<SAMPLE_FILTER_THREADS>(work, s.scratch));
    if (!(f.max > -INFINITY))
        return;
    f.row = row;
    f.logits = row_logits(args, row);
    f.parts = row_parts(work);
    f.softcap = args.softcap;
    f.vocab = args.vocab;
    f.last = SAMPLE_FILTER_END - 1;
    for (int kind = SAMPLE_FILTER_TOP_K; kind <= SAMPLE_FILTER_TYPICAL_P; kind++) {
        const bool is_on = kind == SAMPLE_FILTER_TOP_K   ? row->top_k > 0
                           : kind == SAMPLE_FILTER_TOP_P ? row->top_p < 1.0f
                                                         : sample_draw_is_typical(row);
        if (is_on)
            sample_bound_apply(&f, &s, static_cast<enum sample_filter_kind>(kind));
    }
    sample_filter_each(&f, &s, SAMPLE_FILTER_DRAW);
    const uint64_t best = sample_slice_max<SAMPLE_FILTER_THREADS>(f.most, s.scratch);
    if (threadIdx.x == 0)
        work.winners[blockIdx.x] = best;
}

/* The token of the row, TOKEN_NONE when there is none. */
SIMT token_id answer_token(const struct sample_row *row, int32_t vocab, uint64_t best_w,
                           uint64_t winner)
{
    if (row->target >= 0)
        return row->target < vocab ? row->target : TOKEN_NONE;
    if (!(sample_slice_value(best_w) > -INFINITY))
        return TOKEN_NONE;
    if (!(row->temperature > 0.0f))
        return sample_slice_token(best_w);
    return winner != 0 ? sample_slice_token(winner) : static_cast<token_id>(TOKEN_NONE);
}

/* The row's best tokens. bests: each slice's best; shares: for thread 0 alone. */
SIMT void answer_tops(const struct sample_args &args, uint64_t *bests, uint64_t *scratch,
                      int32_t slice_count, double shares)
{
    const struct sample_row *row = args.rows + blockIdx.x;
    struct sample_top *tops = args.tops + static_cast<size_t>(blockIdx.x) * SAMPLE_TOP_MAX;
    float max = NAN, value[VALUES];
    for (int32_t n = 0; n < row->top_count && n < SAMPLE_TOP_MAX; n++) {
        uint64_t best = 0;
        for (int32_t i = static_cast<int32_t>(threadIdx.x); i < slice_count; i += THREADS)
            best = bests[i] > best ? bests[i] : best;
        best = sample_slice_max<THREADS>(best, scratch);
        const float l = sample_slice_value(best);
        const bool is_there = best != UINT64_MAX && l > -INFINITY;
        max = n == 0 ? l : max;
        const token_id token = sample_slice_token(best);
        if (threadIdx.x == 0)
            tops[n] = {is_there ? token : static_cast<token_id>(TOKEN_NONE),
                       is_there ? sample_draw_logprob(l, max, shares) : NAN};
        if (!is_there)
            continue;
        const int32_t slice = token / SAMPLE_SLICE_SIZE, first = slice * SAMPLE_SLICE_SIZE;
        sample_slice_read<THREADS>(row_logits(args, row), args.vocab, first, value);
        sample_slice_cap<THREADS>(args.softcap, value);
        const uint64_t next =
            sample_slice_max<THREADS>(sample_slice_best<THREADS>(value, first, best), scratch);
        if (threadIdx.x == 0)
            bests[slice] = next;
        simt_barrier();
    }
}

SIMT_KERNEL(THREADS, 4)
answers(struct sample_args args, struct sample_slice_work work)
{
    struct simt_shared shared = simt_shared_begin();
    uint64_t *scratch = simt_shared_take<uint64_t>(shared, WARPS);
    uint64_t *bests = simt_shared_take<uint64_t>(shared, SAMPLE_DRAW_SLICES_MAX);
    double *shares = simt_shared_take<double>(shared, SAMPLE_DRAW_SLICES_MAX);
    const struct sample_row *row = args.rows + blockIdx.x;
    const struct sample_slice_part *parts = row_parts(work);
    uint64_t best = 0;
    for (int32_t i = static_cast<int32_t>(threadIdx.x); i < work.slice_count; i += THREADS) {
        bests[i] = parts[i].best_l;
        best = bests[i] > best ? bests[i] : best;
    }
    best = sample_slice_max<THREADS>(best, scratch);
    const float max = sample_slice_value(best);
    for (int32_t i = static_cast<int32_t>(threadIdx.x); i < work.slice_count; i += THREADS)
        shares[i] = sample_draw_share(parts[i].mass, sample_slice_value(bests[i]), max);
    const uint64_t best_w = row_best_w<THREADS>(work, scratch);
    double sum = 0.0;
    for (int32_t i = 0; threadIdx.x == 0 && i < work.slice_count; i++)
        sum += shares[i];
    if (threadIdx.x == 0) {
        const bool is_sound = best != UINT64_MAX && max > -INFINITY;
        const token_id token = answer_token(row, args.vocab, best_w, work.winners[blockIdx.x]);
        struct sample_result *result = args.results + blockIdx.x;
        *result = {TOKEN_NONE, NAN};
        if (is_sound && token != TOKEN_NONE) {
            const float l = sample_draw_cap(row_logits(args, row)[token], args.softcap);
            *result = {token, sample_draw_logprob(l, max, sum)};
        }
    }
    if (args.tops)
        answer_tops(args, bests, scratch, work.slice_count, sum);
}

constexpr size_t slice_bytes()
{
    return WARPS * sizeof(uint64_t) + SAMPLE_SLICE_SIZE * sizeof(float);
}

constexpr size_t filter_bytes()
{
    return SAMPLE_FILTER_LIST * sizeof(uint64_t) + 3 * SAMPLE_FILTER_BINS * sizeof(int32_t) +
           SAMPLE_FILTER_WARPS * (sizeof(uint64_t) + sizeof(int32_t)) +
           sizeof(struct sample_filter_cut) + 24 + SAMPLE_SLICE_SIZE * sizeof(float);
}

constexpr size_t answer_bytes()
{
    return WARPS * sizeof(uint64_t) +
           SAMPLE_DRAW_SLICES_MAX * (sizeof(uint64_t) + sizeof(double));
}

} // namespace

extern "C" enum status SIMT_OP(sample)(struct device *device, const struct sample_args *args)
{
    if (args->vocab < 1 || args->vocab > SAMPLE_VOCAB_MAX || args->count < 0)
        return ERR_LIMIT;
    if (args->count == 0)
        return OK;
    struct sample_slice_work work;
    work.slice_count = (args->vocab + SAMPLE_SLICE_SIZE - 1) / SAMPLE_SLICE_SIZE;
    const size_t rows = static_cast<size_t>(args->count);
    const size_t parts = rows * static_cast<size_t>(work.slice_count);
    if (device_workspace_bytes(device) <
        parts * sizeof(struct sample_slice_part) + rows * sizeof(uint64_t))
        return ERR_LIMIT;
    work.parts = static_cast<struct sample_slice_part *>(device_workspace(device));
    work.winners = reinterpret_cast<uint64_t *>(work.parts + parts);
    const dim3 per_row(static_cast<unsigned>(args->count));
    const dim3 per_slice(per_row.x, static_cast<unsigned>(work.slice_count));
    TRY(SIMT_LAUNCH(device, (slices), per_slice, THREADS, slice_bytes(), *args, work));
    TRY(SIMT_LAUNCH(device, (draws), per_slice, THREADS, slice_bytes(), *args, work));
    TRY(SIMT_LAUNCH(device, (filters), per_row, SAMPLE_FILTER_THREADS, filter_bytes(), *args,
                    work));
    return SIMT_LAUNCH(device, (answers), per_row, THREADS, answer_bytes(), *args, work);
}
