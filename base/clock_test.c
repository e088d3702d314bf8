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

/* Sleeping takes none of the processor's time, working some. */
static void test_processor(void **state)
{
    (void)state;
    const double before = clock_cpu_s(), start = clock_now_s();
    clock_sleep_ms(30);
    const double slept = clock_cpu_s();
    assert_true(slept - before < 0.5 * (clock_now_s() - start));
    while (clock_cpu_s() == slept)
        continue;
    assert_true(clock_cpu_s() > slept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_forward),
                                       cmocka_unit_test(test_processor)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
