/*
 * rope - heads normalised, turned and appended to the KV cache: one head per warp.
 *
 *     formula     (a, b) -> (a cos - b sin, a sin + b cos), after x / sqrt(mean x^2 + eps)
 *                 norm where the model has it; q and k rotated by blocks where the cache is of
 *                 int8; k and v rounded to the cache's type, int8 with scale = max |x| / 127
 *     tensors     q [rows, heads, head_dim], k and v [rows, kv_heads, head_dim] F32; turns
 *                 [positions][2][rope_dim / 2]; pages as in kv_block.cuh
 *     grid        rows x (groups of four warps) blocks of 128 threads; warps of a row: heads
 *                 for q, then kv_heads for keys, then kv_heads for values
 *     shared      the four heads: 16 head_dim bytes, head_dim <= 256
 *     registers   48
 *     bytes       per row 8 heads head_dim (q read and written) + kv_heads head_dim (8 + 2
 *                 bytes of a number in the cache); 6 operations a number
 *     bound by    DRAM or L2. A value goes down a block's columns: its numbers lie 16 apart,
 *                 so each is a sector of its own on the way to L2, where rows of the same page
 *                 meet. Of an 8B Llama's row (32 and 8 heads of 128, int8) that is 1,024
 *                 sectors beside 2,300 of all else
 *     measured    not yet measured on a GPU
 *
 * A lane has numbers lane, lane + 32 ... of the head; a number's partner in its pair comes
 * through shared memory, so that interleaved and half-apart pairs are read alike and without
 * conflicts. A row of padding (position below 0) is left alone.
 */
#include "kernels/rope.h"

#include "kernels/parts/int8.cuh"
#include "kernels/parts/kv_block.cuh"
#include "kernels/parts/rotate.cuh"

#include <math.h>

namespace
{
enum {
    WARPS = 4,
    THREADS = WARPS * SIMT_WARP,
    LANES = 8, /* of the sum of squares */
    HEAD_DIM_MAX = 256,
    PER_LANE = HEAD_DIM_MAX / SIMT_WARP
};

/* A head's numbers: v[k] is number lane + 32 k, where that is less than head_dim. */
struct head {
    float v[PER_LANE];
};

SIMT int32_t number_of(int k)
{
    return k * SIMT_WARP + simt_lane();
}

SIMT void head_load(struct head &head, const float *from, int32_t dim)
{
    for (int k = 0; k < PER_LANE; k++)
        head.v[k] = number_of(k) < dim ? from[number_of(k)] : 0.0f;
}

/* to[0 .. dim-1] = the head, for the whole warp to read. */
SIMT void head_share(const struct head &head, float *to, int32_t dim)
{
    simt_warp_sync(); /* others may be reading what was there */
    for (int k = 0; k < PER_LANE; k++) {
        if (number_of(k) < dim)
            to[number_of(k)] = head.v[k];
    }
    simt_warp_sync();
}

/* rmsnorm of one head: eight lanes walk it (j mod 8), then add in pairs. */
SIMT void head_normalise(struct head &head, float *shared, const float *norm, float eps,
                         int32_t dim)
{
    float sum = 0.0f;
    head_share(head, shared, dim);
    for (int32_t i = simt_lane(); simt_lane() < LANES && i < dim; i += LANES)
        sum += shared[i] * shared[i];
    for (int32_t half = LANES / 2; half > 0; half /= 2)
        sum += simt_shuffle_xor(sum, half);
    const float mean = simt_shuffle(sum, 0) / static_cast<float>(dim);
    const float factor = 1.0f / sqrtf(mean + eps);
    for (int k = 0; k < PER_LANE; k++) {
        if (number_of(k) < dim)
            head.v[k] = head.v[k] * factor * norm[number_of(k)];
    }
}

/* Turns the first rope_dim numbers; turns: of this position. */
SIMT void head_turn(struct head &head, float *shared, const struct rope_args &args,
                    const float *turns, int32_t dim)
{
    const int32_t half = args.rope_dim / 2;
    head_share(head, shared, dim);
    for (int k = 0; k < PER_LANE; k++) {
        const int32_t i = number_of(k);
        if (i >= args.rope_dim)
            continue;
        const bool is_second = args.interleaved ? i % 2 != 0 : i >= half;
        const int32_t apart = args.interleaved ? 1 : half;
        const int32_t first = is_second ? i - apart : i;
        const int32_t pair = args.interleaved ? i / 2 : first;
        const float partner = shared[is_second ? first : i + apart];
        const float cosine = turns[pair], sine = turns[half + pair];
        head.v[k] = is_second ? partner * sine + head.v[k] * cosine
                              : head.v[k] * cosine - partner * sine;
    }
}

/* activation_rotate over a head: strides below 32 are between lanes, 32 between a lane's
 * numbers. */
SIMT void head_rotate(struct head &head, int32_t dim)
{
    const int32_t block = rotate_block_of(dim);
    for (int32_t stride = 1; stride < block && stride < SIMT_WARP; stride *= 2)
        rotate_lanes(head.v, stride);
    const float norm = 1.0f / sqrtf(static_cast<float>(block));
    for (int k = 0; k < PER_LANE; k += 2) {
        if (block > SIMT_WARP)
            rotate_pair(head.v[k], head.v[k + 1]);
        head.v[k] *= norm;
        head.v[k + 1] *= norm;
    }
}

/* Puts the head where number i lies at data[i step], rounded as kv_layout_put_* does. */
template <enum kv_type TYPE>
SIMT void head_put(const struct head &head, typename kv_block_number<TYPE>::type *data,
                   int32_t step, float *scale, int32_t dim)
{
    struct int8_divisor by = {};
    if constexpr (TYPE == KV_INT8) {
        uint32_t most = 0;
        for (int k = 0; k < PER_LANE; k++)
            most = int8_greater(most, head.v[k]);
        const float row_scale = int8_scale(simt_warp_max(most));
        by = int8_divisor_of(row_scale);
        if (simt_lane() == 0)
            *scale = row_scale;
    }
    for (int k = 0; k < PER_LANE; k++) {
        if (number_of(k) >= dim)
            continue;
        auto *place = data + number_of(k) * step;
        if constexpr (TYPE == KV_F32)
            *place = head.v[k];
        else if constexpr (TYPE == KV_F16)
            *place = simt_half_from_float(head.v[k]);
        else
            *place = static_cast<int8_t>(int8_byte(head.v[k], by));
    }
}

/* To the slot of its row: key or value of one KV head, keys counted before values. */
template <enum kv_type TYPE>
SIMT void head_append(const struct head &head, const struct rope_args &args,
                      const struct kv_cache &cache, int64_t row, int32_t side_head)
{
    const int32_t dim = cache.head_dim;
    const int32_t slot = args.positions[row] % KV_PAGE_TOKENS;
    const bool is_value = side_head >= cache.kv_heads;
    const struct kv_block<TYPE> block =
        kv_block_at<TYPE>(cache, args.kv_pages[row], args.layer,
                          is_value ? side_head - cache.kv_heads : side_head);
    const int32_t first =
        is_value ? kv_block_value_index(slot, 0) : kv_block_key_index(dim, slot, 0);
    float *scales = is_value ? block.value_scales : block.key_scales;
    head_put<TYPE>(head, (is_value ? block.values : block.keys) + first,
                   is_value ? KV_PAGE_TOKENS : 1, TYPE == KV_INT8 ? scales + slot : nullptr,
                   dim);
}

template <enum kv_type TYPE>
SIMT_KERNEL(THREADS, 10)
rope_heads(const struct rope_args args, const struct kv_cache cache)
{
    const int32_t dim = cache.head_dim;
    struct simt_shared pieces = simt_shared_begin();
    float *shared = simt_shared_take<float>(pieces, WARPS * dim) + simt_warp() * dim;
    const int32_t units = args.heads + 2 * cache.kv_heads;
    const unsigned groups = static_cast<unsigned>((units + WARPS - 1) / WARPS);
    const int64_t row = blockIdx.x / groups;
    const int32_t unit = static_cast<int32_t>(blockIdx.x % groups) * WARPS + simt_warp();
    const int32_t position = args.positions[row];
    if (unit >= units || position < 0)
        return;
    struct head head;
    const int32_t side_head = unit - args.heads; /* below 0: a query */
    if (side_head >= cache.kv_heads) {
        const int64_t skip = row * cache.kv_heads + side_head - cache.kv_heads;
        head_load(head, args.v + skip * dim, dim);
        head_append<TYPE>(head, args, cache, row, side_head);
        return;
    }
    float *q = args.q + (row * args.heads + unit) * dim;
    head_load(head, side_head < 0 ? q : args.k + (row * cache.kv_heads + side_head) * dim, dim);
    const float *norm = side_head < 0 ? args.q_norm : args.k_norm;
    if (norm)
        head_normalise(head, shared, norm, args.norm_eps, dim);
    head_turn(head, shared, args, args.turns + static_cast<int64_t>(position) * args.rope_dim,
              dim);
    if constexpr (TYPE == KV_INT8)
        head_rotate(head, dim);
    if (side_head < 0)
        head_put<KV_F32>(head, q, 1, nullptr, dim);
    else
        head_append<TYPE>(head, args, cache, row, side_head);
}

template <enum kv_type TYPE>
enum status launch(struct device *device, const struct rope_args *args, unsigned blocks)
{
    const size_t shared = WARPS * static_cast<size_t>(args->cache->head_dim) * sizeof(float);
    return SIMT_LAUNCH(device, (rope_heads<TYPE>), dim3(blocks), THREADS, shared, *args,
                       *args->cache);
}
} // namespace

enum status SIMT_OP(rope_append)(struct device *device, const struct rope_args *args)
{
    const struct kv_cache *cache = args->cache;
    const int64_t units =
        static_cast<int64_t>(args->heads) + 2 * static_cast<int64_t>(cache->kv_heads);
    const int64_t blocks = (units + WARPS - 1) / WARPS * args->rows;
    if (cache->order != KV_ORDER_GPU || cache->head_dim < 1 || cache->head_dim > HEAD_DIM_MAX ||
        args->rope_dim < 0 || args->rope_dim % 2 != 0 || args->rope_dim > cache->head_dim ||
        args->rows < 0 || units > INT16_MAX || blocks > INT32_MAX)
        return ERR_LIMIT;
    if (args->rows == 0)
        return OK;
    switch (cache->type) {
    case KV_F32:
        return launch<KV_F32>(device, args, static_cast<unsigned>(blocks));
    case KV_F16:
        return launch<KV_F16>(device, args, static_cast<unsigned>(blocks));
    case KV_INT8:
        return launch<KV_INT8>(device, args, static_cast<unsigned>(blocks));
    }
    return ERR_LIMIT;
}
