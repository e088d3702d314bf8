/*
 * gemm_int8 - int8 products on tensor cores, from one row to whole prompts.
 *
 *     formula     y[r, o] = (float)sum_i x[r, i] w[o, i] * (x_scale[r] * w_scale[o]), + bias,
 *                 + y; or act(gate product) * product, both products in one block's registers
 *     tensors     x [rows, in] int8; w, gate [out, in] int8 in weight_simt's order; y F32
 *     work        a block per tile of sums, 16 row tiles by one column of weights at a time, so
 *                 that L2 has what is shared; mma m16n8k32
 *     step        a slice of 64 inputs per set of warps: wait for a stage, one barrier, two
 *                 16-byte loads per fragment of 16 rows, one per 8 of weights, each used N or M
 *                 times; the next stage's copies begin between the products
 *     cost        per token 2 in out operations, in + 4 out bytes; weights once per 16 tiles of
 *                 rows
 *
 *     tile     threads  registers   shared     under way, weights   bytes of L2   products per
 *                       sm_89 _90   x blocks   (and x)              per 1024      shared byte
 *     16x32    128       86   88    48 KB x 2  24 KB (12)  x 2      96            5
 *     32x32    128      128  122    96 KB x 1  40 KB (40)           64            8
 *     64x32    256      122  128    96 KB x 1  24 KB (48)           48            9
 *     64x64    256      108  116    48 KB x 2  16 KB (16)  x 2      32           11
 *     128x64   256       96  107    48 KB x 2  12 KB (24)  x 2      24           12
 *     128x128  128      248  250    48 KB x 2  16 KB (16)  x 2      16           21
 *     128x256  256      236  242    96 KB x 1  48 KB (24)           12           23
 *     (registers with a gate, up to 8 fewer without; no spills; bytes of L2 and of shared
 *     memory are those of a step, per pair of bytes multiplied)
 *
 *     bound by    up to 64 rows the weights' way from DRAM: latency x bandwidth is 5 KB per SM
 *                 on a 4090, 22 KB on an H200. Above: sm_89 multiplies 1024 pairs a clock and
 *                 SM, L2 gives about 16 bytes and shared memory 128, so 128x256 is bound by the
 *                 tensor cores (L2 75 %, shared 34 % busy), 128x128 by both them and L2, the
 *                 smaller by L2, and all of them by DRAM up to about 300 rows. On sm_90, whose
 *                 mma.sync does 2,600 pairs, shared memory is 87 % busy under 128x256
 *     measured    not yet measured on a GPU; conflicts of banks: 0 (emulator, asserted)
 *
 * One row takes the tile of 16. A product by dot4 would save the zeros of 15 rows, but those
 * cost neither DRAM nor L2 (a copy of 0 bytes reads nothing), and in the time that DRAM takes
 * for a step on a 4090 the tensor cores are 5 % busy and shared memory 7 % (H200: 12 and 47).
 *
 * Slices, not blocks, share the depth: 16x32 gives a 4096 x 4096 weight 128 blocks, one per SM,
 * and 32 blocks of 24 KB under way fill the 4090's DRAM, so no product needs a second pass over
 * sums in global memory. Partial sums of a block's warps are added through shared memory.
 *
 * Lost: two slices in two stages for 128x256 (255 registers, 52 to 100 bytes spilled).
 */
#include "kernels/gemm_int8.h"

#include "kernels/parts/gemm_int8_finish.cuh"

#include <assert.h>

namespace
{

/* rows, cols; warps by rows, cols, slices; stages, blocks per multiprocessor. */
using tile_16x32 = struct gemm_int8_tile<16, 32, 1, 1, 4, 4, 2>;
using tile_32x32 = struct gemm_int8_tile<32, 32, 1, 1, 4, 6, 1>;
using tile_64x32 = struct gemm_int8_tile<64, 32, 2, 1, 4, 4, 1>;
using tile_64x64 = struct gemm_int8_tile<64, 64, 2, 2, 2, 3, 2>;
using tile_128x64 = struct gemm_int8_tile<128, 64, 4, 2, 1, 4, 2>;
using tile_128x128 = struct gemm_int8_tile<128, 128, 2, 2, 1, 3, 2>;
using tile_128x256 = struct gemm_int8_tile<128, 256, 2, 4, 1, 4, 1>;

template <class T, bool GATED>
SIMT_KERNEL(T::THREADS, T::BLOCKS)
gemm_int8_kernel(struct gemm_int8 g)
{
    struct simt_shared shared = simt_shared_begin();
    struct gemm_int8_place place;
    place.stages = simt_shared_take<unsigned char>(shared, T::SHARED_BYTES);
    gemm_int8_find<T, GATED>(g, &place);
    int32_t sum[T::M][T::N][4] = {};
    for (int step = 0; step < T::STAGES - 1; step++) {
        gemm_int8_copy<T, GATED>(g, place, step, 0, T::COPIES);
        simt_copy_commit();
    }
    const int steps = (g.slices - 1) / T::SLICES + 1;
    for (int step = 0; step < steps; step++) {
        simt_copy_wait<T::STAGES - 2>();
        simt_barrier(); /* all see the stage; all are done with the one copied over next */
        if (step * T::SLICES + place.slice_w < g.slices) /* else no step comes after */
            gemm_int8_multiply<T, GATED>(g, place, step, sum);
        simt_copy_commit();
    }
    if (T::SLICES > 1)
        gemm_int8_gather<T, GATED ? T::N / 2 : T::N>(place, sum);
    gemm_int8_finish<T, GATED>(g, place, sum);
}

template <class T, bool GATED> enum status launch_one(struct device *device, struct gemm_int8 g)
{
    const int64_t outs = GATED ? T::COLS / 2 : T::COLS;
    g.row_tiles = (g.rows - 1) / T::ROWS + 1;
    const int64_t tiles = g.row_tiles * ((g.out_dim - 1) / outs + 1);
    if (tiles > INT32_MAX / 2)
        return ERR_LIMIT;
    return SIMT_LAUNCH(device, (gemm_int8_kernel<T, GATED>), dim3(static_cast<unsigned>(tiles)),
                       T::THREADS, T::SHARED_BYTES, g);
}

template <class T> enum status launch(struct device *device, const struct gemm_int8 &g)
{
    return g.gate ? launch_one<T, true>(device, g) : launch_one<T, false>(device, g);
}

const int8_t *packed(const struct weight *weight)
{
    return static_cast<const int8_t *>(weight->data);
}

bool is_aligned(const void *pointer, uintptr_t to)
{
    return reinterpret_cast<uintptr_t>(pointer) % to == 0;
}

struct gemm_int8 arguments(const struct matmul_args *args)
{
    const struct activation *x = args->x;
    const struct weight *w = args->w, *gate = args->gate;
    assert((x->forms & ACTIVATION_INT8) != 0 && x->cols == w->in_dim);
    assert(x->stride % WEIGHT_SIMT_SLICE == 0 && x->stride >= w->in_dim);
    assert(is_aligned(x->q8, 16) && is_aligned(w->data, 16));
    struct gemm_int8 g = {};
    g.x = x->q8;
    g.x_scales = x->scales;
    g.stride = x->stride;
    g.w = packed(w);
    g.w_scales = w->scales;
    if (gate) {
        assert(gate->form == w->form && gate->out_dim == w->out_dim);
        assert(gate->in_dim == w->in_dim && !args->bias && !args->accumulate);
        g.gate = packed(gate);
        g.gate_scales = gate->scales;
        g.gate_kind = args->gate_kind;
    }
    g.bias = args->bias;
    g.y = args->y;
    g.rows = args->rows;
    g.out_dim = w->out_dim;
    g.slices = weight_simt_slices(w->in_dim);
    g.panels = weight_simt_panels(w->out_dim);
    g.accumulate = args->accumulate;
    g.is_paired = w->out_dim % 2 == 0 && is_aligned(args->y, 8);
    return g;
}

} // namespace

enum status SIMT_OP(gemm_int8)(struct device *device, const struct matmul_args *args,
                               enum gemm_int8_shape shape)
{
    if (args->rows < 1)
        return OK;
    const struct gemm_int8 g = arguments(args);
    switch (shape) {
    case GEMM_INT8_16X32:
        return launch<tile_16x32>(device, g);
    case GEMM_INT8_32X32:
        return launch<tile_32x32>(device, g);
    case GEMM_INT8_64X32:
        return launch<tile_64x32>(device, g);
    case GEMM_INT8_64X64:
        return launch<tile_64x64>(device, g);
    case GEMM_INT8_128X64:
        return launch<tile_128x64>(device, g);
    case GEMM_INT8_128X128:
        return launch<tile_128x128>(device, g);
    case GEMM_INT8_128X256:
        return launch<tile_128x256>(device, g);
    case GEMM_INT8_SHAPES:
        break;
    }
    return ERR_LIMIT;
}
