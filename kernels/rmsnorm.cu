/*
 * rmsnorm - residual add, normalisation and quantization of one row per block.
 *
 *     formula     s = x + add;  y = s / sqrt(mean s^2 + eps) * weight, in the forms of y
 *     tensors     x, add, s [.., dim] F32; y [row_count, dim] F32, int8 with a scale, or both
 *     grid        row_count blocks of 128 threads (dim <= 1024) or 256
 *     shared      the row as F32: 4 dim + 144 bytes, so dim <= 25,304
 *     registers   40: all 1,536 threads of an Ada SM are at work
 *     bytes       per row, with add and int8: 13 dim + 4 (read x, add; write s, q), and weight
 *                 from L2; about 25 operations a number: the rounding 12, the rotation 7
 *     bound by    DRAM from about 1,000 rows on; below by latency: the sum of squares is eight
 *                 chains of dim / 8 additions (4 clocks each: 0.8 us at dim 4096 on Ada), an
 *                 order that the twin fixes
 *     measured    not yet measured on a GPU
 *
 * The eight chains are eight lanes of the first warp. They read eight neighbours of the row at
 * a time, loads far ahead of the additions. Nobody else has work then: other blocks of the SM
 * fill the time when there are many rows.
 */
#include "kernels/rmsnorm.h"

#include "kernels/parts/row_finish.cuh"

namespace
{
enum { LANES = 8, AHEAD = 16, DIM_SMALL = 1024 };

/* Sum of squares in eight lanes (j mod 8), then in pairs; the first lane of the first warp has
 * it. row is padded with zeros to a multiple of 4. */
SIMT float sum_of_squares(const float *row, int32_t dim)
{
    const int32_t lane = simt_lane();
    float sum = 0.0f;
    if (lane < LANES) {
        int32_t i = lane;
        for (; i + (AHEAD - 1) * LANES < dim; i += AHEAD * LANES) {
            float square[AHEAD];
            for (int32_t k = 0; k < AHEAD; k++)
                square[k] = row[i + k * LANES] * row[i + k * LANES];
            for (int32_t k = 0; k < AHEAD; k++)
                sum += square[k];
        }
        for (; i < dim; i += LANES)
            sum += row[i] * row[i];
    }
    for (int32_t half = LANES / 2; half > 0; half /= 2)
        sum += simt_shuffle_xor(sum, half);
    return sum;
}

template <int THREADS>
SIMT_KERNEL(THREADS, 1536 / THREADS)
rmsnorm_rows(const struct rmsnorm_args args, const struct activation y)
{
    const int32_t dim = args.dim;
    struct simt_shared shared = simt_shared_begin();
    float *scratch = simt_shared_take<float>(shared, ROW_FINISH_SCRATCH);
    float *factor_of_row = simt_shared_take<float>(shared, 1);
    float *row = simt_shared_take<float>(shared, FOUR_PADDED(dim));
    const int32_t index = static_cast<int32_t>(blockIdx.x);
    const int64_t skip = static_cast<int64_t>(args.rows ? args.rows[index] : index) * dim;
    const int32_t begin = static_cast<int32_t>(threadIdx.x) * 4;
    for (int32_t i = begin; i < dim; i += THREADS * 4) {
        float v[4];
        four_load_row(v, args.x + skip, i, dim);
        if (args.add) {
            float add[4];
            four_load_row(add, args.add + skip, i, dim);
            for (int k = 0; k < 4; k++)
                v[k] += add[k];
            four_store_row(args.sum + skip, i, dim, v);
        }
        four_store(row + i, v);
    }
    simt_barrier();
    if (simt_warp() == 0) {
        const float mean = sum_of_squares(row, dim) / static_cast<float>(dim);
        if (simt_lane() == 0)
            *factor_of_row = 1.0f / sqrtf(mean + args.eps);
    }
    simt_barrier();
    const float factor = *factor_of_row;
    for (int32_t i = begin; i < dim; i += THREADS * 4) {
        float v[4], weight[4];
        four_load(v, row + i);
        four_load_row(weight, args.weight, i, dim);
        for (int k = 0; k < 4; k++)
            v[k] = v[k] * factor * weight[k];
        four_store(row + i, v);
    }
    row_finish<THREADS>(y, index, row, scratch);
}
} // namespace

enum status SIMT_OP(rmsnorm)(struct device *device, const struct rmsnorm_args *args)
{
    const struct activation *y = args->y;
    if (args->row_count == 0)
        return OK;
    if (args->row_count < 0 || args->dim < 1 || args->dim > ROW_FINISH_COLS_MAX - 8 ||
        !row_finish_takes(y, args->dim))
        return ERR_LIMIT;
    if ((args->add == nullptr) != (args->sum == nullptr))
        return ERR_LIMIT;
    if (args->dim % 4 == 0 &&
        (!row_finish_is_aligned(args->x) || !row_finish_is_aligned(args->add) ||
         !row_finish_is_aligned(args->sum) || !row_finish_is_aligned(args->weight)))
        return ERR_LIMIT;
    const size_t shared =
        sizeof(float) * static_cast<size_t>(FOUR_PADDED(args->dim) + ROW_FINISH_SCRATCH + 4);
    const auto rows = static_cast<unsigned>(args->row_count);
    if (args->dim <= DIM_SMALL)
        return SIMT_LAUNCH(device, (rmsnorm_rows<128>), dim3(rows), 128, shared, *args, *y);
    return SIMT_LAUNCH(device, (rmsnorm_rows<256>), dim3(rows), 256, shared, *args, *y);
}
