/* log_test - the logarithms against libm's, in long double, over all the numbers that sampling
 * asks for and over the whole range by strides. */
#include "kernels/log.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Relative error; of log 1 the absolute one. */
static double off(double found, long double wanted)
{
    const long double error = fabsl((long double)found - wanted);
    return (double)(wanted == 0.0L ? error : error / fabsl(wanted));
}

static void float_logarithms_keep_their_bound(void **state)
{
    (void)state;
    double worst = 0.0;
    for (uint32_t bits = 0x00800000; bits < 0x7f800000; bits += 769) {
        const float x = float_of(bits);
        worst = fmax(worst, off((double)log_natural(x), (long double)log((double)x)));
    }
    for (uint32_t step = 0; step < 1u << 23; step += 3) { /* the uniforms of sampling */
        const float u = ((float)step + 0.5f) * 0x1p-23f;
        worst = fmax(worst, off((double)log_natural(u), (long double)log((double)u)));
    }
    print_message("log_natural: relative error up to %.3g\n", worst);
    assert_true(worst < 1.2e-7);
    assert_true(log_natural(1.0f) == 0.0f);
}

static void double_logarithms_keep_their_bound(void **state)
{
    (void)state;
    double worst = 0.0;
    for (int32_t i = -200000; i < 200000; i++) {
        const double x = exp((double)i * 1e-4 + (double)i * (double)i * 1e-13);
        worst = fmax(worst, off(log_wide(x), logl((long double)x)));
    }
    print_message("log_wide: relative error up to %.3g\n", worst);
    assert_true(worst < 4e-16);
    assert_true(log_wide(1.0) == 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(float_logarithms_keep_their_bound),
        cmocka_unit_test(double_logarithms_keep_their_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
