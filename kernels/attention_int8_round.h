/*
 * attention_int8_round - how the levels of attention_int8 round a row: its greatest magnitude,
 * its scale, and what is done with a row that has none. Included by a level's file below what
 * it defines for it:
 *
 *     LANES, integers               numbers at a time, and their type
 *     greater(most, values)         per lane the greater of most and of the magnitudes of
 *                                   values[LANES], as bits
 *     greatest_lane(most)
 *     integers_put(values, count, factor, a)
 *                                   rounds values * factor, to a; gives their sum, or 0 where
 *                                   the level's products do not need it
 */
#ifndef KERNELS_ATTENTION_INT8_ROUND_H
#define KERNELS_ATTENTION_INT8_ROUND_H

#include "kernels/attention_int8.h"

#include <math.h>
#include <string.h>

/* As bits, magnitudes order like floats, and infinity and NaN come last. */
static inline float attention_int8_round_greatest(const float *values, int32_t count)
{
    integers most = {0};
    for (int32_t i = 0; i < count; i += LANES)
        most = greater(most, values + i);
    const int32_t bits = greatest_lane(most);
    float greatest;
    memcpy(&greatest, &bits, sizeof greatest);
    return greatest;
}

static inline struct attention_int8_row attention_int8_round_row(const float *values,
                                                                 int32_t count, float limit,
                                                                 uint8_t *a)
{
    const float greatest = attention_int8_round_greatest(values, count);
    struct attention_int8_row row = {.scale = greatest / limit};
    const float factor = limit / greatest;
    if (!isfinite(greatest) || !isfinite(factor)) { /* no number, or nothing but zeros */
        memset(a, 0, (size_t)count * sizeof(int16_t));
        row.scale = isfinite(greatest) ? 0.0f : NAN;
        return row;
    }
    row.sum = integers_put(values, count, factor, a);
    return row;
}

#endif
