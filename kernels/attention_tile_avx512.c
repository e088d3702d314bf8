/*
 * attention_tile_avx512 - attention's products of floats with AVX-512.
 *
 *     tile      12 rows x 16 columns, or 6 rows x 2 blocks of 16: 12 running sums, enough to
 *               hide the latency
 *     step      1 load and 12 broadcasts, which are part of the 12 FMA
 *     bound by  the load ports: 13 loads per 12 FMA
 *
 * Terms are added one after the other as in AVX2, each fused: the same bits.
 *
 * The test builds this file a second time on portable versions of the same intrinsics, so that
 * its results are judged on machines that cannot run it.
 */
#include "kernels/attention_tile.h"

#ifndef PORTABLE_INTRINSICS
    #include <immintrin.h>
#endif

#define FEWER_ROWS(DO)      DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)
#define FEWER_PAIR_ROWS(DO) DO(1) DO(2) DO(3) DO(4) DO(5)
#define INLINE              static inline __attribute__((always_inline))

enum {
    TILE_ROWS = 12,
    PAIR_ROWS = 6,
    STRIDE = ATTENTION_TILE_STRIDE,
    COLS = ATTENTION_TILE_COLS
};

/* Sixteen numbers as floats. */
INLINE __m512 numbers_load(const uint8_t *numbers, enum kv_type type)
{
    switch (type) {
    case KV_F32:
        return _mm512_loadu_ps(numbers);
    case KV_F16:
        return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)numbers));
    case KV_INT8:
        break;
    }
    return _mm512_setzero_ps();
}

struct sums {
    __m512 row_0, row_1, row_2, row_3, row_4, row_5;
    __m512 row_6, row_7, row_8, row_9, row_10, row_11;
};

#define ROW_STEP(r)                                                                            \
    if (rows > (r))                                                                            \
        sums->row_##r =                                                                        \
            _mm512_fmadd_ps(_mm512_set1_ps(step.a[(r)*STRIDE]), column, sums->row_##r);
#define ROW_STORE(r)                                                                           \
    if (rows > (r))                                                                            \
        _mm512_storeu_ps(product->c + (r)*product->c_stride, sums->row_##r);
#define EACH_ROW(DO) DO(0) FEWER_ROWS(DO)

INLINE void sums_add(struct sums *sums, struct attention_tile_step step, int rows,
                     enum kv_type type)
{
    const __m512 column = numbers_load(step.first, type);
    EACH_ROW(ROW_STEP)
}

INLINE void sums_store(const struct sums *sums, const struct attention_tile_product *product,
                       int rows)
{
    EACH_ROW(ROW_STORE)
}

struct pairs {
    __m512 left_0, left_1, left_2, left_3, left_4, left_5;
    __m512 right_0, right_1, right_2, right_3, right_4, right_5;
};

#define PAIR_STEP(r)                                                                           \
    if (rows > (r)) {                                                                          \
        const __m512 x = _mm512_set1_ps(step.a[(r)*STRIDE]);                                   \
        pairs->left_##r = _mm512_fmadd_ps(x, left, pairs->left_##r);                           \
        pairs->right_##r = _mm512_fmadd_ps(x, right, pairs->right_##r);                        \
    }
#define PAIR_STORE(r)                                                                          \
    if (rows > (r)) {                                                                          \
        _mm512_storeu_ps(product->c + (r)*product->c_stride, pairs->left_##r);                 \
        _mm512_storeu_ps(product->c + (r)*product->c_stride + COLS, pairs->right_##r);         \
    }
#define PAIR_EACH(DO) DO(0) FEWER_PAIR_ROWS(DO)

INLINE void pairs_add(struct pairs *pairs, struct attention_tile_step step, int rows,
                      enum kv_type type)
{
    const __m512 left = numbers_load(step.first, type);
    const __m512 right = numbers_load(step.second, type);
    PAIR_EACH(PAIR_STEP)
}

INLINE void pairs_store(const struct pairs *pairs, const struct attention_tile_product *product,
                        int rows)
{
    PAIR_EACH(PAIR_STORE)
}

#include "kernels/attention_tile_frame.h"

const struct attention_tile_kernels attention_tile_avx512 = {
    .tile_rows = TILE_ROWS,
    .pair_rows = PAIR_ROWS,
    .product = attention_tile_frame_product,
    .softmax = attention_softmax_avx512,
    .widen_f16 = attention_tile_widen_f16_avx2};
