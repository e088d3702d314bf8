/* emu_report_test - what a person reads, and what becomes of a launch that must end. */
#include "tests/emu/emu_case.h"

#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 64 };

namespace
{

template <bool IS_BAD> SIMT_KERNEL(64, 1) diverges(int32_t *to)
{
    int32_t value = 0;
    if (IS_BAD && simt_lane() == 13)
        value = static_cast<int32_t>(simt_ballot(true));
    else
        value = simt_shuffle_xor(value, 1);
    to[threadIdx.x] = value;
}

SIMT_KERNEL(64, 1) reads(const int32_t *from, int32_t *to)
{
    to[threadIdx.x] = from[threadIdx.x];
}

SIMT_KERNEL(64, 1) writes(int32_t *to)
{
    to[threadIdx.x] = 1;
}

/* A piece of `count` elements, of which threads touch those from `first`. */
SIMT_KERNEL(64, 1) uses_piece(int count, int first, int32_t *to)
{
    struct simt_shared shared = simt_shared_begin();
    int32_t *before = simt_shared_take<int32_t>(shared, 3);
    int32_t *piece = simt_shared_take<int32_t>(shared, count);
    const int i = static_cast<int>(threadIdx.x);
    if (i < 3)
        before[i] = 0;
    piece[first + i] = 1;
    to[i] = piece[first + i];
}

} // namespace

/* Kernel, thread, and both places with file and line; the device is of no more use then. */
static void sentence_test(void **state)
{
    (void)state;
    struct emu_case c = emu_case_open();
    struct error err;
    emu_case_begin(DEVICE_EMU_LOCKSTEP, 1, true);
    assert_int_equal(SIMT_LAUNCH(c.device, (diverges<true>), 1, THREADS, 0, c.a), ERR_DEVICE);
    const char *report = device_emu_report();
    assert_int_equal(strncmp(report, "divergence: (diverges<true>) block (0,0,0): ", 44), 0);
    assert_non_null(strstr(report, "thread 13 (warp 0, lane 13) comes to ballot"));
    assert_non_null(strstr(report, "; at tests/emu/emu_report_test.cc:"));
    assert_non_null(strstr(report, "(diverges<true>); the other at tests/emu/emu_report_test"));
    assert_int_equal(device_emu_findings(), 1);
    assert_int_equal(SIMT_LAUNCH(c.device, (diverges<false>), 1, THREADS, 0, c.a), ERR_DEVICE);
    assert_int_equal(device_wait(c.device, &err), ERR_DEVICE);
    assert_non_null(strstr(err.text, "divergence"));
    device_emu_clear();
    assert_string_equal(device_emu_report(), "");
    assert_int_equal(SIMT_LAUNCH(c.device, (diverges<false>), 1, THREADS, 0, c.a), OK);
    assert_int_equal(device_wait(c.device, &err), OK);
    emu_case_close(&c);
}

/* Untraced, the machine's own refusal is a finding and not the end of the process. */
static void fault_test(void **state)
{
    (void)state;
    if (!emu_case_is_traced) {
        print_message("left out: AddressSanitizer takes the machine's faults for itself\n");
        skip();
    }
    struct emu_case c = emu_case_open();
    for (int schedule = 0; schedule < DEVICE_EMU_SCHEDULES; schedule++) {
        const int32_t *nothing = nullptr;
        emu_case_begin(schedule, 1, false);
        assert_int_equal(SIMT_LAUNCH(c.device, (reads), 1, THREADS, 0, nothing, c.b),
                         ERR_DEVICE);
        assert_int_equal(strncmp(device_emu_report(), "bad access", 10), 0);
        assert_non_null(strstr(device_emu_report(), "tests/emu/emu_report_test.cc:"));
        emu_case_begin(schedule, 1, false);
        assert_int_equal(SIMT_LAUNCH(c.device, (reads), 1, THREADS, 0, c.a, c.b), OK);
        emu_case_expect_none();
    }
    emu_case_close(&c);
}

/* Memory given back, and host copies beyond a buffer. */
static void freed_test(void **state)
{
    (void)state;
    if (!emu_case_is_traced) {
        print_message("left out: this build does not trace\n");
        skip();
    }
    struct emu_case c = emu_case_open();
    int32_t *freed = static_cast<int32_t *>(device_alloc(c.device, 4096));
    device_free(c.device, freed, 4096);
    emu_case_begin(DEVICE_EMU_LOCKSTEP, 1, true);
    assert_int_equal(SIMT_LAUNCH(c.device, (writes), 1, THREADS, 0, freed), ERR_DEVICE);
    assert_int_equal(strncmp(device_emu_report(), "overrun", 7), 0);
    device_emu_clear();
    const size_t bytes = EMU_CASE_COUNT * sizeof *c.a;
    assert_int_equal(device_upload(c.device, c.a + 1, &c, bytes), ERR_DEVICE);
    assert_int_equal(device_emu_findings(), 1);
    emu_case_close(&c);
}

/* Zero, or how the process ended that did this: stopped, or with a finding. */
static int outcome(const char *what)
{
    int status;
    const pid_t child = fork();
    if (child == 0) {
        struct emu_case c = emu_case_open();
        const int32_t *end = c.a + EMU_CASE_COUNT - THREADS;
        enum status got = OK;
        emu_case_begin(DEVICE_EMU_LOCKSTEP, 1, true);
        close(STDERR_FILENO);
        if (strcmp(what, "good") == 0)
            got = SIMT_LAUNCH(c.device, (uses_piece), 1, THREADS, 512, THREADS, 0, c.a);
        else if (strcmp(what, "piece") == 0)
            got = SIMT_LAUNCH(c.device, (uses_piece), 1, THREADS, 512, THREADS - 1, 0, c.a);
        else if (strcmp(what, "before piece") == 0)
            got = SIMT_LAUNCH(c.device, (uses_piece), 1, THREADS, 512, THREADS, -1, c.a);
        else if (strcmp(what, "end") == 0)
            got = SIMT_LAUNCH(c.device, (reads), 1, THREADS, 0, end + 1, c.b);
        else
            got = SIMT_LAUNCH(c.device, (writes), 1, THREADS, 0, c.a - 1);
        _exit(got != OK || device_emu_findings() > 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* By one element, in each build: a finding, or the sanitizer stops the process. */
static void overrun_test(void **state)
{
    (void)state;
    assert_int_equal(outcome("good"), 0);
    assert_int_not_equal(outcome("piece"), 0);
    assert_int_not_equal(outcome("before piece"), 0);
    assert_int_not_equal(outcome("end"), 0);
    assert_int_not_equal(outcome("before"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentence_test),
        cmocka_unit_test(fault_test),
        cmocka_unit_test(freed_test),
        cmocka_unit_test(overrun_test),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
