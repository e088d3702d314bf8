/* gather_simt_test - the kernel against the twin: rows chosen backwards and twice, each form,
 * odd dimensions. */
#include "kernels/gather.h"

#include "tests/harness/simt_activation.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS = 9, CHOSEN = 5, DIM_MAX = 1536, EITHER = ACTIVATION_F32 | ACTIVATION_INT8 };

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const int32_t chosen[CHOSEN] = {8, 3, 3, 0, 7};

static const struct shape {
    int32_t dim, cols;
    uint32_t from, to;
} shapes[] = {
    {64, 64, EITHER, EITHER},          {576, 1536, ACTIVATION_INT8, ACTIVATION_INT8},
    {100, 7, EITHER, ACTIVATION_INT8}, {1, 100, ACTIVATION_F32, ACTIVATION_F32},
    {513, 64, EITHER, EITHER},
};

static float x[ROWS * DIM_MAX], to_x[CHOSEN * DIM_MAX];

/* What an op before would have written, on both sides. */
static struct simt_activation from_new(struct simt_case *c, const struct shape *shape)
{
    struct simt_activation from = simt_activation_new(c, ROWS, shape->cols, shape->from);
    const size_t count = (size_t)ROWS * (size_t)shape->cols;
    const size_t q8_bytes = (size_t)ROWS * (size_t)from.host.stride;
    if (shape->from & ACTIVATION_F32) {
        for (size_t i = 0; i < count; i++)
            from.host.f32[i] = simt_case_float(c);
        from.device.f32 = simt_case_up(c, from.host.f32, count * sizeof(float));
    }
    if (shape->from & ACTIVATION_INT8) {
        for (size_t i = 0; i < q8_bytes; i++)
            from.host.q8[i] = (int8_t)((int32_t)simt_case_below(c, 255) - 127);
        for (size_t r = 0; r < ROWS; r++)
            from.host.scales[r] = simt_case_float(c);
        from.device.q8 = simt_case_up(c, from.host.q8, q8_bytes);
        from.device.scales = simt_case_up(c, from.host.scales, ROWS * sizeof(float));
    }
    return from;
}

static void compare(struct simt_case *c, const struct shape *shape)
{
    const size_t dim = (size_t)shape->dim;
    struct simt_activation from = from_new(c, shape);
    struct simt_activation to = simt_activation_new(c, CHOSEN, shape->cols, shape->to);
    for (size_t i = 0; i < ROWS * dim; i++)
        x[i] = simt_case_float(c);
    struct gather_args args = {.x = x,
                               .to_x = to_x,
                               .from = &from.host,
                               .to = &to.host,
                               .rows = chosen,
                               .row_count = CHOSEN,
                               .dim = shape->dim};
    assert_int_equal(gather_ref(c->host, &args), OK);
    args.x = simt_case_up(c, x, ROWS * dim * sizeof(float));
    args.to_x = simt_case_up(c, NULL, CHOSEN * dim * sizeof(float));
    args.from = &from.device;
    args.to = &to.device;
    args.rows = simt_case_up(c, chosen, sizeof chosen);
    assert_int_equal(SIMT_CASE_OP(c, gather)(c->device, &args), OK);
    simt_activation_floats_same(c, to_x, args.to_x, CHOSEN * dim);
    simt_activation_same(c, &to);
    simt_activation_free(&from);
    simt_activation_free(&to);
}

static void all_shapes(struct simt_case *c)
{
    for (size_t i = 0; i < COUNT(shapes); i++)
        compare(c, &shapes[i]);
}

static void equals_the_twin(void **state)
{
    simt_case_each(*state, all_shapes);
}

static void what_it_cannot(struct simt_case *c)
{
    struct simt_activation from = simt_activation_new(c, 1, 64, ACTIVATION_INT8);
    struct simt_activation to = simt_activation_new(c, 1, 64, EITHER);
    float *numbers = simt_case_up(c, NULL, 64 * sizeof(float));
    struct gather_args args = {.x = numbers,
                               .to_x = numbers,
                               .from = &from.device,
                               .to = &to.device,
                               .row_count = 1,
                               .dim = 64};
    assert_int_equal(SIMT_CASE_OP(c, gather)(c->device, &args), ERR_LIMIT); /* no F32 to read */
    to.device.forms = ACTIVATION_INT8;
    to.device.cols = 128;
    assert_int_equal(SIMT_CASE_OP(c, gather)(c->device, &args), ERR_LIMIT);
    args.row_count = 0;
    assert_int_equal(SIMT_CASE_OP(c, gather)(c->device, &args), OK);
    simt_activation_free(&from);
    simt_activation_free(&to);
}

static void refuses_what_it_cannot(void **state)
{
    simt_case_each(*state, what_it_cannot);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_twin),
        cmocka_unit_test(refuses_what_it_cannot),
    };
    return simt_case_main(argc, argv, tests, COUNT(tests));
}
