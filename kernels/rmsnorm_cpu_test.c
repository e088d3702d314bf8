/* rmsnorm_cpu_test - rmsnorm, silu_mul and embed, the ops of one row at a time: the plain
 * twin's bits where they are promised, every SIMD level, every form of the activation. */
#include "kernels/embed.h"
#include "kernels/rmsnorm.h"
#include "kernels/silu_mul.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS_MAX = 33, DIM_MAX = 1536, SIZE = ROWS_MAX * DIM_MAX };

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const int32_t dims[] = {1, 7, 64, 172, 288, 576, 1536};
static const int32_t row_counts[] = {1, 15, 16, 17, 33};

static float a[SIZE], b[SIZE];

/* One activation in both forms, or in int8 alone. */
struct result {
    float f32[SIZE], scales[ROWS_MAX];
    int8_t q8[SIZE];
};

static struct result found[3];

static struct activation activation_of(struct result *result, int32_t dim, uint32_t forms)
{
    memset(result, 0x7f, sizeof *result);
    return (struct activation){.forms = forms,
                               .cols = dim,
                               .f32 = (forms & ACTIVATION_F32) != 0 ? result->f32 : NULL,
                               .q8 = result->q8,
                               .scales = result->scales,
                               .stride = (dim + 63) / 64 * 64};
}

static struct device *device_new(uint32_t threads, enum device_simd simd)
{
    struct device *device;
    const struct device_options options = {.threads = threads, .simd_max = simd};
    assert_int_equal(device_open(&device, &options, NULL), OK);
    return device;
}

static void noise_fill(float *values, size_t count, float size, uint32_t seed)
{
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        values[i] = size * ((float)(seed >> 8) * 0x1p-23f - 1.0f);
    }
}

static void norm(struct device *device, bool is_ref, int32_t rows, int32_t dim,
                 struct activation *y)
{
    int32_t which[ROWS_MAX];
    for (int32_t r = 0; r < rows; r++)
        which[r] = r * 5 % rows;
    const struct rmsnorm_args args = {.x = a,
                                      .rows = rows % 2 == 0 ? which : NULL,
                                      .weight = b,
                                      .y = y,
                                      .row_count = rows,
                                      .dim = dim,
                                      .eps = 1e-5f};
    assert_int_equal((is_ref ? rmsnorm_ref : rmsnorm_cpu)(device, &args), OK);
}

static const enum device_simd levels[] = {DEVICE_SIMD_SCALAR, DEVICE_SIMD_WIDEST};

static void rmsnorm_equals_the_twin(void **state)
{
    (void)state;
    noise_fill(a, SIZE, 30.0f, 1);
    noise_fill(b, SIZE, 2.0f, 2);
    for (size_t level = 0; level < COUNT(levels); level++) {
        struct device *device = device_new(2, levels[level]);
        for (size_t i = 0; i < COUNT(dims) * COUNT(row_counts); i++) {
            const int32_t dim = dims[i % COUNT(dims)];
            const int32_t rows = row_counts[i / COUNT(dims)];
            struct activation y[] = {
                activation_of(&found[0], dim, ACTIVATION_F32 | ACTIVATION_INT8),
                activation_of(&found[1], dim, ACTIVATION_F32 | ACTIVATION_INT8),
                activation_of(&found[2], dim, ACTIVATION_INT8)};
            norm(device, true, rows, dim, &y[0]);
            norm(device, false, rows, dim, &y[1]);
            norm(device, false, rows, dim, &y[2]);
            assert_memory_equal(&found[0], &found[1], sizeof found[0]);
            assert_memory_equal(found[0].q8, found[2].q8, sizeof found[0].q8);
            assert_memory_equal(found[0].scales, found[2].scales, sizeof found[0].scales);
        }
        device_close(device);
    }
}

/* The definition itself, in double. */
static void rmsnorm_is_what_it_says(void **state)
{
    (void)state;
    enum { DIM = 577 };
    struct device *device = device_new(1, DEVICE_SIMD_AVX512_VNNI);
    struct activation y = activation_of(&found[0], DIM, ACTIVATION_F32);
    norm(device, false, 3, DIM, &y);
    for (size_t r = 0; r < 3; r++) {
        double sum = 0.0;
        for (size_t i = 0; i < DIM; i++)
            sum += (double)a[r * DIM + i] * (double)a[r * DIM + i];
        for (size_t i = 0; i < DIM; i++) {
            const double expected =
                (double)a[r * DIM + i] / sqrt(sum / DIM + 1e-5) * (double)b[i];
            assert_true(fabs((double)found[0].f32[r * DIM + i] - expected) <=
                        1e-6 * fabs(expected));
        }
    }
    device_close(device);
}

/* x + add is written to sum, whether that is x or not, for the rows named and no other, and
 * what is normalised is what was written. */
static void rmsnorm_adds_the_residual(void **state)
{
    (void)state;
    enum { ROWS = 17, DIM = 172, NAMED = 9, COUNT_ALL = ROWS * DIM };
    static float add[COUNT_ALL], sum[COUNT_ALL], in_place[COUNT_ALL];
    struct device *device = device_new(2, DEVICE_SIMD_AVX512_VNNI);
    const uint32_t both = ACTIVATION_F32 | ACTIVATION_INT8;
    struct activation y[] = {activation_of(&found[0], DIM, both),
                             activation_of(&found[1], DIM, both),
                             activation_of(&found[2], DIM, both)};
    int32_t rows[NAMED];
    for (int32_t r = 0; r < NAMED; r++)
        rows[r] = (NAMED - 1 - r) * 2;
    noise_fill(a, COUNT_ALL, 30.0f, 1);
    noise_fill(b, DIM, 2.0f, 2);
    noise_fill(add, COUNT_ALL, 30.0f, 5);
    memcpy(in_place, a, sizeof in_place);
    struct rmsnorm_args args = {.x = a,
                                .add = add,
                                .sum = sum,
                                .rows = rows,
                                .weight = b,
                                .y = &y[0],
                                .row_count = NAMED,
                                .dim = DIM,
                                .eps = 1e-5f};
    assert_int_equal(rmsnorm_cpu(device, &args), OK);
    args.x = args.sum = in_place;
    args.y = &y[1];
    assert_int_equal(rmsnorm_ref(device, &args), OK);
    for (size_t i = 0; i < COUNT_ALL; i++) {
        const bool is_named = i / DIM % 2 == 0;
        assert_true(sum[i] == (is_named ? a[i] + add[i] : 0.0f));
        assert_true(in_place[i] == (is_named ? sum[i] : a[i]));
    }
    args = (struct rmsnorm_args){.x = sum,
                                 .rows = rows,
                                 .weight = b,
                                 .y = &y[2],
                                 .row_count = NAMED,
                                 .dim = DIM,
                                 .eps = 1e-5f};
    assert_int_equal(rmsnorm_ref(device, &args), OK);
    assert_memory_equal(&found[0], &found[1], sizeof found[0]);
    assert_memory_equal(&found[0], &found[2], sizeof found[0]);
    device_close(device);
}

static enum silu_mul_kind gate_kind;

static void gate(struct device *device, bool is_ref, int32_t rows, int32_t dim,
                 struct activation *y)
{
    const struct silu_mul_args args = {
        .kind = gate_kind, .gate = a, .up = b, .y = y, .rows = rows, .dim = dim};
    assert_int_equal((is_ref ? silu_mul_ref : silu_mul_cpu)(device, &args), OK);
}

/* Of GELU, -2 u: an error of some ulps there is one of the exponential's relative size. */
static float exponent_of(float gate)
{
    return 1.6f * (fabsf(gate) + 0.045f * fabsf(gate) * fabsf(gate) * fabsf(gate));
}

/* The exponential, the sum, the quotient and the product each err by an ulp or so; GELU's
 * exponent by four half ulps; and where the exponential passes e^88.37 the product is zero. */
static void silu_mul_follows_the_twin(void **state)
{
    gate_kind = *state != NULL ? SILU_MUL_GELU : SILU_MUL_SILU;
    noise_fill(a, SIZE, 40.0f, 3);
    noise_fill(b, SIZE, 3.0f, 4);
    struct device *scalar = device_new(1, DEVICE_SIMD_SCALAR);
    struct device *widest = device_new(2, DEVICE_SIMD_AVX512_VNNI);
    for (size_t i = 0; i < COUNT(dims) * COUNT(row_counts); i++) {
        const int32_t dim = dims[i % COUNT(dims)], rows = row_counts[i / COUNT(dims)];
        const uint32_t both = ACTIVATION_F32 | ACTIVATION_INT8;
        struct activation y[] = {activation_of(&found[0], dim, both),
                                 activation_of(&found[1], dim, both),
                                 activation_of(&found[2], dim, both)};
        gate(scalar, true, rows, dim, &y[0]);
        gate(scalar, false, rows, dim, &y[1]);
        gate(widest, false, rows, dim, &y[2]);
        assert_memory_equal(&found[1], &found[2], sizeof found[1]);
        for (size_t k = 0; k < (size_t)(rows * dim); k++) {
            const float off = fabsf(found[1].f32[k] - found[0].f32[k]);
            const float exponent = gate_kind == SILU_MUL_GELU ? exponent_of(a[k]) : 0.0f;
            const float bound =
                (4e-7f + 2.4e-7f * fminf(exponent, 88.4f)) * fabsf(found[0].f32[k]);
            assert_true(off <= bound + 1e-36f);
        }
    }
    device_close(scalar);
    device_close(widest);
}

static void silu_mul_has_its_limits(void **state)
{
    (void)state;
    gate_kind = SILU_MUL_SILU;
    struct device *device = device_new(1, DEVICE_SIMD_AVX512_VNNI);
    const float gates[] = {0.0f, -1000.0f, 1000.0f, -INFINITY, INFINITY, NAN, -88.0f, 1e-40f};
    struct activation y = activation_of(&found[0], COUNT(gates), ACTIVATION_F32);
    for (size_t i = 0; i < COUNT(gates); i++) {
        a[i] = gates[i];
        b[i] = 1.0f;
    }
    gate(device, false, 1, COUNT(gates), &y);
    assert_true(found[0].f32[0] == 0.0f && found[0].f32[1] == 0.0f);
    assert_true(found[0].f32[2] == 1000.0f && found[0].f32[4] == INFINITY);
    assert_true(isnan(found[0].f32[3]) && isnan(found[0].f32[5])); /* infinity / infinity */
    assert_true(fabsf(found[0].f32[6]) < 1e-35f && found[0].f32[7] == 0.5e-40f);
    device_close(device);
}

static void without_a_gate_up_goes_through(void **state)
{
    (void)state;
    enum { ROWS = 3, DIM = 100 };
    struct device *device = device_new(1, DEVICE_SIMD_AVX512_VNNI);
    const uint32_t both = ACTIVATION_F32 | ACTIVATION_INT8;
    struct activation y[] = {activation_of(&found[0], DIM, both),
                             activation_of(&found[1], DIM, both)};
    noise_fill(b, ROWS * DIM, 3.0f, 4);
    struct silu_mul_args args = {.up = b, .y = &y[0], .rows = ROWS, .dim = DIM};
    assert_int_equal(silu_mul_ref(device, &args), OK);
    args.y = &y[1];
    assert_int_equal(silu_mul_cpu(device, &args), OK);
    assert_memory_equal(&found[0], &found[1], sizeof found[0]);
    assert_memory_equal(found[0].f32, b, ROWS * DIM * sizeof *b);
    device_close(device);
}

static void gelu_has_its_limits(void **state)
{
    (void)state;
    struct device *device = device_new(1, DEVICE_SIMD_AVX512_VNNI);
    const float gates[] = {0.0f, -1000.0f, 1000.0f, 1e20f, -1e20f, NAN, 1e-40f, INFINITY};
    struct activation y = activation_of(&found[0], COUNT(gates), ACTIVATION_F32);
    for (size_t i = 0; i < COUNT(gates); i++) {
        a[i] = gates[i];
        b[i] = 1.0f;
    }
    gate_kind = SILU_MUL_GELU;
    gate(device, false, 1, COUNT(gates), &y);
    assert_true(found[0].f32[0] == 0.0f && found[0].f32[1] == 0.0f);
    assert_true(found[0].f32[2] == 1000.0f && found[0].f32[3] == 1e20f);
    assert_true(found[0].f32[4] == 0.0f && isnan(found[0].f32[5]));
    assert_true(found[0].f32[6] == 0.5e-40f && found[0].f32[7] == INFINITY);
    device_close(device);
}

static void embed_equals_the_twin(void **state)
{
    (void)state;
    enum { VOCAB = 20, DIM = 64, ROWS = 33 };
    struct device *device = device_new(2, DEVICE_SIMD_AVX512_VNNI);
    const enum weight_type types[] = {WEIGHT_F32, WEIGHT_F16, WEIGHT_Q4_1, WEIGHT_Q8_0};
    uint8_t *data = malloc(VOCAB * DIM * sizeof(float));
    assert_non_null(data);
    for (size_t i = 0; i < VOCAB * DIM * sizeof(float); i++)
        data[i] = (uint8_t)(i * 7 % 60); /* small exponents in every format: all finite */
    token_id tokens[ROWS];
    for (int32_t r = 0; r < ROWS; r++)
        tokens[r] = r * 7 % VOCAB;
    for (size_t t = 0; t < COUNT(types); t++) {
        const struct weight table = {.form = WEIGHT_STORED,
                                     .type = types[t],
                                     .out_dim = VOCAB,
                                     .in_dim = DIM,
                                     .data = data};
        struct embed_args args = {.table = &table,
                                  .tokens = tokens,
                                  .x = a,
                                  .rows = ROWS,
                                  .scale = t % 2 == 1 ? 5.5f : 0.0f};
        memset(a, 0xff, sizeof a);
        memset(b, 0xff, sizeof b);
        assert_int_equal(embed_cpu(device, &args), OK);
        args.x = b;
        assert_int_equal(embed_ref(device, &args), OK);
        assert_memory_equal(a, b, sizeof a);
        assert_true(a[ROWS * DIM - 1] < 1e30f && isnan(a[ROWS * DIM]));
        if (types[t] == WEIGHT_F32)
            assert_memory_equal(a + DIM, data + 7 * DIM * sizeof(float), DIM * sizeof(float));
    }
    free(data);
    device_close(device);
}

int main(void)
{
    static bool is_gelu = true;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rmsnorm_equals_the_twin),
        cmocka_unit_test(rmsnorm_is_what_it_says),
        cmocka_unit_test(rmsnorm_adds_the_residual),
        cmocka_unit_test(silu_mul_follows_the_twin),
        cmocka_unit_test_prestate(silu_mul_follows_the_twin, &is_gelu),
        cmocka_unit_test(silu_mul_has_its_limits),
        cmocka_unit_test(gelu_has_its_limits),
        cmocka_unit_test(without_a_gate_up_goes_through),
        cmocka_unit_test(embed_equals_the_twin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
