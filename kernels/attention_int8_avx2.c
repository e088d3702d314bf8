/*
 * attention_int8_avx2 - attention's integer products with AVX2.
 *
 *     tile      3 rows x 16 columns: 4 running sums of 8 lanes for each row
 *     step      4 of the depth: 4 x 16 bytes widened to 16 bits, 12 madd, 12 additions
 *     bound by  madd and additions: as many instructions as the fused float product has, which
 *               wants its bytes widened beforehand
 *
 * A sum's lanes are (column, half of the group): they are added in pairs at the end.
 */
#include "kernels/attention_int8.h"

#include "base/i32.h"

#include <immintrin.h>
#include <math.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum { TILE_ROWS = 3, LANES = 8, GROUP_BYTES = 8, QUARTERS = 4, QUARTER_BYTES = 16 };

/* Sums of the lanes' pairs of columns 0-3 and 4-7, in order, as floats, scaled. */
INLINE void store_columns(float *c, __m256i low, __m256i high, float scale)
{
    const __m256i pairs = _mm256_permute4x64_epi64(_mm256_hadd_epi32(low, high), 0xd8);
    _mm256_storeu_ps(c, _mm256_mul_ps(_mm256_cvtepi32_ps(pairs), _mm256_set1_ps(scale)));
}

/* A variable per sum: of an array, gcc 12 keeps a copy in memory that every step writes. */
#define ROW_SUMS(r)                                                                            \
    __m256i sum_##r##_0 = _mm256_setzero_si256(), sum_##r##_1 = sum_##r##_0;                   \
    __m256i sum_##r##_2 = sum_##r##_0, sum_##r##_3 = sum_##r##_0
#define ROW_STEP(r, quarter)                                                                   \
    if (rows > (r))                                                                            \
        sum_##r##_##quarter =                                                                  \
            _mm256_add_epi32(sum_##r##_##quarter, _mm256_madd_epi16(x_##r, bytes));
#define QUARTER_STEP(quarter)                                                                  \
    do {                                                                                       \
        const __m256i bytes = _mm256_cvtepi8_epi16(                                            \
            _mm_loadu_si128((const __m128i *)(const void *)(b + (quarter)*QUARTER_BYTES)));    \
        ROW_STEP(0, quarter) ROW_STEP(1, quarter) ROW_STEP(2, quarter)                         \
    } while (0)
#define ROW_STORE(r)                                                                           \
    if (rows > (r)) {                                                                          \
        float *c = product->c + (r)*product->c_stride;                                         \
        store_columns(c, sum_##r##_0, sum_##r##_1, product->rows_of_a[r].scale);               \
        store_columns(c + LANES, sum_##r##_2, sum_##r##_3, product->rows_of_a[r].scale);       \
    }

INLINE __m256i group_broadcast(const uint8_t *a)
{
    int64_t group;
    memcpy(&group, a, sizeof group);
    return _mm256_set1_epi64x(group);
}

/* rows is a constant at each call. */
INLINE void product_tile(const struct attention_int8_product *product, int rows)
{
    ROW_SUMS(0);
    ROW_SUMS(1);
    ROW_SUMS(2);
    const uint8_t *a = product->a;
    const size_t stride = product->a_stride;
    const uint8_t *const *panel = product->b;
    for (int32_t left = product->groups; left > 0; left -= product->panel_groups, panel++) {
        const uint8_t *b = *panel + product->b_offset;
        const uint8_t *a_end = a + (size_t)i32_min(product->panel_groups, left) * GROUP_BYTES;
        for (; a < a_end; a += GROUP_BYTES, b += product->b_stride) {
            const __m256i x_0 = group_broadcast(a);
            const __m256i x_1 = rows > 1 ? group_broadcast(a + stride) : x_0;
            const __m256i x_2 = rows > 2 ? group_broadcast(a + 2 * stride) : x_0;
            QUARTER_STEP(0);
            QUARTER_STEP(1);
            QUARTER_STEP(2);
            QUARTER_STEP(3);
        }
    }
    ROW_STORE(0)
    ROW_STORE(1)
    ROW_STORE(2)
}

static void product_avx2(const struct attention_int8_product *product)
{
    switch (product->rows) {
    case 1:
        product_tile(product, 1);
        break;
    case 2:
        product_tile(product, 2);
        break;
    default:
        product_tile(product, TILE_ROWS);
        break;
    }
}

static int32_t lanes_max(__m256i v)
{
    __m128i max = _mm_max_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    max = _mm_max_epi32(max, _mm_shuffle_epi32(max, 0x4e));
    return _mm_cvtsi128_si32(_mm_max_epi32(max, _mm_shuffle_epi32(max, 0xb1)));
}

static float greatest_of(const float *values, int32_t count)
{
    const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
    __m256i most = _mm256_setzero_si256();
    for (int32_t i = 0; i < count; i += LANES)
        most = _mm256_max_epi32(
            most,
            _mm256_and_si256(_mm256_castps_si256(_mm256_loadu_ps(values + i)), magnitude));
    const int32_t bits = lanes_max(most);
    float greatest;
    memcpy(&greatest, &bits, sizeof greatest);
    return greatest;
}

static struct attention_int8_row round_avx2(const float *values, int32_t count, float limit,
                                            uint8_t *a)
{
    const float greatest = greatest_of(values, count);
    struct attention_int8_row row = {.scale = greatest / limit}; /* the sum is not needed */
    const float factor = limit / greatest;
    if (!isfinite(greatest) || !isfinite(factor)) { /* no number, or nothing but zeros */
        memset(a, 0, (size_t)count * 2);
        row.scale = isfinite(greatest) ? 0.0f : NAN;
        return row;
    }
    const __m256 by = _mm256_set1_ps(factor);
    for (int32_t i = 0; i < count; i += 2 * LANES) {
        const __m256i low = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(values + i), by));
        const __m256i high =
            _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(values + i + LANES), by));
        const __m256i q = _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xd8);
        _mm256_storeu_si256((__m256i *)(void *)(a + (size_t)i * 2), q);
    }
    return row;
}

const struct attention_int8_kernels attention_int8_avx2 = {.tile_rows = TILE_ROWS,
                                                           .many_rows = TILE_ROWS,
                                                           .product = product_avx2,
                                                           .round = round_avx2};
