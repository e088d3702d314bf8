/* matmul_f32 - the scalar kernel of exact precision, for machines without AVX2. */
#include "kernels/matmul_f32.h"

enum { LANES = 8 };

static float dot(const float *x, const float *w, int32_t count)
{
    float lane[LANES] = {0};
    int32_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        for (int32_t l = 0; l < LANES; l++)
            lane[l] += x[i + l] * w[i + l];
    }
    for (int32_t l = 0; i + l < count; l++)
        lane[l] += x[i + l] * w[i + l];
    for (int32_t half = LANES / 2; half > 0; half /= 2) {
        for (int32_t l = 0; l < half; l++)
            lane[l] += lane[l + half];
    }
    return lane[0];
}

void matmul_f32_scalar(const struct matmul_f32_tile *tile, float *out)
{
    const size_t in_dim = (size_t)tile->in_dim;
    for (int32_t r = 0; r < tile->rows; r++) {
        for (int32_t o = 0; o < tile->outs; o++)
            *out++ =
                dot(tile->x + (size_t)r * in_dim, tile->w + (size_t)o * in_dim, tile->in_dim);
    }
}
