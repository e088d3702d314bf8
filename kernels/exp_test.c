/* exp_test - e^x never falls where x grows: tried on every float that sampling may ask for.
 * The CPU ends its search at the first token below min_p, all others ask each token; they agree
 * because of this. */
#include "kernels/exp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Nearer to 0 than -2^-26, e^x is 1 + x rounded, and that is 1. */
#define NEAREST_BITS  0xb2800000u
#define FARTHEST_BITS 0xc2aeac60u /* below -87.33654, from where on e^x is 0 */

/* e^x of the floats whose bits are `bits` and the following, one for each lane. */
static void powers_of(uint32_t bits, exp_f32 *powers)
{
    for (uint32_t lane = 0; lane < EXP_LANES; lane++) {
        const uint32_t next = bits + lane;
        memcpy((float *)powers + lane, &next, sizeof next);
    }
    exp_natural(powers, powers);
}

static void powers_do_not_rise_below_zero(void **state)
{
    (void)state;
    float before = 1.0f;
    exp_f32 powers;
    assert_true(exp_natural_one(0.0f) == 1.0f && exp_natural_one(-0x1p-26f) == 1.0f);
    assert_true(exp_natural_one(-0x1p-30f) == 1.0f && exp_natural_one(-0x1p-149f) == 1.0f);
    for (uint32_t bits = NEAREST_BITS; bits <= FARTHEST_BITS; bits += EXP_LANES) {
        powers_of(bits, &powers);
        for (int lane = 0; lane < EXP_LANES; lane++) {
            if (powers[lane] > before)
                fail_msg("e^x rises from %.9g to %.9g at x of bits %#x", (double)before,
                         (double)powers[lane], bits + (uint32_t)lane);
            before = powers[lane];
        }
    }
    assert_true(before == 0.0f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(powers_do_not_rise_below_zero)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
