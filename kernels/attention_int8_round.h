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
static inline struct attention_int8_row attention_int8_round_row(const float *values,
                                                                 int32_t count, float limit,
                                                                 uint8_t *a)
{
    integers most = {0};
    for (int32_t i = 0; i < count; i += LANES)
        most = greater(most, values + i);
    struct attention_int8_row row;
    const float factor = attention_int8_row_begin(&row, greatest_lane(most), limit);
    if (factor > 0.0f)
        row.sum = integers_put(values, count, factor, a);
    else
        memset(a, 0, (size_t)count * sizeof(int16_t));
    return row;
}

#endif
