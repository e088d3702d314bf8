/*
 * schema_number_test - bounds, exclusions and multiples, against the values that the C library
 * reads, for numbers with and without an exponent.
 */
#include "tests/harness/matcher_case.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const bounds[] = {"0",    "1",     "-1",    "9",    "10",
                                     "-10",  "0.5",   "-0.25", "12.5", "0.0167",
                                     "1e-7", "99.99", "-1000", "1e20", "19.9"};
static const char *const mantissas[] = {"0",   "1",    "1.67", "2.5", "9",   "9.999",
                                        "1.0", "1.25", "1.99", "5",   "1.2", "1.670"};
static const char *const exponents[] = {"",    "e0",   "E+0", "e-0", "e1",  "e01",  "e+2",
                                        "e-1", "E-02", "e-3", "e-7", "e-8", "e+20", "e19"};
static const char *const plain[] = {"10",     "11",      "100",  "-12.49", "12.51",
                                    "0.0166", "0.01671", "0.49", "-0.26",  "-1000.1",
                                    "999",    "99.9",    "100.0"};

static struct matcher_case the_case;

/* Numbers of which the keyword has that value; key "enum": that are not of it. */
static void compile(const char *key, const char *value)
{
    char source[200];
    struct error err = {0};
    if (strcmp(key, "enum") == 0)
        snprintf(source, sizeof source,
                 "{\"type\": \"number\", \"not\": {\"enum\": [%s, \"a\"]}}", value);
    else
        snprintf(source, sizeof source, "{\"type\": \"number\", \"%s\": %s}", key, value);
    if (matcher_case_compile(&the_case, source, &err) != OK)
        fail_msg("%s: %s", source, err.text);
}

static bool accepts(const char *text)
{
    return matcher_case_accepts(&the_case.matcher, text_of(text));
}

/* Which relations hold of a number and a bound: one bit each, in the order of keys. */
static unsigned relations(double number, double bound)
{
    return (number >= bound) | (unsigned)(number <= bound) << 1 |
           (unsigned)(number > bound) << 2 | (unsigned)(number < bound) << 3 |
           (unsigned)(number > bound || number < bound) << 4;
}

static void judge(const char *bound, const char *text, int key)
{
    const double number = strtod(text, NULL);
    const bool wanted = relations(number, strtod(bound, NULL)) >> key & 1;
    if (accepts(text) != wanted)
        fail_msg("bound %s, relation %d: %s is %s", bound, key, text,
                 wanted ? "refused" : "accepted");
}

static void judge_all(const char *bound, int key)
{
    char text[40];
    const size_t powers = sizeof exponents / sizeof *exponents;
    for (size_t i = 0; i < 2 * powers * (sizeof mantissas / sizeof *mantissas); i++) {
        snprintf(text, sizeof text, "%s%s%s", i % 2 ? "-" : "", mantissas[i / 2 / powers],
                 exponents[i / 2 % powers]);
        judge(bound, text, key);
    }
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        judge(bound, plain[i], key);
}

static void bounds_are_by_value(void **state)
{
    static const char *const keys[] = {"minimum", "maximum", "exclusiveMinimum",
                                       "exclusiveMaximum", "enum"};
    (void)state;
    for (size_t b = 0; b < sizeof bounds / sizeof *bounds; b++)
        for (int key = 0; key < 5; key++) {
            compile(keys[key], bounds[b]);
            judge_all(bounds[b], key);
        }
}

/* In thousandths, of steps in thousandths. */
static void multiples_are_exact(void **state)
{
    static const char *const steps[] = {"1", "3", "7", "0.5", "0.05", "0.125", "2.5", "1e-3"};
    (void)state;
    for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
        const long step = lround(1000 * strtod(steps[s], NULL));
        compile("multipleOf", steps[s]);
        for (long n = -2600; n < 9000; n += n % 500 == 0 ? 1 : 13) {
            char text[40];
            snprintf(text, sizeof text, "%s%ld.%03ld", n < 0 ? "-" : "", labs(n) / 1000,
                     labs(n) % 1000);
            if (accepts(text) != (n % step == 0))
                fail_msg("multipleOf %s: %s", steps[s], text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_are_by_value),
        cmocka_unit_test(multiples_are_exact),
    };
    if (!matcher_case_init(&the_case))
        return 1;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    matcher_case_deinit(&the_case);
    return failed;
}
