/*
 * attention_merge - one head's partial results, of splits of its keys, into one row: in the
 * order of the splits, so that the same row has the same bits whatever ran beside it.
 */
#ifndef KERNELS_ATTENTION_MERGE_H
#define KERNELS_ATTENTION_MERGE_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { ATTENTION_MERGE_STATS = 2 }; /* a partial's {max, sum} */

/* Partial p has its vector[dim] at vectors + p * step * dim, its statistics at stats + p * step
 * * ATTENTION_MERGE_STATS. */
struct attention_merge {
    const float *vectors, *stats;
    size_t step, dim;
    int32_t count; /* at least 1 */
};

/* y[dim] = the sum of vectors 2^(max - greatest max), over the sum of sums alike. */
static inline void attention_merge_head(const struct attention_merge *partials, float *y)
{
    const size_t dim = partials->dim, step = partials->step;
    const float *stats = partials->stats;
    float max = stats[0], sum = 0.0f;
    for (size_t p = 1; p < (size_t)partials->count; p++)
        max = fmaxf(max, stats[p * step * ATTENTION_MERGE_STATS]);
    memset(y, 0, dim * sizeof *y);
    for (size_t p = 0; p < (size_t)partials->count; p++) {
        const float *vector = partials->vectors + p * step * dim;
        const float *stat = stats + p * step * ATTENTION_MERGE_STATS;
        const float factor = exp2f(stat[0] - max);
        sum += factor * stat[1];
        for (size_t i = 0; i < dim; i++)
            y[i] += factor * vector[i];
    }
    for (size_t i = 0; i < dim; i++)
        y[i] /= sum;
}

#endif
