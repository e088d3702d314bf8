/* kv_pool_test - the book of pages: give, share, take back; random walks lose none. */
#include "engine/kv_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint8_t memory[1 << 16];

static struct kv_pool pool_of(uint32_t pages)
{
    struct arena arena = {.base = memory, .size = sizeof memory};
    struct kv_pool pool;
    assert_int_equal(kv_pool_init(&pool, pages, &arena, NULL), OK);
    return pool;
}

static void refuses_sizes(void **state)
{
    (void)state;
    struct arena arena = {.base = memory, .size = sizeof memory};
    struct kv_pool pool = {.page_count = 77};
    struct error err;
    assert_int_equal(kv_pool_init(&pool, 0, &arena, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "0 pages"));
    assert_int_equal(kv_pool_init(&pool, KV_POOL_PAGES_MAX + 1, &arena, &err), ERR_LIMIT);
    assert_int_equal(kv_pool_init(&pool, sizeof memory, &arena, &err), ERR_MEMORY);
    assert_int_equal(pool.page_count, 77);
}

static void takes_all_or_none(void **state)
{
    (void)state;
    struct kv_pool pool = pool_of(8);
    kv_page a[5];
    kv_page b[4] = {-9, -9, -9, -9};
    assert_true(kv_pool_take(&pool, a, 5));
    assert_false(kv_pool_take(&pool, b, 4));
    assert_int_equal(b[0], -9);
    assert_int_equal(pool.free_count, 3);
    assert_true(kv_pool_take(&pool, b, 3));
    assert_false(kv_pool_take(&pool, b, 1));
    assert_true(kv_pool_take(&pool, b, 0));
    kv_pool_check(&pool);
}

static void shared_until_the_last_holder(void **state)
{
    (void)state;
    struct kv_pool pool = pool_of(8);
    kv_page a[3];
    kv_page b;
    assert_true(kv_pool_take(&pool, a, 3));
    kv_pool_share(&pool, a, 2);
    assert_true(kv_pool_is_shared(&pool, a[0]));
    assert_false(kv_pool_is_shared(&pool, a[2]));
    kv_pool_drop(&pool, a, 3);
    assert_int_equal(pool.free_count, 6);
    assert_false(kv_pool_is_shared(&pool, a[0]));
    kv_pool_drop(&pool, a, 2);
    assert_int_equal(pool.free_count, 8);
    assert_true(kv_pool_take(&pool, &b, 1)); /* last in, first out */
    assert_int_equal(b, a[0]);
    kv_pool_check(&pool);
}

static void random_walks_lose_nothing(void **state)
{
    (void)state;
    srand(1);
    for (uint32_t pages = 1; pages < 40; pages += 3) {
        struct kv_pool pool = pool_of(pages);
        kv_page held[400]; /* one entry per hold */
        uint32_t count = 0;
        for (int i = 0; i < 3000; i++) {
            const uint32_t at = count > 0 ? (uint32_t)rand() % count : 0;
            if (rand() % 3 == 0 && count < 390) {
                const uint32_t want = 1 + (uint32_t)rand() % 5;
                const bool fits = want <= pool.free_count;
                assert_int_equal(kv_pool_take(&pool, held + count, want), fits);
                count += fits ? want : 0;
            } else if (rand() % 2 && count > 0 && count < 390) {
                kv_pool_share(&pool, &held[at], 1);
                held[count++] = held[at];
            } else if (count > 0) {
                kv_pool_drop(&pool, &held[at], 1);
                held[at] = held[--count];
            }
            kv_pool_check(&pool);
        }
        kv_pool_drop(&pool, held, count);
        assert_int_equal(pool.free_count, pages);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_sizes),
        cmocka_unit_test(takes_all_or_none),
        cmocka_unit_test(shared_until_the_last_holder),
        cmocka_unit_test(random_walks_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
