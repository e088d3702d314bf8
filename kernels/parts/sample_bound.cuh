/* sample_bound - the last candidate that top_k, top_p or typical_p leaves (sample_filter). */
#ifndef KERNELS_PARTS_SAMPLE_BOUND_CUH
#define KERNELS_PARTS_SAMPLE_BOUND_CUH

#include "kernels/parts/sample_filter.cuh"

enum { SAMPLE_BOUND_BINS = SAMPLE_FILTER_BINS / SAMPLE_FILTER_THREADS /* a thread's */ };

/* Whether that many candidates, or that mass, are all that is wanted. */
SIMT bool sample_bound_is_reached(const struct sample_filter *f, uint64_t weight)
{
    if (f->kind == SAMPLE_FILTER_TOP_K)
        return weight >= static_cast<uint64_t>(f->row->top_k);
    const bool is_top_p = f->kind == SAMPLE_FILTER_TOP_P;
    return sample_draw_is_enough(is_top_p ? f->row->top_p : f->row->typical_p, weight,
                                 f->total);
}

SIMT uint64_t sample_bound_weight(const struct sample_filter *f,
                                  const struct sample_filter_shared *s, int bin)
{
    if (f->kind == SAMPLE_FILTER_TOP_K)
        return static_cast<uint64_t>(s->counts[bin]);
    return static_cast<uint64_t>(static_cast<uint32_t>(s->highs[bin])) << 32 |
           static_cast<uint32_t>(s->lows[bin]);
}

/* The histogram of the digit at f->shift. */
SIMT void sample_bound_histogram(struct sample_filter *f, const struct sample_filter_shared *s)
{
    for (int bin = static_cast<int>(threadIdx.x); bin < SAMPLE_FILTER_BINS;
         bin += SAMPLE_FILTER_THREADS)
        s->counts[bin] = s->lows[bin] = s->highs[bin] = 0;
    simt_barrier();
    sample_filter_each(f, s, SAMPLE_FILTER_WEIGH);
    simt_barrier();
}

/* In which bin the limit is reached, given what lies before the histogram. */
SIMT struct sample_filter_cut sample_bound_cut(const struct sample_filter *f,
                                               const struct sample_filter_shared *s,
                                               uint64_t weight, int32_t passed)
{
    const int bins = static_cast<int>(threadIdx.x) * SAMPLE_BOUND_BINS;
    uint64_t own_weight = 0;
    int32_t own_count = 0;
    for (int bin = bins; bin < bins + SAMPLE_BOUND_BINS; bin++) {
        own_weight += sample_bound_weight(f, s, bin);
        own_count += s->counts[bin];
    }
    uint64_t sum = own_weight;
    int32_t count = own_count;
    for (int delta = 1; delta < SIMT_WARP; delta *= 2) {
        const uint64_t below = simt_shuffle_up(sum, delta);
        const int32_t count_below = simt_shuffle_up(count, delta);
        sum += simt_lane() >= delta ? below : 0;
        count += simt_lane() >= delta ? count_below : 0;
    }
    if (simt_lane() == SIMT_WARP - 1) {
        s->scratch[simt_warp()] = sum;
        s->warp_counts[simt_warp()] = count;
    }
    if (threadIdx.x == 0)
        *s->cut = {0, 0, 0, -1};
    simt_barrier();
    weight += sum - own_weight;
    passed += count - own_count;
    for (int warp = 0; warp < simt_warp(); warp++) {
        weight += s->scratch[warp];
        passed += s->warp_counts[warp];
    }
    if (!sample_bound_is_reached(f, weight) &&
        sample_bound_is_reached(f, weight + own_weight)) {
        int bin = bins;
        while (!sample_bound_is_reached(f, weight + sample_bound_weight(f, s, bin))) {
            weight += sample_bound_weight(f, s, bin);
            passed += s->counts[bin++];
        }
        *s->cut = {weight, passed, s->counts[bin], bin};
    }
    simt_barrier();
    const struct sample_filter_cut cut = {s->cut->weight, s->cut->passed, s->cut->count,
                                          s->cut->bin};
    simt_barrier();
    return cut;
}

/* Copies the candidates up to f->last to the list, where they fit. */
SIMT void sample_bound_gather(struct sample_filter *f, const struct sample_filter_shared *s,
                              int32_t count)
{
    if (f->is_listed || count > SAMPLE_FILTER_LIST)
        return;
    if (threadIdx.x == 0)
        *s->list_count = 0;
    simt_barrier();
    sample_filter_each(f, s, SAMPLE_FILTER_GATHER);
    simt_barrier();
    f->is_listed = true;
}

/* The mass of the whole histogram. */
SIMT uint64_t sample_bound_total(const struct sample_filter *f,
                                 const struct sample_filter_shared *s)
{
    const int bins = static_cast<int>(threadIdx.x) * SAMPLE_BOUND_BINS;
    uint64_t mass = 0;
    for (int bin = bins; bin < bins + SAMPLE_BOUND_BINS; bin++)
        mass += sample_bound_weight(f, s, bin);
    return sample_slice_sum<SAMPLE_FILTER_THREADS>(mass, s->scratch);
}

/* Turns to the order of typical_p: from here on, f->last is a key of its own. */
SIMT void sample_bound_turn(struct sample_filter *f, const struct sample_filter_shared *s)
{
    f->kind = SAMPLE_FILTER_TYPICAL_P;
    f->coldest = f->last;
    f->last = SAMPLE_FILTER_END - 1;
    f->total = 0;
    sample_filter_each(f, s, SAMPLE_FILTER_AVERAGE);
    const uint64_t mass = sample_slice_sum<SAMPLE_FILTER_THREADS>(f->total, s->scratch);
    const uint64_t moment = sample_slice_sum<SAMPLE_FILTER_THREADS>(f->moment, s->scratch);
    f->mean = sample_draw_mean(moment, mass);
}

/* Lowers f->last to the last key that the filter leaves. */
SIMT void sample_bound_apply(struct sample_filter *f, const struct sample_filter_shared *s,
                             enum sample_filter_kind kind)
{
    const int first_shift = 31 + SAMPLE_FILTER_TOKEN_BITS - SAMPLE_FILTER_DIGIT;
    uint64_t weight = 0;
    int32_t passed = 0;
    if (kind == SAMPLE_FILTER_TYPICAL_P)
        sample_bound_turn(f, s);
    f->kind = kind;
    for (f->shift = first_shift;;
         f->shift = f->shift > SAMPLE_FILTER_DIGIT ? f->shift - SAMPLE_FILTER_DIGIT : 0) {
        sample_bound_histogram(f, s);
        if (kind != SAMPLE_FILTER_TOP_K && f->shift == first_shift)
            f->total = sample_bound_total(f, s);
        const struct sample_filter_cut cut = sample_bound_cut(f, s, weight, passed);
        if (cut.bin < 0)
            break;
        const uint64_t begin = f->begin + (static_cast<uint64_t>(cut.bin) << f->shift);
        const uint64_t end = begin + ((UINT64_C(1) << f->shift) - 1);
        f->last = end < f->last ? end : f->last;
        f->begin = 0;
        sample_bound_gather(f, s, cut.passed + cut.count);
        f->begin = begin;
        weight = cut.weight;
        passed = cut.passed;
        if (f->shift == 0 || cut.count == 1)
            break;
    }
    f->begin = 0;
}

#endif
