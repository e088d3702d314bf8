/* rmsnorm_simt_test - the kernel against the twin, bit for bit: every form, the residual, rows
 * chosen, odd dimensions, and rows of zeros or of what is not finite. */
#include "kernels/device_emu.h"
#include "kernels/rmsnorm.h"

#include "tests/harness/simt_activation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIM_MAX = 14336, ROWS_MAX = 17, STREAM_ROWS = ROWS_MAX + 2, EITHER = 3 };

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct shape {
    int32_t dim, rows;
    uint32_t forms;
    bool adds, chooses;
} shapes[] = {
    {64, 17, EITHER, true, true},
    {576, 3, ACTIVATION_INT8, true, false},
    {100, 3, EITHER, true, true},
    {7, 2, EITHER, true, true},
    {1, 1, EITHER, true, false},
    {96, 2, ACTIVATION_INT8, false, true},
    {1090, 1, EITHER, true, false},
    {4096, 2, EITHER, true, false},
    {14336, 1, ACTIVATION_F32, false, false},
};

static float x[STREAM_ROWS * DIM_MAX], add[STREAM_ROWS * DIM_MAX], sum[STREAM_ROWS * DIM_MAX];
static float weight[DIM_MAX];

static void compare(struct simt_case *c, const struct shape *shape)
{
    const size_t count = (size_t)(shape->rows + 2) * (size_t)shape->dim;
    const size_t bytes = count * sizeof(float);
    struct simt_activation y = simt_activation_new(c, shape->rows, shape->dim, shape->forms);
    int32_t rows[ROWS_MAX];
    for (int32_t r = 0; r < shape->rows; r++)
        rows[r] = shape->rows + 1 - r; /* the last ones, backwards */
    memset(sum, 0x5b, bytes);          /* shows what must not be written */
    float *device_sum = shape->adds ? simt_case_up(c, sum, bytes) : NULL;
    struct rmsnorm_args args = {.x = x,
                                .add = shape->adds ? add : NULL,
                                .sum = shape->adds ? sum : NULL,
                                .rows = shape->chooses ? rows : NULL,
                                .weight = weight,
                                .y = &y.host,
                                .row_count = shape->rows,
                                .dim = shape->dim,
                                .eps = 1e-5f};
    assert_int_equal(rmsnorm_ref(c->host, &args), OK);
    args.x = simt_case_up(c, x, bytes);
    args.add = shape->adds ? simt_case_up(c, add, bytes) : NULL;
    args.sum = device_sum;
    args.rows = shape->chooses ? simt_case_up(c, rows, sizeof rows) : NULL;
    args.weight = simt_case_up(c, weight, (size_t)shape->dim * sizeof(float));
    args.y = &y.device;
    assert_int_equal(SIMT_CASE_OP(c, rmsnorm)(c->device, &args), OK);
    simt_activation_same(c, &y);
    if (shape->adds)
        simt_activation_floats_same(c, sum, device_sum, count);
    simt_activation_free(&y);
}

static void noise_fill(struct simt_case *c)
{
    for (size_t i = 0; i < COUNT(x); i++) {
        x[i] = 30.0f * simt_case_float(c);
        add[i] = 30.0f * simt_case_float(c);
    }
    for (size_t i = 0; i < COUNT(weight); i++)
        weight[i] = 2.0f * simt_case_float(c);
}

static void all_shapes(struct simt_case *c)
{
    noise_fill(c);
    for (size_t i = 0; i < COUNT(shapes); i++)
        compare(c, &shapes[i]);
}

static void equals_the_twin(void **state)
{
    simt_case_each(*state, all_shapes);
}

/* Rows: zeros; one infinity; one NaN; subnormal; near the largest. */
static void odd_rows(struct simt_case *c)
{
    const struct shape shape = {128, 5, EITHER, false, false};
    noise_fill(c);
    memset(x, 0, 128 * sizeof *x);
    x[128 + 5] = INFINITY;
    x[256 + 77] = NAN;
    for (size_t i = 0; i < 128; i++) {
        x[384 + i] *= 1e-41f;
        x[512 + i] = i % 2 ? 2e19f : -3e19f; /* squares overflow */
    }
    compare(c, &shape);
    for (size_t i = 0; i < 128; i++)
        weight[i] = 1e-38f * (float)(i % 3); /* a scale that is subnormal */
    compare(c, &shape);
}

static void odd_rows_equal_the_twin(void **state)
{
    simt_case_each(*state, odd_rows);
}

/* Shared memory is met without conflicts, device memory in whole sectors. */
static void traffic(struct simt_case *c)
{
    const struct shape shape = {1024, 2, EITHER, true, false};
    struct device_emu_counters counters;
    if (!simt_case_counts(c))
        return;
    device_emu_clear();
    noise_fill(c);
    compare(c, &shape);
    assert_true(device_emu_count("rmsnorm", &counters));
    assert_true(counters.launches == 1 && counters.shared_requests > 0);
    assert_int_equal(counters.shared_conflicts, 0);
    assert_in_range(counters.global_sectors * 32, 1, counters.global_bytes * 101 / 100);
}

static void has_no_conflicts(void **state)
{
    simt_case_each(*state, traffic);
}

static void what_it_cannot(struct simt_case *c)
{
    struct simt_activation y = simt_activation_new(c, 1, 64, EITHER);
    float *stream = simt_case_up(c, NULL, 2 * 64 * sizeof(float));
    struct rmsnorm_args args = {
        .x = stream, .weight = stream, .y = &y.device, .row_count = 1, .dim = 63};
    assert_int_equal(SIMT_CASE_OP(c, rmsnorm)(c->device, &args),
                     ERR_LIMIT); /* y has 64 columns */
    args.dim = 64;
    args.x = stream + 1;
    assert_int_equal(SIMT_CASE_OP(c, rmsnorm)(c->device, &args), ERR_LIMIT); /* not aligned */
    args.x = stream;
    args.add = stream;
    assert_int_equal(SIMT_CASE_OP(c, rmsnorm)(c->device, &args),
                     ERR_LIMIT); /* add without a sum */
    args.add = NULL;
    y.device.cols = args.dim = 1 << 16;
    y.device.stride = 1 << 16;
    assert_int_equal(SIMT_CASE_OP(c, rmsnorm)(c->device, &args),
                     ERR_LIMIT); /* more than shared memory */
    args.row_count = 0;
    assert_int_equal(SIMT_CASE_OP(c, rmsnorm)(c->device, &args), OK);
    simt_activation_free(&y);
}

static void refuses_what_it_cannot(void **state)
{
    simt_case_each(*state, what_it_cannot);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_twin),
        cmocka_unit_test(odd_rows_equal_the_twin),
        cmocka_unit_test(has_no_conflicts),
        cmocka_unit_test(refuses_what_it_cannot),
    };
    return simt_case_main(argc, argv, tests, COUNT(tests));
}
