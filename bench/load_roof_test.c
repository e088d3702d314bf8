/* load_roof_test - the least time of work by rates that are given, and that the CPU's own come
 * out; how high those are is the machine's affair. */
#include "bench/load.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void the_longer_of_two_counts(void **state)
{
    (void)state;
    const struct load_roof roof = {.bytes_per_s = 10, .operations_per_s = 100}, none = {0};
    assert_true(load_roof_s(&roof, 50, 100) == 5);
    assert_true(load_roof_s(&roof, 5, 100) == 1);
    assert_true(load_roof_s(&none, 50, 100) == 0);
}

/* Two jobs side by side of three that fit: 5 computed prompt tokens through the layers alone,
 * 2 + 4 output tokens through the head too. Each step reads the weights for both jobs, and each
 * token its half-grown text's keys. */
static void a_load_takes_what_its_tokens_ask_for(void **state)
{
    (void)state;
    struct load_job jobs[] = {{.shared = 1, .own = 2, .out = 2}, {.own = 1, .out = 4}};
    const struct load load = {.jobs = jobs, .count = 2};
    struct load_result result = {.info = {.layer_parameters = 1000,
                                          .parameters = 1600,
                                          .vocab = 30,
                                          .hidden = 10,
                                          .weight_bytes = 800,
                                          .kv_bytes = 640,
                                          .kv_pages = 4,
                                          .page_tokens = 16,
                                          .sequences_max = 3},
                                 .stats = {.computed_prompt_tokens = 5}};
    result.roof = (struct load_roof){.bytes_per_s = 1e12, .operations_per_s = 100};
    const double computed = 2 * 5 * 1000 / 100.0 + 2 * 6 * 1300 / 100.0;
    assert_true(fabs(load_model_s(&load, &result) - computed) < 1e-9);
    result.roof = (struct load_roof){.bytes_per_s = 100, .operations_per_s = 1e12};
    const double read = (2 * (400 + 10 * 4) + 4 * (400 + 10 * 3)) / 100.0;
    assert_true(fabs(load_model_s(&load, &result) - read) < 1e-6);
}

static void the_cpu_has_rates_of_its_own(void **state)
{
    (void)state;
    const struct device_options where = {.threads = 1, .simd_max = DEVICE_SIMD_WIDEST};
    const struct device_options emulated = {.kind = DEVICE_EMU};
    struct load_roof roof;
    struct device *device;
    assert_int_equal(device_open(&device, &where, NULL), OK);
    const bool has_loop = device_simd(device) >= DEVICE_SIMD_AVX2;
    for (int is_int8 = 0; is_int8 < 2; is_int8++) {
        assert_int_equal(load_roof_measure(&roof, &where, is_int8 != 0, NULL), OK);
        assert_int_equal(roof.bytes_per_s > 0 && roof.operations_per_s > 0, has_loop);
        assert_int_equal(strstr(roof.about, "this machine's CPU, 1 thread:") != NULL, has_loop);
        const double again = load_roof_operations_again(&roof, device);
        assert_true(has_loop ? again > 0 && again != roof.operations_per_s : again == 0);
        assert_int_equal(load_roof_any_again(&roof, device) > 0, has_loop && is_int8 != 0);
    }
    device_close(device);
    assert_int_equal(load_roof_measure(&roof, &emulated, true, NULL), OK);
    assert_true(roof.bytes_per_s == 0 && roof.about[0] == '\0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_longer_of_two_counts),
                                       cmocka_unit_test(a_load_takes_what_its_tokens_ask_for),
                                       cmocka_unit_test(the_cpu_has_rates_of_its_own)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
