/* attention_tile_avx512_test - the AVX-512 product's own source, built on portable versions of
 * its intrinsics, against the scalar kernel: for machines that cannot run it. Where they can,
 * attention_cpu_test runs it as it is.
 *
 * Numbers are small integers, so that every sum is exact, fused or not: the results must be
 * equal to the bit. Sanitizers would compile these portable loops for minutes: not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/portable_avx512.h"

#if PORTABLE_AVX512_QUICK

    #define attention_tile_avx512 portable_kernels
    #include "kernels/attention_tile_avx512.c"

enum { PANELS = 8, PANEL_DEPTH = 16, DEPTH_MAX = PANELS * PANEL_DEPTH, WIDTH = 48, BLOCKS = 2 };

static float rows[TILE_ROWS * STRIDE];
static float f32[PANELS][PANEL_DEPTH * WIDTH];
static uint16_t f16[PANELS][PANEL_DEPTH * WIDTH];

static void fill(void)
{
    uint32_t state = 7;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        state = state * 1664525u + 1013904223u;
        rows[i] = (float)((int)(state >> 8) % 17 - 8);
    }
    for (size_t p = 0; p < PANELS; p++) {
        for (size_t i = 0; i < PANEL_DEPTH * WIDTH; i++) {
            state = state * 1664525u + 1013904223u;
            f32[p][i] = (float)((int)(state >> 8) % 255 - 127);
            f16[p][i] = half_from_float(f32[p][i]);
        }
    }
}

static struct attention_tile_product product_make(enum kv_type type, const void **panels)
{
    for (size_t p = 0; p < PANELS; p++)
        panels[p] = type == KV_F32 ? (const void *)f32[p] : (const void *)f16[p];
    return (struct attention_tile_product){.a = rows,
                                           .b = {panels, panels},
                                           .a_panel = PANEL_DEPTH,
                                           .b_stride = WIDTH,
                                           .b_column = {3, 27},
                                           .c_stride = BLOCKS * COLS,
                                           .b_type = type,
                                           .columns = COLS,
                                           .panel_depth = PANEL_DEPTH};
}

static void check(struct attention_tile_product product)
{
    float expected[TILE_ROWS * BLOCKS * COLS] = {0}, found[TILE_ROWS * BLOCKS * COLS] = {0};
    product.c = found;
    portable_kernels.product(&product);
    const int32_t blocks = product.blocks;
    product.blocks = 1;
    for (int32_t block = 0; block < blocks; block++) {
        product.b_column[0] = product.b_column[block];
        product.c = expected + block * COLS;
        for (product.a = rows; product.a < rows + product.rows * STRIDE; product.a += STRIDE) {
            struct attention_tile_product row = product;
            row.rows = 1;
            attention_tile_scalar.product(&row);
            product.c += BLOCKS * COLS;
        }
    }
    if (memcmp(expected, found, sizeof found) != 0)
        fail_msg("type %d, %d rows, %d blocks, depth %d: products differ", (int)product.b_type,
                 product.rows, blocks, product.depth);
}

static void products_equal_the_scalar_kernel(void **state)
{
    (void)state;
    const void *panels[PANELS];
    fill();
    for (int type = KV_F32; type <= KV_F16; type++) {
        struct attention_tile_product product = product_make((enum kv_type)type, panels);
        for (product.depth = 1; product.depth <= DEPTH_MAX; product.depth += 9) {
            product.blocks = 1;
            for (product.rows = 1; product.rows <= TILE_ROWS; product.rows++)
                check(product);
            product.blocks = 2;
            for (product.rows = 1; product.rows <= PAIR_ROWS; product.rows++)
                check(product);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(products_equal_the_scalar_kernel)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    (void)printf(
        "attention_tile_avx512: no SIMD Everywhere (libsimde-dev), or sanitizers; skipped\n");
    return 77;
}

#endif
