/*
 * peak_simt_test - the copy copies all and no more; the products are those of the layouts that
 * parts/simt_cuda_numbers.cuh tells, in every lane and register.
 */
#include "kernels/peak.h"

#include "kernels/half.h"
#include "tests/harness/simt_case.h"

#include <stdlib.h>
#include <string.h>

enum { GUARD = 32, BLOCKS = 2, LANES = 32, REGS = 4, STEPS = 3 };
enum { OUT = BLOCKS * PEAK_WARPS * PEAK_CHAINS * LANES * REGS };

static void copy_once(struct simt_case *c)
{
    static const int64_t sizes[] = {16, 48, 4096, 8192 + 16, 40000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const size_t bytes = (size_t)sizes[i];
        uint8_t *from = malloc(bytes), *got = malloc(bytes + GUARD);
        assert_true(from && got);
        for (size_t at = 0; at < bytes; at++)
            from[at] = (uint8_t)simt_case_below(c, 256);
        memset(got, 0xee, bytes + GUARD);
        const struct peak_copy_args args = {.from = simt_case_up(c, from, bytes),
                                            .to = simt_case_up(c, got, bytes + GUARD),
                                            .bytes = sizes[i]};
        assert_int_equal(peak_copy(c->device, &args), OK);
        simt_case_down(c, got, args.to, bytes + GUARD);
        assert_memory_equal(got, from, bytes);
        for (size_t at = 0; at < GUARD; at++)
            assert_int_equal(got[bytes + at], 0xee);
        free(from);
        free(got);
    }
    const struct peak_copy_args odd = {.bytes = 17};
    assert_int_equal(peak_copy(c->device, &odd), ERR_LIMIT);
}

/* Signed bytes, or halves of small integers over eight: every sum is exact. */
static uint32_t random_word(struct simt_case *c, enum peak_kind kind)
{
    uint32_t word = 0;
    if (kind == PEAK_S8_S32)
        return simt_case_below(c, UINT32_MAX);
    for (int i = 0; i < 2; i++) {
        const float number = ((float)simt_case_below(c, 17) - 8.0f) / 8.0f;
        word |= (uint32_t)half_from_float(number) << 16 * i;
    }
    return word;
}

static void multiply_once(struct simt_case *c)
{
    static uint32_t a[LANES * 4], b[PEAK_CHAINS * LANES * 2];
    static int32_t wanted[OUT], got[OUT];
    for (int kind = PEAK_S8_S32; kind <= PEAK_F16_F32; kind++) {
        for (size_t i = 0; i < sizeof a / sizeof a[0]; i++)
            a[i] = random_word(c, (enum peak_kind)kind);
        for (size_t i = 0; i < sizeof b / sizeof b[0]; i++)
            b[i] = random_word(c, (enum peak_kind)kind);
        struct peak_mma_args args = {(enum peak_kind)kind, a, b, wanted, BLOCKS, STEPS};
        assert_int_equal(peak_mma_ref(c->host, &args), OK);
        args.a = simt_case_up(c, a, sizeof a);
        args.b = simt_case_up(c, b, sizeof b);
        args.out = simt_case_up(c, NULL, sizeof got);
        assert_int_equal(peak_mma(c->device, &args), OK);
        simt_case_down(c, got, args.out, sizeof got);
        assert_memory_equal(got, wanted, sizeof got);
        const double k = kind == PEAK_S8_S32 ? 32 : 16;
        assert_true(peak_mma_operations(&args) ==
                    2.0 * 16 * 8 * k * PEAK_CHAINS * PEAK_WARPS * BLOCKS * STEPS);
    }
}

static void the_copy_copies_all(void **state)
{
    simt_case_each(*state, copy_once);
}

static void products_have_their_layout(void **state)
{
    simt_case_each(*state, multiply_once);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_copy_copies_all),
        cmocka_unit_test(products_have_their_layout),
    };
    return simt_case_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
