/* kbench_stats_test - medians, cliffs and the roofline against figures worked out by hand. */
#include "tools/kbench_stats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void near(double got, double wanted)
{
    assert_true(fabs(got - wanted) <= 1e-9 * (1.0 + fabs(wanted)));
}

static void quantiles_lie_between_samples(void **state)
{
    (void)state;
    double samples[] = {50, 10, 30, 20, 40};
    const struct kbench_stats five = kbench_stats_of(samples, 5);
    assert_int_equal(five.count, 5);
    near(five.median, 30);
    near(five.p10, 14);
    near(five.p90, 46);
    near(five.spread, 32.0 / 30.0);
    double pair[] = {4, 2};
    near(kbench_stats_of(pair, 2).median, 3);
    double one[] = {7};
    near(kbench_stats_of(one, 1).p90, 7);
    near(kbench_stats_of(one, 1).spread, 0);
    assert_int_equal(kbench_stats_of(NULL, 0).count, 0);
    near(kbench_stats_of(NULL, 0).median, 0);
}

static void a_step_shows_as_a_cliff(void **state)
{
    (void)state;
    const double at[] = {63, 64, 65, 66};
    const double us[] = {10, 10, 20, 20};
    near(kbench_stats_cliff(at, us, 4, 1), 10.0 / 15.0);
    near(kbench_stats_cliff(at, us, 4, 2), 20.0 / 15.0);
    near(kbench_stats_cliff(at, us, 4, 0), 0);
    near(kbench_stats_cliff(at, us, 4, 3), 0);
    const double line_at[] = {1, 2, 10}, line_us[] = {3, 4, 12};
    near(kbench_stats_cliff(line_at, line_us, 3, 1), 1);
    const double same[] = {5, 5, 5};
    near(kbench_stats_cliff(same, line_us, 3, 1), 0);
}

static void the_roof_is_the_slower_of_two(void **state)
{
    (void)state;
    const struct kbench_limits limits = {1e9, 4e9, 1e9, 2.0, 0};
    struct kbench_work work = {.bytes = 1000, .operations = 8000, .unit = KBENCH_UNIT_S8_S32};
    struct kbench_roof roof = kbench_stats_roof(&work, &limits);
    near(roof.us, 2); /* 8000 / 4e9 s against 1 us of bytes */
    assert_int_equal(roof.bound, KBENCH_BOUND_COMPUTE);
    work.bytes = 5000;
    roof = kbench_stats_roof(&work, &limits);
    near(roof.us, 5);
    assert_int_equal(roof.bound, KBENCH_BOUND_MEM);
    work = (struct kbench_work){.bytes = 100};
    roof = kbench_stats_roof(&work, &limits);
    near(roof.us, 0.1);
    assert_int_equal(roof.bound, KBENCH_BOUND_LAUNCH);
    const struct kbench_limits unknown = {0};
    roof = kbench_stats_roof(&work, &unknown);
    near(roof.us, 0);
    assert_int_equal(roof.bound, KBENCH_BOUND_UNKNOWN);
    near(kbench_stats_peak(&limits, KBENCH_UNIT_F16_F32), 1e9);
    near(kbench_stats_peak(&limits, KBENCH_UNIT_NONE), 0);
    const struct kbench_limits plain = {.f32_per_s = 3e9};
    near(kbench_stats_peak(&plain, KBENCH_UNIT_F32), 3e9);
}

static void a_limit_has_a_name(void **state)
{
    (void)state;
    const struct kbench_work work = {.bytes = 50, .operations = 600};
    const struct kbench_work none = {.bytes = 0};
    near(kbench_stats_intensity(&work), 12);
    near(kbench_stats_intensity(&none), 0);
    assert_string_equal(kbench_stats_limit_name(KBENCH_BOUND_COMPUTE, KBENCH_UNIT_S8_S32),
                        "int8 mma");
    assert_string_equal(kbench_stats_limit_name(KBENCH_BOUND_COMPUTE, KBENCH_UNIT_F16_F32),
                        "f16 mma");
    assert_string_equal(kbench_stats_limit_name(KBENCH_BOUND_COMPUTE, KBENCH_UNIT_F32), "f32");
    assert_string_equal(kbench_stats_limit_name(KBENCH_BOUND_MEM, KBENCH_UNIT_F32), "memory");
    assert_string_equal(kbench_stats_limit_name(KBENCH_BOUND_LAUNCH, KBENCH_UNIT_F32),
                        "launch");
    assert_string_equal(kbench_stats_limit_name(KBENCH_BOUND_UNKNOWN, KBENCH_UNIT_F32), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_lie_between_samples),
        cmocka_unit_test(a_step_shows_as_a_cliff),
        cmocka_unit_test(the_roof_is_the_slower_of_two),
        cmocka_unit_test(a_limit_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
