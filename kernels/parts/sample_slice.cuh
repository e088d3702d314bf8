/*
 * sample_slice - a slice of a row of logits in the registers of a block, and its best token.
 *
 * A thread holds groups of four consecutive tokens, THREADS * 4 apart: 16 bytes of logits, four
 * bits of a mask's word, one Philox block. value[4 g + j] is token
 *     first + 4 (g THREADS + thread) + j
 *
 * A token with its value is one 64-bit number, so that the greatest of all has the greatest
 * value and, of equal ones, the lowest token: order-preserving bits | ~token.
 */
#ifndef KERNELS_PARTS_SAMPLE_SLICE_CUH
#define KERNELS_PARTS_SAMPLE_SLICE_CUH

#include "kernels/parts/simt.cuh"

#include "kernels/sample_draw.h"

enum { SAMPLE_SLICE_SIZE = SAMPLE_DRAW_SLICE };

/* What the first kernel finds out about a slice of a row. */
struct sample_slice_part {
    uint64_t best_l; /* all bits set: a logit is a NaN or +infinity */
    uint64_t best_w; /* of the tokens that the mask allows */
    uint64_t mass;   /* sum of e^(l - the slice's best) */
};

/* What the kernels of one call share, in the device's workspace. */
struct sample_slice_work {
    struct sample_slice_part *parts; /* [count][slice_count] */
    uint64_t *winners; /* [count] score and token of the best draw; 0: nothing drawn */
    int32_t slice_count;
};

/* How many logits of a slice one of the threads holds. */
template <int THREADS> constexpr int sample_slice_values = SAMPLE_SLICE_SIZE / THREADS;

/* Bits that compare as floats do; the two zeros are equal. Not for a NaN. */
SIMT uint32_t sample_slice_key(float value)
{
    const uint32_t bits = simt_float_bits(value + 0.0f);
    return bits >> 31 != 0 ? ~bits : bits | 0x80000000u;
}

SIMT uint64_t sample_slice_pack(float value, token_id token)
{
    return static_cast<uint64_t>(sample_slice_key(value)) << 32 | ~static_cast<uint32_t>(token);
}

SIMT float sample_slice_value(uint64_t packed)
{
    const uint32_t key = static_cast<uint32_t>(packed >> 32);
    return simt_bits_float(key >> 31 != 0 ? key ^ 0x80000000u : ~key);
}

SIMT token_id sample_slice_token(uint64_t packed)
{
    return static_cast<token_id>(~static_cast<uint32_t>(packed));
}

/* The greatest of the block's numbers, to all threads. scratch: [THREADS / 32], free after. */
template <int THREADS> SIMT uint64_t sample_slice_max(uint64_t value, uint64_t *scratch)
{
    value = simt_warp_max(value);
    if (simt_lane() == 0)
        scratch[simt_warp()] = value;
    simt_barrier();
    for (int warp = 0; warp < THREADS / SIMT_WARP; warp++)
        value = scratch[warp] > value ? scratch[warp] : value;
    simt_barrier();
    return value;
}

/* The sum of the block's numbers, to all threads. */
template <int THREADS> SIMT uint64_t sample_slice_sum(uint64_t value, uint64_t *scratch)
{
    value = simt_warp_sum(value);
    if (simt_lane() == 0)
        scratch[simt_warp()] = value;
    simt_barrier();
    uint64_t sum = 0;
    for (int warp = 0; warp < THREADS / SIMT_WARP; warp++)
        sum += scratch[warp];
    simt_barrier();
    return sum;
}

/* The first token of this thread's group. */
template <int THREADS> SIMT int32_t sample_slice_at(int32_t first, int group)
{
    return first + 4 * (group * THREADS + static_cast<int32_t>(threadIdx.x));
}

/* The slice's logits; minus infinity past the end of the row. */
template <int THREADS>
SIMT void sample_slice_read(const float *logits, int32_t vocab, int32_t first, float *value)
{
    const bool is_aligned = reinterpret_cast<uintptr_t>(logits) % sizeof(struct simt_16) == 0;
    for (int group = 0; group < sample_slice_values<THREADS> / 4; group++) {
        const int32_t at = sample_slice_at<THREADS>(first, group);
        if (is_aligned && at + 4 <= vocab) {
            const struct simt_16 four = simt_load16(logits + at);
            for (int j = 0; j < 4; j++)
                value[4 * group + j] = simt_bits_float(four.word[j]);
            continue;
        }
        for (int j = 0; j < 4; j++)
            value[4 * group + j] = at + j < vocab ? logits[at + j] : -INFINITY;
    }
}

template <int THREADS> SIMT void sample_slice_cap(float softcap, float *value)
{
    if (!(softcap > 0.0f))
        return;
    for (int i = 0; i < sample_slice_values<THREADS>; i++)
        value[i] = sample_draw_cap(value[i], softcap);
}

/* From l to w, by the tokens seen. stage: [SAMPLE_SLICE_SIZE] of shared memory, free after. */
template <int THREADS>
SIMT void sample_slice_penalise(const struct sample_row *row, int32_t first, float *value,
                                float *stage)
{
    for (int group = 0; group < sample_slice_values<THREADS> / 4; group++) {
        struct simt_16 four;
        for (int j = 0; j < 4; j++)
            four.word[j] = simt_float_bits(value[4 * group + j]);
        simt_store16(stage + sample_slice_at<THREADS>(0, group), four);
    }
    simt_barrier();
    for (int32_t i = static_cast<int32_t>(threadIdx.x); i < row->seen_count; i += THREADS) {
        const int32_t place = row->seen[i].token - first;
        if (place >= 0 && place < SAMPLE_SLICE_SIZE)
            stage[place] = sample_draw_penalty(row, stage[place], &row->seen[i]);
    }
    simt_barrier();
    for (int group = 0; group < sample_slice_values<THREADS> / 4; group++) {
        const struct simt_16 four = simt_load16(stage + sample_slice_at<THREADS>(0, group));
        for (int j = 0; j < 4; j++)
            value[4 * group + j] = simt_bits_float(four.word[j]);
    }
    simt_barrier();
}

/* From l to w, minus infinity where the mask does not allow. For the whole block. */
template <int THREADS>
SIMT void sample_slice_wish(const struct sample_row *row, int32_t vocab, int32_t first,
                            float *value, float *stage)
{
    if (row->seen_count > 0)
        sample_slice_penalise<THREADS>(row, first, value, stage);
    for (int group = 0; row->allowed && group < sample_slice_values<THREADS> / 4; group++) {
        const int32_t at = sample_slice_at<THREADS>(first, group);
        const uint32_t bits = at < vocab ? row->allowed[at / 32] >> at % 32 : 0;
        for (int j = 0; j < 4; j++)
            value[4 * group + j] = (bits >> j & 1) != 0 ? value[4 * group + j] : -INFINITY;
    }
}

/* The best of this thread's tokens that stand below `limit`. */
template <int THREADS>
SIMT uint64_t sample_slice_best(const float *value, int32_t first, uint64_t limit)
{
    uint64_t best = 0;
    for (int i = 0; i < sample_slice_values<THREADS>; i++) {
        const int32_t token = sample_slice_at<THREADS>(first, i / 4) + i % 4;
        const uint64_t packed = sample_slice_pack(value[i], token);
        best = packed > best && packed < limit ? packed : best;
    }
    return best;
}

#endif
