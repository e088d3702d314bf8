/* clock_test - time goes on, and only forward. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_forward(void **state)
{
    (void)state;
    double before = clock_now_s();
    for (int i = 0; i < 1000; i++) {
        const double now = clock_now_s();
        assert_true(now >= before);
        before = now;
    }
    clock_sleep_ms(2);
    assert_true(clock_now_s() >= before + 0.002);
    assert_true(clock_unix_s() > 1700000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_forward)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
