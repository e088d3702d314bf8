/*
 * gather - the rows that go on after the last attention, one per block.
 *
 *     formula     to_x[i] = x[rows[i]]; row i of to = row rows[i] of from, in each form of to
 *     tensors     x [.., dim] F32, from and to [.., cols] F32, int8 with a scale, or both
 *     grid        row_count blocks of 128 threads, 16 bytes each at a time
 *     shared      none
 *     registers   40
 *     bytes       2 (4 dim + stride + 4) per row, read and written once; no operations
 *     bound by    its launch: as many rows as sequences, once per step
 *     measured    not yet measured on a GPU
 */
#include "kernels/gather.h"

#include "kernels/parts/row_finish.cuh"

namespace
{
enum { THREADS = 128 };

SIMT void copy_row(float *to, const float *from, int32_t count)
{
    for (int32_t i = static_cast<int32_t>(threadIdx.x) * 4; i < count; i += THREADS * 4) {
        float v[4];
        four_load_row(v, from, i, count);
        four_store_row(to, i, count, v);
    }
}

SIMT_KERNEL(THREADS, 12)
gather_rows(const struct gather_args args, const struct activation from,
            const struct activation to)
{
    const int64_t index = blockIdx.x;
    const int64_t source = args.rows[index];
    copy_row(args.to_x + index * args.dim, args.x + source * args.dim, args.dim);
    if ((to.forms & ACTIVATION_F32) != 0)
        copy_row(to.f32 + index * to.cols, from.f32 + source * to.cols, to.cols);
    if ((to.forms & ACTIVATION_INT8) == 0)
        return;
    for (int32_t i = static_cast<int32_t>(threadIdx.x) * 16; i < to.stride; i += THREADS * 16)
        simt_store16(to.q8 + index * to.stride + i,
                     simt_load16(from.q8 + source * to.stride + i));
    if (threadIdx.x == 0)
        to.scales[index] = from.scales[source];
}
} // namespace

enum status SIMT_OP(gather)(struct device *device, const struct gather_args *args)
{
    const struct activation *from = args->from, *to = args->to;
    if (args->row_count == 0)
        return OK;
    if (args->row_count < 0 || args->dim < 1 || (to->forms & ~from->forms) != 0 ||
        !row_finish_takes(from, to->cols) || !row_finish_takes(to, to->cols) ||
        !row_finish_is_aligned(args->x) || !row_finish_is_aligned(args->to_x))
        return ERR_LIMIT;
    const dim3 grid(static_cast<unsigned>(args->row_count));
    return SIMT_LAUNCH(device, (gather_rows), grid, THREADS, 0, *args, *from, *to);
}
