/*
 * kv_layout - where the numbers of a KV page lie, and how they are rounded into it.
 *
 * A key and a value are the same row of head_dim numbers, stored with a step as the cache's
 * order says, alone or in groups. Rounding goes in groups of 16 through a small array, so
 * that its arithmetic runs in vectors whatever the step. Rounding to the nearest even integer
 * is an addition of 1.5 * 2^23, whose sum has units of 1: the low bits of the result are the
 * integer. All of it is elementwise or a maximum: the vector width changes no bit.
 */
#include "kernels/kv_layout.h"

#include "base/i32.h"
#include "kernels/half.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { GROUP = 16, PAGE_ALIGN = 64, INF_BITS = 0x7f800000, MAGNITUDE = 0x7fffffff };

#define ROUND_MAGIC 12582912.0f /* 1.5 * 2^23 */
enum { ROUND_MAGIC_BITS = 0x4b400000 };

/* One key or one value of a block: number i lies at data[i / group * step + i % group]. */
struct row {
    enum kv_type type;
    int32_t count;
    int32_t group;
    size_t step;
    void *data;
    float *scale; /* KV_INT8 only */
};

/* NaN when a number is not finite: as integers, magnitudes order like floats, and infinity
 * and NaN come last. */
static float scale_of(const float *values, int32_t count)
{
    int32_t most = 0;
    for (int32_t i = 0; i < count; i++) {
        int32_t bits;
        memcpy(&bits, values + i, sizeof bits);
        bits &= MAGNITUDE;
        most = bits > most ? bits : most;
    }
    float greatest;
    memcpy(&greatest, &most, sizeof greatest);
    return most < INF_BITS ? greatest / 127.0f : NAN;
}

/* The clamp matters only where scale is subnormal and so badly rounded. */
static void round_group(const float *values, int32_t count, float scale, int8_t *q)
{
    for (int32_t i = 0; i < count; i++) {
        const float shifted = values[i] / scale + ROUND_MAGIC;
        int32_t integer;
        memcpy(&integer, &shifted, sizeof integer);
        integer -= ROUND_MAGIC_BITS;
        integer = integer > 127 ? 127 : integer;
        integer = integer < -127 ? -127 : integer;
        q[i] = (int8_t)integer;
    }
}

static void put_int8(const struct row *row, const float *values)
{
    int8_t *data = row->data;
    *row->scale = scale_of(values, row->count);
    const bool is_zero = !(*row->scale > 0.0f);
    for (int32_t first = 0; first < row->count; first += GROUP) {
        int8_t q[GROUP] = {0};
        const int32_t count = i32_min(GROUP, row->count - first);
        if (!is_zero)
            round_group(values + first, count, *row->scale, q);
        if (row->group == KV_LAYOUT_GROUP) { /* there is room for whole groups */
            for (int32_t i = 0; i < count; i += KV_LAYOUT_GROUP)
                memcpy(data + (size_t)((first + i) / KV_LAYOUT_GROUP) * row->step, q + i,
                       KV_LAYOUT_GROUP);
        } else {
            for (int32_t i = 0; i < count; i++)
                data[(size_t)(first + i) * row->step] = q[i];
        }
    }
}

static void put(const struct row *row, const float *values)
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
        put_int8(row, values);
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

void kv_layout_put_key(const struct kv_cache *cache, const struct kv_layout_block *block,
                       int32_t slot, const float *key)
{
    const struct row row = key_row(cache, block, slot);
    put(&row, key);
}

void kv_layout_put_value(const struct kv_cache *cache, const struct kv_layout_block *block,
                         int32_t slot, const float *value)
{
    const struct row row = value_row(cache, block, slot);
    put(&row, value);
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
