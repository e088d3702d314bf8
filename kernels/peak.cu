/*
 * peak - the copy and the products that kbench takes for the machine's limits.
 *
 *     formula     to = from; c[chain] += a b[chain], `steps` times
 *     grid        copy: COPY_BLOCKS blocks of 256 threads per multiprocessor, 16 bytes each in
 *                 turns; mma: args.blocks of 8 warps, 4 chains each
 *     shared      none
 *     registers   copy 16, mma 40
 *     bytes       copy: 2 per byte; mma: 16 + 32 in, 64 out per lane, once
 *     bound by    DRAM; the tensor cores' issue rate
 *     measured    not yet measured on a GPU
 *
 * Each mma is volatile assembly, so that none is merged with its neighbour or moved out of the
 * loop; operands come from memory, since some tensor cores run faster on zeros.
 */
#include "kernels/peak.h"

#include "kernels/parts/simt.cuh"

namespace
{
enum { THREADS = PEAK_WARPS * SIMT_WARP, COPY_BLOCKS = 8, COPY_BYTES = 16, REGS = 4 };

SIMT_KERNEL(THREADS, 4)
peak_copy_bytes(const struct peak_copy_args args)
{
    const auto step = static_cast<int64_t>(gridDim.x) * THREADS * COPY_BYTES;
    const auto *from = static_cast<const unsigned char *>(args.from);
    auto *to = static_cast<unsigned char *>(args.to);
    int64_t at = (static_cast<int64_t>(blockIdx.x) * THREADS + threadIdx.x) * COPY_BYTES;
    for (; at < args.bytes; at += step)
        simt_store16(to + at, simt_load16_stream(from + at));
}

SIMT void multiply(int32_t c[REGS], const uint32_t a[4], const uint32_t b[2])
{
    simt_mma_s8(c, a, b);
}

SIMT void multiply(float c[REGS], const uint32_t a[4], const uint32_t b[2])
{
    simt_mma_f16(c, a, b);
}

template <class T> SIMT_KERNEL(THREADS, 1) peak_mma_chains(const struct peak_mma_args args)
{
    const int32_t lane = simt_lane();
    const auto warp = static_cast<int32_t>(blockIdx.x) * PEAK_WARPS + simt_warp();
    uint32_t a[4], b[PEAK_CHAINS][2];
    T c[PEAK_CHAINS][REGS];
    for (int i = 0; i < 4; i++)
        a[i] = args.a[lane * 4 + i];
    for (int chain = 0; chain < PEAK_CHAINS; chain++) {
        for (int i = 0; i < 2; i++)
            b[chain][i] = args.b[(chain * SIMT_WARP + lane) * 2 + i];
        for (int i = 0; i < REGS; i++)
            c[chain][i] = 0;
    }
    for (int32_t step = 0; step < args.steps; step++)
        for (int chain = 0; chain < PEAK_CHAINS; chain++)
            multiply(c[chain], a, b[chain]);
    T *out = static_cast<T *>(args.out) +
             static_cast<int64_t>(warp) * PEAK_CHAINS * SIMT_WARP * REGS;
    for (int chain = 0; chain < PEAK_CHAINS; chain++)
        for (int i = 0; i < REGS; i++)
            out[(chain * SIMT_WARP + lane) * REGS + i] = c[chain][i];
}
} // namespace

enum status SIMT_OP(peak_copy)(struct device *device, const struct peak_copy_args *args)
{
    if (args->bytes < 0 || args->bytes % COPY_BYTES != 0)
        return ERR_LIMIT;
    if (args->bytes == 0)
        return OK;
    const int64_t blocks = (args->bytes / COPY_BYTES + THREADS - 1) / THREADS;
    const int64_t most = static_cast<int64_t>(device_multiprocessors(device)) * COPY_BLOCKS;
    const auto grid = static_cast<unsigned>(blocks < most ? blocks : most);
    return SIMT_LAUNCH(device, (peak_copy_bytes), dim3(grid), THREADS, 0, *args);
}

enum status SIMT_OP(peak_mma)(struct device *device, const struct peak_mma_args *args)
{
    if (args->blocks < 1 || args->steps < 0)
        return ERR_LIMIT;
    const dim3 grid(static_cast<unsigned>(args->blocks));
    if (args->kind == PEAK_S8_S32)
        return SIMT_LAUNCH(device, (peak_mma_chains<int32_t>), grid, THREADS, 0, *args);
    return SIMT_LAUNCH(device, (peak_mma_chains<float>), grid, THREADS, 0, *args);
}
