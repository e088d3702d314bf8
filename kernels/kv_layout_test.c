/* kv_layout_test - keys and values come back as they were put, at their own place alone. */
#include "kernels/kv_layout.h"

#include "kernels/kv_copy.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PAGES = 3, LAYERS = 2, KV_HEADS = 3, DIM_MAX = 128 };

static const int32_t head_dims[] = {8, 20, 64, 96, 128};
static const enum kv_order orders[] = {KV_ORDER_CPU, KV_ORDER_GPU};
static const enum kv_type types[] = {KV_F32, KV_F16, KV_INT8};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* In memory of exactly the right size, so that a sanitizer sees a step beyond. */
static struct kv_cache cache_new(enum kv_type type, enum kv_order order, int32_t head_dim)
{
    struct kv_cache cache = {.type = type,
                             .order = order,
                             .layers = LAYERS,
                             .kv_heads = KV_HEADS,
                             .head_dim = head_dim,
                             .page_count = PAGES};
    const size_t bytes = kv_layout_page_bytes(&cache) * PAGES;
    assert_int_equal(kv_layout_page_bytes(&cache) % 64, 0);
    cache.data = aligned_alloc(64, bytes);
    assert_non_null(cache.data);
    memset(cache.data, 0xff, bytes);
    return cache;
}

/* Number i of the key (side 0) or value (side 1) at one place: different everywhere. */
static float number(int32_t page, int32_t place, int32_t side, int32_t i)
{
    return sinf((float)(((page * 1000 + place) * 2 + side) * 131 + i));
}

/* Rounding to the type errs by at most: */
static float error_max(enum kv_type type)
{
    return type == KV_F32 ? 0.0f : type == KV_F16 ? 0x1p-12f : 0.5001f / 127.0f;
}

typedef void visit_function(const struct kv_cache *cache, int32_t page, int32_t place,
                            const struct kv_layout_block *block, int32_t slot);

static void visit(const struct kv_cache *cache, visit_function *function)
{
    for (int32_t page = 0; page < PAGES; page++) {
        for (int32_t place = 0; place < LAYERS * KV_HEADS * KV_PAGE_TOKENS; place++) {
            const int32_t head = place / KV_PAGE_TOKENS;
            const struct kv_layout_block block =
                kv_layout_block(cache, page, head / KV_HEADS, head % KV_HEADS);
            function(cache, page, place, &block, place % KV_PAGE_TOKENS);
        }
    }
}

static void put(const struct kv_cache *cache, int32_t page, int32_t place,
                const struct kv_layout_block *block, int32_t slot)
{
    float key[DIM_MAX], value[DIM_MAX];
    for (int32_t i = 0; i < cache->head_dim; i++) {
        key[i] = number(page, place, 0, i);
        value[i] = number(page, place, 1, i);
    }
    kv_layout_put_key(cache, block, slot, key);
    kv_layout_put_value(cache, block, slot, value);
}

static void check(const struct kv_cache *cache, int32_t page, int32_t place,
                  const struct kv_layout_block *block, int32_t slot)
{
    float key[DIM_MAX], value[DIM_MAX];
    kv_layout_get_key(cache, block, slot, key);
    kv_layout_get_value(cache, block, slot, value);
    for (int32_t i = 0; i < cache->head_dim; i++) {
        const float bound = error_max(cache->type);
        assert_true(fabsf(key[i] - number(page, place, 0, i)) <= bound);
        assert_true(fabsf(value[i] - number(page, place, 1, i)) <= bound);
    }
}

static void numbers_come_back(void **state)
{
    (void)state;
    const size_t count = COUNT(head_dims) * COUNT(orders) * COUNT(types);
    for (size_t i = 0; i < count; i++) {
        struct kv_cache cache =
            cache_new(types[i % COUNT(types)], orders[i / COUNT(types) % COUNT(orders)],
                      head_dims[i / COUNT(types) / COUNT(orders)]);
        visit(&cache, put);
        visit(&cache, check);
        free(cache.data);
    }
}

/* The order that attention reads, and how int8 rounds: by the definition, one by one. */
static void int8_lies_and_rounds_as_said(void **state)
{
    (void)state;
    for (size_t o = 0; o < COUNT(orders); o++) {
        struct kv_cache cache = cache_new(KV_INT8, orders[o], 20);
        const struct kv_layout_block block = kv_layout_block(&cache, 1, 1, 2);
        const bool is_gpu = orders[o] == KV_ORDER_GPU;
        const int8_t *keys = block.keys, *values = block.values;
        float row[20];
        for (int32_t i = 0; i < 20; i++)
            row[i] = (float)(i * i) * 0.37f - 60.0f;
        kv_layout_put_key(&cache, &block, 5, row);
        kv_layout_put_value(&cache, &block, 6, row);
        const float scale = row[19] / 127.0f; /* 73.57, the greatest magnitude */
        assert_true(block.key_scales[5] == scale && block.value_scales[6] == scale);
        for (int32_t i = 0; i < 20; i++) {
            const int8_t q = (int8_t)lrintf(row[i] / scale);
            const int32_t key = i / 4 * 4 * KV_PAGE_TOKENS + 5 * 4 + i % 4;
            const int32_t value = 6 / 4 * 4 * 20 + i * 4 + 6 % 4;
            assert_int_equal(keys[is_gpu ? 5 * 20 + i : key], q);
            assert_int_equal(values[is_gpu ? i * KV_PAGE_TOKENS + 6 : value], q);
        }
        free(cache.data);
    }
}

static void odd_rows_have_odd_scales(void **state)
{
    (void)state;
    struct kv_cache cache = cache_new(KV_INT8, KV_ORDER_GPU, 8);
    const struct kv_layout_block block = kv_layout_block(&cache, 0, 0, 0);
    const int8_t *values = block.values;
    float row[8] = {0}, got[8];
    kv_layout_put_value(&cache, &block, 0, row);
    kv_layout_get_value(&cache, &block, 0, got);
    assert_true(block.value_scales[0] == 0.0f);
    assert_memory_equal(got, row, sizeof row);
    row[3] = 0x1p-149f; /* the scale would be 0: the row counts as zeros */
    kv_layout_put_value(&cache, &block, 1, row);
    kv_layout_get_value(&cache, &block, 1, got);
    assert_true(got[3] == 0.0f);
    row[3] = 0x1p-141f; /* a badly rounded scale must not push q past 127 */
    kv_layout_put_value(&cache, &block, 2, row);
    assert_int_equal(values[3 * KV_PAGE_TOKENS + 2], 127);
    const float bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < COUNT(bad); i++) {
        row[3] = bad[i];
        kv_layout_put_value(&cache, &block, 3, row);
        assert_true(isnan(block.value_scales[3]));
    }
    free(cache.data);
}

static void pages_are_copied_whole(void **state)
{
    (void)state;
    struct device *device;
    const struct device_options options = {.threads = 2};
    assert_int_equal(device_open(&device, &options, NULL), OK);
    struct kv_cache cache = cache_new(KV_INT8, KV_ORDER_CPU, 20);
    visit(&cache, put);
    const size_t bytes = kv_layout_page_bytes(&cache);
    uint8_t *before = malloc(PAGES * bytes);
    assert_non_null(before);
    memcpy(before, cache.data, PAGES * bytes);
    const int32_t from[] = {2}, to[] = {0};
    const struct kv_copy_args args = {.cache = &cache, .from = from, .to = to, .count = 1};
    assert_int_equal(kv_copy_cpu(device, &args), OK);
    assert_memory_equal(cache.data, before + 2 * bytes, bytes);
    assert_memory_equal(cache.data + bytes, before + bytes, 2 * bytes);
    free(before);
    free(cache.data);
    device_close(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_come_back),
        cmocka_unit_test(int8_lies_and_rounds_as_said),
        cmocka_unit_test(odd_rows_have_odd_scales),
        cmocka_unit_test(pages_are_copied_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
