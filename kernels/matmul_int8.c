/* matmul_int8 - packing, and the scalar kernel that the SIMD kernels equal bit for bit. */
#include "kernels/matmul_int8.h"

#include "kernels/matmul_finish.h"

#include <string.h>

enum { PANEL = MATMUL_INT8_PANEL, GROUP = MATMUL_INT8_GROUP };

void matmul_int8_pack(const int8_t *row, int32_t depth, int32_t lane, int8_t *panel)
{
    int8_t *place = panel + matmul_int8_place(depth, lane, 0);
    for (int32_t i = 0; i < depth; i += GROUP, place += PANEL * GROUP)
        memcpy(place, row + i, GROUP);
}

static void row_sum(const int8_t *x, const int8_t *w, int32_t depth, int32_t *out)
{
    memset(out, 0, PANEL * sizeof *out);
    for (int32_t i = 0; i < depth; i += GROUP, w += PANEL * GROUP) {
        for (int32_t lane = 0; lane < PANEL; lane++) {
            for (int32_t j = 0; j < GROUP; j++)
                out[lane] += x[i + j] * w[lane * GROUP + j];
        }
    }
}

void matmul_int8_scalar(const struct matmul_int8_tile *tile, int32_t *out)
{
    const size_t panel_bytes = (size_t)tile->depth * PANEL;
    for (int32_t p = 0; p < tile->panels; p++) {
        for (int32_t r = 0; r < tile->rows; r++, out += PANEL)
            row_sum(tile->x + (size_t)r * (size_t)tile->stride,
                    tile->panel + (size_t)p * panel_bytes, tile->depth, out);
    }
}

void matmul_int8_finish_scalar(const struct matmul_int8_outputs *outputs, const int32_t *sums)
{
    matmul_finish_tile(outputs, sums);
}
