/*
 * wrapper_check_simt_test - the wrappers mean what plain C says; those that are approximate are
 * as near to the exact value as is promised of the instructions; and the judge of both, which
 * compares a GPU with the emulator, lets nothing else pass.
 */
#include "kernels/wrapper_check.h"

#include "tests/harness/simt_case.h"

#include "kernels/half.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 16, MANY_BLOCKS = 256, THREAD_WORDS = WRAPPER_CHECK_WORDS };
enum { BLOCK_WORDS = WRAPPER_CHECK_THREADS * WRAPPER_CHECK_WORDS };

/* out = what the wrappers give for in, both on the host. */
static void run(struct simt_case *c, const struct wrapper_check_args *host)
{
    const size_t bytes = (size_t)host->blocks * BLOCK_WORDS * sizeof *host->in;
    const struct wrapper_check_args args = {host->kind, simt_case_up(c, host->in, bytes),
                                            simt_case_up(c, NULL, bytes), host->blocks};
    assert_int_equal(SIMT_CASE_OP(c, wrapper_check)(c->device, &args), OK);
    simt_case_down(c, host->out, args.out, bytes);
}

static uint32_t *words_new(struct simt_case *c, size_t count)
{
    uint32_t *words = calloc(count, sizeof *words);
    assert_non_null(words);
    for (size_t i = 0; c && i < count; i++)
        words[i] = simt_case_below(c, 1u << 31) << 1 | simt_case_below(c, 2);
    return words;
}

static void meaning(struct simt_case *c)
{
    const size_t count = (size_t)BLOCKS * BLOCK_WORDS;
    uint32_t *in = words_new(c, count);
    for (int kind = 0; kind < WRAPPER_CHECK_KINDS; kind++) {
        uint32_t *wanted = words_new(NULL, count), *got = words_new(NULL, count);
        const struct wrapper_check_args meant = {(enum wrapper_check_kind)kind, in, wanted,
                                                 BLOCKS};
        const struct wrapper_check_args args = {meant.kind, in, got, BLOCKS};
        assert_int_equal(wrapper_check_ref(c->host, &meant), OK);
        run(c, &args);
        if (wrapper_check_differences(meant.kind, got, wanted, (int64_t)count) != 0)
            fail_msg("%s: not what plain C says", wrapper_check_name(meant.kind));
        free(wanted);
        free(got);
    }
    free(in);
}

static void wrappers_mean_what_plain_c_says(void **state)
{
    simt_case_each(*state, meaning);
}

/* |got - exact| in units of the last place of exact as a float. */
static double ulps_off(uint32_t got, long double exact)
{
    int exponent;
    (void)frexpl(exact, &exponent);
    const long double ulp = ldexpl(1.0L, exponent - 24);
    return (double)(fabsl((long double)half_from_bits(got) - exact) / ulp);
}

static void nearness(struct simt_case *c)
{
    const size_t count = (size_t)MANY_BLOCKS * BLOCK_WORDS;
    uint32_t *in = words_new(c, count), *got = words_new(NULL, count);
    const struct wrapper_check_args args = {WRAPPER_CHECK_APPROXIMATE, in, got, MANY_BLOCKS};
    double exp2_off = 0.0, reciprocal_off = 0.0;
    run(c, &args);
    for (size_t i = 0; i < count; i += THREAD_WORDS) { /* as check_approximate has them */
        const float power = -126.0f * ((float)(in[i] >> 8) * 0x1p-24f);
        const uint32_t divisor = (107 + in[i + 1] % 40) << 23 | (in[i + 2] & 0x7fffff);
        exp2_off = fmax(exp2_off, ulps_off(got[i], exp2l((long double)power)));
        reciprocal_off = fmax(
            reciprocal_off, ulps_off(got[i + 1], 1.0L / (long double)half_from_bits(divisor)));
    }
    print_message("of %zu: exp2 off by %.3f ulp at most, reciprocal by %.3f\n",
                  count / THREAD_WORDS, exp2_off, reciprocal_off);
    assert_true(exp2_off <= WRAPPER_CHECK_EXP2_ULPS);
    assert_true(reciprocal_off <= WRAPPER_CHECK_RECIPROCAL_ULPS);
    free(in);
    free(got);
}

static void approximations_keep_their_promise(void **state)
{
    simt_case_once(*state, nearness);
}

/* Differences when word `at` of one thread is `apart` more in one result. */
static int64_t judged(enum wrapper_check_kind kind, int at, uint32_t apart)
{
    uint32_t a[2 * THREAD_WORDS], b[2 * THREAD_WORDS];
    for (int i = 0; i < 2 * THREAD_WORDS; i++)
        a[i] = b[i] = 0x3f800000u + (uint32_t)i;
    b[THREAD_WORDS + at] += apart;
    const int64_t count = wrapper_check_differences(kind, a, b, 2 * THREAD_WORDS);
    assert_int_equal(wrapper_check_differences(kind, b, a, 2 * THREAD_WORDS), count);
    return count;
}

static void only_approximations_may_differ(void **state)
{
    (void)state;
    for (int kind = 0; kind < WRAPPER_CHECK_APPROXIMATE; kind++)
        for (int at = 0; at < THREAD_WORDS; at++)
            assert_int_equal(judged((enum wrapper_check_kind)kind, at, 1), 1);
    assert_int_equal(judged(WRAPPER_CHECK_APPROXIMATE, 0, 2), 0);
    assert_int_equal(judged(WRAPPER_CHECK_APPROXIMATE, 0, 3), 1);
    assert_int_equal(judged(WRAPPER_CHECK_APPROXIMATE, 1, 1), 0);
    assert_int_equal(judged(WRAPPER_CHECK_APPROXIMATE, 1, 2), 1);
    assert_int_equal(judged(WRAPPER_CHECK_APPROXIMATE, 2, 1), 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrappers_mean_what_plain_c_says),
        cmocka_unit_test(approximations_keep_their_promise),
        cmocka_unit_test(only_approximations_may_differ),
    };
    return simt_case_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
