/*
 * matmul_int8_avx2 - exact int8 sums with AVX2.
 *
 *     formula   out[r, o] = sum_i x[r, i] w[o, i], int32
 *     tile      4 rows x 16 outputs: 8 running sums of 8 lanes, one lane per output
 *     step      4 inputs: 2 loads of weights, 4 broadcasts of x, 8 x (sign, maddubs, madd, add)
 *
 *     bound by  the one multiplier that old AMD cores have (maddubs and madd); from M = 2 on
 *               neither loads nor memory matter: a panel of 16 x 1536 weights is 24 KB of L1
 *     measured  EPYC 1st generation (Zen 1, about 2.5 GHz), processor time, Nov 2026, shapes
 *               of SmolLM2-135M: 35-37 GOPS per core from M = 2 to 512 = 82-86 % of the best
 *               register loop (42.7), 94 % of this sequence's own (38.5); M = 1: 33 GOPS with
 *               weights in cache, 27 (13.7 GB/s of 16-18) from memory
 *
 * maddubs multiplies unsigned by signed bytes and adds pairs in 16 bits: |w| * (x with w's
 * sign) is the same product, and 2 * 127 * 127 = 32258 cannot saturate. madd by ones widens.
 *
 * Lost: one row with |w| as for many (30.4 for 32.6 GOPS); no prefetch (22 for 27 GOPS from
 * memory; 512 bytes ahead 23.6, 2048 ahead 26.2). Not tried in full: operands widened to 16
 * bits (its register loop does 39.8), sums kept as low and high halves in place of madd (42.7,
 * but twice the registers for sums, so a tile of half the size).
 */
#include "kernels/matmul_int8.h"

#include "kernels/matmul_finish.h"

#include <immintrin.h>
#include <string.h>

enum {
    PANEL = MATMUL_INT8_PANEL,
    GROUP = MATMUL_INT8_GROUP,
    TILE_ROWS = 4,
    HALVES = 2,
    AHEAD_BYTES = 1024 /* how far ahead weights are asked for when each is used once */
};
#define FEWER_ROWS(DO) DO(1) DO(2) DO(3)

static __m256i group_broadcast(const int8_t *x)
{
    int32_t group;
    memcpy(&group, x, sizeof group);
    return _mm256_set1_epi32(group);
}

static inline __attribute__((always_inline)) void tile_sum(struct matmul_int8_span span,
                                                           int rows)
{
    const int8_t *x = span.x, *w = span.w;
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i sum[TILE_ROWS][HALVES];
    for (int r = 0; r < rows; r++)
        sum[r][0] = sum[r][1] = _mm256_setzero_si256();
    for (; w < span.w_end; w += PANEL * GROUP, x += GROUP) {
        const __m256i w0 = _mm256_loadu_si256((const __m256i *)(const void *)w);
        const __m256i w1 = _mm256_loadu_si256((const __m256i *)(const void *)(w + 32));
        const __m256i abs0 = _mm256_abs_epi8(w0), abs1 = _mm256_abs_epi8(w1);
        for (int r = 0; r < rows; r++) {
            const __m256i group = group_broadcast(x + (size_t)r * span.stride);
            const __m256i pairs0 = _mm256_maddubs_epi16(abs0, _mm256_sign_epi8(group, w0));
            const __m256i pairs1 = _mm256_maddubs_epi16(abs1, _mm256_sign_epi8(group, w1));
            sum[r][0] = _mm256_add_epi32(sum[r][0], _mm256_madd_epi16(pairs0, ones));
            sum[r][1] = _mm256_add_epi32(sum[r][1], _mm256_madd_epi16(pairs1, ones));
        }
    }
    int32_t *out = span.out;
    for (int r = 0; r < rows; r++, out += PANEL) {
        _mm256_storeu_si256((__m256i *)(void *)out, sum[r][0]);
        _mm256_storeu_si256((__m256i *)(void *)(out + 8), sum[r][1]);
    }
}

/* sum + the products of one group of x with the weights at w. */
static inline __m256i step(__m256i sum, __m256i group, __m256i magnitude, const int8_t *w)
{
    const __m256i weights = _mm256_loadu_si256((const __m256i *)(const void *)w);
    const __m256i pairs = _mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(weights, group));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

/* One row alone: x lends its sign to the weights, so one magnitude serves 16 outputs. */
static void one_row_sum(struct matmul_int8_span span)
{
    const int8_t *x = span.x, *w = span.w;
    __m256i low = _mm256_setzero_si256(), high = low;
    for (; w < span.w_end; w += PANEL * GROUP, x += GROUP) {
        _mm_prefetch((const void *)((uintptr_t)w + AHEAD_BYTES), _MM_HINT_T0);
        const __m256i group = group_broadcast(x), magnitude = _mm256_abs_epi8(group);
        low = step(low, group, magnitude, w);
        high = step(high, group, magnitude, w + 32);
    }
    _mm256_storeu_si256((__m256i *)(void *)span.out, low);
    _mm256_storeu_si256((__m256i *)(void *)(span.out + 8), high);
}

static inline __attribute__((always_inline)) void rows_sum(struct matmul_int8_span span,
                                                           int rows)
{
    if (rows == 1)
        one_row_sum(span);
    else
        tile_sum(span, rows);
}

#include "kernels/matmul_int8_frame.h"

void matmul_int8_avx2(const struct matmul_int8_tile *tile, int32_t *out)
{
    matmul_int8_frame_tile(tile, out);
}

void matmul_int8_finish_avx2(const struct matmul_int8_outputs *outputs, const int32_t *sums)
{
    matmul_finish_tile(outputs, sums);
}
