/*
 * amx_model - the tile intrinsics of AMX int8 as plain C, for one thread.
 *
 * Each does what the processor's manual says of the instruction, and asserts what would be a
 * fault there: a configuration out of bounds, a tile used that has none, products of tiles
 * whose shapes do not fit. Loads touch a tile's own rows and bytes, no others.
 */
#ifndef TESTS_AMX_MODEL_H
#define TESTS_AMX_MODEL_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { AMX_TILES = 8, AMX_ROWS_MAX = 16, AMX_BYTES_MAX = 64 };

struct amx_model_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};

struct amx_model {
    struct amx_model_config config; /* palette 0: no tiles */
    uint8_t tiles[AMX_TILES][AMX_ROWS_MAX][AMX_BYTES_MAX];
    uint32_t loads, releases; /* of configurations */
};

static struct amx_model amx_model;

static void amx_model_check(const struct amx_model_config *config)
{
    assert(config->palette == 1 && config->start_row == 0);
    for (size_t i = 0; i < sizeof config->reserved; i++)
        assert(config->reserved[i] == 0);
    for (int t = 0; t < 16; t++) {
        assert(config->rows[t] <= AMX_ROWS_MAX && config->row_bytes[t] <= AMX_BYTES_MAX);
        assert((config->rows[t] == 0) == (config->row_bytes[t] == 0));
        assert(t < AMX_TILES || config->rows[t] == 0);
    }
}

static void amx_model_loadconfig(const void *memory)
{
    memcpy(&amx_model.config, memory, sizeof amx_model.config);
    amx_model_check(&amx_model.config);
    memset(amx_model.tiles, 0, sizeof amx_model.tiles);
    amx_model.loads++;
}

static void amx_model_storeconfig(void *memory)
{
    memcpy(memory, &amx_model.config, sizeof amx_model.config);
}

static void amx_model_release(void)
{
    memset(&amx_model.config, 0, sizeof amx_model.config);
    memset(amx_model.tiles, 0xa5, sizeof amx_model.tiles);
    amx_model.releases++;
}

/* Rows of a tile in use. */
static int amx_model_rows(int tile)
{
    assert(tile >= 0 && tile < AMX_TILES);
    assert(amx_model.config.palette == 1 && amx_model.config.rows[tile] > 0);
    return amx_model.config.rows[tile];
}

static void amx_model_zero(int tile)
{
    (void)amx_model_rows(tile);
    memset(amx_model.tiles[tile], 0, sizeof amx_model.tiles[tile]);
}

static void amx_model_loadd(int tile, const void *from, size_t stride)
{
    const int rows = amx_model_rows(tile);
    memset(amx_model.tiles[tile], 0, sizeof amx_model.tiles[tile]);
    for (int r = 0; r < rows; r++)
        memcpy(amx_model.tiles[tile][r], (const uint8_t *)from + (size_t)r * stride,
               amx_model.config.row_bytes[tile]);
}

static void amx_model_stored(int tile, void *to, size_t stride)
{
    const int rows = amx_model_rows(tile);
    for (int r = 0; r < rows; r++)
        memcpy((uint8_t *)to + (size_t)r * stride, amx_model.tiles[tile][r],
               amx_model.config.row_bytes[tile]);
}

/* One row of sums: c[n] += sum over groups k and bytes i of a[4k + i] b[k][4n + i]. */
static void amx_model_row(uint8_t *c, const uint8_t *a, int b, int columns)
{
    for (int n = 0; n < columns; n++) {
        uint32_t sum;
        memcpy(&sum, c + 4 * n, sizeof sum);
        for (int k = 0; k < amx_model_rows(b); k++) {
            for (int i = 0; i < 4; i++)
                sum +=
                    (uint32_t)((int8_t)a[4 * k + i] * (int8_t)amx_model.tiles[b][k][4 * n + i]);
        }
        memcpy(c + 4 * n, &sum, sizeof sum);
    }
}

static void amx_model_dpbssd(int c, int a, int b)
{
    const struct amx_model_config *config = &amx_model.config;
    assert(c != a && c != b && a != b);
    assert(amx_model_rows(c) == amx_model_rows(a));
    assert(config->row_bytes[a] == 4 * amx_model_rows(b));
    assert(config->row_bytes[c] == config->row_bytes[b] && config->row_bytes[c] % 4 == 0);
    for (int r = 0; r < amx_model_rows(c); r++)
        amx_model_row(amx_model.tiles[c][r], amx_model.tiles[a][r], b,
                      config->row_bytes[c] / 4);
}

/* Tells the source that is included next to take these. */
#define PORTABLE_INTRINSICS

#define _tile_loadconfig(memory)        amx_model_loadconfig(memory)
#define _tile_storeconfig(memory)       amx_model_storeconfig(memory)
#define _tile_release()                 amx_model_release()
#define _tile_zero(tile)                amx_model_zero(tile)
#define _tile_loadd(tile, from, stride) amx_model_loadd(tile, from, stride)
#define _tile_stored(tile, to, stride)  amx_model_stored(tile, to, stride)
#define _tile_dpbssd(sums, x, w)        amx_model_dpbssd(sums, x, w)

#endif
