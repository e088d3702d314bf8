/*
 * attention - attention from the work list on tensor cores, and the merge of its partials.
 *
 *     formula   softmax(q k^T * scale) v per split of work.split keys, then in split order
 *     tensors   q [rows, heads, head_dim] F32; cache pages of F16 or INT8 (KV_ORDER_GPU);
 *               partials F32; y [rows, heads * head_dim]
 *     work      a block of 4 warps takes an item and a KV head. Its query rows are (batch row,
 *               head of the group), up to 64 at a time (with head_dim 256 32, or 16 for F16:
 *               registers); for the last 16 or 32 the warps share rows. blockIdx.z spreads
 *               what an item has more
 *     tiles     64 keys (32 for F16 from head_dim 128 on), two stages by cp.async, page by
 *               page; q in registers, scores and weights too, or through shared memory where
 *               warps share rows. mma m16n8k16, halves, F32 sums; int8 becomes halves on its
 *               way to the fragments, exactly; scales of keys go into scores, of values into
 *               weights
 *     merge     a block per batch row: maximum, then sums, in split order; row_finish
 *     shared    INT8 23.8, 35.8, 39.8, 71.8 KB with head_dim 64, 96, 128, 256; F16 38.8,
 *               54.8, 36.8, 68.8 KB
 *     registers INT8 168, 234, 254, 244; F16 168, 225, 226, 197; merge 92; no spills
 *     cost      per split, KV head and up to 64 packed rows: 2 * 256 * head_dim numbers of the
 *               cache; per packed row 4 * 256 * head_dim operations, and (head_dim + 2) * 8
 *               bytes of partials written and read
 *     bound by  DRAM at decode, the more rows share an item the less; tensor cores, and the
 *               F32 work around them (about 10 instructions per score), at prefill
 *     measured  not yet measured on a GPU; emulated without a bank conflict in any shape
 *
 * Error. q and the weights are rounded to halves (2^-11 of each), keys and values are halves
 * as they are, or integers up to 127, which are halves too. The scale multiplies the score, in
 * F32. A score errs by at most 2^-11 scale sum |q k|, a result by twice that and 2^-10 of the
 * greatest value, when all roundings conspire; the power of two, two units in the last place
 * from the rounded one, adds less than 2^-21.
 *
 * The same bits in any company: parts/attention_rows.cuh says which sum has which order. No
 * order depends on how many rows an item has, on which of the three shapes of warps ran, or on
 * kv_count. An element of mma depends on its row of a, column of b and sum alone.
 *
 * Split of 256 keys (ATTENTION_SPLIT). Partials cost 8 bytes per number and row beside 2 *
 * 256 bytes of int8 cache per number: 1.6 % of the reads for each packed row, as much as the
 * cache itself for 64 of them, where L2 has them. 512 would halve that, but only whole splits
 * are shared: a prefix loses half a split on average, and 800 shared tokens would share 512
 * instead of 768. 256 still gives a block to each multiprocessor of a 4090 at 4 sequences of
 * 1,024 tokens with 8 KV heads.
 *
 * The opponent for benches, "sorted", is a list with one row per item: the same kernel, each
 * sequence reading its own keys, 16-row tiles of which the group fills what it can. A kernel on
 * CUDA cores would be a weaker opponent wherever heads share a KV head.
 *
 * Tiles of 128 rows are left out: 16 rows per warp with 8 warps reuse a fragment no more often,
 * and what L2 has to give for 64 rows (about 65 operations per byte of F16 cache, twice that
 * for INT8) is less than half of what a 4090's L2 can.
 */
#include "kernels/attention.h"

#include "kernels/parts/attention_weight.cuh"
#include "kernels/parts/row_finish.cuh"

namespace
{

enum {
    THREADS = ATTENTION_STAGE_THREADS,
    MERGE_THREADS = 256,
    BLOCKS_MAX = ATTENTION_SPLIT_MAX / KV_PAGE_TOKENS,
    TASKS_MAX = 16 /* blocks per (item, KV head) */
};

#define LOG2_E 1.44269504088896340736f

/* Packed rows that a block computes at a time, and blocks that a multiprocessor holds by its
 * registers. */
template <class STAGE> struct limits {
    enum {
        ROWS = STAGE::DIM <= 128        ? 64
               : STAGE::TYPE == KV_INT8 ? 32
                                        : 16,
        BLOCKS = STAGE::DIM <= 64 ? 3 : 2
    };
};

template <class STAGE> SIMT struct attention_rows_memory memory_take(uint8_t ***blocks)
{
    struct simt_shared shared = simt_shared_begin();
    struct attention_rows_memory memory;
    memory.stages =
        simt_shared_take<struct simt_16>(shared, ATTENTION_ROWS_STAGES * STAGE::PIECES);
    memory.weights =
        simt_shared_take<struct simt_16>(shared, ATTENTION_ROWS_SHARED * STAGE::KEYS / 8);
    memory.maxima = simt_shared_take<float>(shared, 2 * ATTENTION_ROWS_SHARED);
    memory.sums =
        simt_shared_take<float>(shared, ATTENTION_ROWS_GROUPS * ATTENTION_ROWS_SHARED * 4);
    *blocks = simt_shared_take<uint8_t *>(shared, BLOCKS_MAX);
    memory.source = {*blocks, 0};
    return memory;
}

template <class STAGE> constexpr size_t memory_bytes()
{
    return (ATTENTION_ROWS_STAGES * STAGE::PIECES + ATTENTION_ROWS_SHARED * STAGE::KEYS / 8) *
               sizeof(struct simt_16) +
           (2 + 4 * ATTENTION_ROWS_GROUPS) * ATTENTION_ROWS_SHARED * sizeof(float) +
           BLOCKS_MAX * sizeof(uint8_t *);
}

/* Of a tile's first key; tiles take turns. */
template <class STAGE>
SIMT struct simt_16 *stage_of(const struct attention_rows_memory &memory, int32_t key)
{
    return memory.stages + key / STAGE::KEYS % ATTENTION_ROWS_STAGES * STAGE::PIECES;
}

/* The partials of up to 16 * ROW_WARPS packed rows of the block's item, from `first` on. */
template <class STAGE, int ROW_WARPS>
SIMT void rows_run(const struct attention_rows_args &args, int32_t first,
                   const struct attention_rows_memory &memory)
{
    using shape = attention_rows_shape<STAGE, ROW_WARPS>;
    const int32_t row = first + simt_warp() / shape::COL_WARPS * 16;
    struct attention_rows_pair pair;
    struct attention_rows_state<STAGE, ROW_WARPS> state;
    int32_t range[2];
    attention_rows_range(args, first, shape::ROWS, range);
    const int32_t begin = range[0] / STAGE::KEYS * STAGE::KEYS;
    if (begin < range[1])
        attention_stage_copy<STAGE>(memory.source, begin, stage_of<STAGE>(memory, begin));
    simt_copy_commit();
    attention_rows_find(args, row + simt_lane() / 4, 0, pair);
    attention_rows_find(args, row + simt_lane() / 4 + 8, 1, pair);
    attention_rows_query<STAGE>(args, pair, state.q);
    state.max[0] = state.max[1] = -attention_rows_infinity();
    state.sum[0] = state.sum[1] = 0.0f;
    for (int i = 0; i < 4 * shape::DIM_TILES; i++)
        state.out[i / 4][i % 4] = 0.0f;
    for (int32_t key = begin; key < range[1]; key += STAGE::KEYS) {
        const struct simt_16 *stage = stage_of<STAGE>(memory, key);
        simt_copy_wait<0>();
        simt_barrier(); /* all have this stage, and none still reads the other */
        if (key + STAGE::KEYS < range[1])
            attention_stage_copy<STAGE>(memory.source, key + STAGE::KEYS,
                                        stage_of<STAGE>(memory, key + STAGE::KEYS));
        simt_copy_commit();
        float s[shape::TILES][4], groups[shape::GROUPS][2];
        uint32_t p[STAGE::PAGES][4];
        attention_score_products<STAGE, ROW_WARPS>(state, stage, s);
        attention_score_make<STAGE, ROW_WARPS>(args, pair, key, stage, s);
        attention_weight_make<STAGE, ROW_WARPS>(memory, s, groups, state);
        attention_weight_sums_give<STAGE, ROW_WARPS>(memory, groups);
        attention_weight_pack<STAGE, ROW_WARPS>(memory, stage, s, p);
        attention_weight_sums_take<STAGE, ROW_WARPS>(memory, groups, state);
        attention_weight_values<STAGE, ROW_WARPS>(stage, p, state);
    }
    for (int i = 0; i < 2; i++) {
        state.sum[i] += simt_shuffle_xor(state.sum[i], 1);
        state.sum[i] += simt_shuffle_xor(state.sum[i], 2);
    }
    /* Looked up again, rather than kept in registers all the while. */
    attention_rows_find(args, row + simt_lane() / 4, 0, pair);
    attention_rows_find(args, row + simt_lane() / 4 + 8, 1, pair);
    attention_rows_write<STAGE, ROW_WARPS>(args, pair, state);
}

template <class STAGE>
SIMT_KERNEL(THREADS, limits<STAGE>::BLOCKS)
attention_partials(struct attention_rows_args args)
{
    enum { WARPS = limits<STAGE>::ROWS / 16, STEP = limits<STAGE>::ROWS };
    const struct attention_item &item = args.items[blockIdx.x];
    const int32_t rows = item.row_count * args.group;
    auto first = static_cast<int32_t>(blockIdx.z) * STEP;
    if (first >= rows)
        return;
    uint8_t **blocks;
    struct attention_rows_memory memory = memory_take<STAGE>(&blocks);
    memory.source.keys = item.kv_count;
    for (auto i = static_cast<int32_t>(threadIdx.x); i * KV_PAGE_TOKENS < item.kv_count;
         i += THREADS)
        blocks[i] = kv_block_data<STAGE::TYPE>(args.cache, args.pages[item.pages_first + i],
                                               args.layer, static_cast<int32_t>(blockIdx.y));
    /* Few rows come after the loop, not in it: what the compiler moves out of a loop stays in
     * registers through all of it. */
    for (; rows - first > STEP / 2; first += static_cast<int32_t>(gridDim.z) * STEP) {
        simt_barrier(); /* blocks are there; none reads the stages of the rows before */
        rows_run<STAGE, WARPS>(args, first, memory);
    }
    simt_barrier();
    if (WARPS == 4 && rows - first > 16)
        rows_run<STAGE, 2>(args, first, memory);
    else if (rows > first)
        rows_run<STAGE, 1>(args, first, memory);
}

/* One row of the batch: each thread four dims of a head at a time. */
template <int THREAD_COUNT>
SIMT_KERNEL(THREAD_COUNT, 2)
attention_merge(struct attention_rows_args args, struct activation y)
{
    const auto r = static_cast<int32_t>(blockIdx.x);
    const int32_t dim = args.cache.head_dim, first = args.partials_first[r];
    const int32_t count = args.partials_first[r + 1] - first;
    if (args.positions[r] < 0)
        return;
    struct simt_shared shared = simt_shared_begin();
    float *row = simt_shared_take<float>(shared, y.cols);
    float *scratch = simt_shared_take<float>(shared, ROW_FINISH_SCRATCH);
    for (auto i = static_cast<int32_t>(threadIdx.x) * 4; i < y.cols; i += THREAD_COUNT * 4) {
        const int64_t at = static_cast<int64_t>(first) * args.heads + i / dim;
        auto stats = reinterpret_cast<const struct attention_rows_floats *>(args.stats) + at;
        const float *vector = args.vectors + at * dim + i % dim;
        float max = -attention_rows_infinity(), sum = 0.0f, out[4] = {0.0f, 0.0f, 0.0f, 0.0f};
        for (int64_t p = 0; p < count; p++) {
            const float other = stats[p * args.heads].low;
            max = other > max ? other : max;
        }
        for (int64_t p = 0; p < count; p++) {
            const float factor = simt_exp2(stats[p * args.heads].low - max);
            const struct simt_16 part = simt_load16(vector + p * args.heads * dim);
            sum += factor * stats[p * args.heads].high;
            for (int j = 0; j < 4; j++)
                out[j] += factor * simt_bits_float(part.word[j]);
        }
        struct simt_16 result;
        for (int j = 0; j < 4; j++)
            result.word[j] = simt_float_bits(out[j] / sum);
        simt_store16(row + i, result);
    }
    row_finish<THREAD_COUNT>(y, r, row, scratch);
}

/* Items have partial_count / item_count rows each, in the middle. */
uint32_t tasks_of(const struct attention_args *args, int32_t group, int32_t rows)
{
    const struct attention_work *work = args->work;
    const int64_t packed = static_cast<int64_t>(work->partial_count) * group / work->item_count;
    const int64_t tasks = packed / rows + (packed % rows != 0);
    const int64_t most = TASKS_MAX;
    return static_cast<uint32_t>(tasks < 1 ? 1 : tasks > most ? most : tasks);
}

template <enum kv_type TYPE, int DIM>
enum status partials_launch(struct device *device, const struct attention_args *args,
                            const struct attention_rows_args &rows)
{
    using stage = attention_stage<TYPE, DIM>;
    static_assert(memory_bytes<stage>() <= SIMT_SHARED_MAX, "shared memory of a block");
    const dim3 grid(static_cast<uint32_t>(args->work->item_count),
                    static_cast<uint32_t>(rows.cache.kv_heads),
                    tasks_of(args, rows.group, limits<stage>::ROWS));
    return SIMT_LAUNCH(device, (attention_partials<stage>), grid, THREADS,
                       memory_bytes<stage>(), rows);
}

template <enum kv_type TYPE>
enum status partials_of(struct device *device, const struct attention_args *args,
                        const struct attention_rows_args &rows)
{
    switch (rows.cache.head_dim) {
    case 64:
        return partials_launch<TYPE, 64>(device, args, rows);
    case 96:
        return partials_launch<TYPE, 96>(device, args, rows);
    case 128:
        return partials_launch<TYPE, 128>(device, args, rows);
    case 256:
        return partials_launch<TYPE, 256>(device, args, rows);
    default:
        return ERR_LIMIT;
    }
}

struct attention_rows_args rows_of(const struct attention_args *args)
{
    const struct attention_work *work = args->work;
    struct attention_rows_args rows = {};
    rows.q = args->q;
    rows.positions = args->positions;
    rows.items = work->items;
    rows.pages = work->pages;
    rows.rows = work->rows;
    rows.partials_first = work->partials_first;
    rows.cache = *args->cache;
    rows.vectors = args->partials;
    rows.stats = args->partials + static_cast<int64_t>(work->partial_count) * args->heads *
                                      args->cache->head_dim;
    rows.split = work->split;
    rows.heads = args->heads;
    rows.group = args->heads / args->cache->kv_heads;
    rows.layer = args->layer;
    rows.window = args->window;
    rows.factor = args->scale * LOG2_E;
    if (args->softcap > 0.0f) {
        rows.cap = args->softcap * LOG2_E;
        rows.factor = args->scale * 2.0f * LOG2_E / args->softcap;
    }
    return rows;
}

} // namespace

extern "C" enum status SIMT_OP(attention)(struct device *device,
                                          const struct attention_args *args)
{
    const struct kv_cache *cache = args->cache;
    const struct attention_rows_args rows = rows_of(args);
    const int32_t cols = args->heads * cache->head_dim;
    if (cache->type == KV_F32 || cache->order != KV_ORDER_GPU || cols > ROW_FINISH_COLS_MAX ||
        args->work->split > ATTENTION_SPLIT_MAX || args->rows == 0)
        return args->rows == 0 ? OK : ERR_LIMIT;
    enum status status = OK;
    if (args->work->item_count > 0)
        status = cache->type == KV_F16 ? partials_of<KV_F16>(device, args, rows)
                                       : partials_of<KV_INT8>(device, args, rows);
    if (status != OK)
        return status;
    const size_t bytes = (static_cast<size_t>(cols) + ROW_FINISH_SCRATCH) * sizeof(float);
    return SIMT_LAUNCH(device, (attention_merge<MERGE_THREADS>),
                       dim3(static_cast<uint32_t>(args->rows)), MERGE_THREADS, bytes, rows,
                       *args->y);
}
