/*
 * matmul_int8_avx2 - exact int8 sums with AVX2.
 *
 *     formula   out[r, o] = sum_i x[r, i] w[o, i], int32
 *     tile      4 rows x 16 outputs: 8 running sums of 8 lanes, one lane per output
 *     step      4 inputs: 2 loads of weights, 4 broadcasts of x, 8 x (sign, maddubs, madd, add)
 *     many rows are a matter of matmul_int8_narrow_avx2
 *     bound by  the four vector ports of such cores, or the one multiplier that old AMD ones
 *               have: from M = 2 on neither loads nor memory matter
 *     measured  EPYC 3rd generation (Zen 3, about 2.4 GHz under load), Nov 2026, the kernel
 *               alone in L1: 137 GOPS (in registers alone 135: the same sequence, less well
 *               spread). EPYC 1st generation (Zen 1): 35-37 of 42.7; M = 1: 33 GOPS with
 *               weights in cache, 27 (13.7 GB/s of 16-18) from memory
 *
 * maddubs multiplies unsigned by signed bytes and adds pairs in 16 bits: |w| * (x with w's
 * sign) is the same product, and 2 * 127 * 127 = 32258 cannot saturate. madd by ones widens.
 *
 * Lost: one row with |w| as for many (30.4 for 32.6 GOPS, Zen 1); no prefetch (22 for 27 GOPS
 * from memory; 512 bytes ahead 23.6, 2048 ahead 26.2). For many rows panels turned into |w| and
 * masks of signs, a xor in place of sign (157 GOPS; narrow sums are faster still). Not tried in
 * full: operands widened to 16 bits (as many operations), sums kept as low and high halves in
 * place of madd (42.7 on Zen 1, but twice the registers for sums).
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
    HALF = PANEL / HALVES, /* outputs of a register */
    REGISTER_BYTES = 32,
    AHEAD_BYTES = 1024 /* how far ahead weights are asked for when each is used once */
};
#define FEWER_ROWS(DO) DO(1) DO(2) DO(3)

static __m256i ints_load(const void *memory)
{
    return _mm256_loadu_si256(memory);
}

static void ints_store(void *memory, __m256i value)
{
    _mm256_storeu_si256(memory, value);
}

static __m256i group_broadcast(const int8_t *x)
{
    int32_t group;
    memcpy(&group, x, sizeof group);
    return _mm256_set1_epi32(group);
}

/* The instruction is written out: through the intrinsic gcc 12 moves sums between registers at
 * every step. */
static inline __attribute__((always_inline)) void sum_add(__m256i *sum, __m256i value)
{
    __asm__("vpaddd %1, %0, %0" : "+x"(*sum) : "x"(value));
}

/* rows is a constant at each call. */
static inline __attribute__((always_inline)) void tile_sum(struct matmul_int8_span span,
                                                           int rows)
{
    const int8_t *x = span.x, *w = span.w;
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i sum[TILE_ROWS][HALVES];
    for (int r = 0; r < rows; r++)
        sum[r][0] = sum[r][1] = _mm256_setzero_si256();
    for (; w < span.w_end; w += PANEL * GROUP, x += GROUP) {
        const __m256i weights[] = {ints_load(w), ints_load(w + REGISTER_BYTES)};
        const __m256i magnitudes[] = {_mm256_abs_epi8(weights[0]), _mm256_abs_epi8(weights[1])};
        for (int r = 0; r < rows; r++) {
            const __m256i group = group_broadcast(x + (size_t)r * span.stride);
            for (int h = 0; h < HALVES; h++) {
                const __m256i pairs =
                    _mm256_maddubs_epi16(magnitudes[h], _mm256_sign_epi8(group, weights[h]));
                sum_add(&sum[r][h], _mm256_madd_epi16(pairs, ones));
            }
        }
    }
    int32_t *out = span.out;
    for (int r = 0; r < rows; r++, out += PANEL) {
        ints_store(out, sum[r][0]);
        ints_store(out + HALF, sum[r][1]);
    }
}

/* sum + the products of one group of x with the weights at w. */
static inline __m256i step(__m256i sum, __m256i group, __m256i magnitude, const int8_t *w)
{
    const __m256i weights = ints_load(w);
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
        high = step(high, group, magnitude, w + REGISTER_BYTES);
    }
    ints_store(span.out, low);
    ints_store(span.out + HALF, high);
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
    if (tile->turned != NULL)
        matmul_int8_narrow_avx2(tile, out);
    else
        matmul_int8_frame_tile(tile, out);
}

void matmul_int8_finish_avx2(const struct matmul_int8_outputs *outputs, const int32_t *sums)
{
    matmul_finish_tile(outputs, sums);
}
