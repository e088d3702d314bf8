/* kbench_args_test - lists as people write them, and those that are none. */
#include "tools/kbench_args.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void expect_m(const char *list, const int32_t *wanted, int32_t count)
{
    struct kbench_args_m m;
    struct error err;
    assert_int_equal(kbench_args_read_m(list, &m, &err), OK);
    assert_int_equal(m.count, count);
    assert_memory_equal(m.values, wanted, (size_t)count * sizeof *wanted);
}

static void rows_are_lists_and_ranges(void **state)
{
    (void)state;
    expect_m("7", (int32_t[]){7}, 1);
    expect_m("16,1,8,8", (int32_t[]){1, 8, 16}, 3);
    expect_m("15..17", (int32_t[]){15, 16, 17}, 3);
    expect_m("1..256*4", (int32_t[]){1, 4, 16, 64, 256}, 5);
    expect_m("1..300*4,3", (int32_t[]){1, 3, 4, 16, 64, 256}, 6);
    expect_m("16..65/16", (int32_t[]){16, 32, 48, 64}, 4);
    expect_m("1..16384/9999999999999", (int32_t[]){1}, 1);
    struct kbench_args_m m;
    assert_int_equal(kbench_args_read_m("1..512", &m, NULL), OK);
    assert_int_equal(m.count, 512);
    assert_int_equal(m.values[511], 512);
}

static void wrong_rows_are_refused(void **state)
{
    (void)state;
    static const char *const malformed[] = {
        "",      ",",      "1,",     "a",  "-1",   "1..",    "1.2",   "1...2",
        "1../2", "1..8/0", "1..8*1", " 1", "1 ,2", "1..8*0", "1..8/", "99999999999999999999"};
    struct kbench_args_m m;
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++)
        assert_int_equal(kbench_args_read_m(malformed[i], &m, NULL), ERR_FORMAT);
    assert_int_equal(kbench_args_read_m("0", &m, NULL), ERR_LIMIT);
    assert_int_equal(kbench_args_read_m("16385", &m, NULL), ERR_LIMIT);
    assert_int_equal(kbench_args_read_m("9..8", &m, NULL), ERR_LIMIT);
    assert_int_equal(kbench_args_read_m("1..513", &m, NULL), ERR_LIMIT);
}

static void shapes_are_known_by_name(void **state)
{
    (void)state;
    struct kbench_args_shapes shapes;
    struct error err;
    assert_int_equal(kbench_args_read_shapes("qwen2.5-7b,minions30x6", &shapes, &err), OK);
    assert_int_equal(shapes.count, 2);
    assert_string_equal(shapes.items[0].name, "qwen2.5-7b");
    assert_int_equal(shapes.items[0].config->kv_heads, 4);
    assert_int_equal(shapes.items[0].chunks, 0);
    assert_int_equal(shapes.items[1].chunks * shapes.items[1].jobs, 180);
    assert_int_equal(kbench_args_read_shapes("qwen2.5-7b,", &shapes, &err), ERR_FORMAT);
    assert_int_equal(kbench_args_read_shapes("", &shapes, &err), ERR_FORMAT);
    assert_int_equal(kbench_args_read_shapes("llama-9", &shapes, &err), ERR_FORMAT);
    assert_non_null(strstr(err.text, "llama-9"));
    assert_int_equal(kbench_args_read_shapes("a-name-longer-than-any-that-a-shape-could-have",
                                             &shapes, &err),
                     ERR_FORMAT);
    assert_int_equal(
        kbench_args_read_shapes("tiny,tiny,tiny,tiny,tiny,tiny,tiny,tiny,tiny", &shapes, &err),
        ERR_LIMIT);
}

static void shares_with_and_without_percent(void **state)
{
    (void)state;
    double share;
    assert_int_equal(kbench_args_read_share("3%", &share, NULL), OK);
    assert_true(fabs(share - 0.03) < 1e-12);
    assert_int_equal(kbench_args_read_share("0.05", &share, NULL), OK);
    assert_true(fabs(share - 0.05) < 1e-12);
    static const char *const wrong[] = {"", "%", "3%%", "x", "-1%", "nan", "2000%", "3 %x"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(kbench_args_read_share(wrong[i], &share, NULL), ERR_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_lists_and_ranges),
        cmocka_unit_test(wrong_rows_are_refused),
        cmocka_unit_test(shapes_are_known_by_name),
        cmocka_unit_test(shares_with_and_without_percent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
