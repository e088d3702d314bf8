/*
 * sample_draw - the numbers of sampling, one token at a time, the same bits on every back end.
 *
 * What a choice depends on is computed here alone: elementwise float arithmetic that is never
 * fused, the exponential of exp.h, the logarithms of log.h. Where many numbers are added, they
 * are added as integers, so that the order of adding does not matter:
 *
 *     mass        e^h, or e^(l - max), cut to a multiple of 2^-42. The masses of 2^21 tokens
 *                 fit 64 bits; those cut off are less than 2^-21 of the best token's.
 *     moment      e^h |h|, cut likewise; at most 1 / e. The mean of |h| is the quotient of
 *                 two such sums, rounded once to a double and once to a float.
 *     the norm    a row is cut into slices of SAMPLE_DRAW_SLICE logits. Each has its largest
 *                 l and the sum of its masses relative to that; the slices' sums are scaled
 *                 to the row's largest l and added in order, in double.
 *
 * Kernels include parts/simt.cuh before this header: then the functions run on the device.
 */
#ifndef KERNELS_SAMPLE_DRAW_H
#define KERNELS_SAMPLE_DRAW_H

#include "kernels/log.h"
#include "kernels/sample.h"

#include <float.h>
#include <math.h>

#ifdef SIMT
    #include "kernels/parts/math.cuh"
    #define SAMPLE_DRAW        SIMT
    #define SAMPLE_DRAW_EXP(x) math_exp(x)
#else
    #include "kernels/exp.h"
    #define SAMPLE_DRAW        static inline
    #define SAMPLE_DRAW_EXP(x) exp_natural_one(x)
#endif

enum {
    SAMPLE_DRAW_SLICE = 4096,
    SAMPLE_DRAW_SLICES_MAX = SAMPLE_VOCAB_MAX / SAMPLE_DRAW_SLICE,
    SAMPLE_DRAW_LANES = 4, /* tokens of one Philox block */
    SAMPLE_DRAW_ROUNDS = 10
};

#define SAMPLE_DRAW_MASS     0x1p42f /* units of mass in 1 */
#define SAMPLE_DRAW_HALFMASS 0x1p21f /* its root: masses come in two integers of 21 bits */

/* No g is greater: u is at most 1 - 2^-24, and that has 16.6356. */
#define SAMPLE_DRAW_MOST 16.7f

/* Philox4x32-10: turns counter[4] into four random words under key[2]. */
SAMPLE_DRAW void sample_draw_philox(uint32_t counter[4], const uint32_t key[2])
{
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < SAMPLE_DRAW_ROUNDS; round++) {
        const uint64_t a = (uint64_t)counter[0] * 0xd2511f53u;
        const uint64_t b = (uint64_t)counter[2] * 0xcd9e8d57u;
        counter[0] = (uint32_t)(b >> 32) ^ counter[1] ^ k0;
        counter[2] = (uint32_t)(a >> 32) ^ counter[3] ^ k1;
        counter[1] = (uint32_t)b;
        counter[3] = (uint32_t)a;
        k0 += 0x9e3779b9u;
        k1 += 0xbb67ae85u;
    }
}

/* The random words of tokens 4 * block .. 4 * block + 3. */
SAMPLE_DRAW void sample_draw_words(const struct sample_row *row, uint32_t block,
                                   uint32_t words[4])
{
    const uint32_t key[2] = {(uint32_t)row->seed, (uint32_t)(row->seed >> 32)};
    words[0] = row->job;
    words[1] = row->sample;
    words[2] = row->position;
    words[3] = block;
    sample_draw_philox(words, key);
}

/* Of such a word, the uniform in (0, 1): the middle of one of 2^23 equal steps. 23 bits and a
 * half are exact in a float; 24 and a half would round up to 1. */
SAMPLE_DRAW float sample_draw_uniform_of(uint32_t word)
{
    return ((float)(word >> 9) + 0.5f) * 0x1p-23f;
}

/* The uniform in (0, 1) of one (seed, job, sample, position, token). */
SAMPLE_DRAW float sample_draw_uniform(const struct sample_row *row, token_id token)
{
    uint32_t words[SAMPLE_DRAW_LANES];
    sample_draw_words(row, (uint32_t)token / SAMPLE_DRAW_LANES, words);
    const uint32_t lane = (uint32_t)token % SAMPLE_DRAW_LANES;
    const uint32_t low =
        lane % 2 == 0 ? words[0] : words[1]; /* no index: it stays in registers */
    const uint32_t high = lane % 2 == 0 ? words[2] : words[3];
    return sample_draw_uniform_of(lane < 2 ? low : high);
}

SAMPLE_DRAW float sample_draw_score(float heat, float uniform)
{
    return heat - log_natural(-log_natural(uniform));
}

/* l of a logit; absolute error below 4e-7 softcap. */
SAMPLE_DRAW float sample_draw_cap(float logit, float softcap)
{
    if (!(softcap > 0.0f) || !(logit > -INFINITY))
        return logit;
    const float x = logit / softcap, e = SAMPLE_DRAW_EXP(-2.0f * (x < 0.0f ? -x : x));
    const float size = softcap * ((1.0f - e) / (1.0f + e));
    return x < 0.0f ? -size : size;
}

/* w of the l of a token in the row's list. Penalties beyond all measure leave it finite, so
 * that no choice is made from infinities. */
SAMPLE_DRAW float sample_draw_penalty(const struct sample_row *row, float l,
                                      const struct sample_seen *seen)
{
    if (!(l > -INFINITY))
        return l;
    if (row->repetition > 0.0f && seen->count >= 0)
        l = l > 0.0f ? l / row->repetition : l * row->repetition;
    if (seen->count > 0)
        l = l - ((float)seen->count * row->frequency + row->presence);
    l = l + seen->bias;
    return l < FLT_MAX ? l : FLT_MAX;
}

SAMPLE_DRAW float sample_draw_heat(const struct sample_row *row, float w, float max)
{
    return (w - max) / row->temperature;
}

/* A heat's place from the hottest down: the bits of its size. */
SAMPLE_DRAW uint32_t sample_draw_rank(float heat)
{
    uint32_t bits;
    memcpy(&bits, &heat, sizeof bits);
    return bits & 0x7fffffffu;
}

/* e^x as a mass, x <= 0. */
SAMPLE_DRAW uint64_t sample_draw_mass(float x)
{
    return (uint64_t)(SAMPLE_DRAW_EXP(x) * SAMPLE_DRAW_MASS);
}

/* Whether a mass is `share` (top_p, typical_p) of `total`. */
SAMPLE_DRAW bool sample_draw_is_enough(float share, uint64_t mass, uint64_t total)
{
    return !((double)mass < (double)share * (double)total);
}

/* Whether min_p keeps a token. A hotter one it keeps too: e^h is monotone (exp_test.c). */
SAMPLE_DRAW bool sample_draw_is_likely(const struct sample_row *row, float heat)
{
    return SAMPLE_DRAW_EXP(heat) >= row->min_p;
}

SAMPLE_DRAW bool sample_draw_is_typical(const struct sample_row *row)
{
    return row->typical_p > 0.0f && row->typical_p < 1.0f;
}

/* What a token adds to the sum that the mean of |h| comes from. */
SAMPLE_DRAW uint64_t sample_draw_moment(float heat)
{
    return (uint64_t)(SAMPLE_DRAW_EXP(heat) * -heat * SAMPLE_DRAW_MASS);
}

SAMPLE_DRAW float sample_draw_mean(uint64_t moment, uint64_t mass)
{
    return (float)((double)moment / (double)mass);
}

/* How far a token's surprise lies from the entropy: | |h| - mean |. */
SAMPLE_DRAW float sample_draw_distance(float heat, float mean)
{
    return heat + mean > 0.0f ? heat + mean : -(heat + mean);
}

/* What a slice adds to the sum of the row's e^(l - max). */
SAMPLE_DRAW double sample_draw_share(uint64_t mass, float slice_max, float max)
{
    return (double)mass * (double)SAMPLE_DRAW_EXP(slice_max - max);
}

/* From l, the row's largest, and the sum of the slices' shares. */
SAMPLE_DRAW float sample_draw_logprob(float l, float max, double shares)
{
    const double norm = log_wide(shares * (1.0 / (double)SAMPLE_DRAW_MASS));
    return (float)(((double)l - (double)max) - norm);
}

#endif
