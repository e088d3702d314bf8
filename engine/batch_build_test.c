/*
 * batch_build_test - rows that read the same pages stand in one item, others never; each row
 * has each of its splits once; heavy items come first. (step_test reads keys through the list.)
 */
#include "engine/batch_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SPLIT = 128 }; /* keys: any length will do */

static struct arena arena;
static struct batch_build build;

static const struct batch_build_limits limits = {.rows_max = 600,
                                                 .heads_max = 8,
                                                 .partials_max = 4000,
                                                 .samples_max = 8,
                                                 .copies_max = 8,
                                                 .page_count = 400,
                                                 .spans_max = 32,
                                                 .split = SPLIT};

static int make(void **state)
{
    (void)state;
    assert_int_equal(arena_init(&arena, (size_t)4 << 20, NULL), OK);
    assert_int_equal(batch_build_init(&build, &limits, &arena, NULL), OK);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    arena_deinit(&arena);
    return 0;
}

static int32_t find_item(const struct attention_work *work, int32_t row, int32_t kv_begin)
{
    int32_t found = -1;
    for (int32_t i = 0; i < work->item_count; i++)
        for (int32_t j = 0; j < work->items[i].row_count; j++)
            if (work->items[i].kv_begin == kv_begin &&
                work->rows[work->items[i].rows_first + j] == row) {
                assert_int_equal(found, -1);
                found = i;
            }
    return found;
}

/* Three sequences decode at position 300; two share pages up to 256, all up to 128. */
static void shared_splits_are_one_item(void **state)
{
    (void)state;
    int32_t pages[3][19];
    struct batch batch;
    for (int s = 0; s < 3; s++)
        for (int i = 0; i < 19; i++)
            pages[s][i] = i < 8 || (i < 16 && s < 2) ? i : 100 * (s + 1) + i;
    batch_build_begin(&build);
    for (int s = 0; s < 3; s++)
        *batch_build_rows(&build, pages[s], 300, 1) = 7 + s;
    batch_build_end(&build, &batch);
    const struct attention_work *work = &batch.work;
    assert_int_equal(work->item_count, 1 + 2 + 3);
    assert_int_equal(work->partial_count, 9);
    assert_int_equal(find_item(work, 0, 0), find_item(work, 2, 0));
    assert_int_equal(find_item(work, 0, 128), find_item(work, 1, 128));
    assert_int_not_equal(find_item(work, 0, 128), find_item(work, 2, 128));
    assert_int_not_equal(find_item(work, 0, 256), find_item(work, 1, 256));
    const struct attention_item *last = &work->items[find_item(work, 2, 256)];
    assert_int_equal(last->kv_count, 45);
    assert_int_equal(work->pages[last->pages_first + 2], 318);
    assert_int_equal(work->items[0].row_count, 3); /* the heaviest is first */
    assert_int_equal(batch.kv_pages[1], 218);
    assert_int_equal(batch.tokens[2], 9);
}

/* The last page may be the same when one before it is not: numbers are compared one by one. */
static void one_other_page_is_another_group(void **state)
{
    (void)state;
    const int32_t a[] = {1, 2, 3};
    const int32_t b[] = {1, 9, 3};
    struct batch batch;
    batch_build_begin(&build);
    *batch_build_rows(&build, a, 40, 1) = 0;
    *batch_build_rows(&build, b, 40, 1) = 0;
    batch_build_end(&build, &batch);
    assert_int_equal(batch.work.item_count, 2);
    assert_int_equal(
        batch.work.pages[batch.work.items[find_item(&batch.work, 1, 0)].pages_first + 1], 9);
}

/* A long chunk is cut into items, each with the keys that its own rows see. */
static void long_chunks_are_cut(void **state)
{
    (void)state;
    int32_t pages[40];
    struct batch batch;
    for (int i = 0; i < 40; i++)
        pages[i] = i;
    batch_build_begin(&build);
    memset(batch_build_rows(&build, pages, 100, 500), 0, 500 * sizeof(token_id));
    assert_int_equal(batch_build_head(&build, 499), 0);
    batch_build_end(&build, &batch);
    int32_t partials = 0;
    int32_t weight = INT32_MAX - 64;
    for (int32_t i = 0; i < batch.work.item_count; i++) {
        const struct attention_item *item = &batch.work.items[i];
        const int32_t *rows = batch.work.rows + item->rows_first;
        int32_t sees = 0;
        assert_in_range(item->row_count, 1, BATCH_BUILD_ITEM_ROWS);
        for (int32_t j = 0; j < item->row_count; j++) {
            const int32_t keys = batch.positions[rows[j]] + 1 - item->kv_begin;
            assert_true(keys > 0);
            sees = keys > sees ? keys : sees;
        }
        assert_int_equal(item->kv_count, sees < SPLIT ? sees : SPLIT);
        assert_true(item->row_count * item->kv_count <= weight + 64); /* one class of weight */
        weight = item->row_count * item->kv_count;
        partials += item->row_count;
    }
    assert_int_equal(partials, batch.work.partial_count);
    assert_int_equal(batch.work.partials_first[500], partials);
    for (int32_t r = 0; r < 500; r++)
        for (int32_t begin = 0; begin <= 100 + r; begin += SPLIT)
            assert_true(find_item(&batch.work, r, begin) >= 0);
    assert_int_equal(batch.head_count, 1);
}

static void refuses_a_small_arena(void **state)
{
    (void)state;
    struct batch_build none;
    struct error err;
    for (size_t size = 64; size < (size_t)1 << 17; size += 4096) {
        arena.used = arena.size - size;
        assert_int_equal(batch_build_init(&none, &limits, &arena, &err), ERR_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(shared_splits_are_one_item, make, unmake),
        cmocka_unit_test_setup_teardown(one_other_page_is_another_group, make, unmake),
        cmocka_unit_test_setup_teardown(long_chunks_are_cut, make, unmake),
        cmocka_unit_test_setup_teardown(refuses_a_small_arena, make, unmake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
