/*
 * activation_avx2 - activation_rotate, _round and _quantize with AVX2, to the same bits.
 *
 *     rotate    a block of 64 in eight registers: strides 1, 2, 4 in each, 8, 16, 32 between
 *     greatest  taken on the way, as integers
 *     round     a division and a conversion: what is converted is far below 2^31, so the
 *               processor's rounding is that of the portable file
 *     bound by  the division
 *
 * A product by 1 or -1 is exact: fused with the addition it rounds as the addition alone.
 */
#include "kernels/activation.h"

#include <immintrin.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum { LANES = 8, VECTORS = ACTIVATION_BLOCK_MAX / LANES, PACKED = 4 * LANES };
enum { FLOAT_MAGNITUDE = 0x7fffffff };

/* Strides 1, 2 and 4. */
INLINE __m256 rotate_within(__m256 v)
{
    const __m256 sign_1 = _mm256_setr_ps(1, -1, 1, -1, 1, -1, 1, -1);
    const __m256 sign_2 = _mm256_setr_ps(1, 1, -1, -1, 1, 1, -1, -1);
    const __m256 sign_4 = _mm256_setr_ps(1, 1, 1, 1, -1, -1, -1, -1);
    v = _mm256_fmadd_ps(v, sign_1, _mm256_permute_ps(v, 0xb1));
    v = _mm256_fmadd_ps(v, sign_2, _mm256_permute_ps(v, 0x4e));
    return _mm256_fmadd_ps(v, sign_4, _mm256_permute2f128_ps(v, v, 1));
}

/* Per lane the greater of greatest and of the magnitude of v, as bits. */
INLINE __m256i greater(__m256i greatest, __m256 v)
{
    const __m256i magnitude = _mm256_set1_epi32(FLOAT_MAGNITUDE);
    return _mm256_max_epi32(greatest, _mm256_and_si256(_mm256_castps_si256(v), magnitude));
}

/* Rotates a block; the result is the greatest of greatest and its magnitudes, as bits. */
INLINE __m256i rotate_block(float *block, __m256i greatest)
{
    __m256 v[VECTORS];
    for (int i = 0; i < VECTORS; i++)
        v[i] = rotate_within(_mm256_loadu_ps(block + i * LANES));
    for (int stride = 1; stride < VECTORS; stride *= 2) {
        for (int i = 0; i < VECTORS; i++) {
            if ((i & stride) != 0)
                continue;
            const __m256 a = v[i], b = v[i + stride];
            v[i] = _mm256_add_ps(a, b);
            v[i + stride] = _mm256_sub_ps(a, b);
        }
    }
    for (int i = 0; i < VECTORS; i++) {
        v[i] = _mm256_mul_ps(v[i], _mm256_set1_ps(0.125f)); /* 1 / sqrt(64) */
        _mm256_storeu_ps(block + i * LANES, v[i]);
        greatest = greater(greatest, v[i]);
    }
    return greatest;
}

void activation_rotate_avx2(float *row, int32_t cols)
{
    if (cols % ACTIVATION_BLOCK_MAX != 0) {
        activation_rotate(row, cols);
        return;
    }
    for (int32_t i = 0; i < cols; i += ACTIVATION_BLOCK_MAX)
        (void)rotate_block(row + i, _mm256_setzero_si256());
}

INLINE __m256i round_eight(const float *row, __m256 scale)
{
    return _mm256_cvtps_epi32(_mm256_div_ps(_mm256_loadu_ps(row), scale));
}

/* 32 numbers. The limit matters only where scale is subnormal and so badly rounded. */
INLINE void quantize_packed(const float *row, __m256 scale, int8_t *q)
{
    const __m256i least = _mm256_set1_epi16(-127);
    const __m256i low =
        _mm256_packs_epi32(round_eight(row, scale), round_eight(row + LANES, scale));
    const __m256i high = _mm256_packs_epi32(round_eight(row + 2 * LANES, scale),
                                            round_eight(row + 3 * LANES, scale));
    const __m256i bytes =
        _mm256_packs_epi16(_mm256_max_epi16(low, least), _mm256_max_epi16(high, least));
    /* Packing works in halves: fours of bytes lie 0 2 4 6 1 3 5 7. */
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    _mm256_storeu_si256((__m256i *)(void *)q, _mm256_permutevar8x32_epi32(bytes, order));
}

INLINE int32_t greatest_lane(__m256i lanes)
{
    __m128i most =
        _mm_max_epi32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
    most = _mm_max_epi32(most, _mm_shuffle_epi32(most, 0x4e));
    most = _mm_max_epi32(most, _mm_shuffle_epi32(most, 0xb1));
    return _mm_cvtsi128_si32(most);
}

/* q[cols] = the row, whose greatest magnitude is that of the lanes; its scale. */
INLINE float row_round(const float *row, int32_t cols, __m256i greatest, int8_t *q)
{
    const float scale = activation_scale(greatest_lane(greatest));
    if (scale > 0.0f) {
        for (int32_t i = 0; i < cols; i += PACKED)
            quantize_packed(row + i, _mm256_set1_ps(scale), q + i);
    } else { /* zeros, or not finite: every product with this row is then zero, or NaN */
        memset(q, 0, (size_t)cols);
    }
    return scale;
}

float activation_round_avx2(const float *row, int32_t cols, int8_t *q)
{
    if (cols % PACKED != 0)
        return activation_round(row, cols, q);
    __m256i lanes = _mm256_setzero_si256();
    for (int32_t i = 0; i < cols; i += LANES)
        lanes = greater(lanes, _mm256_loadu_ps(row + i));
    return row_round(row, cols, lanes, q);
}

void activation_quantize_avx2(const struct activation *activation, int32_t index, float *row)
{
    const int32_t cols = activation->cols;
    if (cols % ACTIVATION_BLOCK_MAX != 0) {
        activation_quantize(activation, index, row);
        return;
    }
    int8_t *q = activation->q8 + (size_t)index * (size_t)activation->stride;
    __m256i lanes = _mm256_setzero_si256();
    for (int32_t i = 0; i < cols; i += ACTIVATION_BLOCK_MAX)
        lanes = rotate_block(row + i, lanes);
    activation->scales[index] = row_round(row, cols, lanes, q);
}
