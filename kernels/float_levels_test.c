/* float_levels_test - the float kernels of every SIMD level that fuses products and sums (AVX2,
 * AVX-512, NEON), bit for bit against loops of fmaf in the order that their headers promise.
 * So machines of different families give the same floats. */
#include "kernels/attention_tile.h"
#include "kernels/device.h"
#include "kernels/half.h"
#include "kernels/matmul_f32.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
    LANES = 8,
    STRIDE = ATTENTION_TILE_STRIDE,
    COLS = ATTENTION_TILE_COLS,
    ROWS_MAX = 12,
    IN_MAX = 100,
    DEPTH = 40,
    PANEL_DEPTH = 16,
    PANELS = (DEPTH + PANEL_DEPTH - 1) / PANEL_DEPTH,
    B_STRIDE = 3 * COLS,
    KEYS = 32
};

struct level {
    const char *name;
    enum device_simd simd;
    matmul_f32_kernel *matmul;
    const struct attention_tile_kernels *attention;
};

static const struct level levels[] = {
#if defined(__x86_64__)
    {"avx2", DEVICE_SIMD_AVX2, matmul_f32_avx2, &attention_tile_avx2},
    {"avx512", DEVICE_SIMD_AVX512_VNNI, matmul_f32_avx2, &attention_tile_avx512},
#elif defined(__aarch64__)
    {"neon", DEVICE_SIMD_NEON, matmul_f32_neon, &attention_tile_neon},
#endif
    {NULL, DEVICE_SIMD_SCALAR, NULL, NULL}};

typedef void level_check(const struct level *level);

static void each_level(level_check *check)
{
    int checked = 0;
    for (const struct level *level = levels; level->name; level++) {
        if (device_simd_found(level->simd) != level->simd) {
            print_message("this machine has no %s\n", level->name);
            continue;
        }
        check(level);
        checked++;
    }
    if (checked == 0) {
        puts("skipped: no level above scalar here");
        skip();
    }
}

static float noise(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) * 0x1p-23f - 1.0f;
}

static float lanes_add(const float lane[LANES])
{
    const float four[4] = {lane[0] + lane[4], lane[1] + lane[5], lane[2] + lane[6],
                           lane[3] + lane[7]};
    return (four[0] + four[2]) + (four[1] + four[3]);
}

static float dot_fused(const float *x, const float *w, int32_t count)
{
    float lane[LANES] = {0};
    for (int32_t i = 0; i < count; i++)
        lane[i % LANES] = fmaf(x[i], w[i], lane[i % LANES]);
    return lanes_add(lane);
}

static void check_matmul(const struct level *level)
{
    enum { OUTS = 13 };
    static float x[ROWS_MAX * IN_MAX], w[OUTS * IN_MAX], found[ROWS_MAX * OUTS];
    uint32_t state = 3;
    for (int32_t in_dim = 1; in_dim <= IN_MAX; in_dim += in_dim < 20 ? 1 : 9) {
        for (int32_t i = 0; i < ROWS_MAX * in_dim; i++)
            x[i] = noise(&state);
        for (int32_t i = 0; i < OUTS * in_dim; i++)
            w[i] = noise(&state);
        for (int32_t rows = 1; rows <= 7; rows++) {
            const struct matmul_f32_tile tile = {x, w, rows, OUTS, in_dim};
            level->matmul(&tile, found);
            for (int32_t i = 0; i < rows * OUTS; i++) {
                const float expected =
                    dot_fused(x + i / OUTS * in_dim, w + i % OUTS * in_dim, in_dim);
                if (memcmp(&found[i], &expected, sizeof expected) != 0)
                    fail_msg("%s: in_dim %d, %d rows, number %d: %a, should be %a", level->name,
                             in_dim, rows, i, (double)found[i], (double)expected);
            }
        }
    }
}

static void products_of_rows_are_fused_in_eight_lanes(void **state)
{
    (void)state;
    each_level(check_matmul);
}

/* The tables of numbers that products read, in every type of the cache. */
static float a[PANELS * ROWS_MAX * STRIDE];
static uint8_t b[2][PANELS][PANEL_DEPTH * B_STRIDE * sizeof(float)];
static float b_floats[2][PANELS * PANEL_DEPTH * B_STRIDE];

static void fill_product(enum kv_type type)
{
    uint32_t state = 11;
    for (size_t i = 0; i < sizeof a / sizeof a[0]; i++)
        a[i] = noise(&state);
    for (int32_t i = 0; i < 2 * PANELS * PANEL_DEPTH * B_STRIDE; i++) {
        const int32_t panel = i / (PANEL_DEPTH * B_STRIDE) % PANELS;
        const int32_t at = i % (PANEL_DEPTH * B_STRIDE);
        const int32_t block = i / (PANELS * PANEL_DEPTH * B_STRIDE);
        float *wide = &b_floats[block][panel * PANEL_DEPTH * B_STRIDE + at];
        *wide = noise(&state);
        if (type == KV_F32) {
            memcpy(b[block][panel] + (size_t)at * 4, wide, 4);
        } else {
            const uint16_t half = half_from_float(*wide);
            *wide = half_to_float(half);
            memcpy(b[block][panel] + (size_t)at * 2, &half, 2);
        }
    }
}

static float product_fused(const struct attention_tile_product *product, int32_t row,
                           int32_t block, int32_t column)
{
    float sum = 0;
    for (int32_t k = 0; k < product->depth; k++) {
        const int32_t panel = k / PANEL_DEPTH, in_panel = k % PANEL_DEPTH;
        const float x = a[(size_t)panel * product->a_panel + (size_t)(row * STRIDE + in_panel)];
        const float *row_of_b = &b_floats[block][(panel * PANEL_DEPTH + in_panel) * B_STRIDE];
        sum = fmaf(x, row_of_b[product->b_column[block] + (size_t)column], sum);
    }
    return sum;
}

static void check_product(const struct level *level, enum kv_type type, int32_t rows,
                          int32_t blocks)
{
    static float c[ROWS_MAX * 2 * COLS];
    const void *panels[2][PANELS];
    for (int32_t i = 0; i < 2 * PANELS; i++)
        panels[i / PANELS][i % PANELS] = b[i / PANELS][i % PANELS];
    const struct attention_tile_product product = {.a = a,
                                                   .b = {panels[0], panels[1]},
                                                   .c = c,
                                                   .a_panel = (size_t)ROWS_MAX * STRIDE,
                                                   .b_stride = B_STRIDE,
                                                   .b_column = {COLS, 5},
                                                   .c_stride = (size_t)2 * COLS,
                                                   .b_type = type,
                                                   .blocks = blocks,
                                                   .rows = rows,
                                                   .columns = COLS,
                                                   .depth = DEPTH - rows,
                                                   .panel_depth = PANEL_DEPTH};
    level->attention->product(&product);
    for (int32_t i = 0; i < rows * blocks * COLS; i++) {
        const int32_t row = i / (blocks * COLS), column = i % (blocks * COLS);
        const float expected = product_fused(&product, row, column / COLS, column % COLS);
        const float *found = &c[row * 2 * COLS + column];
        if (memcmp(found, &expected, sizeof expected) != 0)
            fail_msg("%s: type %d, %d blocks, row %d of %d, column %d: %a, should be %a",
                     level->name, (int)type, blocks, row, rows, column, (double)*found,
                     (double)expected);
    }
}

static void check_products(const struct level *level)
{
    const enum kv_type types[] = {KV_F32, KV_F16};
    for (int i = 0; i < 2; i++) {
        fill_product(types[i]);
        for (int32_t rows = 1; rows <= level->attention->tile_rows; rows++)
            check_product(level, types[i], rows, 1);
        for (int32_t rows = 1; rows <= level->attention->pair_rows; rows++)
            check_product(level, types[i], rows, 2);
    }
}

static void products_of_attention_are_fused_down_the_depth(void **state)
{
    (void)state;
    each_level(check_products);
}

static float power_of_two(float t)
{
    static const float terms[] = {0x1.5f0956p-10f, 0x1.3b2a52p-7f, 0x1.c6af6cp-5f,
                                  0x1.ebfbe0p-3f,  0x1.62e430p-1f, 1.0f};
    const float shifted = t + 12582912.0f, f = t - (shifted - 12582912.0f);
    float p = 0x1.441412p-13f;
    for (size_t i = 0; i < sizeof terms / sizeof terms[0]; i++)
        p = fmaf(p, f, terms[i]);
    return t < -126.0f ? 0
                       : half_from_bits(half_float_bits(p) + (half_float_bits(shifted) << 23));
}

/* What softmax leaves in scores, and its sum and maximum behind them. */
static void softmax_fused(const struct attention_tile_softmax *softmax, float out[KEYS + 2])
{
    float max = -INFINITY, lane[LANES] = {0};
    for (int32_t key = 0; key < softmax->seen; key++)
        max = fmaxf(max, softmax->scores[key] * softmax->key_scales[key]);
    memset(out, 0, (KEYS + 2) * sizeof *out);
    for (int32_t key = 0; key < softmax->seen; key++) {
        const float weight =
            power_of_two(softmax->scores[key] * softmax->key_scales[key] - max);
        lane[key % LANES] += weight;
        out[key] = softmax->value_scales ? weight * softmax->value_scales[key] : weight;
    }
    out[KEYS] = lanes_add(lane);
    out[KEYS + 1] = max;
}

static void check_softmax(const struct level *level)
{
    float scores[KEYS], key_scales[KEYS], value_scales[KEYS], expected[KEYS + 2];
    uint32_t state = 5;
    for (int32_t seen = 1; seen <= KEYS; seen++) {
        for (int32_t key = 0; key < KEYS; key++) {
            scores[key] = 90 * noise(&state);
            key_scales[key] = 1 + noise(&state);
            value_scales[key] = 1 + noise(&state);
        }
        struct attention_tile_softmax softmax = {.scores = scores,
                                                 .key_scales = key_scales,
                                                 .value_scales = seen % 2 ? value_scales : NULL,
                                                 .seen = seen,
                                                 .padded = KEYS};
        softmax_fused(&softmax, expected);
        level->attention->softmax(&softmax);
        const bool same = memcmp(scores, expected, sizeof scores) == 0 &&
                          memcmp(&softmax.sum, &expected[KEYS], sizeof(float)) == 0 &&
                          memcmp(&softmax.max, &expected[KEYS + 1], sizeof(float)) == 0;
        if (!same)
            fail_msg("%s: softmax of %d keys differs", level->name, seen);
    }
}

static void softmax_is_fused_in_eight_lanes(void **state)
{
    (void)state;
    each_level(check_softmax);
}

static void check_widen(const struct level *level)
{
    enum { COUNT = 1 << 16 };
    static uint16_t halves[COUNT];
    static float wide[COUNT];
    for (int32_t i = 0; i < COUNT; i++)
        halves[i] = (uint16_t)((i & 0x7c00) == 0x7c00 ? i & 0xfc00 : i); /* no NaN */
    level->attention->widen_f16(halves, wide, COUNT);
    for (int32_t i = 0; i < COUNT; i++)
        assert_int_equal(half_float_bits(wide[i]), half_float_bits(half_to_float(halves[i])));
}

static void widening_is_exact(void **state)
{
    (void)state;
    each_level(check_widen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_of_rows_are_fused_in_eight_lanes),
        cmocka_unit_test(products_of_attention_are_fused_down_the_depth),
        cmocka_unit_test(softmax_is_fused_in_eight_lanes), cmocka_unit_test(widening_is_exact)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
