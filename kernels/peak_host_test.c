/* peak_host_test - that rates come out, with one thread and two, and that what does not fit is
 * refused. How high they are is the machine's affair; that they are of whole work, peak_host
 * asserts itself. */
#include "kernels/peak_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct device *device_new(uint32_t threads)
{
    struct device *device;
    const struct device_options options = {.threads = threads};
    assert_int_equal(device_open(&device, &options, NULL), OK);
    return device;
}

static void rates_come_out(void **state)
{
    (void)state;
    for (uint32_t threads = 1; threads <= 2; threads++) {
        struct device *device = device_new(threads);
        struct peak_host_rates rates = {0};
        assert_int_equal(peak_host_measure(device, 3 << 20, &rates, NULL), OK);
        /* A tape drive is slower, a register file is not faster. */
        assert_true(rates.read_bytes_per_s > 1e6 && rates.read_bytes_per_s < 1e14);
        assert_true(rates.copy_bytes_per_s > 1e6 && rates.copy_bytes_per_s < 1e14);
        device_close(device);
    }
}

static void a_copy_is_of_whole_work(void **state)
{
    (void)state;
    struct device *device = device_new(2);
    struct peak_host_copies copies;
    assert_int_equal(peak_host_copies_open(&copies, device, 3 << 20, NULL), OK);
    assert_memory_not_equal(copies.to, copies.from, copies.bytes);
    const double rate = peak_host_copies_rate(&copies);
    assert_true(rate > 1e6 && rate < 1e14);
    assert_memory_equal(copies.to, copies.from, copies.bytes);
    peak_host_copies_close(&copies);
    device_close(device);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    struct device *device = device_new(1);
    struct peak_host_rates rates = {0};
    struct error err = {0};
    assert_int_equal(peak_host_measure(device, (size_t)1 << 49, &rates, &err), ERR_MEMORY);
    assert_non_null(strstr(err.text, "562949953421312"));
    assert_true(rates.read_bytes_per_s == 0);
    device_close(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rates_come_out),
                                       cmocka_unit_test(a_copy_is_of_whole_work),
                                       cmocka_unit_test(what_does_not_fit_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
