/*
 * kbench_case_test - every kernel of the bench, every variant and number format, on the CPU
 * against its twin: the cases are well formed, and the comparison sees a wrong number.
 */
#include "tools/kbench_kernels.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct device *device;

static struct kbench_case case_of(const struct kbench_kernel *kernel, const char *variant,
                                  const char *dtype)
{
    static struct kbench_args_shapes shapes;
    assert_int_equal(kbench_args_read_shapes("tiny", &shapes, NULL), OK);
    return (struct kbench_case){.device = device,
                                .host = device,
                                .ops = ops_cpu(),
                                .kernel = kernel,
                                .shape = &shapes.items[0],
                                .variant = variant,
                                .dtype = dtype,
                                .m = 5,
                                .is_check = true,
                                .seed = 3};
}

/* Word number index of a list with commas; false past the last. */
static bool word_at(const char *list, int index, char word[16])
{
    for (; index > 0; index--) {
        list = strchr(list, ',');
        if (!list)
            return false;
        list++;
    }
    const size_t size = strcspn(list, ",");
    assert_true(size < 16);
    memcpy(word, list, size);
    word[size] = '\0';
    return true;
}

static void check_one(const struct kbench_kernel *kernel, const char *variant,
                      const char *dtype)
{
    struct kbench_case c = case_of(kernel, variant, dtype);
    struct kbench_check check;
    struct error err = {0};
    const enum status status = kbench_case_open(&c, 0, &err);
    if (status == ERR_LIMIT) /* rows that are no whole blocks of the type */
        return;
    assert_int_equal(status, OK);
    assert_int_equal(c.set_count, 1);
    assert_true(c.work.bytes > 0);
    assert_true(c.shape_text[0] != '\0');
    assert_int_equal(kbench_case_check(&c, &check, &err), OK);
    if (!(check.share <= (kernel->tolerance > 1e-5 ? kernel->tolerance : 1e-5)))
        print_error("%s %s %s: %g of the largest\n", kernel->name, variant, dtype, check.share);
    assert_true(check.share <= (kernel->tolerance > 1e-5 ? kernel->tolerance : 1e-5));
    kbench_case_close(&c);
}

static void every_kernel_equals_its_twin(void **state)
{
    (void)state;
    const struct kbench_kernel *kernel;
    int count = 0;
    for (int32_t k = 0; (kernel = kbench_kernels_at(k)); k++) {
        char variant[16], dtype[16];
        assert_ptr_equal(kbench_kernels_find(kernel->name), kernel);
        for (int v = 0; word_at(kernel->variants, v, variant); v++)
            for (int d = 0; word_at(kernel->dtypes, d, dtype); d++, count++)
                check_one(kernel, variant, dtype);
    }
    assert_true(count > 50);
    assert_null(kbench_kernels_find("nothing"));
}

static void a_wrong_number_is_seen(void **state)
{
    (void)state;
    struct kbench_case c = case_of(kbench_kernels_find("rmsnorm"), "add", "int8");
    struct kbench_check check;
    struct error err;
    assert_int_equal(kbench_case_open(&c, 0, &err), OK);
    ((float *)c.buffers[0].sets[0])[3] += 0.25F; /* the device's input, not the twin's */
    assert_int_equal(kbench_case_check(&c, &check, &err), OK);
    assert_false(check.is_bits);
    assert_true(check.max_abs > 0.2);
    kbench_case_close(&c);
}

/* The twin's log-probabilities are near; a token is the same or not. */
static void a_wrong_token_is_seen(void **state)
{
    (void)state;
    const struct kbench_kernel *sample = kbench_kernels_find("sample");
    struct kbench_case c = case_of(sample, "greedy", "f32");
    struct kbench_check check;
    struct error err;
    c.m = 40;
    assert_int_equal(kbench_case_open(&c, 0, &err), OK);
    assert_int_equal(kbench_case_check(&c, &check, &err), OK);
    assert_true(check.share <= sample->tolerance);
    ((float *)c.buffers[0].sets[0])[3] = 100.0F; /* the device's logits alone */
    assert_int_equal(kbench_case_check(&c, &check, &err), OK);
    assert_true(isinf(check.share));
    kbench_case_close(&c);
}

static void sets_go_round_and_differ_in_place(void **state)
{
    (void)state;
    struct kbench_case c = case_of(kbench_kernels_find("silu_mul"), "silu", "f32");
    struct error err;
    assert_int_equal(kbench_case_open(&c, 1 << 16, &err), OK);
    assert_true(c.set_count > 1 && c.set_count <= KBENCH_SETS_MAX);
    const size_t bytes = c.buffers[0].bytes;
    assert_ptr_not_equal(kbench_case_at(&c, 0, 0), kbench_case_at(&c, 0, 1));
    assert_memory_equal(kbench_case_at(&c, 0, 0), kbench_case_at(&c, 0, 1), bytes);
    kbench_case_close(&c);
}

/* Weights are bytes: one between two of them may go up here and down in the twin. */
#define STEP (1.0 / 255)

/* Chunks: keys of a chunk are counted once, and the list has an item for them. */
static void chunks_share_their_keys(void **state)
{
    (void)state;
    struct kbench_args_shapes shapes;
    struct error err;
    struct kbench_check check;
    assert_int_equal(kbench_args_read_shapes("minions30x6", &shapes, &err), OK);
    struct kbench_case c = case_of(kbench_kernels_find("attention"), "decode", "int8");
    c.shape = &shapes.items[0];
    assert_int_equal(kbench_case_open(&c, 0, &err), OK);
    assert_int_equal(c.m, 180);
    const int32_t shared_items = c.attention.item_count;
    assert_true(c.work.bytes_unshared > 2 * c.work.bytes);
    assert_int_equal(kbench_case_check(&c, &check, &err), OK);
    assert_true(check.share < STEP);
    kbench_case_close(&c);
    for (int order = KBENCH_SORTED; order <= KBENCH_NAIVE; order++) {
        c = case_of(kbench_kernels_find("attention"), "decode", "int8");
        c.shape = &shapes.items[0];
        c.order = (enum kbench_order)order;
        assert_int_equal(kbench_case_open(&c, 0, &err), OK);
        assert_true(2 * c.attention.item_count > 3 * shared_items);
        assert_int_equal(kbench_case_check(&c, &check, &err), OK);
        assert_true(check.share < STEP);
        kbench_case_close(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_equals_its_twin),
        cmocka_unit_test(a_wrong_number_is_seen),
        cmocka_unit_test(a_wrong_token_is_seen),
        cmocka_unit_test(sets_go_round_and_differ_in_place),
        cmocka_unit_test(chunks_share_their_keys),
    };
    const struct device_options options = {.threads = 2, .simd_max = DEVICE_SIMD_AVX512_VNNI};
    if (device_open(&device, &options, NULL) != OK)
        return 1;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    device_close(device);
    return failed;
}
