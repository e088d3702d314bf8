/* weight_test - the int8 form row by row, whatever the threads; what is refused. */
#include "kernels/weight.h"

#include "kernels/activation.h"
#include "kernels/matmul.h"
#include "kernels/matmul_int8.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { OUT_DIM = 37, IN_DIM = 288, DEPTH = 320, BLOCKS = IN_DIM / 32 };

static struct device *device_new(uint32_t threads, size_t scratch_bytes)
{
    struct device *device;
    const struct device_options options = {
        .threads = threads, .simd_max = DEVICE_SIMD_WIDEST, .scratch_bytes = scratch_bytes};
    assert_int_equal(device_open(&device, &options, NULL), OK);
    return device;
}

/* Q8_0 rows of noise, d = 1/64; row 5 is zeros. */
static void source_fill(uint8_t *blocks)
{
    uint32_t state = 3;
    for (int b = 0; b < OUT_DIM * BLOCKS; b++) {
        uint8_t *block = blocks + b * 34;
        block[0] = 0x00;
        block[1] = 0x24;
        for (int i = 2; i < 34; i++) {
            state = state * 1664525u + 1013904223u;
            block[i] = b / BLOCKS == 5 ? 0 : (uint8_t)(state >> 24);
        }
    }
}

static void check_row(const struct weight *weight, const uint8_t *blocks, int32_t out)
{
    float row[DEPTH], scale;
    int8_t q[DEPTH];
    weight_dequantize(WEIGHT_Q8_0, blocks + out * BLOCKS * 34, row, IN_DIM);
    const struct activation one = {.cols = IN_DIM, .q8 = q, .scales = &scale, .stride = DEPTH};
    activation_quantize(&one, 0, row);
    for (int32_t i = 0; i < DEPTH; i++) {
        const int8_t *packed = weight->data;
        assert_int_equal(packed[matmul_int8_place(DEPTH, out, i)], q[i]);
    }
    assert_true(weight->scales[out] == scale);
}

static void int8_rows_are_rotated_and_rounded(void **state)
{
    (void)state;
    static uint8_t blocks[OUT_DIM * BLOCKS * 34];
    source_fill(blocks);
    const struct weight_source source = {"w", WEIGHT_Q8_0, OUT_DIM, IN_DIM, blocks};
    for (uint32_t threads = 1; threads <= 3; threads++) {
        struct device *device = device_new(threads, 0);
        struct weight weight;
        assert_int_equal(weight_prepare(device, &source, WEIGHT_INT8, &weight, NULL), OK);
        assert_int_equal(weight.form, WEIGHT_INT8);
        assert_int_equal(weight.data_bytes, 48 * DEPTH);
        for (int32_t out = 0; out < OUT_DIM; out++)
            check_row(&weight, blocks, out);
        const int8_t *packed = weight.data;
        for (int32_t out = OUT_DIM; out < 48; out++) { /* the panel's padding */
            assert_true(weight.scales[out] == 0.0f);
            for (int32_t i = 0; i < DEPTH; i++)
                assert_int_equal(packed[matmul_int8_place(DEPTH, out, i)], 0);
        }
        weight_release(device, &weight);
        assert_null(weight.data);
        device_close(device);
    }
}

static void stored_weights_are_used_in_place(void **state)
{
    (void)state;
    static uint8_t blocks[OUT_DIM * BLOCKS * 34];
    const struct weight_source source = {"w", WEIGHT_Q8_0, OUT_DIM, IN_DIM, blocks};
    struct device *device = device_new(1, 0);
    struct weight weight;
    assert_int_equal(weight_prepare(device, &source, WEIGHT_STORED, &weight, NULL), OK);
    assert_ptr_equal(weight.data, blocks);
    assert_int_equal(weight.data_bytes, sizeof blocks);
    weight_release(device, &weight); /* must not free what is borrowed */
    device_close(device);
}

/* Rows given as int8 make the weight that their source makes. */
static void int8_rows_are_taken_as_they_are(void **state)
{
    (void)state;
    static uint8_t blocks[OUT_DIM * BLOCKS * 34];
    static int8_t rows[OUT_DIM * IN_DIM];
    source_fill(blocks);
    struct device *device = device_new(2, 0);
    const struct weight_source source = {"w", WEIGHT_Q8_0, OUT_DIM, IN_DIM, blocks};
    struct weight made, taken;
    assert_int_equal(weight_prepare(device, &source, WEIGHT_INT8, &made, NULL), OK);
    const int8_t *packed = made.data;
    for (int32_t i = 0; i < OUT_DIM * IN_DIM; i++)
        rows[i] = packed[matmul_int8_place(DEPTH, i / IN_DIM, i % IN_DIM)];
    const struct weight_int8_source again = {"w",    WEIGHT_Q8_0, OUT_DIM,
                                             IN_DIM, rows,        made.scales};
    assert_int_equal(weight_prepare_int8(device, &again, &taken, NULL), OK);
    assert_int_equal(taken.data_bytes, made.data_bytes);
    assert_memory_equal(taken.data, made.data, made.data_bytes);
    assert_memory_equal(taken.scales, made.scales, OUT_DIM * sizeof(float));
    weight_release(device, &taken);
    weight_release(device, &made);
    device_close(device);
}

static void check_int8_refused(struct device *device, struct weight_int8_source source,
                               enum status expected, const char *why)
{
    struct weight weight;
    struct error err;
    source.name = "blk.3.ffn_up";
    assert_int_equal(weight_prepare_int8(device, &source, &weight, &err), expected);
    if (strstr(err.text, why) == NULL || strstr(err.text, source.name) == NULL)
        fail_msg("\"%s\" does not name %s", err.text, why);
}

static void int8_rows_that_cannot_be_are_refused(void **state)
{
    (void)state;
    struct device *device = device_new(1, 0);
    int8_t rows[2 * 4] = {127, -127, 0, 1, 127, -127, 0, 1};
    float scales[2] = {1.0f, 0.0f};
    const struct weight_int8_source good = {"w", WEIGHT_F32, 2, 4, rows, scales};
    struct weight_int8_source bad = good;
    bad.in_dim = MATMUL_IN_DIM_MAX + 1;
    check_int8_refused(device, bad, ERR_LIMIT, "131072");
    bad = good;
    bad.out_dim = 0;
    check_int8_refused(device, bad, ERR_LIMIT, "0 x 4");
    scales[1] = NAN;
    check_int8_refused(device, good, ERR_FORMAT, "row 1 has a scale of nan");
    scales[1] = -1.0f;
    check_int8_refused(device, good, ERR_FORMAT, "row 1 has a scale of -1");
    scales[1] = INFINITY;
    check_int8_refused(device, good, ERR_FORMAT, "row 1 has a scale of inf");
    scales[1] = 1.0f;
    rows[7] = -128;
    check_int8_refused(device, good, ERR_FORMAT, "row 1 has a value of -128");
    device_close(device);
}

static void check_refused(struct device *device, struct weight_source source,
                          enum weight_form form, const char *why)
{
    struct weight weight;
    struct error err;
    source.name = "blk.3.ffn_up";
    assert_int_equal(weight_prepare(device, &source, form, &weight, &err), ERR_LIMIT);
    if (strstr(err.text, why) == NULL || strstr(err.text, source.name) == NULL)
        fail_msg("\"%s\" does not name %s", err.text, why);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    static const float zeros[4];
    struct device *device = device_new(1, 1024);
    const struct weight_source good = {"w", WEIGHT_F32, 1, 4, zeros};
    for (int form = WEIGHT_STORED; form <= WEIGHT_INT8; form++) {
        struct weight_source bad = good;
        bad.type = (enum weight_type)19;
        check_refused(device, bad, (enum weight_form)form, "type number 19");
        bad = good;
        bad.out_dim = 0;
        check_refused(device, bad, (enum weight_form)form, "0 x 4");
        bad = good;
        bad.in_dim = -4;
        check_refused(device, bad, (enum weight_form)form, "1 x -4");
        bad = good;
        bad.in_dim = 131073;
        check_refused(device, bad, (enum weight_form)form, "131072");
        bad = good;
        bad.type = WEIGHT_Q4_K;
        bad.in_dim = 128;
        check_refused(device, bad, (enum weight_form)form, "block of 256");
    }
    struct weight_source wide = good;
    wide.in_dim = 512;
    check_refused(device, wide, WEIGHT_INT8, "1024");
    device_close(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(int8_rows_are_rotated_and_rounded),
        cmocka_unit_test(int8_rows_are_taken_as_they_are),
        cmocka_unit_test(int8_rows_that_cannot_be_are_refused),
        cmocka_unit_test(stored_weights_are_used_in_place),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
