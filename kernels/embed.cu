/*
 * embed - rows of the embedding table as F32, in the bits of weight_dequantize, scaled.
 *
 *     formula     x[r, :] = table[tokens[r], :] * scale, or of a token that the device chose
 *                 itself
 *     tensors     table [vocab, dim] in the file's own blocks, of any type; x [rows, dim] F32
 *     grid        rows x (pieces of 1,024 columns) blocks of 256 threads, a number each at a
 *                 time: a warp reads 32 neighbours of a block and writes 128 bytes
 *     shared      none
 *     registers   18 to 29
 *     bytes       a table row (dim / 2 to 4 dim) read, 4 dim written; a block's scale is taken
 *                 anew for every number, from L1
 *     bound by    DRAM latency: a row is met cold; below 0.1 % of a step
 *     measured    not yet measured on a GPU
 */
#include "kernels/embed.h"

#include "kernels/parts/dequant.cuh"

namespace
{
enum { THREADS = 256, PIECE = 1024 };

SIMT int32_t token_of(const struct embed_args &args, int64_t row)
{
    const int32_t token = args.tokens[row];
    if (token >= 0)
        return token;
    const int32_t chosen = args.chosen[EMBED_CHOSEN(token)].token;
    return chosen >= 0 ? chosen : 0;
}

template <int TYPE>
SIMT_KERNEL(THREADS, 6)
embed_rows(const struct embed_args args, const struct weight table)
{
    const int32_t dim = table.in_dim;
    const int32_t pieces = (dim + PIECE - 1) / PIECE;
    const int64_t row = blockIdx.x / static_cast<unsigned>(pieces);
    const int32_t first = static_cast<int32_t>(blockIdx.x) % pieces * PIECE;
    const int64_t row_bytes =
        static_cast<int64_t>(dim / DEQUANT_ELEMS<TYPE>) * DEQUANT_BYTES<TYPE>;
    auto from =
        static_cast<const unsigned char *>(table.data) + token_of(args, row) * row_bytes;
    float *to = args.x + row * dim;
    const float scale = args.scale == 0.0f ? 1.0f : args.scale;
    for (int32_t i = first + static_cast<int32_t>(threadIdx.x); i < dim && i < first + PIECE;
         i += THREADS)
        to[i] = dequant_element<TYPE>(from, i) * scale;
}

template <int TYPE> enum status launch(struct device *device, const struct embed_args *args)
{
    const int64_t pieces = (args->table->in_dim + PIECE - 1) / PIECE;
    if (args->table->in_dim % DEQUANT_ELEMS<TYPE> != 0 || pieces * args->rows > INT32_MAX)
        return ERR_LIMIT;
    const dim3 grid(static_cast<unsigned>(pieces * args->rows));
    return SIMT_LAUNCH(device, (embed_rows<TYPE>), grid, THREADS, 0, *args, *args->table);
}
} // namespace

enum status SIMT_OP(embed)(struct device *device, const struct embed_args *args)
{
    if (args->table->form != WEIGHT_STORED || args->rows < 0 || args->table->in_dim < 1)
        return ERR_LIMIT;
    if (args->rows == 0)
        return OK;
    switch (args->table->type) {
    case WEIGHT_F32:
        return launch<WEIGHT_F32>(device, args);
    case WEIGHT_F16:
        return launch<WEIGHT_F16>(device, args);
    case WEIGHT_BF16:
        return launch<WEIGHT_BF16>(device, args);
    case WEIGHT_Q4_0:
        return launch<WEIGHT_Q4_0>(device, args);
    case WEIGHT_Q4_1:
        return launch<WEIGHT_Q4_1>(device, args);
    case WEIGHT_Q5_0:
        return launch<WEIGHT_Q5_0>(device, args);
    case WEIGHT_Q5_1:
        return launch<WEIGHT_Q5_1>(device, args);
    case WEIGHT_Q8_0:
        return launch<WEIGHT_Q8_0>(device, args);
    case WEIGHT_IQ4_NL:
        return launch<WEIGHT_IQ4_NL>(device, args);
    case WEIGHT_Q2_K:
        return launch<WEIGHT_Q2_K>(device, args);
    case WEIGHT_Q3_K:
        return launch<WEIGHT_Q3_K>(device, args);
    case WEIGHT_Q4_K:
        return launch<WEIGHT_Q4_K>(device, args);
    case WEIGHT_Q5_K:
        return launch<WEIGHT_Q5_K>(device, args);
    case WEIGHT_Q6_K:
        return launch<WEIGHT_Q6_K>(device, args);
    default:
        return ERR_LIMIT;
    }
}
