/*
 * kv_block - where the numbers of a KV page lie, as kernels see it: kernels/kv_layout.h for
 * caches of KV_ORDER_GPU.
 *
 *     keys   [KV_PAGE_TOKENS][head_dim]
 *     values [head_dim][KV_PAGE_TOKENS]
 *     key scales, value scales [KV_PAGE_TOKENS], KV_INT8 only
 */
#ifndef KERNELS_PARTS_KV_BLOCK_CUH
#define KERNELS_PARTS_KV_BLOCK_CUH

#include "kernels/kv_layout.h"
#include "kernels/parts/simt.cuh"

/* The C type of a number in the cache: halves are their bits. */
template <enum kv_type TYPE> struct kv_block_number;
template <> struct kv_block_number<KV_F32> {
    using type = float;
};
template <> struct kv_block_number<KV_F16> {
    using type = uint16_t;
};
template <> struct kv_block_number<KV_INT8> {
    using type = int8_t;
};

/* Keys and values of one (page, layer, KV head). */
template <enum kv_type TYPE> struct kv_block {
    typename kv_block_number<TYPE>::type *keys, *values;
    float *key_scales, *value_scales; /* KV_INT8 only, otherwise NULL */
};

/* Bytes of one block; a multiple of 16, as are the places of its parts. */
template <enum kv_type TYPE> SIMT int64_t kv_block_bytes(int32_t head_dim)
{
    const int64_t scale_bytes = TYPE == KV_INT8 ? static_cast<int64_t>(sizeof(float)) : 0;
    const int64_t number_bytes = sizeof(typename kv_block_number<TYPE>::type);
    return 2 * KV_PAGE_TOKENS * (head_dim * number_bytes + scale_bytes);
}

/* The parts of the block whose bytes begin at data. */
template <enum kv_type TYPE>
SIMT struct kv_block<TYPE> kv_block_from(uint8_t *data, int32_t head_dim) {
    using number = typename kv_block_number<TYPE>::type;
    const int32_t side = KV_PAGE_TOKENS * head_dim;
    number *keys = reinterpret_cast<number *>(data);
    if (TYPE != KV_INT8)
        return {keys, keys + side, nullptr, nullptr};
    float *scales = reinterpret_cast<float *>(keys + 2 * side);
    return {keys, keys + side, scales, scales + KV_PAGE_TOKENS};
}

/* Where a block begins. page, layer and kv_head must be in range. */
template <enum kv_type TYPE>
SIMT uint8_t *kv_block_data(const struct kv_cache &cache, int32_t page, int32_t layer,
                            int32_t kv_head)
{
    constexpr int64_t ALIGN = 64; /* of pages */
    const int64_t block_bytes = kv_block_bytes<TYPE>(cache.head_dim);
    const int64_t blocks = static_cast<int64_t>(cache.layers) * cache.kv_heads;
    const int64_t page_bytes = (blocks * block_bytes + ALIGN - 1) / ALIGN * ALIGN;
    const int64_t index = static_cast<int64_t>(layer) * cache.kv_heads + kv_head;
    return cache.data + page * page_bytes + index * block_bytes;
}

template <enum kv_type TYPE>
SIMT struct kv_block<TYPE> kv_block_at(const struct kv_cache &cache, int32_t page,
                                       int32_t layer, int32_t kv_head) {
    return kv_block_from<TYPE>(kv_block_data<TYPE>(cache, page, layer, kv_head),
                               cache.head_dim);
}

/* Where number `dim` of the key, or of the value, at `slot` lies in its side of the block. */
SIMT int32_t
kv_block_key_index(int32_t head_dim, int32_t slot, int32_t dim)
{
    return slot * head_dim + dim;
}

SIMT int32_t kv_block_value_index(int32_t slot, int32_t dim)
{
    return dim * KV_PAGE_TOKENS + slot;
}

#endif
