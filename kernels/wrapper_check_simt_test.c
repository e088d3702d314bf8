/*
 * wrapper_check_simt_test - the wrappers mean what plain C says; those that are approximate are
 * as near to it as is promised of the instructions, and on the emulator no nearer, where that
 * is asked for; and the judge of both, which compares a GPU with the emulator, lets nothing
 * else pass.
 */
#include "kernels/wrapper_check.h"

#include "tests/harness/simt_case.h"

#include "kernels/device_emu.h"
#include "kernels/half.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 16, MANY_BLOCKS = 256, MACHINES = 4, THREAD_WORDS = WRAPPER_CHECK_WORDS };
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

/* |got - exact| in units of the last place of exact rounded to a float; 0 where that is no
 * number, was flushed or is too great. */
static double ulps_off(uint32_t got, long double exact)
{
    int exponent;
    (void)frexpf((float)exact, &exponent);
    if (!isnormal(half_from_bits(got)))
        return 0.0;
    const long double ulp = ldexpl(1.0L, exponent - 24);
    return (double)(fabsl((long double)half_from_bits(got) - exact) / ulp);
}

/* The greatest distance of words 0 and 2, and of word 1, as check_approximate has them. Two to
 * the power of a zero, or of what is flushed to one, is 1 on every machine. */
static void greatest_off(const uint32_t *in, const uint32_t *got, size_t count, double off[2])
{
    off[0] = off[1] = 0.0;
    for (size_t i = 0; i < count; i += THREAD_WORDS) {
        const float power = 130.0f * ((float)(in[i] >> 8) * 0x1p-23f - 1.0f);
        const long double any = (long double)half_from_bits(in[i + 2]);
        const long double divisor = (long double)half_from_bits(in[i + 1]);
        off[0] = fmax(off[0], ulps_off(got[i], exp2l((long double)power)));
        off[0] = fmax(off[0], ulps_off(got[i + 2], exp2l(any)));
        off[1] = fmax(off[1], ulps_off(got[i + 1], 1.0L / divisor));
        if ((in[i + 2] & 0x7f800000) == 0)
            assert_int_equal(got[i + 2], half_float_bits(1.0f));
    }
}

/* The emulator, as it is and as `machine`; a GPU is one machine. All of them are judged by
 * `meaning`; here, that the emulated ones use what they may, and each in its own way. */
static void nearness(struct simt_case *c)
{
    const size_t count = (size_t)MANY_BLOCKS * BLOCK_WORDS;
    uint32_t *in = words_new(c, count), *before = words_new(NULL, count);
    for (uint32_t machine = 0; machine < (c->is_emulated ? MACHINES : 1); machine++) {
        const struct device_emu_options options = {.approximation = machine};
        uint32_t *got = words_new(NULL, count);
        const struct wrapper_check_args args = {WRAPPER_CHECK_APPROXIMATE, in, got,
                                                MANY_BLOCKS};
        double off[2];
        if (c->is_emulated)
            device_emu_configure(&options);
        run(c, &args);
        greatest_off(in, got, count, off);
        print_message("machine %u, %zu threads: exp2 off by %.3f ulp at most, reciprocal by "
                      "%.3f\n",
                      machine, count / THREAD_WORDS, off[0], off[1]);
        assert_true(off[0] <= WRAPPER_CHECK_EXP2_ULPS + 0.5);
        assert_true(off[1] <= WRAPPER_CHECK_RECIPROCAL_ULPS);
        if (machine > 0) {
            assert_true(off[0] > 2.4 && off[1] > 0.99);
            assert_memory_not_equal(got, before, count * sizeof *got);
        }
        memcpy(before, got, count * sizeof *got);
        free(got);
    }
    free(in);
    free(before);
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
    assert_int_equal(judged(WRAPPER_CHECK_APPROXIMATE, 2, 2), 0);
    assert_int_equal(judged(WRAPPER_CHECK_APPROXIMATE, 2, 3), 1);
    assert_int_equal(judged(WRAPPER_CHECK_APPROXIMATE, 3, 1), 1);
}

/* As exp2 and as reciprocal: 1 where the reciprocal alone is too far off. */
static int64_t judged_pair(uint32_t a, uint32_t b)
{
    const uint32_t x[THREAD_WORDS] = {a, a}, y[THREAD_WORDS] = {b, b};
    return wrapper_check_differences(WRAPPER_CHECK_APPROXIMATE, x, y, THREAD_WORDS);
}

/* Units are those of what was wanted; flushing and infinity are steps; a sign is none. */
static void the_bound_is_in_units(void **state)
{
    (void)state;
    static const uint32_t cases[][3] = {
        {0x3f7ffffe, 0x3f800000, 0}, {0x3f7ffffc, 0x3f800000, 1}, {0x3f7ffffb, 0x3f800000, 2},
        {0x3f7ffffe, 0x3f800001, 1}, {0x3f800000, 0x3f7fffff, 0}, {0x3f800000, 0x3f7ffffe, 1},
        {0x3f800001, 0x3f7fffff, 2}, {0, 0x00800000, 0},          {0, 0x00800001, 1},
        {0, 0x00800002, 2},          {0x00800000, 0, 0},          {0x00800001, 0, 1},
        {0x00800002, 0, 2},          {0x7f800000, 0x7f7fffff, 0}, {0x7f800000, 0x7f7ffffe, 1},
        {0x7f800000, 0x7f7ffffd, 2}, {0x7f7fffff, 0x7f800000, 0}, {0x7f7ffffd, 0x7f800000, 2},
        {0xff800000, 0x7f800000, 2}, {0x7fc00000, 0x7f800000, 2}, {0x7f800000, 0x7fc00000, 2},
        {0x7fffffff, 0x7fc00000, 0}, {0, 0x80000000, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(judged_pair(cases[i][0], cases[i][1]), cases[i][2]);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrappers_mean_what_plain_c_says),
        cmocka_unit_test(approximations_keep_their_promise),
        cmocka_unit_test(only_approximations_may_differ),
        cmocka_unit_test(the_bound_is_in_units),
    };
    return simt_case_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
