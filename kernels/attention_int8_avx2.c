/*
 * attention_int8_avx2 - attention's integer products with AVX2.
 *
 *     tile      3 rows x 16 columns: 4 running sums of 8 lanes for each row, of queries 2
 *     step      4 of the depth. Weights: 4 x 16 bytes and a group of each row widened to 16
 *               bits, 12 madd, 12 additions. Queries: 2 x 32 bytes and their magnitudes, 6 x
 *               (sign, maddubs, madd, add), as matmul_int8_avx2 says; weights are unsigned and
 *               do not fit that
 *     bound by  the four vector ports, and what is around a product
 *     used for  what attention_int8_tile_avx2 does not take: one or two rows, windows, softcaps
 *     measured  a product alone, in L1, 3 rows to 24: queries 106 GOPS, weights 82 (Zen 3,
 *               November 2026, calm)
 *     lost      queries widened as weights are (82 GOPS); tiles of another size inside a
 *               product, whose arguments are copied for a part of its rows (one row 30 %
 *               slower, more 10 to 20: what was just written in pieces cannot be read whole)
 *
 * A sum's lanes are columns, of weights (column, half of the group), which are added in pairs
 * at the end.
 */
#include "kernels/attention_int8.h"

#include <immintrin.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum { TILE_ROWS = 3, STEP_GROUPS = 1, LANES = 8, QUARTER_BYTES = 16, TASK_ROWS_MIN = 3 };
#define FEWER_ROWS(DO) DO(1) DO(2)

struct sums {
    __m256i row_0_0, row_0_1, row_0_2, row_0_3;
    __m256i row_1_0, row_1_1, row_1_2, row_1_3;
    __m256i row_2_0, row_2_1, row_2_2, row_2_3;
};

#define ROW_STEP(r, quarter)                                                                   \
    if (rows > (r))                                                                            \
        sums->row_##r##_##quarter =                                                            \
            _mm256_add_epi32(sums->row_##r##_##quarter, _mm256_madd_epi16(x_##r, bytes));
#define QUARTER_STEP(quarter)                                                                  \
    do {                                                                                       \
        const __m256i bytes = _mm256_cvtepi8_epi16(                                            \
            _mm_loadu_si128((const __m128i *)(const void *)(b + (quarter)*QUARTER_BYTES)));    \
        ROW_STEP(0, quarter) ROW_STEP(1, quarter) ROW_STEP(2, quarter)                         \
    } while (0)
#define QUERY_STEP(r, half)                                                                    \
    if (rows > (r))                                                                            \
        sums->row_##r##_##half = _mm256_add_epi32(sums->row_##r##_##half,                      \
                                                  signed_products(x_##r, bytes, magnitudes));
#define HALF_STEP(half)                                                                        \
    do {                                                                                       \
        const __m256i bytes =                                                                  \
            _mm256_loadu_si256((const __m256i *)(const void *)(b + (half)*2 * QUARTER_BYTES)); \
        const __m256i magnitudes = _mm256_abs_epi8(bytes);                                     \
        QUERY_STEP(0, half) QUERY_STEP(1, half) QUERY_STEP(2, half)                            \
    } while (0)
#define ROW_STORE(r)                                                                           \
    if (rows > (r)) {                                                                          \
        columns_store(product, r, 0, pairs_add(sums->row_##r##_0, sums->row_##r##_1));         \
        columns_store(product, r, LANES, pairs_add(sums->row_##r##_2, sums->row_##r##_3));     \
    }
#define QUERY_STORE(r)                                                                         \
    if (rows > (r)) {                                                                          \
        columns_store(product, r, 0, sums->row_##r##_0);                                       \
        columns_store(product, r, LANES, sums->row_##r##_1);                                   \
    }
#define EACH_ROW(DO) DO(0) FEWER_ROWS(DO)

INLINE int32_t group_load(const uint8_t *a)
{
    int32_t group;
    memcpy(&group, a, sizeof group);
    return group;
}

INLINE __m256i signed_products(__m256i group, __m256i bytes, __m256i magnitudes)
{
    const __m256i pairs = _mm256_maddubs_epi16(magnitudes, _mm256_sign_epi8(group, bytes));
    return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

INLINE void queries_add(struct sums *sums, const struct attention_int8_step *step, int rows)
{
    const uint8_t *a = step->a, *b = step->b;
    const __m256i x_0 = _mm256_set1_epi32(group_load(a));
    const __m256i x_1 = rows > 1 ? _mm256_set1_epi32(group_load(a + step->a_stride)) : x_0;
    const __m256i x_2 = rows > 2 ? _mm256_set1_epi32(group_load(a + 2 * step->a_stride)) : x_0;
    HALF_STEP(0);
    HALF_STEP(1);
}

INLINE __m256i group_widen(const uint8_t *a)
{
    return _mm256_cvtepu8_epi16(_mm_set1_epi32(group_load(a)));
}

INLINE void weights_add(struct sums *sums, const struct attention_int8_step *step, int rows)
{
    const uint8_t *a = step->a, *b = step->b;
    const __m256i x_0 = group_widen(a);
    const __m256i x_1 = rows > 1 ? group_widen(a + step->a_stride) : x_0;
    const __m256i x_2 = rows > 2 ? group_widen(a + 2 * step->a_stride) : x_0;
    QUARTER_STEP(0);
    QUARTER_STEP(1);
    QUARTER_STEP(2);
    QUARTER_STEP(3);
}

INLINE void sums_add(struct sums *sums, const struct attention_int8_step *step, int rows,
                     enum attention_int8_kind kind)
{
    if (kind == ATTENTION_INT8_QUERIES)
        queries_add(sums, step, rows);
    else
        weights_add(sums, step, rows);
}

/* Sums of the lanes' pairs of four columns and the next four, in order. */
INLINE __m256i pairs_add(__m256i low, __m256i high)
{
    return _mm256_permute4x64_epi64(_mm256_hadd_epi32(low, high), 0xd8);
}

/* The sums of eight columns as floats, scaled. */
INLINE void columns_store(const struct attention_int8_product *product, int r, int column,
                          __m256i sums)
{
    float *c = product->c + (size_t)r * product->c_stride + column;
    const __m256 result =
        _mm256_mul_ps(_mm256_cvtepi32_ps(sums), _mm256_set1_ps(product->rows_of_a[r].scale));
    _mm256_storeu_ps(c, product->adds ? _mm256_add_ps(_mm256_loadu_ps(c), result) : result);
}

INLINE void sums_store(const struct sums *sums, const struct attention_int8_product *product,
                       int rows)
{
    if (product->kind == ATTENTION_INT8_QUERIES) {
        EACH_ROW(QUERY_STORE)
    } else {
        EACH_ROW(ROW_STORE)
    }
}

#include "kernels/attention_int8_frame.h"

typedef __m256i integers;

INLINE integers greater(integers most, const float *values)
{
    const __m256i bits = _mm256_castps_si256(_mm256_loadu_ps(values));
    return _mm256_max_epi32(most, _mm256_and_si256(bits, _mm256_set1_epi32(0x7fffffff)));
}

static int32_t greatest_lane(integers v)
{
    __m128i max = _mm_max_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    max = _mm_max_epi32(max, _mm_shuffle_epi32(max, 0x4e));
    return _mm_cvtsi128_si32(_mm_max_epi32(max, _mm_shuffle_epi32(max, 0xb1)));
}

static int32_t integers_put(const float *values, int32_t count, float factor,
                            enum attention_int8_kind kind, uint8_t *a)
{
    const __m256 by = _mm256_set1_ps(factor);
    for (int32_t i = 0; i < count; i += 2 * LANES) {
        const __m256i low = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(values + i), by));
        const __m256i high =
            _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(values + i + LANES), by));
        const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xd8);
        const __m128i first = _mm256_castsi256_si128(words);
        const __m128i second = _mm256_extracti128_si256(words, 1);
        const __m128i q = kind == ATTENTION_INT8_QUERIES ? _mm_packs_epi16(first, second)
                                                         : _mm_packus_epi16(first, second);
        _mm_storeu_si128((__m128i *)(void *)(a + i), q);
    }
    return 0;
}

#include "kernels/attention_int8_round.h"

const struct attention_int8_kernels attention_int8_avx2 = {
    .product_rows = TILE_ROWS,
    .product = attention_int8_frame_product,
    .round = attention_int8_round_row,
    .tile_rows = ATTENTION_INT8_TILE_ROWS_MAX,
    .rows_min = TASK_ROWS_MIN,
    .turn = attention_int8_turn_avx2,
    .tile = attention_int8_tile_avx2};
