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
#include "base/i32.h"
#include "kernels/attention_tile.h"

#ifndef PORTABLE_INTRINSICS
    #include <immintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline))

enum {
    TILE_ROWS = 12,
    PAIR_ROWS = 6,
    STRIDE = ATTENTION_TILE_STRIDE,
    COLS = ATTENTION_TILE_COLS
};

INLINE size_t type_bytes(enum kv_type type)
{
    return type == KV_F32 ? 4 : 2;
}

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

/* One variable per row: see attention_tile_avx2. */
#define ROW_STEP(r)                                                                            \
    if (rows > (r))                                                                            \
        sum_##r = _mm512_fmadd_ps(_mm512_set1_ps(a[(r)*STRIDE]), column, sum_##r);
#define ROW_STORE(r)                                                                           \
    if (rows > (r))                                                                            \
        _mm512_storeu_ps(product->c + (r)*product->c_stride, sum_##r);
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)

/* rows and type are constants at each call. */
INLINE void product_tile(const struct attention_tile_product *product, int rows,
                         enum kv_type type)
{
    __m512 sum_0 = _mm512_setzero_ps(), sum_1 = sum_0, sum_2 = sum_0, sum_3 = sum_0;
    __m512 sum_4 = sum_0, sum_5 = sum_0, sum_6 = sum_0, sum_7 = sum_0;
    __m512 sum_8 = sum_0, sum_9 = sum_0, sum_10 = sum_0, sum_11 = sum_0;
    const size_t bytes = type_bytes(type), b_stride = product->b_stride * bytes;
    const float *a_panel = product->a;
    const void *const *panel = product->b[0];
    for (int32_t rest = product->depth; rest > 0; rest -= product->panel_depth, panel++) {
        const uint8_t *b = (const uint8_t *)*panel + product->b_column[0] * bytes;
        const float *a = a_panel, *a_end = a + i32_min(product->panel_depth, rest);
        for (; a < a_end; a++, b += b_stride) {
            const __m512 column = numbers_load(b, type);
            EACH_ROW(ROW_STEP)
        }
        a_panel += product->a_panel;
    }
    EACH_ROW(ROW_STORE)
}

#define PAIR_SUMS(r) __m512 left_##r = _mm512_setzero_ps(), right_##r = left_##r
#define PAIR_STEP(r)                                                                           \
    if (rows > (r)) {                                                                          \
        const __m512 x = _mm512_set1_ps(a[(r)*STRIDE]);                                        \
        left_##r = _mm512_fmadd_ps(x, left, left_##r);                                         \
        right_##r = _mm512_fmadd_ps(x, right, right_##r);                                      \
    }
#define PAIR_STORE(r)                                                                          \
    if (rows > (r)) {                                                                          \
        _mm512_storeu_ps(product->c + (r)*product->c_stride, left_##r);                        \
        _mm512_storeu_ps(product->c + (r)*product->c_stride + COLS, right_##r);                \
    }
#define PAIR_EACH(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5)

/* Two blocks of columns for at most six rows; rows and type are constants at each call. */
INLINE void product_pair(const struct attention_tile_product *product, int rows,
                         enum kv_type type)
{
    PAIR_SUMS(0);
    PAIR_SUMS(1);
    PAIR_SUMS(2);
    PAIR_SUMS(3);
    PAIR_SUMS(4);
    PAIR_SUMS(5);
    const size_t bytes = type_bytes(type), b_stride = product->b_stride * bytes;
    const float *a_panel = product->a;
    const void *const *first = product->b[0], *const *second = product->b[1];
    for (int32_t rest = product->depth; rest > 0; rest -= product->panel_depth) {
        const uint8_t *b = (const uint8_t *)*first++ + product->b_column[0] * bytes;
        const uint8_t *d = (const uint8_t *)*second++ + product->b_column[1] * bytes;
        const float *a = a_panel, *a_end = a + i32_min(product->panel_depth, rest);
        for (; a < a_end; a++, b += b_stride, d += b_stride) {
            const __m512 left = numbers_load(b, type), right = numbers_load(d, type);
            PAIR_EACH(PAIR_STEP)
        }
        a_panel += product->a_panel;
    }
    PAIR_EACH(PAIR_STORE)
}

#define ROWS_CASE(function, count)                                                             \
    case count:                                                                                \
        function(product, count, type);                                                        \
        break;

INLINE void product_rows(const struct attention_tile_product *product, enum kv_type type)
{
    switch (product->rows) {
        ROWS_CASE(product_tile, 1)
        ROWS_CASE(product_tile, 2)
        ROWS_CASE(product_tile, 3)
        ROWS_CASE(product_tile, 4)
        ROWS_CASE(product_tile, 5)
        ROWS_CASE(product_tile, 6)
        ROWS_CASE(product_tile, 7)
        ROWS_CASE(product_tile, 8)
        ROWS_CASE(product_tile, 9)
        ROWS_CASE(product_tile, 10)
        ROWS_CASE(product_tile, 11)
    default:
        product_tile(product, TILE_ROWS, type);
        break;
    }
}

INLINE void product_pairs(const struct attention_tile_product *product, enum kv_type type)
{
    switch (product->rows) {
        ROWS_CASE(product_pair, 1)
        ROWS_CASE(product_pair, 2)
        ROWS_CASE(product_pair, 3)
        ROWS_CASE(product_pair, 4)
        ROWS_CASE(product_pair, 5)
    default:
        product_pair(product, PAIR_ROWS, type);
        break;
    }
}

INLINE void product_type(const struct attention_tile_product *product, enum kv_type type)
{
    if (product->blocks == 2)
        product_pairs(product, type);
    else
        product_rows(product, type);
}

static void product_avx512(const struct attention_tile_product *product)
{
    switch (product->b_type) {
    case KV_F32:
        product_type(product, KV_F32);
        break;
    case KV_F16:
        product_type(product, KV_F16);
        break;
    case KV_INT8:
        break;
    }
}

const struct attention_tile_kernels attention_tile_avx512 = {
    .tile_rows = TILE_ROWS,
    .pair_rows = PAIR_ROWS,
    .product = product_avx512,
    .softmax = attention_softmax_avx512,
    .widen_f16 = attention_tile_widen_f16_avx2};
