/*
 * kv_layout - where the numbers of a KV page lie.
 *
 * A key and a value are the same row of head_dim numbers, stored with a step as the cache's
 * order says, alone or in groups. As int8 a row is rounded like an activation's.
 */
#include "kernels/kv_layout.h"

#include "base/i32.h"
#include "kernels/half.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum { PAGE_ALIGN = 64 };

/* One key or one value of a block: number i lies at data[i / group * step + i % group]. */
struct row {
    enum kv_type type;
    int32_t count;
    int32_t group;
    size_t step;
    void *data;
    float *scale; /* KV_INT8 only */
};

static void put_int8(const struct row *row, const float *values, activation_round_level *round)
{
    int8_t q[KV_LAYOUT_HEAD_DIM_MAX + KV_LAYOUT_GROUP];
    int8_t *restrict data = row->data;
    const int32_t count = row->count;
    const size_t step = row->step;
    *row->scale = round(values, count, q);
    memset(q + count, 0, KV_LAYOUT_GROUP); /* there is room for whole groups */
    if (row->group == KV_LAYOUT_GROUP) {
        for (int32_t i = 0; i < count; i += KV_LAYOUT_GROUP, data += step)
            memcpy(data, q + i, KV_LAYOUT_GROUP);
    } else {
        for (int32_t i = 0; i < count; i++, data += step)
            *data = q[i];
    }
}

static void put(const struct row *row, const float *values, activation_round_level *round)
{
    float *f32 = row->data;
    uint16_t *f16 = row->data;
    switch (row->type) {
    case KV_F32:
        for (int32_t i = 0; i < row->count; i++)
            f32[(size_t)i * row->step] = values[i];
        break;
    case KV_F16:
        for (int32_t i = 0; i < row->count; i++)
            f16[(size_t)i * row->step] = half_from_float(values[i]);
        break;
    case KV_INT8:
        put_int8(row, values, round);
        break;
    }
}

static void get_int8(const struct row *row, float *values)
{
    const int8_t *data = row->data;
    const float scale = *row->scale; /* once: a store to values could change it */
    if (row->group == 1) {
        for (int32_t i = 0; i < row->count; i++)
            values[i] = (float)data[(size_t)i * row->step] * scale;
        return;
    }
    for (int32_t i = 0; i < row->count; i += KV_LAYOUT_GROUP, data += row->step) {
        const int32_t count = i32_min(KV_LAYOUT_GROUP, row->count - i);
        for (int32_t j = 0; j < count; j++)
            values[i + j] = (float)data[j] * scale;
    }
}

static void get(const struct row *row, float *values)
{
    const float *f32 = row->data;
    const uint16_t *f16 = row->data;
    switch (row->type) {
    case KV_F32:
        for (int32_t i = 0; i < row->count; i++)
            values[i] = f32[(size_t)i * row->step];
        break;
    case KV_F16:
        for (int32_t i = 0; i < row->count; i++)
            values[i] = half_to_float(f16[(size_t)i * row->step]);
        break;
    case KV_INT8:
        get_int8(row, values);
        break;
    }
}

static bool is_grouped(const struct kv_cache *cache)
{
    return cache->type == KV_INT8 && cache->order == KV_ORDER_CPU;
}

/* Numbers of a row that a block has room for. */
static size_t row_room(const struct kv_cache *cache)
{
    const size_t group = is_grouped(cache) ? KV_LAYOUT_GROUP : 1;
    return ((size_t)cache->head_dim + group - 1) / group * group;
}

/* Row `slot` of a side of a block: its numbers lie together, or KV_PAGE_TOKENS apart. */
static struct row row_at(const struct kv_cache *cache, void *side, float *scales, int32_t slot,
                         bool lies_together)
{
    assert(slot >= 0 && slot < KV_PAGE_TOKENS);
    assert(cache->head_dim <= KV_LAYOUT_HEAD_DIM_MAX);
    const size_t at = (size_t)slot, group = KV_LAYOUT_GROUP;
    struct row row = {.type = cache->type,
                      .count = cache->head_dim,
                      .group = 1,
                      .step = lies_together ? 1 : KV_PAGE_TOKENS,
                      .scale = scales ? scales + slot : NULL};
    size_t first = lies_together ? at * (size_t)cache->head_dim : at;
    if (is_grouped(cache) && lies_together) { /* a value: groups are of tokens */
        row.step = group;
        first = at / group * group * row_room(cache) + at % group;
    } else if (is_grouped(cache)) {
        row.group = KV_LAYOUT_GROUP;
        row.step = group * KV_PAGE_TOKENS;
        first = at * group;
    }
    row.data = (uint8_t *)side + first * kv_layout_type_bytes(cache->type);
    return row;
}

static struct row key_row(const struct kv_cache *cache, const struct kv_layout_block *block,
                          int32_t slot)
{
    return row_at(cache, block->keys, block->key_scales, slot, cache->order == KV_ORDER_GPU);
}

static struct row value_row(const struct kv_cache *cache, const struct kv_layout_block *block,
                            int32_t slot)
{
    return row_at(cache, block->values, block->value_scales, slot,
                  cache->order == KV_ORDER_CPU);
}

/* Bytes of a block's keys, and of its values. */
static size_t side_bytes(const struct kv_cache *cache)
{
    return (size_t)KV_PAGE_TOKENS * row_room(cache) * kv_layout_type_bytes(cache->type);
}

static size_t block_bytes(const struct kv_cache *cache)
{
    const size_t scales = cache->type == KV_INT8 ? KV_PAGE_TOKENS * sizeof(float) : 0;
    return 2 * (side_bytes(cache) + scales);
}

size_t kv_layout_type_bytes(enum kv_type type)
{
    return type == KV_F32 ? sizeof(float) : type == KV_F16 ? sizeof(uint16_t) : sizeof(int8_t);
}

const char *kv_layout_type_name(enum kv_type type)
{
    switch (type) {
    case KV_F32:
        return "f32";
    case KV_F16:
        return "f16";
    case KV_INT8:
        return "int8";
    }
    return "unknown";
}

bool kv_layout_is_rotated(const struct kv_cache *cache)
{
    return cache->type == KV_INT8;
}

size_t kv_layout_page_bytes(const struct kv_cache *cache)
{
    const size_t bytes = (size_t)cache->layers * (size_t)cache->kv_heads * block_bytes(cache);
    return (bytes + PAGE_ALIGN - 1) / PAGE_ALIGN * PAGE_ALIGN;
}

struct kv_layout_block kv_layout_block(const struct kv_cache *cache, int32_t page,
                                       int32_t layer, int32_t kv_head)
{
    assert(page >= 0 && page < cache->page_count);
    assert(layer >= 0 && layer < cache->layers);
    assert(kv_head >= 0 && kv_head < cache->kv_heads);
    const size_t index = (size_t)layer * (size_t)cache->kv_heads + (size_t)kv_head;
    const size_t side = side_bytes(cache);
    uint8_t *data =
        cache->data + (size_t)page * kv_layout_page_bytes(cache) + index * block_bytes(cache);
    struct kv_layout_block block = {.keys = data, .values = data + side};
    if (cache->type == KV_INT8) {
        block.key_scales = (float *)(void *)(data + 2 * side);
        block.value_scales = block.key_scales + KV_PAGE_TOKENS;
    }
    return block;
}

void kv_layout_put_key_by(const struct kv_cache *cache, const struct kv_layout_block *block,
                          int32_t slot, const float *key, activation_round_level *round)
{
    const struct row row = key_row(cache, block, slot);
    put(&row, key, round);
}

void kv_layout_put_value_by(const struct kv_cache *cache, const struct kv_layout_block *block,
                            int32_t slot, const float *value, activation_round_level *round)
{
    const struct row row = value_row(cache, block, slot);
    put(&row, value, round);
}

void kv_layout_put_key(const struct kv_cache *cache, const struct kv_layout_block *block,
                       int32_t slot, const float *key)
{
    kv_layout_put_key_by(cache, block, slot, key, activation_round);
}

void kv_layout_put_value(const struct kv_cache *cache, const struct kv_layout_block *block,
                         int32_t slot, const float *value)
{
    kv_layout_put_value_by(cache, block, slot, value, activation_round);
}

void kv_layout_get_key(const struct kv_cache *cache, const struct kv_layout_block *block,
                       int32_t slot, float *key)
{
    const struct row row = key_row(cache, block, slot);
    get(&row, key);
}

void kv_layout_get_value(const struct kv_cache *cache, const struct kv_layout_block *block,
                         int32_t slot, float *value)
{
    const struct row row = value_row(cache, block, slot);
    get(&row, value);
}
