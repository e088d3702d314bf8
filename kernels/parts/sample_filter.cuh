/*
 * sample_filter - what top_k, top_p and typical_p leave of a row, found without sorting it.
 *
 * A candidate is one number, its heat's rank above its token (sample_draw_rank, 31 bits, and
 * 21): the lowest is the best. The first candidates whose count reaches top_k, or whose mass
 * reaches top_p, end at a bound: the bound's digits of 11 bits are found from the highest down,
 * each by a histogram of counts and masses over the candidates that share the digits before.
 * Sums are of integers: exact, and free of the order in which threads come.
 *
 * After the first digit, the candidates up to the digit's end are copied to a list in shared
 * memory, where they fit: from then on the row is not read again.
 *
 * typical_p has the same done with other numbers: a candidate's key has in its high bits not
 * the heat's rank but that of its distance from the mean of |h|, which takes a turn of its own.
 * The list keeps heats, from which a key is made whenever it is asked for.
 */
#ifndef KERNELS_PARTS_SAMPLE_FILTER_CUH
#define KERNELS_PARTS_SAMPLE_FILTER_CUH

#include "kernels/parts/sample_slice.cuh"

enum {
    SAMPLE_FILTER_THREADS = 512,
    SAMPLE_FILTER_DIGIT = 11,
    SAMPLE_FILTER_BINS = 1 << SAMPLE_FILTER_DIGIT,
    SAMPLE_FILTER_TOKEN_BITS = 21,
    SAMPLE_FILTER_LIST = 4096,
    SAMPLE_FILTER_WARPS = SAMPLE_FILTER_THREADS / SIMT_WARP
};

static_assert(1 << SAMPLE_FILTER_TOKEN_BITS == SAMPLE_VOCAB_MAX, "a candidate's low bits");

/* Numbers of candidates and of keys; what is out has a key beyond them. */
constexpr uint64_t SAMPLE_FILTER_END = UINT64_C(1) << (31 + SAMPLE_FILTER_TOKEN_BITS);

/* In the order in which they are applied. */
enum sample_filter_kind { SAMPLE_FILTER_TOP_K, SAMPLE_FILTER_TOP_P, SAMPLE_FILTER_TYPICAL_P };

enum sample_filter_task {
    SAMPLE_FILTER_WEIGH,
    SAMPLE_FILTER_GATHER,
    SAMPLE_FILTER_AVERAGE,
    SAMPLE_FILTER_DRAW
};

/* Where a digit's bin lies: what comes before it and what is in it. */
struct sample_filter_cut {
    uint64_t weight;       /* before the bin */
    int32_t passed, count; /* candidates before it, and in it */
    int32_t bin;           /* -1: the limit is not reached */
};

/* Shared memory of the block. */
struct sample_filter_shared {
    uint64_t *list;                 /* [SAMPLE_FILTER_LIST] */
    int32_t *counts, *lows, *highs; /* [SAMPLE_FILTER_BINS], masses in two words */
    uint64_t *scratch;              /* [SAMPLE_FILTER_WARPS] */
    int32_t *warp_counts;           /* [SAMPLE_FILTER_WARPS] */
    struct sample_filter_cut *cut;  /* [1] */
    int32_t *list_count;            /* [1] */
    float *stage;                   /* [SAMPLE_SLICE_SIZE] */
};

/* A row on its way through the filters; every thread has its own copy, equal but for most and,
 * while they are added up, total and moment. */
struct sample_filter {
    const struct sample_row *row;
    const float *logits;
    const struct sample_slice_part *parts;
    float softcap, max; /* max: the greatest w allowed */
    int32_t vocab;
    bool is_listed;
    enum sample_filter_kind kind;
    uint64_t begin, last; /* keys that count: begin .. last */
    uint64_t coldest;     /* the last candidate that typical_p is asked of */
    float mean;           /* of the |h| of those; for typical_p alone */
    int shift;            /* of the digit looked at */
    uint64_t total;       /* mass of the candidates up to last */
    uint64_t moment;
    uint64_t most; /* this thread's best score and token */
};

SIMT uint64_t sample_filter_candidate(float heat, token_id token)
{
    return static_cast<uint64_t>(sample_draw_rank(heat)) << SAMPLE_FILTER_TOKEN_BITS |
           static_cast<uint32_t>(token);
}

SIMT float sample_filter_heat(uint64_t candidate)
{
    return -simt_bits_float(static_cast<uint32_t>(candidate >> SAMPLE_FILTER_TOKEN_BITS));
}

SIMT token_id sample_filter_token(uint64_t candidate)
{
    return static_cast<token_id>(candidate & ((1 << SAMPLE_FILTER_TOKEN_BITS) - 1));
}

/* A candidate's place in the order of the filter that is at work. */
SIMT uint64_t sample_filter_key(const struct sample_filter *f, uint64_t candidate)
{
    if (f->kind != SAMPLE_FILTER_TYPICAL_P)
        return candidate;
    const float heat = sample_filter_heat(candidate);
    if (candidate > f->coldest || !sample_draw_is_likely(f->row, heat))
        return SAMPLE_FILTER_END;
    return sample_filter_candidate(sample_draw_distance(heat, f->mean),
                                   sample_filter_token(candidate));
}

/* Whether candidates of this heat and colder may count. Past the mean, the colder ones lie the
 * further from it. */
SIMT bool sample_filter_reaches(const struct sample_filter *f, float hottest)
{
    const uint64_t first = sample_filter_candidate(hottest, 0);
    if (f->kind != SAMPLE_FILTER_TYPICAL_P)
        return first <= f->last;
    return first <= f->coldest &&
           (-hottest < f->mean ||
            sample_filter_candidate(sample_draw_distance(hottest, f->mean), 0) <= f->last);
}

/* Adds a candidate to its key's bin. Masses are added as two words, the carry by hand. */
SIMT void sample_filter_weigh(const struct sample_filter *f,
                              const struct sample_filter_shared *s, float heat, uint64_t key)
{
    const uint64_t bin = (key - f->begin) >> f->shift;
    if (bin >= SAMPLE_FILTER_BINS)
        return;
    simt_atomic_add(s->counts + bin, 1);
    if (f->kind == SAMPLE_FILTER_TOP_K)
        return;
    const uint64_t mass = sample_draw_mass(heat);
    const uint32_t low = static_cast<uint32_t>(mass);
    uint32_t high = static_cast<uint32_t>(mass >> 32);
    if (low != 0) {
        const int32_t old = simt_atomic_add(s->lows + bin, static_cast<int32_t>(low));
        high += static_cast<uint32_t>(old) + low < low ? 1 : 0;
    }
    if (high != 0)
        simt_atomic_add(s->highs + bin, static_cast<int32_t>(high));
}

SIMT void sample_filter_take(struct sample_filter *f, const struct sample_filter_shared *s,
                             enum sample_filter_task task, uint64_t candidate)
{
    const uint64_t key = sample_filter_key(f, candidate);
    if (key < f->begin || key > f->last)
        return;
    const float heat = sample_filter_heat(candidate);
    if (task == SAMPLE_FILTER_WEIGH) {
        sample_filter_weigh(f, s, heat, key);
    } else if (task == SAMPLE_FILTER_GATHER) {
        s->list[simt_atomic_add(s->list_count, 1)] = candidate;
    } else if (task == SAMPLE_FILTER_AVERAGE) {
        f->total += sample_draw_mass(heat);
        f->moment += sample_draw_moment(heat);
    } else {
        const token_id token = sample_filter_token(candidate);
        if (!sample_draw_is_likely(f->row, heat))
            return;
        const float score = sample_draw_score(heat, sample_draw_uniform(f->row, token));
        const uint64_t packed = sample_slice_pack(score, token);
        f->most = packed > f->most ? packed : f->most;
    }
}

/* Does the task on each candidate with a key from begin to last, from the list or from the row.
 * Slices without one are not read. */
SIMT void sample_filter_each(struct sample_filter *f, const struct sample_filter_shared *s,
                             enum sample_filter_task task)
{
    enum { VALUES = SAMPLE_SLICE_SIZE / SAMPLE_FILTER_THREADS };
    const int32_t list_count = f->is_listed ? *s->list_count : 0;
    for (int32_t i = static_cast<int32_t>(threadIdx.x); i < list_count;
         i += SAMPLE_FILTER_THREADS)
        sample_filter_take(f, s, task, s->list[i]);
    for (int32_t first = 0; !f->is_listed && first < f->vocab; first += SAMPLE_SLICE_SIZE) {
        const uint64_t best = f->parts[first / SAMPLE_SLICE_SIZE].best_w;
        const float hottest = sample_draw_heat(f->row, sample_slice_value(best), f->max);
        if (!(hottest > -INFINITY) || !sample_filter_reaches(f, hottest))
            continue;
        simt_warp_sync(); /* lanes that had more to add ask for this slice with the others */
        float value[VALUES];
        sample_slice_read<SAMPLE_FILTER_THREADS>(f->logits, f->vocab, first, value);
        sample_slice_cap<SAMPLE_FILTER_THREADS>(f->softcap, value);
        sample_slice_wish<SAMPLE_FILTER_THREADS>(f->row, f->vocab, first, value, s->stage);
        SIMT_UNROLL
        for (int i = 0; i < VALUES; i++) {
            const float heat = sample_draw_heat(f->row, value[i], f->max);
            const int32_t at = sample_slice_at<SAMPLE_FILTER_THREADS>(first, i / 4) + i % 4;
            if (heat > -INFINITY)
                sample_filter_take(f, s, task, sample_filter_candidate(heat, at));
        }
    }
}

#endif
