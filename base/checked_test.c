/* checked_test - the edges of each type, and that a refusal leaves the result alone. */
#include "base/checked.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_size(void **state)
{
    size_t out = 7;
    (void)state;
    assert_true(checked_add_size(SIZE_MAX - 1, 1, &out));
    assert_true(out == SIZE_MAX);
    assert_false(checked_add_size(SIZE_MAX, 1, &out));
    assert_true(checked_mul_size(SIZE_MAX / 3, 3, &out));
    assert_true(out == SIZE_MAX);
    out = 7;
    assert_false(checked_mul_size((size_t)1 << 32, (size_t)1 << 32, &out));
    assert_false(checked_mul_size(SIZE_MAX / 2 + 1, 2, &out));
    assert_true(out == 7);
    assert_true(checked_mul_size(0, SIZE_MAX, &out));
    assert_true(out == 0);
}

static void test_align(void **state)
{
    size_t out = 7;
    (void)state;
    assert_true(checked_align_size(0, 32, &out) && out == 0);
    assert_true(checked_align_size(1, 32, &out) && out == 32);
    assert_true(checked_align_size(32, 32, &out) && out == 32);
    assert_true(checked_align_size(SIZE_MAX - 31, 32, &out) && out == SIZE_MAX - 31);
    out = 7;
    assert_false(checked_align_size(SIZE_MAX - 30, 32, &out));
    assert_false(checked_align_size(1, 0, &out));
    assert_false(checked_align_size(1, 3, &out));
    assert_true(out == 7);
}

static void test_i64(void **state)
{
    int64_t out = 7;
    (void)state;
    assert_false(checked_add_i64(INT64_MAX, 1, &out));
    assert_false(checked_add_i64(INT64_MIN, -1, &out));
    assert_false(checked_sub_i64(INT64_MIN, 1, &out));
    assert_false(checked_sub_i64(0, INT64_MIN, &out));
    assert_false(checked_mul_i64(INT64_MIN, -1, &out));
    assert_false(checked_mul_i64((int64_t)1 << 32, (int64_t)1 << 31, &out));
    assert_true(out == 7);
    assert_true(checked_add_i64(INT64_MAX, -1, &out) && out == INT64_MAX - 1);
    assert_true(checked_sub_i64(-1, INT64_MIN, &out) && out == INT64_MAX);
    assert_true(checked_mul_i64(INT64_MIN / 2, 2, &out) && out == INT64_MIN);
}

static void test_narrow(void **state)
{
    size_t size = 7;
    uint32_t u32 = 7;
    int32_t i32 = 7;
    (void)state;
    assert_true(checked_u64_to_size(SIZE_MAX, &size) && size == SIZE_MAX);
    assert_false(checked_u64_to_u32((uint64_t)UINT32_MAX + 1, &u32));
    assert_false(checked_u64_to_i32((uint64_t)INT32_MAX + 1, &i32));
    assert_false(checked_u64_to_i32(UINT64_MAX, &i32));
    assert_false(checked_i64_to_i32((int64_t)INT32_MIN - 1, &i32));
    assert_false(checked_i64_to_i32((int64_t)INT32_MAX + 1, &i32));
    assert_true(u32 == 7 && i32 == 7);
    assert_true(checked_u64_to_u32(UINT32_MAX, &u32) && u32 == UINT32_MAX);
    assert_true(checked_u64_to_i32(INT32_MAX, &i32) && i32 == INT32_MAX);
    assert_true(checked_i64_to_i32(INT32_MIN, &i32) && i32 == INT32_MIN);
}

static void test_range(void **state)
{
    (void)state;
    assert_true(checked_range(0, 0, 0));
    assert_true(checked_range(8, 0, 8));
    assert_true(checked_range(3, 5, 8));
    assert_false(checked_range(3, 6, 8));
    assert_false(checked_range(9, 0, 8));
    assert_false(checked_range(1, SIZE_MAX, 8));
    assert_false(checked_range(SIZE_MAX, 1, 8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_size),   cmocka_unit_test(test_align), cmocka_unit_test(test_i64),
        cmocka_unit_test(test_narrow), cmocka_unit_test(test_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
