/*
 * activation_avx512 - activation_rotate and _quantize with AVX-512, to the same bits.
 *
 *     rotate    a block of 64 in four registers: strides 1 to 8 in each, 16 and 32 between
 *     greatest  taken on the way, as integers
 *     round     no division: see quotient
 *     measured  576 and 1,536 numbers in L1, 1 thread: AVX2 0.42 ns per number, bound by its
 *               divisions, here 0.30 and 0.27 (Xeon of the fifth generation, November 2026)
 *
 * A product by 1 or -1 is exact: fused with the addition it rounds as the addition alone.
 */
#include "kernels/activation.h"

#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum { LANES = 16, VECTORS = ACTIVATION_BLOCK_MAX / LANES };

/* Scales from here on are divided by in steps: what the steps leave over is then a float. */
#define STEPS_SCALE_LEAST 0x1p-80f

/* Strides 1, 2, 4 and 8. */
INLINE __m512 rotate_within(__m512 v)
{
    const __m512 sign_1 = _mm512_castsi512_ps(_mm512_set1_epi64((int64_t)0xbf8000003f800000));
    const __m512 one = _mm512_set1_ps(1.0f), minus_one = _mm512_set1_ps(-1.0f);
    const __m512 sign_2 = _mm512_mask_mov_ps(one, 0xcccc, minus_one);
    const __m512 sign_4 = _mm512_mask_mov_ps(one, 0xf0f0, minus_one);
    const __m512 sign_8 = _mm512_mask_mov_ps(one, 0xff00, minus_one);
    v = _mm512_fmadd_ps(v, sign_1, _mm512_permute_ps(v, 0xb1));
    v = _mm512_fmadd_ps(v, sign_2, _mm512_permute_ps(v, 0x4e));
    v = _mm512_fmadd_ps(v, sign_4, _mm512_shuffle_f32x4(v, v, 0xb1));
    return _mm512_fmadd_ps(v, sign_8, _mm512_shuffle_f32x4(v, v, 0x4e));
}

/* Rotates a block; the result is the greatest of greatest and its magnitudes, as bits. */
INLINE __m512i rotate_block(float *block, __m512i greatest)
{
    __m512 v[VECTORS];
    for (int i = 0; i < VECTORS; i++)
        v[i] = rotate_within(_mm512_loadu_ps(block + i * LANES));
    for (int stride = 1; stride < VECTORS; stride *= 2) {
        for (int i = 0; i < VECTORS; i++) {
            if ((i & stride) != 0)
                continue;
            const __m512 a = v[i], b = v[i + stride];
            v[i] = _mm512_add_ps(a, b);
            v[i + stride] = _mm512_sub_ps(a, b);
        }
    }
    for (int i = 0; i < VECTORS; i++) {
        v[i] = _mm512_mul_ps(v[i], _mm512_set1_ps(0.125f)); /* 1 / sqrt(64) */
        _mm512_storeu_ps(block + i * LANES, v[i]);
        greatest = _mm512_max_epi32(greatest, _mm512_castps_si512(_mm512_abs_ps(v[i])));
    }
    return greatest;
}

/*
 * a / b correctly rounded, where it is no less than a half; by is 1 / b correctly rounded. A
 * first estimate is a few units off, a second one less than a unit: what it leaves of a is
 * then exact, and so is the third (Markstein, IBM Journal of Research and Development 34(1),
 * 1990, theorem 1). Smaller quotients may be a unit off, and are rounded to 0 all the same.
 */
INLINE __m512 quotient(__m512 a, __m512 b, __m512 by)
{
    const __m512 first = _mm512_mul_ps(a, by);
    const __m512 second = _mm512_fmadd_ps(_mm512_fnmadd_ps(first, b, a), by, first);
    return _mm512_fmadd_ps(_mm512_fnmadd_ps(second, b, a), by, second);
}

/* A block of quotients, rounded. */
INLINE void block_store(const __m512 quotients[VECTORS], int8_t *q)
{
    /* The limit matters only where scale is subnormal and so badly rounded. */
    const __m512i least = _mm512_set1_epi16(-127);
    const __m512i low =
        _mm512_packs_epi32(_mm512_cvtps_epi32(quotients[0]), _mm512_cvtps_epi32(quotients[1]));
    const __m512i high =
        _mm512_packs_epi32(_mm512_cvtps_epi32(quotients[2]), _mm512_cvtps_epi32(quotients[3]));
    const __m512i bytes =
        _mm512_packs_epi16(_mm512_max_epi16(low, least), _mm512_max_epi16(high, least));
    /* Packing works in quarters: fours of bytes lie 0 4 8 12, 1 5 ... */
    const __m512i order =
        _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    _mm512_storeu_si512(q, _mm512_permutexvar_epi32(order, bytes));
}

INLINE void row_round(const float *row, int32_t cols, float scale, int8_t *q)
{
    const __m512 by = _mm512_set1_ps(1.0f / scale), b = _mm512_set1_ps(scale);
    const bool in_steps = scale >= STEPS_SCALE_LEAST;
    for (int32_t i = 0; i < cols; i += ACTIVATION_BLOCK_MAX) {
        __m512 quotients[VECTORS];
        for (int v = 0; v < VECTORS; v++) {
            const __m512 a = _mm512_loadu_ps(row + i + v * LANES);
            quotients[v] = in_steps ? quotient(a, b, by) : _mm512_div_ps(a, b);
        }
        block_store(quotients, q + i);
    }
}

void activation_quantize_avx512(const struct activation *activation, int32_t index, float *row)
{
    const int32_t cols = activation->cols;
    if (cols % ACTIVATION_BLOCK_MAX != 0) {
        activation_quantize(activation, index, row);
        return;
    }
    int8_t *q = activation->q8 + (size_t)index * (size_t)activation->stride;
    __m512i lanes = _mm512_setzero_si512();
    for (int32_t i = 0; i < cols; i += ACTIVATION_BLOCK_MAX)
        lanes = rotate_block(row + i, lanes);
    const float scale = activation_scale(_mm512_reduce_max_epi32(lanes));
    activation->scales[index] = scale;
    if (scale > 0.0f)
        row_round(row, cols, scale, q);
    else /* zeros, or not finite: every product with this row is then zero, or NaN */
        memset(q, 0, (size_t)cols);
}
