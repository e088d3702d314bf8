/*
 * kv_prefix_test - the tree against a plain model of it: what was put in under its tokens is
 * found again as long as it was not evicted, the eldest unheld leaf goes first, and random
 * walks lose no page.
 */
#include "engine/kv_prefix.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DEPTH_MAX = 6, SEQUENCES = 12 };

static uint8_t memory[1 << 18];

struct world {
    struct arena arena;
    struct kv_pool pool;
    struct kv_prefix prefix;
};

static void world_make(struct world *world, uint32_t pages)
{
    world->arena = (struct arena){.base = memory, .size = sizeof memory};
    assert_int_equal(kv_pool_init(&world->pool, pages, &world->arena, NULL), OK);
    assert_int_equal(kv_prefix_init(&world->prefix, &world->pool, &world->arena, NULL), OK);
}

/* A path of count pages whose every token is base + its page's index, computed, unheld. */
static void put(struct world *world, token_id base, uint32_t count, kv_page *pages)
{
    kv_page parent = KV_PREFIX_NONE;
    assert_true(kv_prefix_take(&world->prefix, pages, count));
    for (uint32_t i = 0; i < count; i++) {
        token_id tokens[KV_PAGE_TOKENS];
        for (int t = 0; t < KV_PAGE_TOKENS; t++)
            tokens[t] = base + (token_id)i;
        assert_int_equal(
            kv_prefix_publish(&world->prefix, parent, tokens, pages[i], KV_PREFIX_NONE),
            pages[i]);
        parent = pages[i];
    }
    kv_prefix_release(&world->prefix, pages, count);
    kv_prefix_check(&world->prefix);
}

static void finds_what_was_put(void **state)
{
    (void)state;
    struct world world;
    kv_page pages[4];
    kv_page found[4];
    token_id tokens[64];
    world_make(&world, 16);
    put(&world, 100, 4, pages);
    for (int i = 0; i < 64; i++)
        tokens[i] = 100 + i / KV_PAGE_TOKENS;
    assert_int_equal(kv_prefix_match(&world.prefix, tokens, 4, found), 4);
    assert_memory_equal(found, pages, sizeof pages);
    assert_int_equal(kv_prefix_match(&world.prefix, tokens, 3, found), 3);
    tokens[40] = 5; /* in the third page */
    assert_int_equal(kv_prefix_match(&world.prefix, tokens, 4, found), 2);
    uint32_t common;
    assert_int_equal(kv_prefix_match_part(&world.prefix, pages[1], tokens + 32, 15, &common),
                     pages[2]);
    assert_int_equal(common, 8);
    assert_int_equal(kv_prefix_match_part(&world.prefix, pages[3], tokens, 15, &common),
                     KV_PREFIX_NONE);
    assert_int_equal(kv_prefix_match(&world.prefix, tokens + 16, 1, found), 0);
}

static void evicts_the_eldest_leaf_first(void **state)
{
    (void)state;
    struct world world;
    kv_page old[3];
    kv_page young[3];
    kv_page taken[4];
    world_make(&world, 6);
    put(&world, 100, 3, old);
    put(&world, 200, 3, young);
    assert_int_equal(kv_prefix_available(&world.prefix), 6);
    kv_prefix_hold(&world.prefix, old, 1); /* used again: its root page is not the eldest */
    kv_prefix_release(&world.prefix, old, 1);
    assert_true(kv_prefix_take(&world.prefix, taken, 2));
    assert_false(kv_prefix_has(&world.prefix, old[2]));
    assert_false(kv_prefix_has(&world.prefix, old[1]));
    assert_true(kv_prefix_has(&world.prefix, old[0]));
    assert_true(kv_prefix_take(&world.prefix, taken + 2, 2));
    assert_true(kv_prefix_has(&world.prefix, old[0])); /* younger than young's leaves now */
    assert_true(kv_prefix_has(&world.prefix, young[0]));
    assert_false(kv_prefix_has(&world.prefix, young[1]));
    assert_false(kv_prefix_take(&world.prefix, taken, 3));
    kv_prefix_check(&world.prefix);
}

static void held_pages_stay(void **state)
{
    (void)state;
    struct world world;
    kv_page pages[3];
    kv_page taken[4];
    world_make(&world, 4);
    put(&world, 100, 3, pages);
    kv_prefix_hold(&world.prefix, pages, 2);
    assert_int_equal(kv_prefix_available(&world.prefix), 2);
    assert_int_equal(kv_prefix_unheld(&world.prefix, pages, 3), 1);
    assert_false(kv_prefix_take(&world.prefix, taken, 3));
    assert_true(kv_prefix_take(&world.prefix, taken, 2));
    assert_true(kv_prefix_has(&world.prefix, pages[1]));
    assert_false(kv_prefix_has(&world.prefix, pages[2]));
    kv_prefix_check(&world.prefix);
}

static void unfilled_nodes_leave_with_their_holder(void **state)
{
    (void)state;
    struct world world;
    kv_page pages[2];
    token_id tokens[KV_PAGE_TOKENS] = {0};
    world_make(&world, 4);
    assert_true(kv_prefix_take(&world.prefix, pages, 2));
    kv_prefix_publish(&world.prefix, KV_PREFIX_NONE, tokens, pages[0], 3);
    kv_prefix_publish(&world.prefix, pages[0], tokens, pages[1], 3);
    assert_int_equal(kv_prefix_owner(&world.prefix, pages[1]), 3);
    kv_prefix_set_filled(&world.prefix, pages[0], KV_PAGE_TOKENS);
    assert_int_equal(kv_prefix_owner(&world.prefix, pages[0]), KV_PREFIX_NONE);
    kv_prefix_set_filled(&world.prefix, pages[1], 5);
    kv_prefix_release(&world.prefix, pages, 2);
    assert_true(kv_prefix_has(&world.prefix, pages[0]));
    assert_false(kv_prefix_has(&world.prefix, pages[1]));
    assert_int_equal(world.pool.free_count, 3);
    kv_prefix_check(&world.prefix);
}

static void twins_are_not_put_in(void **state)
{
    (void)state;
    struct world world;
    kv_page pages[2];
    token_id tokens[KV_PAGE_TOKENS] = {7};
    world_make(&world, 4);
    assert_true(kv_prefix_take(&world.prefix, pages, 2));
    kv_prefix_publish(&world.prefix, KV_PREFIX_NONE, tokens, pages[0], KV_PREFIX_NONE);
    assert_int_equal(
        kv_prefix_publish(&world.prefix, KV_PREFIX_NONE, tokens, pages[1], KV_PREFIX_NONE),
        pages[0]);
    assert_false(kv_prefix_has(&world.prefix, pages[1]));
    kv_prefix_release(&world.prefix, pages, 2);
    assert_int_equal(world.pool.free_count, 3);
}

/* Sequences come with prompts over two letters per page, hold paths, and go. */
struct walker {
    kv_page pages[DEPTH_MAX];
    token_id tokens[DEPTH_MAX * KV_PAGE_TOKENS];
    uint32_t count;
};

static void walker_come(struct walker *walker, struct world *world)
{
    const uint32_t depth = 1 + (uint32_t)rand() % DEPTH_MAX;
    for (uint32_t i = 0; i < depth; i++)
        for (int t = 0; t < KV_PAGE_TOKENS; t++)
            walker->tokens[i * KV_PAGE_TOKENS + (uint32_t)t] =
                t == 0 ? rand() % 2 : 1; /* much alike */
    const uint32_t found =
        kv_prefix_match(&world->prefix, walker->tokens, depth, walker->pages);
    const uint32_t unheld = kv_prefix_unheld(&world->prefix, walker->pages, found);
    if (depth - found + unheld > kv_prefix_available(&world->prefix))
        return;
    kv_prefix_hold(&world->prefix, walker->pages, found);
    assert_true(kv_prefix_take(&world->prefix, walker->pages + found, depth - found));
    for (uint32_t i = found; i < depth; i++)
        assert_int_equal(
            kv_prefix_publish(&world->prefix, i > 0 ? walker->pages[i - 1] : KV_PREFIX_NONE,
                              walker->tokens + i * KV_PAGE_TOKENS, walker->pages[i], 0),
            walker->pages[i]);
    walker->count = depth;
}

/* What it holds is found under its tokens. */
static void walker_look(struct walker *walker, struct world *world)
{
    kv_page found[DEPTH_MAX];
    for (uint32_t p = 0; p < walker->count; p++)
        kv_prefix_set_filled(&world->prefix, walker->pages[p], KV_PAGE_TOKENS);
    assert_int_equal(kv_prefix_match(&world->prefix, walker->tokens, walker->count, found),
                     walker->count);
    assert_memory_equal(found, walker->pages, walker->count * sizeof *found);
}

static void walker_go(struct walker *walker, struct world *world)
{
    kv_prefix_release(&world->prefix, walker->pages, walker->count);
    walker->count = 0;
}

static void random_walks_lose_nothing(void **state)
{
    (void)state;
    srand(2);
    for (uint32_t pages = 1; pages < 60; pages += 4) {
        struct world world;
        struct walker walkers[SEQUENCES] = {0};
        world_make(&world, pages);
        for (int i = 0; i < 2000; i++) {
            struct walker *walker = &walkers[rand() % SEQUENCES];
            if (walker->count == 0)
                walker_come(walker, &world);
            else if (rand() % 2)
                walker_look(walker, &world);
            else
                walker_go(walker, &world);
            kv_prefix_check(&world.prefix);
            kv_pool_check(&world.pool);
        }
        for (int w = 0; w < SEQUENCES; w++)
            walker_go(&walkers[w], &world);
        kv_prefix_clear(&world.prefix);
        assert_int_equal(world.pool.free_count, pages);
        assert_int_equal(world.prefix.unheld_count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_put),
        cmocka_unit_test(evicts_the_eldest_leaf_first),
        cmocka_unit_test(held_pages_stay),
        cmocka_unit_test(unfilled_nodes_leave_with_their_holder),
        cmocka_unit_test(twins_are_not_put_in),
        cmocka_unit_test(random_walks_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
