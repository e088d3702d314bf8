/*
 * attention_tile_avx2 - the inner kernels of attention with AVX2, FMA and F16C.
 *
 *     product   6 rows x 16 columns, or 3 rows x 2 blocks of 16: 12 running sums.
 *               Halves are widened on the way; with few rows that is cheaper than to store
 *               them widened and load them again
 *     softmax   attention_softmax_avx2
 *
 * The two registers of a row's sums are variables of their own: of an array, gcc 12 keeps a
 * copy in memory that every step writes (measured: 37 % of the peak in place of 65 %).
 */
#include "kernels/attention_tile.h"

#include <immintrin.h>
#include <string.h>

enum {
    LANES = ATTENTION_TILE_LANES,
    TILE_ROWS = 6,
    PAIR_ROWS = 3,
    STRIDE = ATTENTION_TILE_STRIDE
};

#define FEWER_ROWS(DO)      DO(1) DO(2) DO(3) DO(4) DO(5)
#define FEWER_PAIR_ROWS(DO) DO(1) DO(2)
#define INLINE              static inline __attribute__((always_inline))

INLINE size_t type_bytes(enum kv_type type)
{
    return type == KV_F32 ? 4 : 2;
}

/* Eight numbers as floats. */
INLINE __m256 numbers_load(const uint8_t *numbers, enum kv_type type)
{
    switch (type) {
    case KV_F32:
        return _mm256_loadu_ps((const float *)(const void *)numbers);
    case KV_F16:
        return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)numbers));
    case KV_INT8:
        break;
    }
    return _mm256_setzero_ps();
}

struct sums {
    __m256 left_0, left_1, left_2, left_3, left_4, left_5;
    __m256 right_0, right_1, right_2, right_3, right_4, right_5;
};

#define ROW_STEP(r)                                                                            \
    if (rows > (r)) {                                                                          \
        const __m256 x = _mm256_broadcast_ss(step.a + (r)*STRIDE);                             \
        sums->left_##r = _mm256_fmadd_ps(x, left, sums->left_##r);                             \
        sums->right_##r = _mm256_fmadd_ps(x, right, sums->right_##r);                          \
    }
#define ROW_STORE(r)                                                                           \
    if (rows > (r)) {                                                                          \
        _mm256_storeu_ps(product->c + (r)*product->c_stride, sums->left_##r);                  \
        _mm256_storeu_ps(product->c + (r)*product->c_stride + LANES, sums->right_##r);         \
    }
#define EACH_ROW(DO) DO(0) FEWER_ROWS(DO)

INLINE void sums_add(struct sums *sums, struct attention_tile_step step, int rows,
                     enum kv_type type)
{
    const __m256 left = numbers_load(step.first, type);
    const __m256 right = numbers_load(step.first + LANES * type_bytes(type), type);
    EACH_ROW(ROW_STEP)
}

INLINE void sums_store(const struct sums *sums, const struct attention_tile_product *product,
                       int rows)
{
    EACH_ROW(ROW_STORE)
}

struct pairs {
    __m256 row_0_0, row_0_1, row_0_2, row_0_3;
    __m256 row_1_0, row_1_1, row_1_2, row_1_3;
    __m256 row_2_0, row_2_1, row_2_2, row_2_3;
};

#define PAIR_STEP(r, i)                                                                        \
    if (rows > (r))                                                                            \
        pairs->row_##r##_##i = _mm256_fmadd_ps(x_##r, column, pairs->row_##r##_##i);
#define PAIR_COLUMN(i, numbers)                                                                \
    do {                                                                                       \
        const __m256 column = numbers_load((numbers), type);                                   \
        PAIR_STEP(0, i) PAIR_STEP(1, i) PAIR_STEP(2, i)                                        \
    } while (0)
#define PAIR_STORE(r)                                                                          \
    if (rows > (r)) {                                                                          \
        float *c = product->c + (r)*product->c_stride;                                         \
        _mm256_storeu_ps(c, pairs->row_##r##_0);                                               \
        _mm256_storeu_ps(c + LANES, pairs->row_##r##_1);                                       \
        _mm256_storeu_ps(c + 2 * LANES, pairs->row_##r##_2);                                   \
        _mm256_storeu_ps(c + 3 * LANES, pairs->row_##r##_3);                                   \
    }

INLINE void pairs_add(struct pairs *pairs, struct attention_tile_step step, int rows,
                      enum kv_type type)
{
    const size_t half = LANES * type_bytes(type);
    const __m256 x_0 = _mm256_broadcast_ss(step.a);
    const __m256 x_1 = rows > 1 ? _mm256_broadcast_ss(step.a + STRIDE) : x_0;
    const __m256 x_2 = rows > 2 ? _mm256_broadcast_ss(step.a + 2 * STRIDE) : x_0;
    PAIR_COLUMN(0, step.first);
    PAIR_COLUMN(1, step.first + half);
    PAIR_COLUMN(2, step.second);
    PAIR_COLUMN(3, step.second + half);
}

INLINE void pairs_store(const struct pairs *pairs, const struct attention_tile_product *product,
                        int rows)
{
    PAIR_STORE(0)
    PAIR_STORE(1)
    PAIR_STORE(2)
}

#include "kernels/attention_tile_frame.h"

void attention_tile_widen_f16_avx2(const uint16_t *from, float *to, size_t count)
{
    for (size_t i = 0; i < count; i += LANES) {
        const __m256 wide = numbers_load((const uint8_t *)(const void *)(from + i), KV_F16);
        _mm256_storeu_ps(to + i, wide);
    }
}

const struct attention_tile_kernels attention_tile_avx2 = {
    .tile_rows = TILE_ROWS,
    .pair_rows = PAIR_ROWS,
    .product = attention_tile_frame_product,
    .softmax = attention_softmax_avx2,
    .widen_f16 = attention_tile_widen_f16_avx2};
