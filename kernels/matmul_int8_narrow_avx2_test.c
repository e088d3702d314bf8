/*
 * matmul_int8_narrow_avx2_test - the sums of that file against the scalar ones: on normal
 * numbers, on operands at the limits of what fits, and on rows that it does not take.
 */
#include "kernels/device.h"
#include "kernels/matmul_int8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#if defined(__x86_64__)

enum {
    DEPTH_MAX = 1536,
    ROWS_MAX = 70,
    TILE_ROWS = 32,
    PANELS = 2,
    OUTS = PANELS * MATMUL_INT8_PANEL,
    TURNED_BYTES = 1 << 18 /* of rows, with what lists excesses */
};

static int8_t x[ROWS_MAX][DEPTH_MAX], w[OUTS][DEPTH_MAX], panels[OUTS * DEPTH_MAX];
static _Alignas(64) int8_t turned[PANELS * MATMUL_INT8_PANEL * (2 * DEPTH_MAX + 64)];
static _Alignas(64) uint8_t x_turned[TURNED_BYTES];
static int32_t expected[PANELS * ROWS_MAX * MATMUL_INT8_PANEL];
static int32_t found[PANELS * ROWS_MAX * MATMUL_INT8_PANEL];

static uint32_t state = 1;

static int noise(int most) /* -most .. most */
{
    state = state * 1664525u + 1013904223u;
    return (int)((state >> 8) % (uint32_t)(2 * most + 1)) - most;
}

/* Near to normal: a sum of four. Rarely beyond 127, and then at it. */
static int8_t normal(int spread)
{
    int sum = 0;
    for (int i = 0; i < 4; i++)
        sum += noise(spread);
    return (int8_t)(sum > 127 ? 127 : sum < -127 ? -127 : sum);
}

static void fill(int x_spread, int w_spread)
{
    for (int i = 0; i < DEPTH_MAX; i++) {
        for (int r = 0; r < ROWS_MAX; r++)
            x[r][i] = normal(x_spread);
        for (int o = 0; o < OUTS; o++)
            w[o][i] = normal(w_spread);
    }
}

/* Whether the rows suit; if so, their sums are compared, tile by tile. */
static bool compare(int32_t rows, int32_t depth)
{
    for (int o = 0; o < OUTS; o++)
        for (int i = 0; i < depth; i++)
            panels[matmul_int8_place(depth, o, i)] = w[o][i];
    struct matmul_int8_tile tile = {.x = x[0],
                                    .panel = panels,
                                    .turned = turned,
                                    .x_turned = x_turned,
                                    .stride = DEPTH_MAX,
                                    .rows = rows,
                                    .depth = depth,
                                    .panels = PANELS,
                                    .rows_all = rows};
    assert_true(matmul_int8_x_turned_bytes(rows, depth) <= sizeof x_turned);
    matmul_int8_turn_avx2(&tile, turned);
    memset(x_turned, 0x55, sizeof x_turned); /* nothing counts on zeros */
    if (!matmul_int8_x_turn_avx2(&tile, x_turned))
        return false;
    for (int32_t row = 0; row < rows; row += TILE_ROWS) {
        tile.x = x[row];
        tile.rows = rows - row < TILE_ROWS ? rows - row : TILE_ROWS;
        tile.rows_before = row;
        matmul_int8_scalar(&tile, expected);
        matmul_int8_narrow_avx2(&tile, found);
        const size_t count = (size_t)tile.rows * OUTS;
        if (memcmp(expected, found, count * sizeof found[0]) != 0)
            fail_msg("depth %d, rows from %d on of %d: sums differ", depth, row, rows);
    }
    return true;
}

/* 127 is 3.3 to 4.4 times the spread of a sum of four of 45 or 60: as rotated rows have it. */
static void normal_numbers(void)
{
    const int32_t depths[] = {64, 192, 576, 1536};
    for (size_t i = 0; i < sizeof depths / sizeof depths[0]; i++) {
        for (int32_t rows = 1; rows <= ROWS_MAX; rows += rows < 9 ? 1 : 30) {
            fill(25, 25);
            assert_true(compare(rows, depths[i]));
            fill(28, 90); /* weights far out: most spans are summed pair by pair */
            assert_true(compare(rows, depths[i]));
        }
    }
}

/* One row and one output whose sums are just below the limit of 16 bits, and at it: eight
 * products of 64 and a weight, of either lane of each output in turn. */
static void lanes_at_their_limits(void)
{
    fill(1, 1);
    memset(x[5], 64, sizeof x[5]); /* a pair has no excess: 64 + 64 */
    for (int odd = 0; odd < 2 * OUTS; odd++) {
        int8_t *row = w[odd / 2], kept[DEPTH_MAX];
        memcpy(kept, row, sizeof kept);
        for (int weight = 60; weight <= 68; weight++) {
            for (int i = odd % 2 * 2; i < DEPTH_MAX; i += 4)
                row[i] = row[i + 1] = (int8_t)(odd % 3 ? weight : -weight);
            assert_true(compare(9, 128));
        }
        memcpy(row, kept, sizeof kept);
    }
}

/* One row with so many pairs that have too much: all signs, and everything at its limit. */
static void pairs_beyond(int32_t depth, int32_t every)
{
    fill(20, 60);
    for (int32_t i = 0; i < depth; i += every) {
        const int8_t value = (int8_t)(i / every % 2 ? -127 : 127);
        x[3][i] = x[3][i + 1] = value;
        for (int o = 0; o < OUTS; o++)
            w[o][i] = w[o][i + 1] = (int8_t)(o % 2 ? -127 : 127);
    }
}

static void excesses_and_too_many_of_them(void)
{
    pairs_beyond(DEPTH_MAX, 32);
    assert_true(compare(8, DEPTH_MAX));
    pairs_beyond(DEPTH_MAX, 2);
    assert_true(compare(ROWS_MAX, DEPTH_MAX)); /* of all rows there are not */
    assert_false(compare(8, DEPTH_MAX));       /* one in 16 numbers of these */
    memset(x, 127, sizeof x);
    assert_false(compare(4, 64));
    memset(x, -127, sizeof x);
    assert_false(compare(1, 64));
}

static bool is_avx2_here(void)
{
    struct device *device;
    const struct device_options options = {.threads = 1, .simd_max = DEVICE_SIMD_AVX2};
    assert_int_equal(device_open(&device, &options, NULL), OK);
    const bool is_here = device_simd(device) == DEVICE_SIMD_AVX2;
    device_close(device);
    return is_here;
}

#endif

static void sums_are_exact(void **unused)
{
    (void)unused;
#if defined(__x86_64__)
    if (is_avx2_here()) {
        normal_numbers();
        lanes_at_their_limits();
        excesses_and_too_many_of_them();
        return;
    }
#endif
    print_message("skipped: no AVX2 here\n");
    skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sums_are_exact)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
