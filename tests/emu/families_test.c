/*
 * families_test [emu|cuda] - every family by the GPU's kernels, against a forward pass in
 * double (tests/harness/families). The rounding to halves in the cache and in the attention is
 * all that may differ: 0.03 of a logit at most (seeds tried), where a part left out moves one
 * by 0.7.
 */
#include "kernels/device_emu.h"
#include "tests/harness/device_here.h"
#include "tests/harness/families.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SKIPPED = 77 };

static enum device_kind tested = DEVICE_EMU;

static void test_by_the_kernels(void **state)
{
    (void)state;
    device_emu_clear();
    families_check(
        &(struct families_way){.device = tested, .kv = KV_F16, .is_wide = true, .limit = 0.05});
    assert_int_equal(device_emu_findings(), 0);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "cuda") == 0)
        tested = DEVICE_CUDA;
    if (tested == DEVICE_CUDA && !device_here(DEVICE_CUDA))
        return SKIPPED;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_by_the_kernels)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
