/* silu_mul_simt_test - the kernel against silu_mul_cpu, bit for bit (the twin's exponential is
 * the library's; rmsnorm_cpu_test holds the two together): each kind, each of the kernel's
 * sizes, odd dimensions, far gates. */
#include "kernels/device_emu.h"
#include "kernels/silu_mul.h"

#include "tests/harness/simt_activation.h"

#include <math.h>
#include <string.h>

enum { NUMBERS_MAX = 65536, EITHER = ACTIVATION_F32 | ACTIVATION_INT8, NO_GATE = 2 };

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct shape {
    int32_t dim, rows, kind; /* kind NO_GATE: up goes through */
    uint32_t forms;
} shapes[] = {
    {64, 17, SILU_MUL_SILU, EITHER},
    {576, 3, SILU_MUL_GELU, ACTIVATION_INT8},
    {1024, 1, NO_GATE, EITHER},
    {1536, 2, SILU_MUL_SILU, ACTIVATION_INT8},
    {4096, 1, SILU_MUL_GELU, EITHER},
    {4160, 1, SILU_MUL_SILU, EITHER},
    {14336, 1, SILU_MUL_SILU, EITHER},
    {16384, 1, NO_GATE, ACTIVATION_INT8},
    {16448, 2, SILU_MUL_GELU, EITHER},
    {32768, 1, SILU_MUL_SILU, ACTIVATION_INT8},
    {32768, 1, NO_GATE, EITHER},
    {100, 3, SILU_MUL_SILU, EITHER},
    {1, 2, SILU_MUL_GELU, EITHER},
    {7, 1, NO_GATE, EITHER},
    {1090, 1, SILU_MUL_GELU, ACTIVATION_INT8},
    {64, 2, SILU_MUL_GELU, ACTIVATION_F32},
};

static float gate[NUMBERS_MAX], up[NUMBERS_MAX];

static void compare(struct simt_case *c, const struct shape *shape)
{
    const size_t bytes = (size_t)shape->rows * (size_t)shape->dim * sizeof(float);
    struct simt_activation y = simt_activation_new(c, shape->rows, shape->dim, shape->forms);
    const bool has_gate = shape->kind != NO_GATE;
    struct silu_mul_args args = {.kind =
                                     has_gate ? (enum silu_mul_kind)shape->kind : SILU_MUL_SILU,
                                 .gate = has_gate ? gate : NULL,
                                 .up = up,
                                 .y = &y.host,
                                 .rows = shape->rows,
                                 .dim = shape->dim};
    assert_true(bytes <= sizeof up);
    assert_int_equal(silu_mul_cpu(c->host, &args), OK);
    args.gate = has_gate ? simt_case_up(c, gate, bytes) : NULL;
    args.up = simt_case_up(c, up, bytes);
    args.y = &y.device;
    assert_int_equal(SIMT_CASE_OP(c, silu_mul)(c->device, &args), OK);
    simt_activation_same(c, &y);
    simt_activation_free(&y);
}

static void noise_fill(struct simt_case *c, float size)
{
    for (size_t i = 0; i < NUMBERS_MAX; i++) {
        gate[i] = size * simt_case_float(c);
        up[i] = 3.0f * simt_case_float(c);
    }
}

static void all_shapes(struct simt_case *c)
{
    noise_fill(c, 9.0f);
    for (size_t i = 0; i < COUNT(shapes); i++)
        compare(c, &shapes[i]);
}

static void equals_the_cpu(void **state)
{
    simt_case_each(*state, all_shapes);
}

/* Gates through the whole range of the exponential, and past its ends. */
static void far_gates(struct simt_case *c)
{
    static const float ends[] = {0.0f,   -0.0f,    88.37f,    88.38f, -87.33654f, -88.4f,
                                 1e-40f, INFINITY, -INFINITY, NAN,    1e30f,      -1e30f};
    for (int kind = SILU_MUL_SILU; kind <= SILU_MUL_GELU; kind++) {
        const struct shape shape = {256, 4, kind, EITHER};
        noise_fill(c, 100.0f);
        compare(c, &shape);
        memcpy(gate, ends, sizeof ends);
        memcpy(gate + 256, ends, 7 * sizeof *ends);
        compare(c, &shape);
    }
}

static void far_gates_equal_the_cpu(void **state)
{
    simt_case_each(*state, far_gates);
}

/* Blocks of one subnormal number, that rotated come to 188 units: the scale of 188 / 127 units
 * rounds to 1, and 188 is clamped. Then scales near both ends of what a float has. */
static void far_scales(struct simt_case *c)
{
    static const float sizes[] = {
        1500.0f * 0x1p-149f, 900.0f * 0x1p-149f, 0x1p-120f, 0x1p-70f, 0x1p70f, 0x1p124f};
    const struct shape shape = {128, COUNT(sizes), NO_GATE, EITHER};
    for (size_t i = 0; i < COUNT(sizes) * 128; i++)
        up[i] = i % 64 == 5 ? sizes[i / 128] : sizes[i / 128] * (float)(i % 64 == 9) * 0.3f;
    compare(c, &shape);
}

static void far_scales_equal_the_cpu(void **state)
{
    simt_case_each(*state, far_scales);
}

/* Device memory in whole sectors, shared memory without conflicts. */
static void traffic(struct simt_case *c, const struct shape *shape)
{
    struct device_emu_counters counters;
    if (!simt_case_counts(c))
        return;
    device_emu_clear();
    noise_fill(c, 9.0f);
    compare(c, shape);
    assert_true(device_emu_count("silu_mul", &counters));
    assert_true(counters.launches == 1);
    assert_int_equal(counters.shared_conflicts, 0);
    assert_in_range(counters.global_sectors * 32, 1, counters.global_bytes * 101 / 100);
}

static void traffic_held(struct simt_case *c)
{
    const struct shape shape = {4096, 1, SILU_MUL_SILU, EITHER};
    traffic(c, &shape);
}

static void traffic_twice(struct simt_case *c)
{
    const struct shape shape = {20480, 1, SILU_MUL_SILU, ACTIVATION_INT8};
    traffic(c, &shape);
}

static void has_no_conflicts(void **state)
{
    simt_case_each(*state, traffic_held);
    simt_case_each(*state, traffic_twice);
}

static void what_it_cannot(struct simt_case *c)
{
    struct simt_activation y = simt_activation_new(c, 1, 64, EITHER);
    float *numbers = simt_case_up(c, NULL, 65 * sizeof(float));
    struct silu_mul_args args = {.up = numbers, .y = &y.device, .rows = 1, .dim = 63};
    assert_int_equal(SIMT_CASE_OP(c, silu_mul)(c->device, &args), ERR_LIMIT);
    args.dim = 64;
    args.up = numbers + 1;
    assert_int_equal(SIMT_CASE_OP(c, silu_mul)(c->device, &args), ERR_LIMIT);
    args.up = numbers;
    y.device.cols = args.dim = 32767; /* neither held nor in shared memory */
    y.device.stride = 32768;
    assert_int_equal(SIMT_CASE_OP(c, silu_mul)(c->device, &args), ERR_LIMIT);
    args.rows = 0;
    assert_int_equal(SIMT_CASE_OP(c, silu_mul)(c->device, &args), OK);
    simt_activation_free(&y);
}

static void refuses_what_it_cannot(void **state)
{
    simt_case_each(*state, what_it_cannot);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_cpu),           cmocka_unit_test(far_gates_equal_the_cpu),
        cmocka_unit_test(far_scales_equal_the_cpu), cmocka_unit_test(has_no_conflicts),
        cmocka_unit_test(refuses_what_it_cannot),
    };
    return simt_case_main(argc, argv, tests, COUNT(tests));
}
