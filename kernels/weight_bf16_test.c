/*
 * Tests of weight_bf16: rounding against the nearest of all bfloat16 numbers, found by search,
 * and that a device without the library refuses the form.
 */
#include "kernels/weight_bf16.h"

#include "kernels/half.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Of the two bfloat16 around a positive value the nearer, of equally near the even one. */
static uint16_t nearest(float value)
{
    const uint16_t below = (uint16_t)(half_float_bits(value) >> 16);
    const double low = (double)half_bf16_to_float(below);
    const double high = below + 1 == 0x7f80 ? 0x1p128 : (double)half_bf16_to_float(below + 1);
    const double down = (double)value - low, up = high - (double)value;
    if (down < up)
        return below;
    return down > up || below % 2 == 1 ? (uint16_t)(below + 1) : below;
}

static void rounds_to_the_nearest(void **state)
{
    (void)state;
    static const uint32_t tails[] = {0, 1, 0x7fff, 0x8000, 0x8001, 0xffff};
    for (uint32_t top = 0; top < 0x7f80; top++) { /* every finite one, subnormal ones too */
        for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
            const float value = half_from_bits(top << 16 | tails[i]);
            const float pair[2] = {value, -value};
            uint16_t rounded[2];
            weight_bf16_round(rounded, pair, 2);
            assert_int_equal(rounded[0], nearest(value));
            assert_int_equal(rounded[1], nearest(value) | 0x8000);
        }
    }
}

static void infinities_and_nans_stay(void **state)
{
    (void)state;
    const float values[4] = {INFINITY, -INFINITY, half_from_bits(0x7f800001),
                             half_from_bits(0xffffffff)};
    uint16_t rounded[4];
    weight_bf16_round(rounded, values, 4);
    assert_int_equal(rounded[0], 0x7f80);
    assert_int_equal(rounded[1], 0xff80);
    assert_true(isnan(half_bf16_to_float(rounded[2])));
    assert_true(isnan(half_bf16_to_float(rounded[3])));
}

static void the_host_refuses_the_form(void **state)
{
    (void)state;
    const struct device_options options = {.kind = DEVICE_CPU, .threads = 1};
    const float values[16] = {0};
    const struct weight_source source = {"w", WEIGHT_F32, 2, 8, values};
    struct device *device;
    struct weight weight;
    struct error err;
    assert_int_equal(device_open(&device, &options, &err), OK);
    assert_false(weight_bf16_is_available(device));
    assert_int_equal(weight_prepare(device, &source, WEIGHT_FORM_BF16, &weight, &err),
                     ERR_LIMIT);
    assert_non_null(strstr(err.text, "bf16"));
    device_close(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounds_to_the_nearest),
        cmocka_unit_test(infinities_and_nans_stay),
        cmocka_unit_test(the_host_refuses_the_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
