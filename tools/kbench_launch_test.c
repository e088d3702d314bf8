/* kbench_launch_test - what bounds the blocks of a multiprocessor, and launches in words. */
#include "tools/kbench_launch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* sm_89: 1,536 threads, 24 blocks, 100 KB of which each block costs one more. */
static void the_scarcest_limit_counts(void **state)
{
    (void)state;
    assert_int_equal(kbench_launch_resident(128, 0), 12);            /* threads */
    assert_int_equal(kbench_launch_resident(32, 0), 24);             /* blocks */
    assert_int_equal(kbench_launch_resident(33, 0), 24);             /* two warps each */
    assert_int_equal(kbench_launch_resident(65, 0), 16);             /* three, not 23 blocks */
    assert_int_equal(kbench_launch_resident(128, 49152), 2);         /* shared memory */
    assert_int_equal(kbench_launch_resident(128, 99 * 1024), 1);     /* as much as may be */
    assert_int_equal(kbench_launch_resident(128, 99 * 1024 + 1), 0); /* one byte more */
    assert_int_equal(kbench_launch_resident(1024, 0), 1);
    assert_int_equal(kbench_launch_resident(0, 0), 0);
}

static void the_largest_launch_is_the_rows(void **state)
{
    (void)state;
    const struct device_options options = {.simd_max = DEVICE_SIMD_WIDEST};
    struct device *device;
    struct device_launch_list list = {.count = 0};
    struct kbench_launch launch;
    const struct device_launch small = {"(slices<1, 2>)", NULL, 3, 64, 2048},
                               large = {"draws", NULL, 8, 256, 0};
    assert_int_equal(device_open(&device, &options, NULL), OK);
    device_launch_note(device, &small); /* nobody watches */
    device_launch_watch(device, &list);
    device_launch_note(device, &small);
    device_launch_note(device, &large);
    device_launch_watch(device, NULL);
    device_launch_note(device, &small);
    assert_int_equal(list.count, 2);
    kbench_launch_fill(&launch, device, &list);
    assert_int_equal(launch.count, 2);
    assert_string_equal(launch.name, "draws");
    assert_int_equal(launch.threads, 256);
    assert_false(launch.is_told);
    assert_true(launch.occupancy == 1.0);
    assert_string_equal(launch.all, "slices<1, 2> 3x64 thr, 0+2048 B, at most 100 %; "
                                    "draws 8x256 thr, 0+0 B, at most 100 %");
    device_close(device);
}

/* More launches than there is room for, and names longer than the line. */
static void too_many_are_counted(void **state)
{
    (void)state;
    struct device_launch_list list = {.count = DEVICE_LAUNCHES_MAX + 5};
    struct kbench_launch launch;
    const struct device_options options = {.simd_max = DEVICE_SIMD_WIDEST};
    struct device *device;
    assert_int_equal(device_open(&device, &options, NULL), OK);
    for (int i = 0; i < DEVICE_LAUNCHES_MAX; i++)
        list.items[i] = (struct device_launch){
            "a_name_that_is_much_longer_than_any_kernel_of_ours_would_have", NULL, 1, 32, 0};
    kbench_launch_fill(&launch, device, &list);
    assert_int_equal(launch.count, DEVICE_LAUNCHES_MAX + 5);
    assert_true(strlen(launch.all) < sizeof launch.all);
    device_close(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_scarcest_limit_counts),
        cmocka_unit_test(the_largest_launch_is_the_rows),
        cmocka_unit_test(too_many_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
