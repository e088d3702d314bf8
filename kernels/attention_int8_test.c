/*
 * attention_int8_test - every level's integer products against the scalar ones, to the bit, on
 * noise and at the limits; and every level's rounding. The softmax of AVX-512 against that of
 * AVX2 likewise. The AVX-512 products are also built on portable versions of their intrinsics,
 * for machines that cannot run them.
 */
#include "kernels/attention_int8.h"

#include "kernels/attention_tile.h"
#include "kernels/device.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/portable_avx512.h"

#if PORTABLE_AVX512_QUICK

    #define attention_int8_avx512 portable_kernels
    #include "kernels/attention_int8_avx512.c"
    #undef attention_int8_avx512

#endif

enum {
    PANELS = 8,
    GROUPS_MAX = 128, /* of four: depth 512 */
    COLS = ATTENTION_INT8_COLS,
    ROWS = 24,
    STRIDE = GROUPS_MAX * 8,
    PANEL_BYTES = GROUPS_MAX * COLS * 4
};

static float values[ROWS][GROUPS_MAX * 4];
static uint8_t bytes[PANELS][PANEL_BYTES];
static uint8_t expected_a[ROWS * STRIDE], found_a[ROWS * STRIDE];

static uint32_t state;

static uint32_t noise(void)
{
    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

/* extremes: everything at its limit, signs by the row and column. Zeros after `groups`. */
static void fill(bool extremes, int groups)
{
    state = 5;
    for (int r = 0; r < ROWS; r++)
        for (int i = 0; i < GROUPS_MAX * 4; i++) {
            const float value = (float)noise() / (float)(1 << 23) - 1.0f;
            values[r][i] = extremes ? (r % 2 ? 3.0f : -3.0f) : value * (float)(r + 1);
            if (i >= groups * 4)
                values[r][i] = 0.0f;
        }
    for (int p = 0; p < PANELS; p++)
        for (int i = 0; i < PANEL_BYTES; i++) {
            const int q = extremes ? (i / 4 % 2 ? 127 : -127) : (int)(noise() % 255) - 127;
            bytes[p][i] = (uint8_t)(int8_t)q;
        }
}

/* All rows by tiles of the level: the sums must be the scalar level's. The sums of rows are of
 * whole rows: what a product leaves out of them must be zeros. */
static void check_products(const char *name, const struct attention_int8_kernels *level,
                           int32_t groups, int32_t panel_groups)
{
    const uint8_t *panels[PANELS];
    struct attention_int8_row expected_rows[ROWS], found_rows[ROWS];
    static float expected[ROWS][COLS], found[ROWS][COLS];
    for (int p = 0; p < PANELS; p++)
        panels[p] = bytes[p];
    for (int r = 0; r < ROWS; r++) {
        expected_rows[r] = attention_int8_scalar.round(
            values[r], GROUPS_MAX * 4, ATTENTION_INT8_LIMIT, expected_a + (size_t)r * STRIDE);
        found_rows[r] = level->round(values[r], GROUPS_MAX * 4, ATTENTION_INT8_LIMIT,
                                     found_a + (size_t)r * STRIDE);
        assert_true(expected_rows[r].scale == found_rows[r].scale);
    }
    struct attention_int8_product product = {.b = panels,
                                             .a_stride = STRIDE,
                                             .b_offset = 0,
                                             .b_stride = COLS * 4,
                                             .c_stride = COLS,
                                             .columns = COLS,
                                             .groups = groups,
                                             .panel_groups = panel_groups};
    for (int32_t r = 0; r < ROWS; r++) {
        product.rows = 1;
        product.a = expected_a + (size_t)r * STRIDE;
        product.rows_of_a = expected_rows + r;
        product.c = expected[r];
        attention_int8_scalar.product(&product);
    }
    for (int32_t tile = 1; tile <= level->tile_rows; tile++) {
        memset(found, 0, sizeof found);
        for (int32_t r = 0; r < ROWS; r += tile) {
            product.rows = ROWS - r < tile ? ROWS - r : tile;
            product.a = found_a + (size_t)r * STRIDE;
            product.rows_of_a = found_rows + r;
            product.c = found[r];
            level->product(&product);
        }
        if (memcmp(expected, found, sizeof found) != 0)
            fail_msg("%s: tiles of %d rows differ", name, tile);
    }
}

static void check_level(const char *name, const struct attention_int8_kernels *level)
{
    for (int extremes = 0; extremes < 2; extremes++) {
        fill(extremes, GROUPS_MAX);
        check_products(name, level, GROUPS_MAX, GROUPS_MAX);
        check_products(name, level, GROUPS_MAX, 16);
        check_products(name, level, GROUPS_MAX, 24); /* the last panel is cut short */
        for (int groups = 1; groups < 16; groups++) {
            fill(extremes, groups);
            check_products(name, level, groups, 4);
        }
    }
}

/* The levels of this build; which of them run is up to the machine. */
static const struct level {
    const char *name;
    enum device_simd simd;
    const struct attention_int8_kernels *kernels;
} levels[] = {
    {"scalar", DEVICE_SIMD_SCALAR, &attention_int8_scalar},
#if defined(__x86_64__)
    {"avx2", DEVICE_SIMD_AVX2, &attention_int8_avx2},
    {"avx512", DEVICE_SIMD_AVX512_VNNI, &attention_int8_avx512},
#elif defined(__aarch64__)
    {"neon", DEVICE_SIMD_NEON, &attention_int8_neon},
    {"dotprod", DEVICE_SIMD_NEON_DOT, &attention_int8_dotprod},
    {"i8mm", DEVICE_SIMD_NEON_I8MM, &attention_int8_i8mm},
#endif
};
enum { LEVELS = sizeof levels / sizeof levels[0] };

static enum device_simd simd_here(void)
{
    struct device *device;
    const struct device_options options = {.threads = 1, .simd_max = DEVICE_SIMD_AVX512_VNNI};
    assert_int_equal(device_open(&device, &options, NULL), OK);
    const enum device_simd simd = device_simd(device);
    device_close(device);
    return simd;
}

static void levels_agree(void **unused)
{
    (void)unused;
    const enum device_simd simd = simd_here();
    if (simd == DEVICE_SIMD_SCALAR) {
        print_message("skipped: no level above scalar here\n");
        skip();
    }
    for (int i = 1; i < LEVELS; i++) {
        if (levels[i].simd <= simd)
            check_level(levels[i].name, levels[i].kernels);
        else
            print_message("without %s, which is not here\n", levels[i].name);
    }
}

static void portable_avx512_agrees(void **unused)
{
    (void)unused;
#if PORTABLE_AVX512_QUICK
    check_level("avx512, portable", &portable_kernels);
#else
    print_message(
        "skipped: no portable intrinsics, or a sanitizer, with which they are slow\n");
    skip();
#endif
}

/* What cannot be rounded: no number, zeros, magnitudes whose inverse is infinite. */
static void check_odd_rows(const struct attention_int8_kernels *level)
{
    const float odd[] = {NAN, INFINITY, -INFINITY};
    uint8_t a[32 * 2];
    const uint8_t zeros[32 * 2] = {0};
    float row[32] = {0};
    memset(a, 1, sizeof a);
    assert_true(level->round(row, 32, ATTENTION_INT8_LIMIT, a).scale == 0.0f);
    assert_memory_equal(a, zeros, sizeof a);
    row[7] = 0x1p-149f;
    memset(a, 1, sizeof a);
    assert_true(level->round(row, 32, ATTENTION_INT8_LIMIT, a).scale == 0.0f);
    assert_memory_equal(a, zeros, sizeof a);
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        row[20] = odd[i];
        memset(a, 1, sizeof a);
        assert_true(isnan(level->round(row, 32, ATTENTION_INT8_LIMIT, a).scale));
        assert_memory_equal(a, zeros, sizeof a);
    }
}

static void odd_rows_have_odd_scales(void **unused)
{
    (void)unused;
    const enum device_simd simd = simd_here();
    for (int i = 0; i < LEVELS; i++) {
        if (levels[i].simd <= simd)
            check_odd_rows(levels[i].kernels);
    }
}

static void softmax_of_both_levels_agrees(void **unused)
{
    (void)unused;
    if (simd_here() < DEVICE_SIMD_AVX512_VNNI) {
        print_message("skipped: no AVX-512 here\n");
        skip();
    }
#if defined(__x86_64__)
    float key_scales[128], value_scales[128], here[128], there[128];
    state = 9;
    for (int32_t seen = 1; seen <= 128; seen++) {
        const int32_t padded = (seen + 15) / 16 * 16;
        for (int i = 0; i < 128; i++) {
            key_scales[i] = (float)(noise() % 100) * 0.01f;
            value_scales[i] = (float)(noise() % 100) * 0.03f;
            here[i] = there[i] = (float)((int)(noise() % 2000) - 1000) * 0.05f;
        }
        if (seen == 50)
            here[3] = there[3] = NAN;
        struct attention_tile_softmax a = {
            here, key_scales, seen % 3 ? value_scales : NULL, seen, padded, 0, 0};
        struct attention_tile_softmax b = a;
        b.scores = there;
        attention_tile_avx2.softmax(&a);
        attention_tile_avx512.softmax(&b);
        assert_memory_equal(&a.sum, &b.sum, sizeof a.sum);
        assert_memory_equal(here, there, (size_t)padded * sizeof here[0]);
    }
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_agree),
        cmocka_unit_test(portable_avx512_agrees),
        cmocka_unit_test(odd_rows_have_odd_scales),
        cmocka_unit_test(softmax_of_both_levels_agrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
