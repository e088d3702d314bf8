/*
 * matmul_int8_avx2 - exact int8 sums with AVX2.
 *
 *     formula   out[r, o] = sum_i x[r, i] w[o, i], int32
 *     tile      4 rows x 16 outputs: 8 running sums of 8 lanes, one lane per output
 *     step      4 inputs: 2 loads of weights, 4 broadcasts of x, 8 x (sign, maddubs, madd,
 *               add); of a turned panel 4 loads, and xor in place of sign
 *     bound by  the four vector ports of such cores, or the one multiplier that old AMD ones
 *               have: from M = 2 on neither loads nor memory matter
 *     measured  EPYC 3rd generation (Zen 3, about 2.4 GHz under load), Nov 2026, the kernel
 *               alone in L1: 137 GOPS, turned 157 (in registers alone sign does 135, xor 153:
 *               the same sequences, less well spread). With turning, 256 rows, two threads: 8
 *               to 13 % more when the machine is calm, as much when another shares its cores.
 *               EPYC 1st generation (Zen 1), not turned: 35-37 of 42.7; M = 1: 33 GOPS with
 *               weights in cache, 27 (13.7 GB/s of 16-18) from memory
 *
 * maddubs multiplies unsigned by signed bytes and adds pairs in 16 bits: |w| * (x with w's
 * sign) is the same product, and 2 * 127 * 127 = 32258 cannot saturate. madd by ones widens.
 *
 * A turned panel spares each row the sign, which fewer ports do than a xor. x with all bits
 * turned is -x - 1, so
 *
 *     sum_i x w = sum_i (x xor m) |w| + sum_{w < 0} |w|     m: all bits where w < 0, else none
 *
 * and for many rows a panel is turned once into |w|, m and the second sum, where all rows
 * start. (2 * 128 * 127 = 32512 cannot saturate either.)
 *
 * Lost: one row with |w| as for many (30.4 for 32.6 GOPS, Zen 1); no prefetch (22 for 27 GOPS
 * from memory; 512 bytes ahead 23.6, 2048 ahead 26.2). Turned panels by 8 rows x 8 outputs
 * (Zen 3: 7 % more than not turned when calm, 2 % less beside others: twice the broadcasts);
 * turning for 16 rows (5 to 9 % slower). Sums of 16 bits over 8 products, of w + 128, where the
 * norms of x and w say that they fit, pair by pair where not (7 in 100 of SmolLM2's), with what
 * would saturate taken out of x beforehand: 2.5 operations for 32 products in place of 4, 1.45
 * times this rate if all fitted, 1.18 to 1.26 as it is, 0 to 8 % of T3. Not tried in full:
 * operands widened to 16 bits (as many operations), sums kept as low and high halves in place
 * of madd (42.7 on Zen 1, but twice the registers for sums).
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
    STARTS_BYTES = HALVES * REGISTER_BYTES, /* of a turned panel, before its groups */
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

/* A group of each half, as the tile's rows multiply it. In a turned panel magnitudes of both
 * halves lie before their signs. */
struct weights {
    __m256i magnitudes[HALVES], signs[HALVES];
};

static inline __attribute__((always_inline)) void weights_load(struct weights *weights,
                                                               const int8_t *w, bool is_turned)
{
    for (int h = 0; h < HALVES; h++, w += REGISTER_BYTES) {
        const __m256i bytes = ints_load(w);
        weights->magnitudes[h] = is_turned ? bytes : _mm256_abs_epi8(bytes);
        weights->signs[h] = is_turned ? ints_load(w + HALVES * REGISTER_BYTES) : bytes;
    }
}

/* rows and is_turned are constants at each call. */
static inline __attribute__((always_inline)) void tile_sum(struct matmul_int8_span span,
                                                           int rows, bool is_turned)
{
    const int8_t *x = span.x, *w = span.w + (is_turned ? STARTS_BYTES : 0);
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i sum[TILE_ROWS][HALVES];
    for (int r = 0; r < rows; r++) {
        for (int h = 0; h < HALVES; h++)
            sum[r][h] =
                is_turned ? ints_load(span.w + h * REGISTER_BYTES) : _mm256_setzero_si256();
    }
    for (; w < span.w_end; w += (is_turned ? 2 : 1) * PANEL * GROUP, x += GROUP) {
        struct weights weights;
        weights_load(&weights, w, is_turned);
        for (int r = 0; r < rows; r++) {
            const __m256i group = group_broadcast(x + (size_t)r * span.stride);
            for (int h = 0; h < HALVES; h++) {
                const __m256i signs = weights.signs[h];
                const __m256i pairs = _mm256_maddubs_epi16(
                    weights.magnitudes[h], is_turned ? _mm256_xor_si256(group, signs)
                                                     : _mm256_sign_epi8(group, signs));
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
    if (span.is_turned)
        tile_sum(span, rows, true);
    else if (rows == 1)
        one_row_sum(span);
    else
        tile_sum(span, rows, false);
}

#include "kernels/matmul_int8_frame.h"

static void panel_turn(const int8_t *w, size_t groups, int8_t *turned)
{
    const __m256i zero = _mm256_setzero_si256(), ones = _mm256_set1_epi16(1);
    __m256i starts[HALVES] = {zero, zero};
    int8_t *to = turned + STARTS_BYTES;
    for (size_t g = 0; g < groups; g++, to += HALVES * REGISTER_BYTES) {
        for (int h = 0; h < HALVES; h++, w += REGISTER_BYTES, to += REGISTER_BYTES) {
            const __m256i bytes = ints_load(w), magnitudes = _mm256_abs_epi8(bytes);
            const __m256i signs = _mm256_cmpgt_epi8(zero, bytes); /* as numbers -1 or 0 */
            const __m256i pairs = _mm256_maddubs_epi16(magnitudes, signs);
            starts[h] = _mm256_sub_epi32(starts[h], _mm256_madd_epi16(pairs, ones));
            ints_store(to, magnitudes);
            ints_store(to + HALVES * REGISTER_BYTES, signs);
        }
    }
    for (int h = 0; h < HALVES; h++)
        ints_store(turned + h * REGISTER_BYTES, starts[h]);
}

void matmul_int8_turn_avx2(const struct matmul_int8_tile *tile, int8_t *turned)
{
    const int8_t *w = tile->panel;
    for (int32_t p = 0; p < tile->panels; p++, w += (size_t)tile->depth * PANEL) {
        panel_turn(w, (size_t)tile->depth / GROUP, turned);
        turned += matmul_int8_turned_bytes(tile->depth);
    }
}

void matmul_int8_avx2(const struct matmul_int8_tile *tile, int32_t *out)
{
    if (tile->turned == NULL) {
        matmul_int8_frame_tile(tile, out);
        return;
    }
    const struct matmul_int8_span span = {.w = tile->turned, .out = out, .is_turned = true};
    matmul_int8_frame_panels(span, tile, matmul_int8_turned_bytes(tile->depth));
}

void matmul_int8_finish_avx2(const struct matmul_int8_outputs *outputs, const int32_t *sums)
{
    matmul_finish_tile(outputs, sums);
}
