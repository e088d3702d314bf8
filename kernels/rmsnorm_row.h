/* rmsnorm_row - the sum that rmsnorm.h defines, for one row: eight lanes, added pairwise. */
#ifndef KERNELS_RMSNORM_ROW_H
#define KERNELS_RMSNORM_ROW_H

#include <math.h>
#include <stdint.h>

enum { RMSNORM_ROW_LANES = 8 };

/* 1 / sqrt(mean x^2 + eps) of x[count]. */
static inline float rmsnorm_row_factor(const float *x, int32_t count, float eps)
{
    float lane[RMSNORM_ROW_LANES] = {0};
    for (int32_t i = 0; i < count; i++)
        lane[i % RMSNORM_ROW_LANES] += x[i] * x[i];
    for (int32_t half = RMSNORM_ROW_LANES / 2; half > 0; half /= 2) {
        for (int32_t i = 0; i < half; i++)
            lane[i] += lane[i + half];
    }
    return 1.0f / sqrtf(lane[0] / (float)count + eps);
}

#endif
