/* device_test - loops reach every index once, whatever the threads do; refusals; memory. */
#include "kernels/device_timer.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { INDICES_MAX = 3000 };

struct tally {
    struct device *device;
    atomic_int visits[INDICES_MAX];
    atomic_int inside[DEVICE_THREADS_MAX]; /* tasks that use this worker's scratch now */
    atomic_int faults;
};

static void count_visit(void *context, int32_t index, uint32_t worker)
{
    struct tally *tally = context;
    if (worker >= device_threads(tally->device) ||
        atomic_fetch_add(&tally->inside[worker], 1) != 0)
        atomic_fetch_add(&tally->faults, 1);
    uint8_t *scratch = device_scratch(tally->device, worker);
    memset(scratch, (int)index & 255, device_scratch_bytes(tally->device));
    atomic_fetch_add(&tally->visits[index], 1);
    atomic_fetch_sub(&tally->inside[worker], 1);
}

static struct device *device_new(uint32_t threads, size_t scratch_bytes)
{
    struct device *device;
    struct error err;
    const struct device_options options = {
        .threads = threads, .simd_max = DEVICE_SIMD_WIDEST, .scratch_bytes = scratch_bytes};
    assert_int_equal(device_open(&device, &options, &err), OK);
    return device;
}

static void loops_reach_every_index_once(void **state)
{
    (void)state;
    static struct tally tally;
    const uint32_t thread_counts[] = {1, 2, 3, 8};
    const int32_t counts[] = {0, 1, 2, 3, 7, 64, INDICES_MAX};
    for (size_t t = 0; t < sizeof thread_counts / sizeof thread_counts[0]; t++) {
        tally.device = device_new(thread_counts[t], 100);
        assert_int_equal(device_threads(tally.device), thread_counts[t]);
        for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
            memset(tally.visits, 0, sizeof tally.visits);
            device_parallel(tally.device, counts[c], count_visit, &tally);
            for (int32_t i = 0; i < INDICES_MAX; i++)
                assert_int_equal(tally.visits[i], i < counts[c]);
        }
        device_close(tally.device);
    }
    assert_int_equal(tally.faults, 0);
}

static void add_index(void *context, int32_t index, uint32_t worker)
{
    (void)worker;
    atomic_fetch_add((atomic_long *)context, index + 1);
}

/* Many short loops, one after the other: a worker may sleep, wake or come late at any point. */
static void many_short_loops(void **state)
{
    (void)state;
    for (uint32_t threads = 2; threads <= 4; threads++) {
        struct device *device = device_new(threads, 0);
        atomic_long sum = 0;
        for (int loop = 0; loop < 5000; loop++)
            device_parallel(device, 1 + loop % 9, add_index, &sum);
        long expected = 0;
        for (int loop = 0; loop < 5000; loop++) {
            const long count = 1 + loop % 9;
            expected += count * (count + 1) / 2;
        }
        assert_int_equal(sum, expected);
        device_close(device);
    }
}

struct meeting {
    atomic_int arrived;
};

/* Returns when both indices are in progress at once: on two workers, that is. */
static void meet(void *context, int32_t index, uint32_t worker)
{
    (void)index;
    (void)worker;
    struct meeting *meeting = context;
    atomic_fetch_add(&meeting->arrived, 1);
    while (atomic_load(&meeting->arrived) < 2) {
    }
}

enum { CROWD_THREADS = 3, CROWD_COUNT = 10 };

struct crowd {
    atomic_int arrived, done;
    int32_t firsts[CROWD_THREADS]; /* the index that each worker began with, plus 1 */
};

/* A worker's first index is over when each has one. */
static void arrive(void *context, int32_t index, uint32_t worker)
{
    struct crowd *crowd = context;
    if (crowd->firsts[worker] != 0)
        return;
    crowd->firsts[worker] = index + 1;
    atomic_fetch_add(&crowd->arrived, 1);
    while (atomic_load(&crowd->arrived) < CROWD_THREADS) {
    }
}

static void workers_begin_in_ranges_of_their_own(void **state)
{
    (void)state;
    struct device *device = device_new(CROWD_THREADS, 64);
    for (int loop = 0; loop < 100; loop++) {
        struct crowd crowd = {0};
        device_parallel(device, CROWD_COUNT, arrive, &crowd);
        assert_int_equal(crowd.firsts[0], 1 + 0);
        assert_int_equal(crowd.firsts[1], 1 + 4);
        assert_int_equal(crowd.firsts[2], 1 + 7);
    }
    device_close(device);
}

/* The first index is over when all others are. */
static void wait_for_others(void *context, int32_t index, uint32_t worker)
{
    (void)worker;
    struct crowd *crowd = context;
    while (index == 0 && atomic_load(&crowd->done) < CROWD_COUNT - 1) {
    }
    atomic_fetch_add(&crowd->done, 1);
}

/* What lies behind an index that takes long is done by another: or this test does not end. */
static void a_range_is_finished_by_others(void **state)
{
    (void)state;
    struct device *device = device_new(CROWD_THREADS, 64);
    for (int loop = 0; loop < 100; loop++) {
        struct crowd crowd = {0};
        device_parallel(device, CROWD_COUNT, wait_for_others, &crowd);
        assert_int_equal(crowd.done, CROWD_COUNT);
    }
    device_close(device);
}

/* Between meetings the caller is busy for long enough that the other worker parks: unless it
 * is woken, this test does not end. */
static void a_parked_worker_is_woken(void **state)
{
    (void)state;
    static uint8_t busy[1 << 22];
    struct device *device = device_new(2, 64);
    for (int round = 0; round < 20; round++) {
        struct meeting meeting = {0};
        for (int i = 0; i < round; i++)
            memset(busy, i, sizeof busy);
        device_parallel(device, 2, meet, &meeting);
        assert_int_equal(meeting.arrived, 2);
    }
    device_close(device);
}

static void devices_open_and_close_without_work(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++)
        device_close(device_new(3, 64));
    device_close(NULL);
}

static void too_much_is_refused(void **state)
{
    (void)state;
    struct device *device = NULL;
    struct error err;
    struct device_options options = {.threads = DEVICE_THREADS_MAX + 1};
    assert_int_equal(device_open(&device, &options, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "257"));
    options = (struct device_options){.threads = 2, .scratch_bytes = SIZE_MAX / 2};
    assert_int_equal(device_open(&device, &options, &err), ERR_MEMORY);
    options.scratch_bytes = SIZE_MAX;
    assert_int_equal(device_open(&device, &options, &err), ERR_MEMORY);
    assert_null(device);
}

static void simd_stays_under_its_cap(void **state)
{
    (void)state;
    for (int cap = DEVICE_SIMD_SCALAR; cap <= DEVICE_SIMD_WIDEST; cap++) {
        const struct device_options options = {.threads = 1, .simd_max = (enum device_simd)cap};
        struct device *device;
        assert_int_equal(device_open(&device, &options, NULL), OK);
        assert_true(device_simd(device) <= options.simd_max);
        assert_non_null(device_simd_name(device_simd(device)));
        assert_int_equal(device_kind(device), DEVICE_CPU);
        device_close(device);
    }
}

static void memory_is_zeroed_and_aligned(void **state)
{
    (void)state;
    struct device *device = device_new(1, 0);
    const size_t sizes[] = {0, 1, 63, 64, 65, 4096, (1 << 20) - 1, 1 << 20, (1 << 20) + 1};
    for (int again = 0; again < 2; again++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            uint8_t *memory = device_alloc(device, sizes[i]);
            assert_non_null(memory);
            assert_int_equal((uintptr_t)memory % 64, 0);
            for (size_t at = 0; at < sizes[i]; at++) {
                assert_int_equal(memory[at], 0);
                memory[at] = 0xee;
            }
            device_free(device, memory, sizes[i]);
        }
    }
    assert_null(device_alloc(device, SIZE_MAX));
    assert_null(device_alloc(device, SIZE_MAX - 4096));
    device_free(device, NULL, 100);
    device_close(device);
}

/* From 2 MiB on a piece begins where a large page may, and no two pieces share a byte. */
static void large_pieces_begin_at_large_pages(void **state)
{
    (void)state;
    enum { LARGE = 2 << 20, PIECES = 4 };
    const size_t sizes[PIECES] = {LARGE, LARGE + 1, 3 * LARGE - 1, 2 * LARGE + 4097};
    uint8_t *pieces[PIECES];
    struct device *device = device_new(1, 0);
    for (int i = 0; i < PIECES; i++) {
        pieces[i] = device_alloc(device, sizes[i]);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % LARGE, 0);
        memset(pieces[i], i + 1, sizes[i]);
    }
    for (int i = 0; i < PIECES; i++) {
        assert_int_equal(pieces[i][0], i + 1);
        assert_int_equal(memcmp(pieces[i], pieces[i] + 1, sizes[i] - 1), 0);
        device_free(device, pieces[i], sizes[i]);
    }
    device_close(device);
}

static void marks_tell_the_time_between(void **state)
{
    (void)state;
    struct device *device = device_new(1, 0);
    struct device_timer_facts facts;
    struct error err;
    double us = -1.0, back_us = 0.0;
    assert_int_equal(device_timer_mark(device, 0), OK);
    clock_sleep_ms(3);
    assert_int_equal(device_timer_mark(device, DEVICE_TIMER_MARKS - 1), OK);
    assert_int_equal(device_timer_us(device, 0, DEVICE_TIMER_MARKS - 1, &us, &err), OK);
    assert_true(us >= 3000.0);
    assert_int_equal(device_timer_us(device, DEVICE_TIMER_MARKS - 1, 0, &back_us, &err), OK);
    assert_true(us == -back_us);
    device_timer_look(device, &facts);
    assert_int_equal(strncmp(facts.name, "cpu ", 4), 0);
    assert_int_equal(facts.sm, 0);
    device_close(device);
}

static void memory_free_is_part_of_all(void **state)
{
    (void)state;
    struct device *device = device_new(1, 0);
    size_t free_bytes = 0, total_bytes = 0;
    device_memory_bytes(device, &free_bytes, &total_bytes);
    assert_true(free_bytes > 1 << 20 && free_bytes <= total_bytes);
    const uint64_t before = device_allocations(device);
    void *memory = device_alloc(device, 1);
    assert_int_equal(device_allocations(device), before + 1);
    device_free(device, memory, 1);
    device_close(device);
}

/* A kind that the build has and the machine has not, or that neither has, says so. */
static void absent_kinds_say_so(void **state)
{
    (void)state;
    const struct device_options options = {.kind = DEVICE_CUDA, .threads = 1};
    struct device *device = NULL;
    struct error err = {0};
    const enum status status = device_open(&device, &options, &err);
    if (status != OK) {
        assert_true(status == ERR_LIMIT || status == ERR_DEVICE);
        assert_non_null(strstr(err.text, "cuda"));
        assert_null(device);
    }
    device_close(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loops_reach_every_index_once),
        cmocka_unit_test(many_short_loops),
        cmocka_unit_test(workers_begin_in_ranges_of_their_own),
        cmocka_unit_test(a_range_is_finished_by_others),
        cmocka_unit_test(a_parked_worker_is_woken),
        cmocka_unit_test(devices_open_and_close_without_work),
        cmocka_unit_test(too_much_is_refused),
        cmocka_unit_test(simd_stays_under_its_cap),
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(large_pieces_begin_at_large_pages),
        cmocka_unit_test(marks_tell_the_time_between),
        cmocka_unit_test(memory_free_is_part_of_all),
        cmocka_unit_test(absent_kinds_say_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
