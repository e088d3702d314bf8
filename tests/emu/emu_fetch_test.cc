/*
 * emu_fetch_test - a fetch shows the bytes as they were at its place in the order, whatever
 * kernels, uploads and failures come between its begin and its end.
 */
#include "tests/emu/emu_case.h"

enum { COUNT = 256 };

namespace
{

SIMT_KERNEL(COUNT, 1) add(int32_t *a, int32_t value)
{
    a[threadIdx.x] += value;
}

SIMT_KERNEL(32, 1) write_outside(int32_t *a)
{
    a[int64_t{1} << 40] = 1;
}

void expect_all(const int32_t *got, int32_t value)
{
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(got[i], value + i);
}

/* a = 0, 1, 2 .. + first */
void begin_with(const struct emu_case *c, int32_t first)
{
    int32_t numbers[COUNT];
    for (int i = 0; i < COUNT; i++)
        numbers[i] = first + i;
    emu_case_begin(DEVICE_EMU_LOCKSTEP, 1, emu_case_is_traced);
    assert_int_equal(device_upload(c->device, c->a, numbers, sizeof numbers), OK);
}

} // namespace

static void what_comes_after_does_not_show(void **state)
{
    (void)state;
    struct emu_case c = emu_case_open();
    int32_t got[COUNT] = {}, zeros[COUNT] = {};
    begin_with(&c, 10);
    assert_int_equal(SIMT_LAUNCH(c.device, (add), 1, COUNT, 0, c.a, 100), OK);
    assert_int_equal(device_fetch_begin(c.device, c.a, sizeof got), OK);
    assert_int_equal(SIMT_LAUNCH(c.device, (add), 1, COUNT, 0, c.a, 1000), OK);
    assert_int_equal(device_fetch_end(c.device, got, sizeof got), OK);
    expect_all(got, 110);
    assert_int_equal(device_fetch_begin(c.device, c.a, sizeof got), OK);
    assert_int_equal(device_upload(c.device, c.a, zeros, sizeof zeros), OK);
    assert_int_equal(device_fetch_end(c.device, got, sizeof got), OK);
    expect_all(got, 1110);
    emu_case_expect_none();
    emu_case_close(&c);
}

static void each_fetch_has_its_own_bytes(void **state)
{
    (void)state;
    struct emu_case c = emu_case_open();
    int32_t got[COUNT] = {};
    begin_with(&c, 0);
    for (int32_t round = 0; round < 3; round++) {
        assert_int_equal(device_fetch_begin(c.device, c.a, sizeof got), OK);
        assert_int_equal(SIMT_LAUNCH(c.device, (add), 1, COUNT, 0, c.a, 7), OK);
        assert_int_equal(device_fetch_end(c.device, got, sizeof got), OK);
        expect_all(got, 7 * round);
    }
    memset(got, 0xee, sizeof got); /* a short one leaves the rest alone */
    assert_int_equal(device_fetch_begin(c.device, c.a + 1, 8), OK);
    assert_int_equal(device_fetch_end(c.device, got, 8), OK);
    assert_int_equal(got[0], 22);
    assert_int_equal(got[1], 23);
    assert_int_equal(got[2], static_cast<int32_t>(0xeeeeeeee));
    emu_case_expect_none();
    emu_case_close(&c);
}

/* What was fetched before a kernel failed is still good; after it nothing is fetched. */
static void a_failure_after_it_does_not_spoil_it(void **state)
{
    (void)state;
    struct emu_case c = emu_case_open();
    int32_t got[COUNT] = {};
    begin_with(&c, 5);
    assert_int_equal(device_fetch_begin(c.device, c.a, sizeof got), OK);
    assert_int_equal(SIMT_LAUNCH(c.device, (write_outside), 1, 32, 0, c.a), ERR_DEVICE);
    assert_int_equal(device_fetch_end(c.device, got, sizeof got), OK);
    expect_all(got, 5);
    assert_int_equal(device_fetch_begin(c.device, c.a, sizeof got), ERR_DEVICE);
    device_emu_clear();
    emu_case_close(&c);
}

/* A place that is no device memory is a finding, as with any copy. */
static void only_device_memory_is_fetched(void **state)
{
    (void)state;
    struct emu_case c = emu_case_open();
    int32_t got[COUNT] = {};
    begin_with(&c, 0);
    assert_int_equal(device_fetch_begin(c.device, c.a + EMU_CASE_COUNT - 1, 8), ERR_DEVICE);
    assert_int_equal(device_fetch_begin(c.device, got, sizeof got), ERR_DEVICE);
    assert_int_equal(device_emu_findings(), 2);
    device_emu_clear();
    emu_case_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_after_does_not_show),
        cmocka_unit_test(each_fetch_has_its_own_bytes),
        cmocka_unit_test(a_failure_after_it_does_not_spoil_it),
        cmocka_unit_test(only_device_memory_is_fetched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
