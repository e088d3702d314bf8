/*
 * attention_int8_round - how the levels of attention_int8 round a row: its greatest magnitude,
 * its scale, and what is done with a row that has none. Included by a level's file below what
 * it defines for it:
 *
 *     LANES, integers               numbers at a time, and their type
 *     greater(most, values)         per lane the greater of most and of the magnitudes of
 *                                   values[LANES], as bits
 *     greatest_lane(most)
 *     integers_put(values, count, factor, kind, a)
 *                                   rounds values * factor, to a; gives where the sums of the
 *                                   level's products start
 */
#ifndef KERNELS_ATTENTION_INT8_ROUND_H
#define KERNELS_ATTENTION_INT8_ROUND_H

#include "kernels/attention_int8.h"

#include <math.h>
#include <string.h>

/* As bits, magnitudes order like floats, and infinity and NaN come last. */
static inline struct attention_int8_row attention_int8_round_row(const float *values,
                                                                 int32_t count,
                                                                 enum attention_int8_kind kind,
                                                                 uint8_t *a)
{
    integers most = {0};
    for (int32_t i = 0; i < count; i += LANES)
        most = greater(most, values + i);
    struct attention_int8_row row;
    const float factor = attention_int8_row_begin(&row, greatest_lane(most), kind);
    if (factor > 0.0f)
        row.start = integers_put(values, count, factor, kind, a);
    else
        memset(a, 0, (size_t)count);
    return row;
}

#endif
