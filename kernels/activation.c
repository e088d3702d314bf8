/*
 * activation - the rotation of DESIGN.md D1 and the int8 form of a row.
 *
 * The rotation is a fast Walsh-Hadamard transform in Sylvester's order: strides 1, 2, 4 .. 32,
 * each number the sum or the difference of two, then one product by 1 / sqrt(block). Rounding
 * to nearest even is an addition of 1.5 * 2^23, whose sum has units of 1: the low bits of the
 * result are the integer. Both are written on vectors of four floats, which every machine we
 * build for has; each lane does what a scalar would, so the width changes no bit.
 *
 * activation_avx2.c and activation_avx512.c do the same in wider registers.
 *
 * Measured on an EPYC (Zen 1, about 2.5 GHz), one core, Nov 2026: rotation 0.52 ns per number,
 * with rounding 1.33. Lost: a pass per two strides with its own norm (0.84 and 1.64); bytes
 * through the compiler's vector conversion (2.2).
 */
#include "kernels/activation.h"

#include <float.h>
#include <math.h>
#include <string.h>
#ifdef __SSE2__
    #include <emmintrin.h>
#endif

enum {
    LANES = 4,
    PACKED = 4 * LANES,
    FLOAT_INF_BITS = 0x7f800000,
    FLOAT_MAGNITUDE = 0x7fffffff
};

#define ROUND_MAGIC 12582912.0f /* 1.5 * 2^23 */
enum { ROUND_MAGIC_BITS = 0x4b400000 };

typedef float lanes_f32 __attribute__((vector_size(16), aligned(4), may_alias));
typedef int32_t lanes_i32 __attribute__((vector_size(16), aligned(4), may_alias));

/* Strides 1 and 2, inside a vector. */
static lanes_f32 rotate_within(lanes_f32 v)
{
    const lanes_f32 sign_1 = {1.0f, -1.0f, 1.0f, -1.0f};
    const lanes_f32 sign_2 = {1.0f, 1.0f, -1.0f, -1.0f};
    v = __builtin_shufflevector(v, v, 1, 0, 3, 2) + v * sign_1;
    return __builtin_shufflevector(v, v, 2, 3, 0, 1) + v * sign_2;
}

/* Two strides, between four vectors. */
static void rotate_between(lanes_f32 v[4])
{
    const lanes_f32 sum_01 = v[0] + v[1], diff_01 = v[0] - v[1];
    const lanes_f32 sum_23 = v[2] + v[3], diff_23 = v[2] - v[3];
    v[0] = sum_01 + sum_23;
    v[1] = diff_01 + diff_23;
    v[2] = sum_01 - sum_23;
    v[3] = diff_01 - diff_23;
}

/* A whole block of 64 in two passes: strides 1 to 8 in each sixteen, then 16 and 32. */
static void rotate_64(float *block)
{
    lanes_f32 v[4];
    for (int32_t i = 0; i < 64; i += 4 * LANES) {
        for (int32_t j = 0; j < 4; j++)
            v[j] = rotate_within(*(const lanes_f32 *)(block + i + j * LANES));
        rotate_between(v);
        for (int32_t j = 0; j < 4; j++)
            *(lanes_f32 *)(block + i + j * LANES) = v[j];
    }
    for (int32_t i = 0; i < 16; i += LANES) {
        for (int32_t j = 0; j < 4; j++)
            v[j] = *(const lanes_f32 *)(block + i + j * 16);
        rotate_between(v);
        for (int32_t j = 0; j < 4; j++)
            *(lanes_f32 *)(block + i + j * 16) = v[j] * 0.125f;
    }
}

/* One stride of a smaller block. */
static void rotate_once(float *row, int32_t cols, int32_t stride)
{
    for (int32_t group = 0; group < cols; group += 2 * stride) {
        for (int32_t i = group; i < group + stride; i++) {
            const float a = row[i], b = row[i + stride];
            row[i] = a + b;
            row[i + stride] = a - b;
        }
    }
}

static int32_t clamp_127(int32_t value)
{
    return value > 127 ? 127 : value < -127 ? -127 : value;
}

/* Bits of the greatest magnitude: as integers, magnitudes order like floats, and infinity and
 * NaN come last. */
static int32_t greatest_bits(const float *row, int32_t cols)
{
    lanes_i32 most = {0, 0, 0, 0};
    int32_t i = 0;
    for (; i + LANES <= cols; i += LANES) {
        const lanes_i32 bits = *(const lanes_i32 *)(row + i) & FLOAT_MAGNITUDE;
        const lanes_i32 above = bits > most;
        most = (bits & above) | (most & ~above);
    }
    int32_t greatest = 0;
    for (int32_t lane = 0; lane < LANES; lane++)
        greatest = most[lane] > greatest ? most[lane] : greatest;
    for (; i < cols; i++) {
        int32_t bits;
        memcpy(&bits, row + i, sizeof bits);
        bits &= FLOAT_MAGNITUDE;
        greatest = bits > greatest ? bits : greatest;
    }
    return greatest;
}

/* The clamp matters only where scale is subnormal and so badly rounded. */
static void quantize_lane(const float *row, float scale, int8_t *q)
{
    const float shifted = *row / scale + ROUND_MAGIC;
    int32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    *q = (int8_t)clamp_127(bits - ROUND_MAGIC_BITS);
}

/* Sixteen small integers to bytes: compilers take baseline vectors apart here, so by hand. */
static void pack(const lanes_i32 values[4], int8_t *q)
{
#ifdef __SSE2__
    const __m128i low = _mm_packs_epi32((__m128i)values[0], (__m128i)values[1]);
    const __m128i high = _mm_packs_epi32((__m128i)values[2], (__m128i)values[3]);
    _mm_storeu_si128((__m128i *)(void *)q, _mm_packs_epi16(low, high));
#else
    for (int32_t i = 0; i < PACKED; i++)
        q[i] = (int8_t)values[i / LANES][i % LANES];
#endif
}

static void quantize_row(const float *row, int32_t cols, float scale, int8_t *q)
{
    int32_t i = 0;
    if (scale >= FLT_MIN) {
        for (; i + PACKED <= cols; i += PACKED) {
            lanes_i32 values[4];
            for (int32_t v = 0; v < 4; v++) {
                const lanes_f32 x = *(const lanes_f32 *)(row + i + v * LANES);
                values[v] = (lanes_i32)(x / scale + ROUND_MAGIC) - ROUND_MAGIC_BITS;
            }
            pack(values, q + i);
        }
    }
    for (; i < cols; i++)
        quantize_lane(row + i, scale, q + i);
}

int32_t activation_block(int32_t cols)
{
    int32_t block = 1;
    while (block < ACTIVATION_BLOCK_MAX && cols % (2 * block) == 0)
        block *= 2;
    return block;
}

void activation_rotate(float *row, int32_t cols)
{
    const int32_t block = activation_block(cols);
    if (block == ACTIVATION_BLOCK_MAX) {
        for (int32_t i = 0; i < cols; i += ACTIVATION_BLOCK_MAX)
            rotate_64(row + i);
        return;
    }
    for (int32_t stride = 1; stride < block; stride *= 2)
        rotate_once(row, cols, stride);
    const float norm = 1.0f / sqrtf((float)block);
    for (int32_t i = 0; i < cols; i++)
        row[i] *= norm;
}

float activation_scale(int32_t greatest_bits)
{
    float greatest;
    memcpy(&greatest, &greatest_bits, sizeof greatest);
    return greatest_bits < FLOAT_INF_BITS ? greatest / 127.0f : NAN;
}

float activation_round(const float *row, int32_t cols, int8_t *q)
{
    const float scale = activation_scale(greatest_bits(row, cols));
    if (scale > 0.0f)
        quantize_row(row, cols, scale, q);
    else /* zeros, or not finite: every product with this row is then zero, or NaN */
        memset(q, 0, (size_t)cols);
    return scale;
}

void activation_quantize(const struct activation *activation, int32_t index, float *row)
{
    const int32_t cols = activation->cols;
    int8_t *q = activation->q8 + (size_t)index * (size_t)activation->stride;
    activation_rotate(row, cols);
    activation->scales[index] = activation_round(row, cols, q);
    memset(q + cols, 0, (size_t)(activation->stride - cols));
}
