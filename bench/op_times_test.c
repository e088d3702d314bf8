/* op_times_test - calls, and the gaps between them: inside a step and between two. */
#include "bench/op_times.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 3, DIM = 8 };

static struct device *device;
static float x[ROWS * DIM];

static enum status nothing_copied(struct device *where, const struct kv_copy_args *args)
{
    (void)where;
    (void)args;
    return OK;
}

static enum status nothing_embedded(struct device *where, const struct embed_args *args)
{
    (void)where;
    (void)args;
    return OK;
}

static enum status nothing_gathered(struct device *where, const struct gather_args *args)
{
    (void)where;
    return args->row_count < 0 ? ERR_LIMIT : OK;
}

static void step(const struct ops *ops, bool copies, int gathers)
{
    const struct kv_copy_args copy = {.count = 1};
    const struct embed_args embed = {.x = x, .rows = ROWS};
    const struct gather_args gather = {.row_count = ROWS, .dim = DIM};
    if (copies)
        assert_int_equal(ops->kv_copy(device, &copy), OK);
    assert_int_equal(ops->embed(device, &embed), OK);
    for (int i = 0; i < gathers; i++)
        assert_int_equal(ops->gather(device, &gather), OK);
}

static void gaps_are_told_apart(void **state)
{
    (void)state;
    const struct ops plain = {
        .kv_copy = nothing_copied, .embed = nothing_embedded, .gather = nothing_gathered};
    const struct ops *timed = op_times_of(&plain);
    const struct op_times_slot *slots;
    struct error err;
    int32_t count;
    step(timed, false, 2);
    step(timed, true, 0); /* copies of pages come before the embedding, in the same step */
    step(timed, true, 1);
    step(timed, false, 0);
    assert_int_equal(op_times_read(&slots, &count, &err), OK);
    struct op_times_gaps gaps = op_times_gaps();
    assert_int_equal(count, 3);
    assert_int_equal(gaps.between, 3);
    assert_int_equal(gaps.inside, 2 + 1 + 2);
    assert_true(gaps.between_us >= 0 && gaps.inside_us >= 0);
    op_times_reset();
    gaps = op_times_gaps();
    assert_int_equal(gaps.between + gaps.inside, 0);
}

/* More ops than there are marks: one gap is lost at each reading. */
static void marks_are_used_again(void **state)
{
    (void)state;
    const struct ops plain = {.embed = nothing_embedded, .gather = nothing_gathered};
    const struct ops *timed = op_times_of(&plain);
    const struct op_times_slot *slots;
    struct error err;
    int32_t count;
    step(timed, false, 1500);
    assert_int_equal(op_times_read(&slots, &count, &err), OK);
    assert_int_equal(slots[0].calls + slots[1].calls, 1501);
    const int64_t gaps = op_times_gaps().inside + op_times_gaps().between;
    assert_true(gaps <= 1500 && gaps >= 1500 - 3);
}

/* An op that fails has no time, and spoils no gap. */
static void a_failed_op_is_no_mark(void **state)
{
    (void)state;
    const struct ops plain = {.embed = nothing_embedded, .gather = nothing_gathered};
    const struct ops *timed = op_times_of(&plain);
    const struct gather_args wrong = {.row_count = -1};
    const struct op_times_slot *slots;
    struct error err;
    int32_t count;
    step(timed, false, 0);
    assert_int_equal(timed->gather(device, &wrong), ERR_LIMIT);
    step(timed, false, 0);
    assert_int_equal(op_times_read(&slots, &count, &err), OK);
    assert_int_equal(op_times_gaps().between, 1);
    assert_int_equal(op_times_gaps().inside, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gaps_are_told_apart),
        cmocka_unit_test(marks_are_used_again),
        cmocka_unit_test(a_failed_op_is_no_mark),
    };
    const struct device_options options = {.threads = 1, .simd_max = DEVICE_SIMD_WIDEST};
    if (device_open(&device, &options, NULL) != OK)
        return 1;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    device_close(device);
    return failed;
}
