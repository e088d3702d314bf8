/* i32_test - what rounds up, and that the greatest numbers do not wrap. */
#include "base/i32.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void the_smaller_of_two(void **state)
{
    (void)state;
    assert_int_equal(i32_min(2, 3), 2);
    assert_int_equal(i32_min(3, 2), 2);
    assert_int_equal(i32_min(-1, INT32_MAX), -1);
}

static void division_rounds_up(void **state)
{
    (void)state;
    assert_int_equal(i32_ceil_div(0, 16), 0);
    assert_int_equal(i32_ceil_div(1, 16), 1);
    assert_int_equal(i32_ceil_div(16, 16), 1);
    assert_int_equal(i32_ceil_div(17, 16), 2);
    assert_int_equal(i32_ceil_div(INT32_MAX, 1), INT32_MAX);
    assert_int_equal(i32_ceil_div(INT32_MAX, 2), 1 << 30);
    assert_int_equal(i32_ceil_div(INT32_MAX, INT32_MAX), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smaller_of_two),
        cmocka_unit_test(division_rounds_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
