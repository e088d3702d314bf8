/*
 * kv_copy - whole pages of the KV cache, copied when a shared one must be written.
 *
 *     formula     page to[i] = page from[i], for each i
 *     tensors     from, to [count] page numbers; a page is kv_layout_page_bytes long
 *     grid        (pieces of 16 KiB in a page) x count blocks of 256 threads, four loads of 16
 *                 bytes ahead of four stores each
 *     shared      none
 *     registers   26
 *     bytes       2 page bytes per page; no operations
 *     bound by    DRAM; a page of an 8B model in int8 is 1 MiB, so a single one by its launch
 *     measured    not yet measured on a GPU
 */
#include "kernels/kv_copy.h"

#include "kernels/parts/simt.cuh"

namespace
{
enum { THREADS = 256, LOADS = 4, PIECE = THREADS * LOADS * 16 };

SIMT_KERNEL(THREADS, 6)
kv_copy_pages(const struct kv_copy_args args, uint8_t *data, int64_t page_bytes)
{
    const int64_t pieces = (page_bytes + PIECE - 1) / PIECE;
    const int64_t index = blockIdx.x / pieces;
    const int64_t first = blockIdx.x % pieces * PIECE + static_cast<int64_t>(threadIdx.x) * 16;
    const uint8_t *from = data + args.from[index] * page_bytes;
    uint8_t *to = data + args.to[index] * page_bytes;
    struct simt_16 held[LOADS] = {};
    for (int load = 0; load < LOADS; load++) {
        const int64_t at = first + load * THREADS * 16;
        if (at < page_bytes)
            held[load] = simt_load16(from + at);
    }
    for (int load = 0; load < LOADS; load++) {
        const int64_t at = first + load * THREADS * 16;
        if (at < page_bytes)
            simt_store16(to + at, held[load]);
    }
}
} // namespace

enum status SIMT_OP(kv_copy)(struct device *device, const struct kv_copy_args *args)
{
    const auto page_bytes = static_cast<int64_t>(kv_layout_page_bytes(args->cache));
    const int64_t blocks = (page_bytes + PIECE - 1) / PIECE * args->count;
    if (args->count == 0)
        return OK;
    if (args->count < 0 || blocks > INT32_MAX)
        return ERR_LIMIT;
    return SIMT_LAUNCH(device, (kv_copy_pages), dim3(static_cast<unsigned>(blocks)), THREADS, 0,
                       *args, args->cache->data, page_bytes);
}
