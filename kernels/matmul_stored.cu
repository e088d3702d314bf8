/*
 * matmul_stored - F32 rows against weights as the file has them, batch 1 first.
 *
 *     formula   y[r, o] = sum_i x[r, i] w[o, i]  (+ bias)  (+ y), or act(x gate^T) (x w^T)
 *     tensors   x [rows, in] F32; w, gate [out, in] in blocks; y [rows, out] F32
 *     work      eight lanes per output, lane t has the running sum of i mod 8 = t; four
 *               outputs per warp, 16 per block; 1 or 8 rows share what is read of a weight
 *     memory    each warp streams its four weight rows through shared memory of its own,
 *               pieces of 16 bytes, three chunks of 64 .. 272 bytes per row under way; rows of
 *               blocks begin anywhere, so a chunk is copied with what lies around it. x comes
 *               through L1: a sector per load, the same for the warp's four outputs
 *     shared    9.8 to 13.5 KB; registers 52 to 63 at one row, 91 to 128 at eight, x 128
 *               threads; no spills
 *     cost      per token and weight: its bytes (0.5625 for Q4_0), one F32 fused product, and
 *               about 8 instructions of dequantization
 *     bound by  DRAM at one row; by FP32 issue from about eight on, which is why int8 is the
 *               precision for prompts and this one the exact reference
 *     measured  not yet measured on a GPU; emulated without a bank conflict in any type
 *
 * Order of sums: that of matmul_f32.h, with fused products, so that exact precision gives the
 * bits of the CPU. It allows eight lanes per output; a chain of in / 8 dependent products is
 * short beside the time DRAM needs. Rows of shared memory lie 32 bytes beyond a multiple of 64
 * apart: the warp's four outputs then read from different banks.
 */
#include "kernels/matmul_stored.h"

#include "kernels/parts/dequant.cuh"
#include "kernels/parts/gate.cuh"

namespace
{

enum {
    THREADS = 128,
    WARPS = THREADS / SIMT_WARP,
    SUMS = 8, /* running sums, and lanes, per output */
    WARP_OUTS = SIMT_WARP / SUMS,
    BLOCK_OUTS = WARPS * WARP_OUTS,
    STAGES = 3,
    ROWS_MAX = 8,
    PIECE = 16
};

struct stored {
    const float *x;
    const unsigned char *w, *gate; /* gate may be NULL */
    const float *bias;             /* may be NULL */
    float *y;
    int64_t row_bytes, matrix_bytes;
    int32_t rows, out_dim, in_dim, row_tiles;
    enum silu_mul_kind gate_kind;
    bool accumulate;
};

/* Elements that are copied and multiplied together: whole blocks, at most 272 bytes. */
template <int TYPE>
constexpr int CHUNK = TYPE == WEIGHT_F32                          ? 64
                      : TYPE == WEIGHT_F16 || TYPE == WEIGHT_BF16 ? 128
                                                                  : 256;
template <int TYPE>
constexpr int CHUNK_BYTES = CHUNK<TYPE> / DEQUANT_ELEMS<TYPE> *DEQUANT_BYTES<TYPE>;
/* Pieces that a chunk at any even address touches. */
template <int TYPE> constexpr int CHUNK_PIECES = (CHUNK_BYTES<TYPE> + 2 * PIECE - 2) / PIECE;
template <int TYPE> constexpr int ROW_STRIDE = (CHUNK_PIECES<TYPE> * PIECE + 31) / 64 * 64 + 32;
template <int TYPE> constexpr int STAGE_BYTES = WARP_OUTS *ROW_STRIDE<TYPE>;

/* What one lane needs to walk along its weight row. */
struct walk {
    const unsigned char *matrix;
    int64_t row; /* byte of the matrix at which this lane's weight row begins */
    int64_t matrix_bytes;
    int64_t row_bytes;
    unsigned char *shared; /* this warp's STAGES x STAGE_BYTES */
    int out, t;            /* of the warp's four outputs, of the output's eight sums */
};

/* Starts the copies of a chunk of each of the warp's rows; always closes a group. */
template <int TYPE> SIMT void walk_copy(const struct walk &walk, int chunk)
{
    const int64_t begin = walk.row + static_cast<int64_t>(chunk) * CHUNK_BYTES<TYPE>;
    int64_t end = begin + CHUNK_BYTES<TYPE>;
    if (end > walk.row + walk.row_bytes)
        end = walk.row + walk.row_bytes;
    unsigned char *to = walk.shared + chunk % STAGES * STAGE_BYTES<TYPE> +
                        walk.out * ROW_STRIDE<TYPE> + walk.t * PIECE;
    for (int64_t from = begin / PIECE * PIECE + walk.t * PIECE; from < end;
         from += SUMS * PIECE, to += SUMS * PIECE) {
        const int64_t left = walk.matrix_bytes - from;
        simt_copy_async16(to, walk.matrix + from,
                          left < PIECE ? static_cast<int>(left) : PIECE);
    }
    simt_copy_commit();
}

/* The rows of x that are multiplied together: row r lies at[r] floats from x on. */
template <unsigned ROWS> struct strip {
    const float *x;
    int at[ROWS];
};

/* A run of elements of each of the warp's rows. */
struct chunk {
    const unsigned char *blocks; /* this lane's row, in shared memory */
    int first, count;            /* elements: the first's number in the row, how many */
};

/* Adds a chunk to this lane's sums. */
template <int TYPE, unsigned ROWS>
SIMT void chunk_sum(const struct chunk &chunk, const struct strip<ROWS> &strip, int t,
                    float (&sum)[ROWS])
{
    constexpr int ELEMS = DEQUANT_ELEMS<TYPE>;
    constexpr int BLOCK = ELEMS == 1 ? CHUNK<TYPE> : ELEMS;
    constexpr int RUNS = BLOCK / 32;
    for (int run = 0; 32 * run < chunk.count; run++) {
        const unsigned char *block = chunk.blocks + run / RUNS * DEQUANT_BYTES<TYPE>;
        SIMT_UNROLL
        for (int eight = 0; eight < 4; eight++) {
            const int i = 32 * run + 8 * eight + t;
            if (ELEMS == 1 && i >= chunk.count)
                return;
            const float *x = strip.x + chunk.first + i;
            const float w = dequant_at<TYPE>(block, run % RUNS, eight, t);
            SIMT_UNROLL
            for (int r = 0; r < int{ROWS}; r++)
                sum[r] = simt_fma(x[strip.at[r]], w, sum[r]);
        }
    }
}

/* sum[r] = this lane's running sum of row r against the walk's weight row. */
template <int TYPE, unsigned ROWS>
SIMT void row_sum(const struct walk &walk, const struct strip<ROWS> &strip, int in_dim,
                  float (&sum)[ROWS])
{
    const int chunks = (in_dim + CHUNK<TYPE> - 1) / CHUNK<TYPE>;
    SIMT_UNROLL
    for (int r = 0; r < int{ROWS}; r++)
        sum[r] = 0.0f;
    simt_warp_sync(); /* what a gate's walk read last is free */
    for (int c = 0; c < STAGES - 1; c++) {
        if (c < chunks)
            walk_copy<TYPE>(walk, c);
        else
            simt_copy_commit();
    }
    for (int c = 0; c < chunks; c++) {
        simt_copy_wait<STAGES - 2>();
        simt_warp_sync(); /* the chunk is here, and all have read the one before it */
        if (c + STAGES - 1 < chunks)
            walk_copy<TYPE>(walk, c + STAGES - 1);
        else
            simt_copy_commit();
        const int64_t begin = walk.row + static_cast<int64_t>(c) * CHUNK_BYTES<TYPE>;
        const int left = in_dim - c * CHUNK<TYPE>;
        struct chunk chunk = {};
        chunk.blocks = walk.shared + c % STAGES * STAGE_BYTES<TYPE> +
                       walk.out * ROW_STRIDE<TYPE> + begin % PIECE;
        chunk.first = c * CHUNK<TYPE>;
        chunk.count = left < CHUNK<TYPE> ? left : CHUNK<TYPE>;
        chunk_sum<TYPE, ROWS>(chunk, strip, walk.t, sum);
    }
    SIMT_UNROLL
    for (int half = SUMS / 2; half > 0; half /= 2) {
        float other[ROWS];
        simt_shuffle_xor(sum, half, other);
        SIMT_UNROLL
        for (int r = 0; r < int{ROWS}; r++)
            sum[r] += other[r];
    }
}

SIMT void put(const struct stored &args, int64_t row, int out, float value, float gate)
{
    float *y = args.y + row * args.out_dim + out;
    if (args.gate) {
        *y = gate_act_of(args.gate_kind, gate) * value;
        return;
    }
    if (args.bias)
        value += args.bias[out];
    *y = args.accumulate ? *y + value : value;
}

template <int TYPE, unsigned ROWS> SIMT_KERNEL(THREADS, 4) stored_kernel(struct stored args)
{
    struct simt_shared shared = simt_shared_begin();
    unsigned char *stages =
        simt_shared_take<unsigned char>(shared, WARPS * STAGES * STAGE_BYTES<TYPE>);
    const int out_tile = static_cast<int>(blockIdx.x) / args.row_tiles;
    const int first_row = static_cast<int>(blockIdx.x) % args.row_tiles * int{ROWS};
    struct walk walk = {};
    walk.matrix = args.w;
    walk.matrix_bytes = args.matrix_bytes;
    walk.row_bytes = args.row_bytes;
    walk.shared = stages + simt_warp() * STAGES * STAGE_BYTES<TYPE>;
    walk.out = simt_lane() / SUMS;
    walk.t = simt_lane() % SUMS;
    const int out = out_tile * BLOCK_OUTS + simt_warp() * WARP_OUTS + walk.out;
    /* Lanes past the last output or row do the last one's work, and keep it. */
    walk.row = (out < args.out_dim ? out : args.out_dim - 1) * args.row_bytes;
    const int last = args.rows - 1 - first_row;
    struct strip<ROWS> strip;
    strip.x = args.x + static_cast<int64_t>(first_row) * args.in_dim;
    SIMT_UNROLL
    for (int r = 0; r < int{ROWS}; r++)
        strip.at[r] = (r < last ? r : last) * args.in_dim;
    float sum[ROWS], gate[ROWS] = {};
    if (args.gate) {
        walk.matrix = args.gate;
        row_sum<TYPE, ROWS>(walk, strip, args.in_dim, gate);
        walk.matrix = args.w;
    }
    row_sum<TYPE, ROWS>(walk, strip, args.in_dim, sum);
    SIMT_UNROLL
    for (int r = 0; r < int{ROWS}; r++) {
        if (walk.t == r && r <= last && out < args.out_dim)
            put(args, first_row + r, out, sum[r], gate[r]);
    }
}

template <int TYPE, unsigned ROWS> enum status launch(struct device *device, struct stored args)
{
    args.row_tiles = (args.rows + int{ROWS} - 1) / int{ROWS};
    const int64_t out_tiles =
        (static_cast<int64_t>(args.out_dim) + BLOCK_OUTS - 1) / BLOCK_OUTS;
    if (out_tiles * args.row_tiles > INT32_MAX)
        return ERR_LIMIT;
    const dim3 grid(static_cast<unsigned>(out_tiles * args.row_tiles));
    const size_t shared = static_cast<size_t>(WARPS * STAGES * STAGE_BYTES<TYPE>);
    args.row_bytes =
        static_cast<int64_t>(args.in_dim) / DEQUANT_ELEMS<TYPE> * DEQUANT_BYTES<TYPE>;
    args.matrix_bytes = args.row_bytes * args.out_dim;
    return SIMT_LAUNCH(device, (stored_kernel<TYPE, ROWS>), grid, THREADS, shared, args);
}

template <int TYPE> enum status launch_rows(struct device *device, const struct stored &args)
{
    if (args.in_dim % DEQUANT_ELEMS<TYPE> != 0)
        return ERR_LIMIT;
    return args.rows == 1 ? launch<TYPE, 1>(device, args)
                          : launch<TYPE, ROWS_MAX>(device, args);
}

} // namespace

extern "C" enum status SIMT_OP(matmul_stored)(struct device *device,
                                              const struct matmul_args *args)
{
    if (args->rows < 1)
        return OK;
    const struct weight *w = args->w;
    struct stored stored = {};
    stored.x = args->x->f32;
    stored.w = static_cast<const unsigned char *>(w->data);
    stored.gate = args->gate ? static_cast<const unsigned char *>(args->gate->data) : nullptr;
    stored.bias = args->bias;
    stored.y = args->y;
    stored.rows = args->rows;
    stored.out_dim = w->out_dim;
    stored.in_dim = w->in_dim;
    stored.gate_kind = args->gate_kind;
    stored.accumulate = args->accumulate;
    if (args->gate && args->gate->type != w->type)
        return ERR_LIMIT;
    switch (w->type) {
    case WEIGHT_F32:
        return launch_rows<WEIGHT_F32>(device, stored);
    case WEIGHT_F16:
        return launch_rows<WEIGHT_F16>(device, stored);
    case WEIGHT_BF16:
        return launch_rows<WEIGHT_BF16>(device, stored);
    case WEIGHT_Q4_0:
        return launch_rows<WEIGHT_Q4_0>(device, stored);
    case WEIGHT_Q4_1:
        return launch_rows<WEIGHT_Q4_1>(device, stored);
    case WEIGHT_Q5_0:
        return launch_rows<WEIGHT_Q5_0>(device, stored);
    case WEIGHT_Q5_1:
        return launch_rows<WEIGHT_Q5_1>(device, stored);
    case WEIGHT_Q8_0:
        return launch_rows<WEIGHT_Q8_0>(device, stored);
    case WEIGHT_IQ4_NL:
        return launch_rows<WEIGHT_IQ4_NL>(device, stored);
    case WEIGHT_Q2_K:
        return launch_rows<WEIGHT_Q2_K>(device, stored);
    case WEIGHT_Q3_K:
        return launch_rows<WEIGHT_Q3_K>(device, stored);
    case WEIGHT_Q4_K:
        return launch_rows<WEIGHT_Q4_K>(device, stored);
    case WEIGHT_Q5_K:
        return launch_rows<WEIGHT_Q5_K>(device, stored);
    case WEIGHT_Q6_K:
        return launch_rows<WEIGHT_Q6_K>(device, stored);
    default:
        return ERR_LIMIT;
    }
}
