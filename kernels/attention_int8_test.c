/*
 * attention_int8_test - the scalar level's integer products and rounding against their
 * definition, every other level's against the scalar ones, to the bit, on noise and at the
 * limits. The softmax of AVX-512 against that of AVX2 likewise, and tiles against their parts.
 * The AVX-512 products are also built on portable versions of their intrinsics, for machines
 * that cannot run them.
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
    STRIDE = GROUPS_MAX * 4,
    PANEL_BYTES = GROUPS_MAX * COLS * 4,
    KINDS = 2
};

static float values[ROWS][GROUPS_MAX * 4];
static uint8_t bytes[PANELS][PANEL_BYTES];
static uint8_t expected_a[ROWS * STRIDE], found_a[ROWS * STRIDE];

static const char *const kind_names[KINDS] = {"queries", "weights"};

static uint32_t state;

static uint32_t noise(void)
{
    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

/* extremes: everything at its limit, signs by the row and column. Zeros after `groups`. Weights
 * have no signs. */
static void fill(enum attention_int8_kind kind, bool extremes, int groups)
{
    state = 5;
    for (int r = 0; r < ROWS; r++)
        for (int i = 0; i < GROUPS_MAX * 4; i++) {
            const float value = (float)noise() / (float)(1 << 23) - 1.0f;
            values[r][i] = extremes ? (r % 2 ? 3.0f : -3.0f) : value * (float)(r + 1);
            if (kind == ATTENTION_INT8_WEIGHTS)
                values[r][i] = fabsf(values[r][i]);
            if (i >= groups * 4)
                values[r][i] = 0.0f;
        }
    for (int p = 0; p < PANELS; p++)
        for (int i = 0; i < PANEL_BYTES; i++) {
            const int q = extremes ? (i / 4 % 2 ? 127 : -127) : (int)(noise() % 255) - 127;
            bytes[p][i] = (uint8_t)(int8_t)q;
        }
}

static void rows_round(const struct attention_int8_kernels *level,
                       enum attention_int8_kind kind, struct attention_int8_row *rows,
                       uint8_t *a)
{
    for (int r = 0; r < ROWS; r++)
        rows[r] = level->round(values[r], GROUPS_MAX * 4, kind, a + (size_t)r * STRIDE);
}

static void bytes_equal(const char *name, enum attention_int8_kind kind,
                        const struct attention_int8_row *expected_rows,
                        const struct attention_int8_row *found_rows)
{
    for (int r = 0; r < ROWS; r++)
        assert_true(expected_rows[r].scale == found_rows[r].scale);
    if (memcmp(expected_a, found_a, sizeof found_a) != 0)
        fail_msg("%s: %s are rounded otherwise", name, kind_names[kind]);
}

/* All rows by tiles of the level: the sums must be the scalar level's. The sums of rows are of
 * whole rows: what a product leaves out of them must be zeros. */
static void check_products(const char *name, const struct attention_int8_kernels *level,
                           struct attention_int8_product product)
{
    const uint8_t *panels[PANELS];
    struct attention_int8_row expected_rows[ROWS], found_rows[ROWS];
    static float expected[ROWS][COLS], found[ROWS][COLS];
    for (int p = 0; p < PANELS; p++)
        panels[p] = bytes[p];
    rows_round(&attention_int8_scalar, product.kind, expected_rows, expected_a);
    rows_round(level, product.kind, found_rows, found_a);
    bytes_equal(name, product.kind, expected_rows, found_rows);
    product.b = panels;
    product.a_stride = STRIDE;
    product.b_stride = COLS * 4;
    product.c_stride = COLS;
    product.columns = COLS;
    for (int32_t r = 0; r < ROWS; r++) {
        product.rows = 1;
        product.a = expected_a + (size_t)r * STRIDE;
        product.rows_of_a = expected_rows + r;
        product.c = expected[r];
        for (int i = 0; i < COLS; i++)
            expected[r][i] = (float)(r + i) * 0.3f;
        attention_int8_scalar.product(&product);
    }
    for (int32_t tile = 1; tile <= level->product_rows; tile++) {
        for (int i = 0; i < ROWS * COLS; i++)
            found[i / COLS][i % COLS] = (float)(i / COLS + i % COLS) * 0.3f;
        for (int32_t r = 0; r < ROWS; r += tile) {
            product.rows = ROWS - r < tile ? ROWS - r : tile;
            product.a = found_a + (size_t)r * STRIDE;
            product.rows_of_a = found_rows + r;
            product.c = found[r];
            level->product(&product);
        }
        if (memcmp(expected, found, sizeof found) != 0)
            fail_msg("%s: tiles of %d rows of %s differ", name, tile, kind_names[product.kind]);
    }
}

static void check_kind(const char *name, const struct attention_int8_kernels *level,
                       enum attention_int8_kind kind)
{
    struct attention_int8_product product = {.kind = kind};
    const int32_t panel_groups[] = {GROUPS_MAX, 16, 24 /* the last panel is cut short */};
    for (int i = 0; i < 4; i++) {
        const bool extremes = i % 2;
        product.adds = i / 2;
        product.groups = GROUPS_MAX;
        fill(kind, extremes, GROUPS_MAX);
        for (int p = 0; p < 3; p++) {
            product.panel_groups = panel_groups[p];
            check_products(name, level, product);
        }
        product.panel_groups = 4;
        for (product.groups = 1; product.groups < 16; product.groups++) {
            fill(kind, extremes, product.groups);
            check_products(name, level, product);
        }
    }
}

static void check_level(const char *name, const struct attention_int8_kernels *level)
{
    check_kind(name, level, ATTENTION_INT8_QUERIES);
    check_kind(name, level, ATTENTION_INT8_WEIGHTS);
}

/* The header's formulas, number by number. */
static void check_definition(enum attention_int8_kind kind)
{
    const struct attention_int8_kernels *scalar = &attention_int8_scalar;
    struct attention_int8_row rows[ROWS];
    const float limit = kind == ATTENTION_INT8_QUERIES ? 127.0f : 255.0f;
    const uint8_t *const panels[] = {bytes[0]};
    fill(kind, false, GROUPS_MAX);
    rows_round(scalar, kind, rows, expected_a);
    for (int r = 0; r < ROWS; r++) {
        float greatest = 0.0f, c[COLS];
        for (int i = 0; i < GROUPS_MAX * 4; i++)
            greatest = fmaxf(greatest, fabsf(values[r][i]));
        const uint8_t *a = expected_a + (size_t)r * STRIDE;
        int32_t rounded[GROUPS_MAX * 4];
        assert_true(rows[r].scale == greatest / limit);
        for (int i = 0; i < GROUPS_MAX * 4; i++) {
            rounded[i] = (int32_t)lrintf(values[r][i] * (limit / greatest));
            assert_int_equal(a[i], (uint8_t)rounded[i]);
        }
        const struct attention_int8_product product = {.kind = kind,
                                                       .a = a,
                                                       .rows_of_a = rows + r,
                                                       .b = panels,
                                                       .c = c,
                                                       .b_stride = COLS * 4,
                                                       .rows = 1,
                                                       .columns = COLS,
                                                       .groups = GROUPS_MAX,
                                                       .panel_groups = GROUPS_MAX};
        scalar->product(&product);
        for (int column = 0; column < COLS; column++) {
            int64_t sum = 0;
            for (int i = 0; i < GROUPS_MAX * 4; i++)
                sum +=
                    rounded[i] * (int64_t)(int8_t)bytes[0][(i / 4 * COLS + column) * 4 + i % 4];
            assert_true(c[column] == (float)sum * rows[r].scale);
        }
    }
}

static void scalar_is_as_defined(void **unused)
{
    (void)unused;
    check_definition(ATTENTION_INT8_QUERIES);
    check_definition(ATTENTION_INT8_WEIGHTS);
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

static void needs_avx512(void)
{
    if (simd_here() < DEVICE_SIMD_AVX512_VNNI) {
        print_message("skipped: no AVX-512 here\n");
        skip();
    }
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
static void check_odd_rows(const struct attention_int8_kernels *level,
                           enum attention_int8_kind kind)
{
    const float odd[] = {NAN, INFINITY, -INFINITY};
    uint8_t a[32];
    const uint8_t zeros[32] = {0};
    float row[32] = {0};
    memset(a, 1, sizeof a);
    assert_true(level->round(row, 32, kind, a).scale == 0.0f);
    assert_memory_equal(a, zeros, sizeof a);
    row[7] = 0x1p-149f;
    memset(a, 1, sizeof a);
    assert_true(level->round(row, 32, kind, a).scale == 0.0f);
    assert_memory_equal(a, zeros, sizeof a);
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        row[20] = odd[i];
        memset(a, 1, sizeof a);
        assert_true(isnan(level->round(row, 32, kind, a).scale));
        assert_memory_equal(a, zeros, sizeof a);
    }
}

static void odd_rows_have_odd_scales(void **unused)
{
    (void)unused;
    const enum device_simd simd = simd_here();
    for (int i = 0; i < LEVELS; i++) {
        if (levels[i].simd > simd)
            continue;
        check_odd_rows(levels[i].kernels, ATTENTION_INT8_QUERIES);
        check_odd_rows(levels[i].kernels, ATTENTION_INT8_WEIGHTS);
    }
}

static void softmax_of_both_levels_agrees(void **unused)
{
    (void)unused;
    needs_avx512();
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

#if defined(__x86_64__)

enum { DIM = 64, SPLIT_PAGES = ATTENTION_SPLIT / KV_PAGE_TOKENS, TILE_ROWS_HERE = 12 };

/* What a tile has before it, and what comes of it. */
struct tile_case {
    struct kv_layout_block pages[SPLIT_PAGES];
    float key_scales[ATTENTION_SPLIT], value_scales[ATTENTION_SPLIT];
    float queries[TILE_ROWS_HERE][DIM], outs[TILE_ROWS_HERE][DIM], stats[TILE_ROWS_HERE][2];
    float scores[TILE_ROWS_HERE][ATTENTION_TILE_STRIDE];
    uint8_t integers[TILE_ROWS_HERE][ATTENTION_INT8_TILE_BYTES];
    _Alignas(64) uint8_t turned[5 * ATTENTION_SPLIT * DIM];
    int32_t seen[TILE_ROWS_HERE];
    int32_t rows, page_count;
};

static struct tile_case tile_here, tile_there;

/* The first row that is odd: a query with an infinity, at 1 a value scale that is no number at
 * a key that not all see, at 2 scales so small that weights have no factor. */
static void tile_fill(struct tile_case *tile, int odd)
{
    fill(ATTENTION_INT8_QUERIES, false, GROUPS_MAX);
    for (int p = 0; p < SPLIT_PAGES; p++) {
        tile->pages[p] = (struct kv_layout_block){
            bytes[p % PANELS] + p * 64, bytes[p % PANELS] + p * 64 + DIM * 16,
            tile->key_scales + p * KV_PAGE_TOKENS, tile->value_scales + p * KV_PAGE_TOKENS};
    }
    for (int i = 0; i < ATTENTION_SPLIT; i++) {
        tile->key_scales[i] = (float)(noise() % 100) * 0.0005f;
        tile->value_scales[i] = (float)(noise() % 100) * (odd == 2 ? 1e-43f : 0.03f);
    }
    for (int r = 0; r < tile->rows; r++) {
        tile->seen[r] = tile->page_count * KV_PAGE_TOKENS - (r * 7) % (tile->page_count * 16);
        memcpy(tile->queries[r], values[r], sizeof tile->queries[r]);
    }
    if (odd == 1)
        tile->value_scales[tile->seen[0] - 1] = NAN;
    if (odd == 0)
        tile->queries[tile->rows - 1][3] = INFINITY;
}

static void tile_by_level(const struct attention_int8_kernels *level, struct tile_case *tile)
{
    assert_true(attention_int8_turned_bytes(DIM) <= sizeof tile->turned);
    struct attention_int8_tile run = {.rows = tile->rows,
                                      .head_dim = DIM,
                                      .page_count = tile->page_count,
                                      .key_factor = 0.25f,
                                      .pages = tile->pages,
                                      .scores = tile->scores[0],
                                      .integers = tile->integers[0],
                                      .turned = tile->turned,
                                      .pages_turned = SPLIT_PAGES};
    for (int r = 0; r < tile->rows; r++)
        run.queries[r] = (struct attention_int8_query){tile->queries[r], tile->outs[r],
                                                       tile->stats[r], tile->seen[r]};
    if (level->turn)
        level->turn(tile->pages, SPLIT_PAGES, DIM, tile->turned);
    level->tile(&run);
}

/* A row by the scalar products and roundings. */
static void row_by_parts(struct tile_case *tile, int r)
{
    const uint8_t *b[SPLIT_PAGES];
    float scales[ATTENTION_SPLIT], *scores = tile->scores[r];
    uint8_t *a = tile->integers[r];
    struct attention_int8_row row =
        attention_int8_scalar.round(tile->queries[r], DIM, ATTENTION_INT8_QUERIES, a);
    struct attention_int8_product product = {.a = a,
                                             .rows_of_a = &row,
                                             .b = b,
                                             .b_stride = 16 * 4,
                                             .rows = 1,
                                             .columns = COLS,
                                             .groups = DIM / 4,
                                             .panel_groups = DIM / 4};
    for (int p = 0; p < tile->page_count; p++) {
        b[0] = tile->pages[p].keys;
        product.c = scores + p * COLS;
        attention_int8_scalar.product(&product);
    }
    for (int i = 0; i < ATTENTION_SPLIT; i++)
        scales[i] = tile->key_scales[i] * 0.25f;
    struct attention_tile_softmax softmax = {
        scores, scales, tile->value_scales, tile->seen[r], tile->page_count * COLS, 0, 0};
    attention_tile_avx2.softmax(&softmax);
    tile->stats[r][0] = softmax.max;
    tile->stats[r][1] = softmax.sum;
    for (int p = 0; p < tile->page_count; p++)
        b[p] = tile->pages[p].values;
    product.kind = ATTENTION_INT8_WEIGHTS;
    product.b_stride = DIM * 4;
    product.panel_groups = 4;
    for (int p = 0; p < tile->page_count; p += 4) {
        const int pages = tile->page_count - p < 4 ? tile->page_count - p : 4;
        row = attention_int8_scalar.round(scores + p * 16, pages * 16, product.kind, a);
        product.b = b + p;
        product.groups = pages * 4;
        product.adds = p > 0;
        for (int column = 0; column < DIM; column += COLS) {
            product.b_offset = (size_t)column * 4;
            product.c = tile->outs[r] + column;
            attention_int8_scalar.product(&product);
        }
    }
}

/* NaNs may have other bits. */
static void floats_equal(const float *expected, const float *found, int count)
{
    for (int i = 0; i < count; i++)
        if (!(isnan(expected[i]) && isnan(found[i])))
            assert_memory_equal(expected + i, found + i, sizeof *found);
}

#endif

#if defined(__x86_64__)
static void check_tiles(const struct attention_int8_kernels *level)
{
    for (int i = 0; i < 3 * SPLIT_PAGES * TILE_ROWS_HERE; i++) {
        tile_here.page_count = i / 3 % SPLIT_PAGES + 1;
        tile_here.rows = i / 3 / SPLIT_PAGES + 1;
        tile_fill(&tile_here, i % 3);
        tile_there = tile_here;
        tile_by_level(level, &tile_here);
        for (int r = 0; r < tile_here.rows; r++) {
            row_by_parts(&tile_there, r);
            floats_equal(tile_there.stats[r], tile_here.stats[r], 2);
            floats_equal(tile_there.outs[r], tile_here.outs[r], DIM);
        }
    }
}
#endif

static void tiles_equal_their_parts(void **unused)
{
    (void)unused;
    const enum device_simd simd = simd_here();
    int tiles = 0;
    for (int i = 0; i < LEVELS; i++) {
        if (levels[i].simd > simd || levels[i].kernels->tile == NULL)
            continue;
#if defined(__x86_64__)
        check_tiles(levels[i].kernels);
#endif
        tiles++;
    }
    if (tiles == 0) {
        print_message("skipped: no level with tiles here\n");
        skip();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalar_is_as_defined),
        cmocka_unit_test(levels_agree),
        cmocka_unit_test(portable_avx512_agrees),
        cmocka_unit_test(odd_rows_have_odd_scales),
        cmocka_unit_test(softmax_of_both_levels_agrees),
        cmocka_unit_test(tiles_equal_their_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
