/*
 * attention_rows - the partials of up to 64 query rows over one split, by one block.
 *
 * Four warps: ROW_WARPS of them stand on 16 rows each, COL_WARPS side by side share the keys of
 * a score tile, and then the dims of the result. With one column of warps a lane's weights
 * stay in its registers; with more they pass through shared memory, as do the maxima.
 *
 * Each sum has one order, whatever ROW_WARPS is and whichever rows stand beside a row: a score
 * adds its dims in steps of 16; the running maximum moves after each tile of KEYS keys; a
 * result adds its tokens in steps of 16; each lane sums the weights of its columns in four
 * groups, then these, then tile after tile, and lanes come last. A tile of which a row sees
 * nothing multiplies its sums by 1 and adds 0. So a partial's bits depend on its row alone, as
 * long as the values of the split are finite.
 */
#ifndef KERNELS_PARTS_ATTENTION_ROWS_CUH
#define KERNELS_PARTS_ATTENTION_ROWS_CUH

#include "kernels/attention.h"
#include "kernels/parts/attention_stage.cuh"

enum {
    ATTENTION_ROWS_STAGES = 2,
    ATTENTION_ROWS_GROUPS = 4, /* of columns, each summed by itself */
    ATTENTION_ROWS_SHARED = 32 /* rows at most where warps share them */
};

/* An int8 value's scale goes into the weight, which then is a half: with this factor scales
 * from 1e-6 to 1e3 keep a half's precision. A power of two: it costs no bit. */
#define ATTENTION_ROWS_LIFT 64.0f

/* What the kernels get: everything on the device. */
struct attention_rows_args {
    const float *q;
    const int32_t *positions;
    const struct attention_item *items;
    const int32_t *pages, *rows, *partials_first;
    struct kv_cache cache;
    float *vectors; /* [partial][head][head_dim] */
    float *stats;   /* [partial][head]{max, sum}, scores in units of ln 2 */
    int32_t split, heads, group, layer, window;
    float factor; /* makes a product a score in units of ln 2, or with a cap its exponent */
    float cap;    /* softcap in units of ln 2, or 0 */
};

struct attention_rows_memory {
    struct simt_16 *stages;  /* [STAGES][PIECES] */
    struct simt_16 *weights; /* [ATTENTION_ROWS_SHARED rows][KEYS] halves, in pieces */
    float *maxima;           /* [COL_WARPS][rows] */
    float *sums;             /* [GROUPS][rows][4 lanes], of a tile */
    struct attention_stage_source source;
};

/* Two of an item's packed rows: a lane's. first .. first+span-1 are the keys it sees. */
struct attention_rows_pair {
    int32_t row[2]; /* of the batch, or -1: there is none */
    int32_t head[2], partial[2];
    int32_t first[2], span[2];
};

template <class STAGE, int ROW_WARPS> struct attention_rows_shape {
    enum {
        COL_WARPS = ATTENTION_STAGE_WARPS / ROW_WARPS,
        ROWS = 16 * ROW_WARPS,
        TILES = STAGE::KEYS / 8 / COL_WARPS,    /* of 8 keys, of a warp */
        DIM_TILES = STAGE::DIM / 8 / COL_WARPS, /* of 8 dims, of a warp */
        STEPS = STAGE::DIM / 16,
        GROUPS = ATTENTION_ROWS_GROUPS / COL_WARPS, /* of a warp */
        PIECES = STAGE::KEYS / 8                    /* of a row's weights */
    };
};

template <class STAGE, int ROW_WARPS> struct attention_rows_state {
    using shape = attention_rows_shape<STAGE, ROW_WARPS>;
    uint32_t q[shape::STEPS][4];
    float out[shape::DIM_TILES][4];
    float max[2], sum[2]; /* sum: of this lane's columns */
};

struct alignas(8) attention_rows_floats {
    float low, high;
};

SIMT float attention_rows_infinity()
{
    return simt_bits_float(0x7f800000);
}

/* Packed row `packed` of the block's item as number `i` of a pair. A block is an item and a KV
 * head; it reads what the item says each time, rather than keep it in registers. */
SIMT void attention_rows_find(const struct attention_rows_args &args, int32_t packed, int i,
                              struct attention_rows_pair &pair)
{
    const struct attention_item &item = args.items[blockIdx.x];
    const auto kv_head = static_cast<int32_t>(blockIdx.y);
    pair.row[i] = -1;
    pair.head[i] = pair.partial[i] = pair.first[i] = pair.span[i] = 0;
    if (packed >= item.row_count * args.group)
        return;
    const int32_t row = args.rows[item.rows_first + packed / args.group];
    const int32_t end = args.positions[row] + 1 - item.kv_begin;
    const int32_t first = args.window > 0 && end > args.window ? end - args.window : 0;
    const int32_t seen = end < item.kv_count ? end : item.kv_count;
    pair.row[i] = row;
    pair.head[i] = kv_head * args.group + packed % args.group;
    pair.partial[i] = args.partials_first[row] + item.kv_begin / args.split;
    pair.first[i] = first;
    pair.span[i] = seen > first ? seen - first : 0;
}

/* The keys that any of `rows` packed rows from first_row on sees: range[0] .. range[1]-1, the
 * same in all lanes. Without any, range[1] is 0. */
SIMT void attention_rows_range(const struct attention_rows_args &args, int32_t first_row,
                               int32_t rows, int32_t range[2])
{
    uint32_t end = 0, before = 0;
    for (int32_t i = simt_lane(); i < rows; i += SIMT_WARP) {
        struct attention_rows_pair pair;
        attention_rows_find(args, first_row + i, 0, pair);
        const auto first = static_cast<uint32_t>(pair.first[0]);
        const auto last = static_cast<uint32_t>(pair.first[0] + pair.span[0]);
        const bool sees = pair.span[0] > 0;
        end = sees && last > end ? last : end;
        before =
            sees && ATTENTION_SPLIT_MAX - first > before ? ATTENTION_SPLIT_MAX - first : before;
    }
    range[0] = ATTENTION_SPLIT_MAX - static_cast<int32_t>(simt_warp_max(before));
    range[1] = static_cast<int32_t>(simt_warp_max(end));
}

/* A lane's part of 16 query rows: halves, in the order of dims that the keys have. */
template <class STAGE>
SIMT void attention_rows_query(const struct attention_rows_args &args,
                               const struct attention_rows_pair &pair,
                               uint32_t a[STAGE::DIM / 16][4])
{
    const bool is_int8 = STAGE::TYPE == KV_INT8;
    const int t = simt_lane() % 4;
    const float *from[2];
    for (int row = 0; row < 2; row++) {
        const int64_t batch_row = pair.row[row] < 0 ? 0 : pair.row[row];
        from[row] = args.q + (batch_row * args.heads + pair.head[row]) * STAGE::DIM +
                    (is_int8 ? 4 * t : 2 * t);
    }
    for (int step = 0; step < STAGE::DIM / 16; step++) {
        for (int row = 0; row < 2; row++) {
            const float *low = from[row] + step * 16, *high = low + (is_int8 ? 2 : 8);
            const auto x = *reinterpret_cast<const struct attention_rows_floats *>(low);
            const auto y = *reinterpret_cast<const struct attention_rows_floats *>(high);
            a[step][row] = simt_halves(x.low, x.high);
            a[step][row + 2] = simt_halves(y.low, y.high);
        }
        simt_warp_sync(); /* or the compiler loads all before it rounds the first */
    }
}

/* A partial is written by the lanes that hold it; -0 becomes 0, as one more tile would do. */
template <class STAGE, int ROW_WARPS>
SIMT void attention_rows_write(const struct attention_rows_args &args,
                               const struct attention_rows_pair &pair,
                               const struct attention_rows_state<STAGE, ROW_WARPS> &state)
{
    using shape = attention_rows_shape<STAGE, ROW_WARPS>;
    const int t = simt_lane() % 4, column = simt_warp() % shape::COL_WARPS;
    const float factor = STAGE::TYPE == KV_INT8 ? 1.0f / ATTENTION_ROWS_LIFT : 1.0f;
    for (int row = 0; row < 2; row++) {
        if (pair.row[row] < 0)
            continue;
        const int64_t at =
            static_cast<int64_t>(pair.partial[row]) * args.heads + pair.head[row];
        float *to = args.vectors + at * STAGE::DIM + column * shape::DIM_TILES * 8 + 2 * t;
        for (int i = 0; i < shape::DIM_TILES; i++) {
            const float *out = state.out[i] + 2 * row;
            *reinterpret_cast<struct attention_rows_floats *>(to + i * 8) = {
                out[0] * factor + 0.0f, out[1] * factor + 0.0f};
        }
        if (column == 0 && t == 0)
            *reinterpret_cast<struct attention_rows_floats *>(args.stats + at * 2) = {
                state.max[row], state.sum[row]};
    }
}

#endif
