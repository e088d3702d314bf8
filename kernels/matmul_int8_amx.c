/*
 * matmul_int8_amx - exact int8 sums with the tiles of AMX.
 *
 *     formula   out[p][r, o] = sum_i x[r, i] w[o, i], int32
 *     tile      32 rows x 32 outputs (two panels): four tiles of 16 x 16 sums
 *     step      64 inputs: two tiles of x (16 rows x 64 bytes) and two of weights, 4 x tdpbssd.
 *               A tile of weights is 1024 bytes of a panel as they lie: 16 groups of four
 *               inputs, in each four bytes of 16 outputs
 *     bound by  tdpbssd, 16 cycles each by the maker's tables; four tile loads take 32 beside
 *     measured  not yet: no machine at hand had the instructions. Elsewhere a plain tile loop
 *               gave 3.45 TOPS per core where VNNI gave 0.82
 *
 * tdpbssd multiplies signed by signed bytes and adds modulo 2^32, so x is taken as it is.
 *
 * The shape of the tiles is state of the thread. The configurations, one for each count of
 * rows, are constants; one is loaded when the thread's is another, which sttilecfg tells for 19
 * cycles where a load takes 204. Whoever ran kernels releases the tiles after the last one:
 * until then the system saves 8 KiB more whenever it stops the thread.
 *
 * The test builds this file a second time on a model of the intrinsics in C, so that its
 * results are judged on machines that cannot run it.
 */
#include "kernels/matmul_int8.h"

#include "base/i32.h"

#include <assert.h>

#ifndef PORTABLE_INTRINSICS
    #include <immintrin.h>
#endif

enum {
    PANEL = MATMUL_INT8_PANEL,
    GROUP = MATMUL_INT8_GROUP,
    TILE_ROWS = 16,
    TILE_BYTES = 64, /* of a row of a tile */
    BLOCK_ROWS = 2 * TILE_ROWS,
    SUM_BYTES = PANEL * (int)sizeof(int32_t)
};
static_assert((int)MATMUL_INT8_ALIGN == (int)TILE_BYTES, "depth is whole tiles");
static_assert(SUM_BYTES == TILE_BYTES && PANEL * GROUP == TILE_BYTES, "a panel is a tile wide");

/* What ldtilecfg reads. A tile of no rows must have no columns. */
struct tile_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};
static_assert(sizeof(struct tile_config) == 64, "as the processor has it");

/* Which tile is what: sums of the first and second 16 rows with each panel, the rows, the
 * panels. The intrinsics want literals. */
#define SUM_00 0
#define SUM_01 1
#define SUM_10 2
#define SUM_11 3
#define X_0    4
#define X_1    5
#define W_0    6
#define W_1    7

#define FIRST(count)  ((count) < TILE_ROWS ? (count) : TILE_ROWS)
#define SECOND(count) ((count)-FIRST(count))
#define BYTES(count)  (SECOND(count) > 0 ? TILE_BYTES : 0)
#define CONFIG(count)                                                                          \
    {                                                                                          \
        .palette = 1, .row_bytes = {TILE_BYTES, TILE_BYTES,   BYTES(count), BYTES(count),      \
                                    TILE_BYTES, BYTES(count), TILE_BYTES,   TILE_BYTES},       \
        .rows = {                                                                              \
            FIRST(count),                                                                      \
            FIRST(count),                                                                      \
            SECOND(count),                                                                     \
            SECOND(count),                                                                     \
            FIRST(count),                                                                      \
            SECOND(count),                                                                     \
            TILE_ROWS,                                                                         \
            TILE_ROWS                                                                          \
        }                                                                                      \
    }
#define CONFIG_8(count)                                                                        \
    CONFIG(count), CONFIG((count) + 1), CONFIG((count) + 2), CONFIG((count) + 3),              \
        CONFIG((count) + 4), CONFIG((count) + 5), CONFIG((count) + 6), CONFIG((count) + 7)

/* [count - 1]: for that many rows. */
static _Alignas(64) const struct tile_config configs[BLOCK_ROWS] = {CONFIG_8(1), CONFIG_8(9),
                                                                    CONFIG_8(17), CONFIG_8(25)};

/* Up to 32 rows against one panel or two. */
struct block {
    const int8_t *x, *w;
    size_t stride, panel_bytes;
    int32_t *out;
    size_t out_panel; /* numbers from panel to panel of out */
};

static void config_ensure(int32_t rows)
{
    struct tile_config now = {0};
    const struct tile_config *wanted = &configs[rows - 1];
    _tile_storeconfig(&now);
    __asm__ volatile("" : "+m"(now)); /* the intrinsic says that it writes eight bytes of it */
    if (now.palette != 1 || now.rows[X_0] != wanted->rows[X_0] ||
        now.rows[X_1] != wanted->rows[X_1])
        _tile_loadconfig(wanted);
}

/* is_high: there are more than 16 rows; is_pair: two panels. Constants at each call. */
static inline __attribute__((always_inline)) void block_sum(const struct block *block,
                                                            int is_high, int is_pair)
{
    const int8_t *x = block->x, *x_high = x + TILE_ROWS * block->stride;
    const int8_t *w = block->w, *w_next = w + block->panel_bytes;
    const int8_t *w_end = w + block->panel_bytes;
    _tile_zero(SUM_00);
    if (is_pair)
        _tile_zero(SUM_01);
    if (is_high)
        _tile_zero(SUM_10);
    if (is_high && is_pair)
        _tile_zero(SUM_11);
    for (; w < w_end; w += TILE_ROWS * TILE_BYTES, w_next += TILE_ROWS * TILE_BYTES) {
        _tile_loadd(W_0, w, TILE_BYTES);
        _tile_loadd(X_0, x, block->stride);
        _tile_dpbssd(SUM_00, X_0, W_0);
        if (is_pair) {
            _tile_loadd(W_1, w_next, TILE_BYTES);
            _tile_dpbssd(SUM_01, X_0, W_1);
        }
        if (is_high) {
            _tile_loadd(X_1, x_high, block->stride);
            _tile_dpbssd(SUM_10, X_1, W_0);
        }
        if (is_high && is_pair)
            _tile_dpbssd(SUM_11, X_1, W_1);
        x += TILE_BYTES;
        x_high += TILE_BYTES;
    }
    int32_t *out = block->out, *out_next = out + block->out_panel;
    _tile_stored(SUM_00, out, SUM_BYTES);
    if (is_pair)
        _tile_stored(SUM_01, out_next, SUM_BYTES);
    if (is_high)
        _tile_stored(SUM_10, out + TILE_ROWS * PANEL, SUM_BYTES);
    if (is_high && is_pair)
        _tile_stored(SUM_11, out_next + TILE_ROWS * PANEL, SUM_BYTES);
}

/* All panels for one block of rows. */
static void rows_sum(struct block block, int32_t rows, int32_t panels)
{
    config_ensure(rows);
    const int is_high = rows > TILE_ROWS;
    int32_t panel = 0;
    for (; panel + 2 <= panels; panel += 2) {
        if (is_high)
            block_sum(&block, 1, 1);
        else
            block_sum(&block, 0, 1);
        block.w += 2 * block.panel_bytes;
        block.out += 2 * block.out_panel;
    }
    if (panel == panels)
        return;
    if (is_high)
        block_sum(&block, 1, 0);
    else
        block_sum(&block, 0, 0);
}

void matmul_int8_amx(const struct matmul_int8_tile *tile, int32_t *out)
{
    struct block block = {.w = tile->panel,
                          .stride = (size_t)tile->stride,
                          .panel_bytes = (size_t)tile->depth * PANEL,
                          .out_panel = (size_t)tile->rows * PANEL};
    for (int32_t row = 0; row < tile->rows; row += BLOCK_ROWS) {
        block.x = tile->x + (size_t)row * block.stride;
        block.out = out + (size_t)row * PANEL;
        rows_sum(block, i32_min(tile->rows - row, BLOCK_ROWS), tile->panels);
    }
}

void matmul_int8_amx_release(void)
{
    _tile_release();
}
