/* batch_pad_test - padded sizes are few and near; what is real stays as it was. */
#include "engine/batch_pad.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS_MAX = 20, PARTIALS_MAX = 40, REAL = 5 };

static struct batch_pad pad;

static int make(void **state)
{
    (void)state;
    const struct batch_pad_limits limits = {
        .rows_max = ROWS_MAX, .heads_max = ROWS_MAX, .partials_max = PARTIALS_MAX};
    return batch_pad_init(&pad, &limits, NULL) != OK;
}

static int unmake(void **state)
{
    (void)state;
    batch_pad_deinit(&pad);
    return 0;
}

static void sizes_are_few_and_near(void **state)
{
    (void)state;
    int32_t sizes = 0;
    for (int32_t count = 1, last = 0; count < 100000; count++) {
        const int32_t size = batch_pad_size(count);
        assert_true(size >= count && size >= last);
        assert_true(2 * size < 3 * count || size <= 2);
        assert_int_equal(batch_pad_size(size), size);
        sizes += size != last;
        last = size;
    }
    assert_true(sizes <= 35);
}

static const token_id tokens[ROWS_MAX] = {9, 8, 7, 6, 5};
static const int32_t positions[ROWS_MAX] = {3, 130, 4, 5, 6};
static const int32_t kv_pages[ROWS_MAX] = {11, 12, 13, 14, 15};
static const int32_t rows[ROWS_MAX] = {0, 1, 2, 3, 4};
static const int32_t partials_first[ROWS_MAX + 1] = {0, 1, 3, 4, 5, 6};
static const struct attention_item items[REAL] = {{.row_count = 1}, {.row_count = 2}};

static struct batch batch_of(void)
{
    return (struct batch){
        .row_count = REAL,
        .tokens = tokens,
        .positions = positions,
        .kv_pages = kv_pages,
        .work = {.items = items,
                 .pages = rows,
                 .rows = rows,
                 .partials_first = partials_first,
                 .split = 128,
                 .item_count = REAL,
                 .partial_count = 6},
        .head_rows = rows,
        .head_count = REAL,
    };
}

static void what_is_real_stays(void **state)
{
    (void)state;
    const struct batch batch = batch_of();
    struct batch padded;
    struct batch_pad_shape shape;
    assert_true(batch_pad_make(&pad, &batch, &padded, &shape));
    assert_int_equal(shape.rows, 6);
    assert_int_equal(shape.items, 6);
    assert_int_equal(shape.partials, 6);
    assert_int_equal(padded.row_count, 6);
    assert_int_equal(padded.head_count, 6);
    assert_int_equal(padded.work.item_count, 6);
    assert_memory_equal(padded.tokens, tokens, REAL * sizeof *tokens);
    assert_memory_equal(padded.positions, positions, REAL * sizeof *positions);
    assert_memory_equal(padded.kv_pages, kv_pages, REAL * sizeof *kv_pages);
    assert_memory_equal(padded.work.items, items, sizeof items);
    assert_memory_equal(padded.work.partials_first, partials_first,
                        (REAL + 1) * sizeof *partials_first);
    assert_ptr_equal(padded.work.pages, rows);
    assert_int_equal(padded.positions[REAL], -1);
    assert_int_equal(padded.work.items[REAL].row_count, 0);
    assert_int_equal(padded.work.partials_first[REAL + 1], 6);
    assert_int_equal(padded.head_rows[REAL], REAL);
}

static void other_steps_are_left_alone(void **state)
{
    (void)state;
    struct batch batch = batch_of(), padded;
    struct batch_pad_shape shape;
    batch.head_count = 1; /* a chunk of prompt */
    assert_false(batch_pad_make(&pad, &batch, &padded, &shape));
    batch = batch_of();
    batch.work.partial_count = PARTIALS_MAX; /* the next size is past the limit */
    assert_false(batch_pad_make(&pad, &batch, &padded, &shape));
    batch = (struct batch){.row_count = 0};
    assert_false(batch_pad_make(&pad, &batch, &padded, &shape));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_few_and_near),
        cmocka_unit_test_setup_teardown(what_is_real_stays, make, unmake),
        cmocka_unit_test_setup_teardown(other_steps_are_left_alone, make, unmake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
