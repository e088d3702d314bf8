/*
 * weight_dequant_test - every format against recorded exact values, bit for bit; and the
 * machine's level against the plain one, to the bit, on noise.
 */
#include "base/file_map.h"
#include "kernels/weight.h"
#include "tests/harness/test_data.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ELEMS_MAX = 64 * 256, SUPER_BLOCKS = 300 };

static const uint32_t recorded[] = {
    WEIGHT_F16,  WEIGHT_BF16, WEIGHT_Q4_0, WEIGHT_Q4_1, WEIGHT_Q5_0, WEIGHT_Q5_1,   WEIGHT_Q8_0,
    WEIGHT_Q2_K, WEIGHT_Q3_K, WEIGHT_Q4_K, WEIGHT_Q5_K, WEIGHT_Q6_K, WEIGHT_IQ4_NL,
};

static bool vectors_open(struct file_map *map, const char *type, const char *part)
{
    const struct test_data_path path = test_data("models/quant_vectors/%s.%s.bin", type, part);
    return file_map_open(map, path.text, 0, NULL) == OK;
}

static void check_type(uint32_t type)
{
    struct file_map blocks, values;
    const char *name = weight_type_name(type);
    assert_non_null(name);
    assert_true(vectors_open(&blocks, name, "blocks"));
    assert_true(vectors_open(&values, name, "f32"));
    uint32_t block_elems, block_bytes;
    assert_true(weight_type_layout(type, &block_elems, &block_bytes));
    const size_t count = values.size / sizeof(float);
    assert_in_range(count, 64, ELEMS_MAX);
    assert_int_equal(blocks.size, count / block_elems * block_bytes);

    static float out[ELEMS_MAX];
    memset(out, 0xff, sizeof out);
    weight_dequantize((enum weight_type)type, blocks.data, out, (int64_t)count);
    if (memcmp(out, values.data, values.size) != 0)
        fail_msg("%s differs from its recorded values", name);
    file_map_close(&blocks);
    file_map_close(&values);
}

static void recorded_values_are_met(void **state)
{
    (void)state;
    struct file_map map;
    if (!vectors_open(&map, "Q4_0", "blocks")) {
        (void)printf("weight_dequant: no recorded vectors here, skipped\n");
        skip();
    }
    file_map_close(&map);
    for (size_t i = 0; i < sizeof recorded / sizeof recorded[0]; i++)
        check_type(recorded[i]);
}

/* Blocks of noise: scales of any bits, subnormal, infinite and not a number among them. Which
 * NaN comes out hangs on the order of a sum's operands, and nobody asks. */
static void check_level(enum device_simd simd, uint32_t type)
{
    static uint8_t blocks[SUPER_BLOCKS * 256 * sizeof(float)];
    static float plain[SUPER_BLOCKS * 256], found[SUPER_BLOCKS * 256];
    uint32_t state = 11 + type;
    for (size_t i = 0; i < sizeof blocks; i++) {
        state = state * 1664525u + 1013904223u;
        blocks[i] = (uint8_t)(state >> 24);
    }
    memset(found, 0xff, sizeof found);
    weight_dequantize((enum weight_type)type, blocks, plain, SUPER_BLOCKS * 256);
    weight_dequantize_at(simd, (enum weight_type)type, blocks, found, SUPER_BLOCKS * 256);
    for (size_t i = 0; i < SUPER_BLOCKS * 256; i++) {
        const bool same = memcmp(&plain[i], &found[i], sizeof *found) == 0;
        if (!same && !(isnan(plain[i]) && isnan(found[i])))
            fail_msg("%s: element %zu is %a, with %s %a", weight_type_name(type), i,
                     (double)plain[i], device_simd_name(simd), (double)found[i]);
    }
}

static void the_level_has_the_same_bits(void **state)
{
    (void)state;
    const enum device_simd simd = device_simd_found(DEVICE_SIMD_WIDEST);
    printf("weight_dequant: %s beside scalar\n", device_simd_name(simd));
    check_level(simd, WEIGHT_F32);
    for (size_t i = 0; i < sizeof recorded / sizeof recorded[0]; i++)
        check_level(simd, recorded[i]);
}

/* By hand: d = 2, m = -1, all nibbles 3 but the first byte 0x51. */
static void q4_1_by_hand(void **state)
{
    (void)state;
    uint8_t block[20] = {0x00, 0x40, 0x00, 0xbc, 0x51};
    memset(block + 5, 0x33, 15);
    float out[32];
    weight_dequantize(WEIGHT_Q4_1, block, out, 32);
    assert_true(out[0] == 1.0f && out[16] == 9.0f);
    for (int i = 1; i < 16; i++)
        assert_true(out[i] == 5.0f && out[16 + i] == 5.0f);
}

static void f32_is_copied(void **state)
{
    (void)state;
    const float in[3] = {1.5f, -0.0f, 3e-40f};
    float out[3];
    weight_dequantize(WEIGHT_F32, in, out, 3);
    assert_memory_equal(in, out, sizeof in);
}

static void support_is_told_truly(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof recorded / sizeof recorded[0]; i++)
        assert_true(weight_type_is_supported(recorded[i]));
    const uint32_t others[] = {4, 5, 9, 15, 16, 19, 21, 29, 31, 39, UINT32_MAX};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        uint32_t elems, bytes;
        assert_false(weight_type_is_supported(others[i]));
        assert_false(weight_type_layout(others[i], &elems, &bytes));
        assert_null(weight_type_name(others[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_values_are_met),
        cmocka_unit_test(the_level_has_the_same_bits),
        cmocka_unit_test(q4_1_by_hand),
        cmocka_unit_test(f32_is_copied),
        cmocka_unit_test(support_is_told_truly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
