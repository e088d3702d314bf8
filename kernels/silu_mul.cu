/*
 * silu_mul - a feed-forward network's gate and its quantization, one row per block.
 *
 *     formula     y = act(gate) * up, act in gate.cuh; y = up without a gate; forms of y
 *     tensors     gate, up [rows, dim] F32; y [rows, dim] F32, int8 with a scale, or both
 *     grid        rows blocks, by dim: a multiple of 64 is held in registers (128 threads x 8
 *                 numbers to 1,024; 256 x 16 to 4,096; 512 x 24 to 12,288; 1,024 x 16 to
 *                 16,384), beyond that made twice, once for the scale and once for the bytes;
 *                 others lie in shared memory, up to 25,304
 *     shared      128 bytes; 4 dim more for the last kind
 *     registers   32, 48, 58, 50 held; 46 twice; 64 in shared memory. Lost: 32 numbers a
 *                 thread, which spill at 64 registers
 *     bytes       9 dim + 4 per row (read gate and up, write int8), 5 dim + 4 without a gate;
 *                 about 45 operations a number: the division 10, the exponential 15, the
 *                 rotation 7, the rounding 12
 *     bound by    DRAM or L2 on Ada (3 bytes a clock and SM, 128 operations); on Hopper, with
 *                 18 bytes a clock, by the operations
 *     measured    not yet measured on a GPU
 */
#include "kernels/silu_mul.h"

#include "kernels/parts/gate.cuh"
#include "kernels/parts/row_hold.cuh"

namespace
{
enum { ROW_THREADS = 256, TWICE_THREADS = 512 };

/* Four numbers of y, from column on. */
SIMT void product(const struct silu_mul_args &args, int32_t row, int32_t column, float v[4])
{
    const int64_t skip = static_cast<int64_t>(row) * args.dim;
    four_load_row(v, args.up + skip, column, args.dim);
    if (!args.gate)
        return;
    float gate[4];
    four_load_row(gate, args.gate + skip, column, args.dim);
    for (int i = 0; i < 4; i++)
        v[i] = v[i] * (args.kind == SILU_MUL_GELU ? gate_act<SILU_MUL_GELU>(gate[i])
                                                  : gate_act<SILU_MUL_SILU>(gate[i]));
}

template <int THREADS, unsigned PASSES>
SIMT_KERNEL(THREADS, 1024 / THREADS)
silu_mul_held(const struct silu_mul_args args, const struct activation y)
{
    struct simt_shared shared = simt_shared_begin();
    uint32_t *scratch = simt_shared_take<uint32_t>(shared, ROW_FINISH_SCRATCH);
    const int32_t index = static_cast<int32_t>(blockIdx.x);
    struct row_hold<PASSES> row = {
    };
    for (unsigned pass = 0; pass < PASSES; pass++) {
        const int32_t column = row_hold_column<THREADS>(pass);
        if (column >= args.dim)
            break;
        product(args, index, column, row.v[pass]);
        product(args, index, column + 32, row.v[pass] + 4);
    }
    row_hold_finish<THREADS, PASSES>(y, index, row, scratch);
}

/* A row too long to be held: made once for its scale and again for its bytes. */
SIMT_KERNEL(TWICE_THREADS, 1024 / TWICE_THREADS)
silu_mul_twice(const struct silu_mul_args args, const struct activation y)
{
    constexpr int32_t COLUMNS = TWICE_THREADS * 8;
    struct simt_shared shared = simt_shared_begin();
    uint32_t *scratch = simt_shared_take<uint32_t>(shared, ROW_FINISH_SCRATCH);
    const int32_t index = static_cast<int32_t>(blockIdx.x);
    uint32_t most = 0;
    for (int32_t first = 0; first < args.dim; first += COLUMNS) {
        const int32_t column = first + row_hold_column<TWICE_THREADS>(0);
        float v[8] = {};
        if (column < args.dim) {
            product(args, index, column, v);
            product(args, index, column + 32, v + 4);
            row_hold_f32(y, index, column, v);
        }
        rotate_64(v);
        for (int i = 0; i < 8; i++)
            most = int8_greater(most, v[i]);
    }
    if ((y.forms & ACTIVATION_INT8) == 0)
        return;
    const float scale = int8_scale(reduce_max<TWICE_THREADS>(most, scratch));
    const struct int8_divisor by = int8_divisor_of(scale);
    if (threadIdx.x == 0)
        y.scales[index] = scale;
    for (int32_t first = 0; first < args.dim; first += COLUMNS) {
        const int32_t column = first + row_hold_column<TWICE_THREADS>(0);
        float v[8] = {};
        if (column < args.dim) {
            product(args, index, column, v);
            product(args, index, column + 32, v + 4);
        }
        rotate_64(v);
        if (column < args.dim)
            row_hold_bytes(y, index, column, v, by);
    }
}

/* Columns that are no multiple of 64. */
SIMT_KERNEL(ROW_THREADS, 1024 / ROW_THREADS)
silu_mul_row(const struct silu_mul_args args, const struct activation y)
{
    struct simt_shared shared = simt_shared_begin();
    float *scratch = simt_shared_take<float>(shared, ROW_FINISH_SCRATCH);
    float *row = simt_shared_take<float>(shared, FOUR_PADDED(args.dim));
    const int32_t index = static_cast<int32_t>(blockIdx.x);
    for (int32_t i = static_cast<int32_t>(threadIdx.x) * 4; i < args.dim;
         i += ROW_THREADS * 4) {
        float v[4];
        product(args, index, i, v);
        four_store(row + i, v);
    }
    row_finish<ROW_THREADS>(y, index, row, scratch);
}
} // namespace

enum status SIMT_OP(silu_mul)(struct device *device, const struct silu_mul_args *args)
{
    const struct activation *y = args->y;
    const int32_t dim = args->dim;
    if (args->rows == 0)
        return OK;
    if (args->rows < 0 || dim < 1 || !row_finish_takes(y, dim))
        return ERR_LIMIT;
    if (dim % 4 == 0 && !(row_finish_is_aligned(args->gate) && row_finish_is_aligned(args->up)))
        return ERR_LIMIT;
    const dim3 grid(static_cast<unsigned>(args->rows));
    const size_t scratch = ROW_FINISH_SCRATCH * sizeof(float);
    if (dim % ACTIVATION_BLOCK_MAX != 0) {
        const size_t row = static_cast<size_t>(FOUR_PADDED(dim)) * sizeof(float);
        if (dim > ROW_FINISH_COLS_MAX - 8)
            return ERR_LIMIT;
        return SIMT_LAUNCH(device, (silu_mul_row), grid, ROW_THREADS, row + scratch, *args, *y);
    }
    if (dim <= 1024)
        return SIMT_LAUNCH(device, (silu_mul_held<128, 1>), grid, 128, scratch, *args, *y);
    if (dim <= 4096)
        return SIMT_LAUNCH(device, (silu_mul_held<256, 2>), grid, 256, scratch, *args, *y);
    if (dim <= 12288)
        return SIMT_LAUNCH(device, (silu_mul_held<512, 3>), grid, 512, scratch, *args, *y);
    if (dim <= 16384)
        return SIMT_LAUNCH(device, (silu_mul_held<1024, 2>), grid, 1024, scratch, *args, *y);
    return SIMT_LAUNCH(device, (silu_mul_twice), grid, TWICE_THREADS, scratch, *args, *y);
}
