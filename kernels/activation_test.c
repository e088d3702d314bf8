/* activation_test - the rotation against its definition, rounding against its rule. */
#include "kernels/activation.h"
#include "kernels/device.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { COLS_MAX = 1536 };

static float noise(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) * 0x1p-23f - 1.0f;
}

static size_t padded(int32_t cols)
{
    return ((size_t)cols + 63) / 64 * 64;
}

/* Row i of Sylvester's Hadamard matrix has sign (-1)^popcount(i & j) at column j. */
static double rotated_by_definition(const float *row, int32_t block, int32_t index)
{
    const int32_t first = index / block * block;
    double sum = 0;
    for (int32_t j = 0; j < block; j++) {
        const int odd = __builtin_parity((unsigned)((index - first) & j));
        sum += odd ? -(double)row[first + j] : (double)row[first + j];
    }
    return sum / sqrt(block);
}

static void block_is_the_largest_power_that_divides(void **state)
{
    (void)state;
    const int32_t cases[][2] = {{1, 1},   {2, 2},    {3, 1},   {172, 4},   {288, 32},
                                {64, 64}, {576, 64}, {96, 32}, {1536, 64}, {128, 64}};
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(activation_block(cases[i][0]), cases[i][1]);
}

static void rotation_is_hadamard(void **state)
{
    (void)state;
    const int32_t sizes[] = {1, 2, 3, 4, 6, 8, 16, 48, 64, 172, 288, 576, COLS_MAX};
    uint32_t seed = 5;
    for (size_t s = 0; s < COUNT(sizes); s++) {
        float row[COLS_MAX], before[COLS_MAX];
        for (int32_t i = 0; i < sizes[s]; i++)
            row[i] = before[i] = noise(&seed);
        activation_rotate(row, sizes[s]);
        for (int32_t i = 0; i < sizes[s]; i++) {
            const double want = rotated_by_definition(before, activation_block(sizes[s]), i);
            if (!(fabs((double)row[i] - want) < 2e-6))
                fail_msg("%d columns: [%d] is %.9g, should be %.9g", sizes[s], i,
                         (double)row[i], want);
        }
        activation_rotate(row, sizes[s]); /* its own inverse */
        for (int32_t i = 0; i < sizes[s]; i++)
            assert_true(fabsf(row[i] - before[i]) < 2e-6f);
    }
}

typedef void quantize_level(const struct activation *activation, int32_t index, float *row);

/* A level must give the bits of the portable one. */
static void assert_level_agrees(quantize_level *level, const float *values, int32_t cols,
                                const int8_t *q, float scale)
{
    float row[COLS_MAX], other_scale = -1.0f;
    memcpy(row, values, (size_t)cols * sizeof *row);
    int8_t *other = malloc(padded(cols));
    assert_non_null(other);
    memset(other, 0x55, padded(cols));
    const struct activation one = {.forms = ACTIVATION_INT8,
                                   .cols = cols,
                                   .q8 = other,
                                   .scales = &other_scale,
                                   .stride = (int32_t)padded(cols)};
    level(&one, 0, row);
    assert_memory_equal(&other_scale, &scale, sizeof scale);
    assert_memory_equal(other, q, padded(cols));
    free(other);
}

/* Every other level that this machine has. */
static void assert_levels_agree(const float *values, int32_t cols, const int8_t *q, float scale)
{
#if defined(__x86_64__)
    if (device_simd_found(DEVICE_SIMD_AVX2) == DEVICE_SIMD_AVX2)
        assert_level_agrees(activation_quantize_avx2, values, cols, q, scale);
    if (device_simd_found(DEVICE_SIMD_AVX512_VNNI) == DEVICE_SIMD_AVX512_VNNI)
        assert_level_agrees(activation_quantize_avx512, values, cols, q, scale);
#else
    (void)values, (void)cols, (void)q, (void)scale;
#endif
}

/* What a row that is rotated already rounds to at each level, in memory of exactly its size. */
static void assert_rounds_agree(const float *rotated, int32_t cols, const int8_t *q,
                                float scale)
{
    activation_round_level *levels[2] = {activation_round, activation_round};
#if defined(__x86_64__)
    if (device_simd_found(DEVICE_SIMD_AVX2) == DEVICE_SIMD_AVX2)
        levels[1] = activation_round_avx2;
#endif
    for (size_t i = 0; i < COUNT(levels); i++) {
        int8_t *other = malloc((size_t)cols);
        assert_non_null(other);
        memset(other, 0x55, (size_t)cols);
        const float other_scale = levels[i](rotated, cols, other);
        assert_memory_equal(&other_scale, &scale, sizeof scale);
        assert_memory_equal(other, q, (size_t)cols);
        free(other);
    }
}

/* Quantizes cols values into memory of exactly the row's size. */
static float quantize(const float *values, int32_t cols, int8_t *q)
{
    float row[COLS_MAX], scale = -1.0f;
    memcpy(row, values, (size_t)cols * sizeof *row);
    const struct activation one = {.forms = ACTIVATION_INT8,
                                   .cols = cols,
                                   .q8 = q,
                                   .scales = &scale,
                                   .stride = (int32_t)padded(cols)};
    memset(q, 0x55, padded(cols));
    activation_quantize(&one, 0, row);
    assert_levels_agree(values, cols, q, scale);
    assert_rounds_agree(row, cols, q, scale);
    return scale;
}

static void rounding_is_to_nearest_even(void **state)
{
    (void)state;
    const int32_t sizes[] = {1, 3, 7, 16, 20, 64, 96, 128, 172, 576, COLS_MAX};
    uint32_t seed = 9;
    for (size_t s = 0; s < COUNT(sizes); s++) {
        const int32_t cols = sizes[s];
        float row[COLS_MAX], rotated[COLS_MAX], greatest = 0;
        for (int32_t i = 0; i < cols; i++)
            row[i] = rotated[i] = noise(&seed) * 3.0f;
        activation_rotate(rotated, cols);
        for (int32_t i = 0; i < cols; i++)
            greatest = fmaxf(greatest, fabsf(rotated[i]));
        int8_t *q = malloc(padded(cols));
        assert_non_null(q);
        const float scale = quantize(row, cols, q);
        assert_true(scale == greatest / 127.0f);
        for (int32_t i = 0; i < cols; i++)
            assert_int_equal(q[i], (int)nearbyintf(rotated[i] / scale));
        for (size_t i = (size_t)cols; i < padded(cols); i++)
            assert_int_equal(q[i], 0);
        free(q);
    }
}

/* One column is not rotated: each quotient is exact, and the halves are ties. */
static void ties_go_to_the_even_neighbour(void **state)
{
    (void)state;
    const float values[] = {127.0f, 0.5f, 1.5f, -0.5f, -2.5f, 126.5f, -127.0f, 3.5f, 63.0f};
    const int expected[] = {127, 0, 2, 0, -2, 126, -127, 4, 63};
    int8_t q[64];
    assert_true(quantize(values, COUNT(values), q) == 1.0f);
    for (size_t i = 0; i < COUNT(values); i++)
        assert_int_equal(q[i], expected[i]);
}

/* A row that rotates to `greatest` and, about a float apart, numbers around center. */
static void row_around(float *row, float greatest, float center, float step)
{
    for (int i = 0; i < 64; i++)
        row[i] = center + (float)(i - 32) * step;
    row[0] = greatest;
    activation_rotate(row, 64); /* its own inverse, but for rounding */
}

/* Quotients by whole rows of floats on both sides of each tie, at scales of every size. */
static void levels_agree_about_ties(void **state)
{
    (void)state;
    uint32_t seed = 3;
    for (int exponent = -120; exponent <= 110; exponent += 5) {
        for (int n = 0; n < 127; n++) {
            const float greatest = ldexpf(1.5f + 0.4f * noise(&seed), exponent);
            const float center = ((float)n + 0.5f) * (greatest / 127.0f);
            float row[64];
            int8_t q[64];
            row_around(row, greatest, center, nextafterf(center, INFINITY) - center);
            quantize(row, 64, q);
        }
    }
}

static void zeros_have_scale_zero(void **state)
{
    (void)state;
    const float values[64] = {0};
    int8_t q[64];
    assert_true(quantize(values, 64, q) == 0.0f);
    for (int i = 0; i < 64; i++)
        assert_int_equal(q[i], 0);
}

/* The scale is then rounded to few bits, and a quotient may pass 127. */
static void subnormal_rows_stay_in_range(void **state)
{
    (void)state;
    for (int units = 1; units < 2000; units++) {
        float values[33]; /* block 1 */
        for (int i = 0; i < 33; i++)
            values[i] = ldexpf(i % 2 ? -(float)units : (float)units, -149);
        int8_t q[64];
        const float scale = quantize(values, 33, q);
        for (int i = 0; i < 33; i++)
            assert_true(scale == 0.0f ? q[i] == 0 : q[i] == (i % 2 ? -q[0] : q[0]));
        assert_in_range(q[0], 0, 127);
        float block[64]; /* rotated */
        for (int i = 0; i < 64; i++)
            block[i] = ldexpf((float)(i * units % 97 - 48), -150 + units % 3);
        quantize(block, 64, q);
    }
}

static void what_is_not_finite_poisons_its_row(void **state)
{
    (void)state;
    const float bad[] = {NAN, -NAN, INFINITY, -INFINITY};
    for (size_t b = 0; b < COUNT(bad); b++) {
        for (int32_t at = 0; at < 67; at += 11) {
            float values[67] = {1.0f};
            values[at] = bad[b];
            int8_t q[128];
            assert_true(isnan(quantize(values, 67, q)));
            for (int i = 0; i < 128; i++)
                assert_int_equal(q[i], 0);
            assert_true(at >= 64 || isnan(quantize(values, 64, q)));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(block_is_the_largest_power_that_divides),
        cmocka_unit_test(rotation_is_hadamard),
        cmocka_unit_test(rounding_is_to_nearest_even),
        cmocka_unit_test(ties_go_to_the_even_neighbour),
        cmocka_unit_test(levels_agree_about_ties),
        cmocka_unit_test(zeros_have_scale_zero),
        cmocka_unit_test(subnormal_rows_stay_in_range),
        cmocka_unit_test(what_is_not_finite_poisons_its_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
