/*
 * weight_quantize_test - blocks against recorded ones, bit for bit; the error of each type on
 * numbers as weights are; what no block can hold is refused.
 */
#include "kernels/weight_quantize.h"

#include "base/file_map.h"
#include "tests/harness/test_data.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <math.h>

#include <cmocka.h>

enum { ELEMS = 4096, BYTES_MAX = ELEMS * 4 };

static const enum weight_type recorded[] = {WEIGHT_Q4_0, WEIGHT_Q4_1, WEIGHT_Q5_0, WEIGHT_Q5_1,
                                            WEIGHT_Q8_0};

static uint8_t blocks[BYTES_MAX];
static float values[ELEMS], back[ELEMS];

static bool vectors_open(struct file_map *map, const char *name)
{
    const struct test_data_path path = test_data("models/quant_vectors/quantize_%s.bin", name);
    return file_map_open(map, path.text, 0, NULL) == OK;
}

static void recorded_blocks_are_met(void **state)
{
    (void)state;
    struct file_map in, out;
    if (!vectors_open(&in, "in.f32")) {
        print_message("skipped: no recorded vectors here\n");
        skip();
    }
    const int64_t count = (int64_t)(in.size / sizeof(float));
    assert_true(count > 0 && count <= ELEMS);
    memcpy(values, in.data, in.size);
    for (size_t i = 0; i < sizeof recorded / sizeof recorded[0]; i++) {
        const char *name = weight_type_name(recorded[i]);
        assert_true(vectors_open(&out, name));
        assert_true(weight_quantize(recorded[i], values, blocks, count));
        if (memcmp(blocks, out.data, out.size) != 0)
            fail_msg("%s differs from its recorded blocks", name);
        file_map_close(&out);
    }
    file_map_close(&in);
}

/* Numbers of about normal distribution, a different spread in each block, some far out. */
static void fill(void)
{
    uint32_t state = 7;
    for (int i = 0; i < ELEMS; i++) {
        float sum = 0.0f;
        for (int k = 0; k < 6; k++) {
            state = state * 1664525u + 1013904223u;
            sum += (float)(state >> 8) / (float)(1 << 24) - 0.5f;
        }
        values[i] = sum * (0.01f + 0.002f * (float)(i / 32 % 40));
        if (i % 97 == 0)
            values[i] *= 4.0f;
    }
}

/* sqrt(sum (x - x')^2 / sum x^2) */
static double error_of(enum weight_type type)
{
    double off = 0, all = 0;
    assert_true(weight_quantize(type, values, blocks, ELEMS));
    weight_dequantize(type, blocks, back, ELEMS);
    for (int i = 0; i < ELEMS; i++) {
        off += ((double)values[i] - (double)back[i]) * ((double)values[i] - (double)back[i]);
        all += (double)values[i] * (double)values[i];
    }
    return sqrt(off / all);
}

static void errors_are_what_the_bits_allow(void **state)
{
    (void)state;
    fill();
    const double q4_0 = error_of(WEIGHT_Q4_0), q4_1 = error_of(WEIGHT_Q4_1);
    const double q5_0 = error_of(WEIGHT_Q5_0), q5_1 = error_of(WEIGHT_Q5_1);
    const double q8_0 = error_of(WEIGHT_Q8_0), q4_k = error_of(WEIGHT_Q4_K);
    print_message(
        "error %%: Q4_0 %.2f, Q4_1 %.2f, Q4_K %.2f, Q5_0 %.2f, Q5_1 %.2f, Q8_0 %.3f\n",
        100 * q4_0, 100 * q4_1, 100 * q4_k, 100 * q5_0, 100 * q5_1, 100 * q8_0);
    assert_true(q4_k < q4_1 && q4_1 < q4_0 && q4_0 < 0.12);
    assert_true(q5_1 < q5_0 && q5_0 < q4_0 / 1.8);
    assert_true(q8_0 < 0.01);
    assert_true(error_of(WEIGHT_F16) < 0.0004 && error_of(WEIGHT_BF16) < 0.003);
    assert_true(error_of(WEIGHT_F32) == 0.0);
}

/* What a block holds exactly comes back exactly. */
static void multiples_of_a_scale_are_kept(void **state)
{
    (void)state;
    for (int i = 0; i < ELEMS; i++)
        values[i] = (float)(i * 7 % 16 - 8) * 0.25f;
    assert_true(error_of(WEIGHT_Q4_0) == 0.0 && error_of(WEIGHT_Q5_0) == 0.0);
    memset(values, 0, sizeof values);
    const enum weight_type all[] = {WEIGHT_Q4_0, WEIGHT_Q4_1, WEIGHT_Q5_0, WEIGHT_Q5_1,
                                    WEIGHT_Q8_0, WEIGHT_Q4_K, WEIGHT_F16};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_true(weight_quantize(all[i], values, blocks, ELEMS));
        weight_dequantize(all[i], blocks, back, ELEMS);
        for (int j = 0; j < ELEMS; j++)
            assert_true(back[j] == 0.0f);
    }
}

static void what_cannot_be_held_is_refused(void **state)
{
    (void)state;
    const enum weight_type all[] = {WEIGHT_Q4_0, WEIGHT_Q4_1, WEIGHT_Q5_0, WEIGHT_Q5_1,
                                    WEIGHT_Q8_0, WEIGHT_Q4_K, WEIGHT_F16};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        fill();
        values[300] = NAN;
        assert_false(weight_quantize(all[i], values, blocks, ELEMS));
        values[300] = -INFINITY;
        assert_false(weight_quantize(all[i], values, blocks, ELEMS));
        values[300] = 3e38f;
        assert_false(weight_quantize(all[i], values, blocks, ELEMS));
    }
    assert_false(weight_quantize_is_supported(WEIGHT_Q6_K));
    assert_false(weight_quantize_is_supported(WEIGHT_I8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_blocks_are_met),
        cmocka_unit_test(errors_are_what_the_bits_allow),
        cmocka_unit_test(multiples_of_a_scale_are_kept),
        cmocka_unit_test(what_cannot_be_held_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
