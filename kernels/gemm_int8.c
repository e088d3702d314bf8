/*
 * gemm_int8 - which tile a product is cut into.
 *
 * Up to 64 rows the weights are read once and that is all the time there is: the smallest tile
 * that holds the rows, so that there are many blocks with much under way. At 64 rows two
 * panels at once, where that still leaves a block per multiprocessor: half the traffic of x.
 *
 * From there on a model of the clocks of the busiest multiprocessor: its tiles x the products
 * in each x the clocks of a thousand products. An SM of sm_89 multiplies 1024 pairs a clock and
 * gets about 16 bytes a clock from L2, of which a tile wants 1024 (1 / rows + 1 / cols): 12 for
 * 128 x 256, 16, 24 and 32 for the smaller ones. The weights are read from DRAM once whichever
 * tile it is: tiles of one column of weights follow each other.
 */
#include "kernels/gemm_int8.h"

#include <assert.h>

struct shape_info {
    const char *name;
    int32_t rows, cols;
    int32_t cost; /* clocks of 102,400 products: of L2, or of the tensor cores */
};

static const struct shape_info shapes[GEMM_INT8_SHAPES] = {
    [GEMM_INT8_16X32] = {"16x32", 16, 32, 600},
    [GEMM_INT8_32X32] = {"32x32", 32, 32, 400},
    [GEMM_INT8_64X32] = {"64x32", 64, 32, 300},
    [GEMM_INT8_64X64] = {"64x64", 64, 64, 200},
    [GEMM_INT8_128X64] = {"128x64", 128, 64, 150},
    [GEMM_INT8_128X128] = {"128x128", 128, 128, 115},
    [GEMM_INT8_128X256] = {"128x256", 128, 256, 100},
};

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static int64_t clocks(const struct shape_info *shape, int32_t rows, int64_t weight_rows,
                      int32_t multiprocessors)
{
    const int64_t tiles = ceil_div(rows, shape->rows) * ceil_div(weight_rows, shape->cols);
    return ceil_div(tiles, multiprocessors) * shape->rows * shape->cols * shape->cost;
}

enum gemm_int8_shape gemm_int8_choose(int32_t rows, int64_t weight_rows,
                                      int32_t multiprocessors)
{
    assert(rows > 0 && weight_rows > 0 && multiprocessors > 0);
    if (rows <= 16)
        return GEMM_INT8_16X32;
    if (rows <= 32)
        return GEMM_INT8_32X32;
    if (rows <= 64)
        return weight_rows < (int64_t)64 * multiprocessors ? GEMM_INT8_64X32 : GEMM_INT8_64X64;
    enum gemm_int8_shape best = GEMM_INT8_64X64;
    int64_t least = INT64_MAX;
    for (int shape = GEMM_INT8_64X64; shape < GEMM_INT8_SHAPES; shape++) {
        const int64_t cost = clocks(&shapes[shape], rows, weight_rows, multiprocessors);
        if (cost <= least) {
            least = cost;
            best = (enum gemm_int8_shape)shape;
        }
    }
    return best;
}

const char *gemm_int8_name(enum gemm_int8_shape shape)
{
    return shapes[shape].name;
}
