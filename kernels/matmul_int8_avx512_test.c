/* matmul_int8_avx512_test - the AVX-512 kernel's own source, built on portable versions of its
 * intrinsics, against the scalar kernel: for machines that cannot run it. Where they can,
 * matmul_cpu_test runs it as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/portable_avx512.h"

#if PORTABLE_AVX512

    #define matmul_int8_avx512        portable_kernel
    #define matmul_int8_x_sums_avx512 portable_sums
    #define matmul_int8_turn_avx512   portable_turn
    #include "kernels/matmul_int8_avx512.c"

enum { ROWS_MAX = 33, DEPTH_MAX = 1536, PANELS_MAX = 3 };

static int8_t rows[ROWS_MAX * DEPTH_MAX];
static int8_t weights[PANELS_MAX * PANEL * DEPTH_MAX];
static int8_t turned[PANELS_MAX * PANEL * DEPTH_MAX];
static int32_t sums[ROWS_MAX];
static int32_t expected[PANELS_MAX * ROWS_MAX * PANEL];
static int32_t found[PANELS_MAX * ROWS_MAX * PANEL];

static int8_t noise(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (int8_t)((int)(*state >> 8) % 255 - 127);
}

/* level 0: noise; else every value is -127 or 127 by one bit of level. */
static void fill(int32_t depth, int level)
{
    uint32_t state = 7;
    for (int32_t i = 0; i < ROWS_MAX * depth; i++)
        rows[i] = level == 0 ? noise(&state) : (int8_t)(level & 1 ? 127 : -127);
    for (int32_t out = 0; out < PANELS_MAX * PANEL; out++) {
        for (int32_t i = 0; i < depth; i++) {
            const int8_t w = level == 0 ? noise(&state) : (int8_t)(level & 2 ? 127 : -127);
            weights[matmul_int8_place(depth, out, i)] = w;
        }
    }
}

static void check(int32_t depth, int32_t row_count, int32_t panels)
{
    struct matmul_int8_tile tile = {.x = rows,
                                    .panel = weights,
                                    .x_sums = sums,
                                    .stride = depth,
                                    .rows = row_count,
                                    .depth = depth,
                                    .rows_all = row_count,
                                    .panels = panels};
    portable_sums(&tile, sums);
    matmul_int8_scalar(&tile, expected);
    const size_t count = (size_t)(panels * row_count * PANEL);
    for (int is_turned = 0; is_turned < 2; is_turned++) {
        if (is_turned) {
            portable_turn(&tile, turned);
            tile.turned = turned;
        }
        memset(found, 0x55, sizeof found);
        portable_kernel(&tile, found);
        if (memcmp(found, expected, count * sizeof found[0]) != 0)
            fail_msg("depth %d, %d rows, %d panels, turned %d: sums differ", depth, row_count,
                     panels, is_turned);
        assert_true(count == sizeof found / sizeof found[0] || found[count] == 0x55555555);
    }
}

static void sums_equal_the_scalar_kernel(void **state)
{
    (void)state;
    const int32_t depths[] = {64, 192, 576, DEPTH_MAX};
    for (size_t d = 0; d < sizeof depths / sizeof depths[0]; d++) {
        for (int level = 0; level < 4; level++) {
            fill(depths[d], level);
            for (int32_t row_count = 1; row_count <= ROWS_MAX; row_count += level == 0 ? 1 : 8)
                check(depths[d], row_count, row_count % PANELS_MAX + 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sums_equal_the_scalar_kernel)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    (void)printf("matmul_int8_avx512: SIMD Everywhere (libsimde-dev) is not here, skipped\n");
    return 77;
}

#endif
