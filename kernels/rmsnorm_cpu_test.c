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

static void rmsnorm_equals_the_twin(void **state)
{
    (void)state;
    noise_fill(a, SIZE, 30.0f, 1);
    noise_fill(b, SIZE, 2.0f, 2);
    for (int level = DEVICE_SIMD_SCALAR; level <= DEVICE_SIMD_AVX2; level++) {
        struct device *device = device_new(2, (enum device_simd)level);
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

static void gate(struct device *device, bool is_ref, int32_t rows, int32_t dim,
                 struct activation *y)
{
    const struct silu_mul_args args = {.gate = a, .up = b, .y = y, .rows = rows, .dim = dim};
    assert_int_equal((is_ref ? silu_mul_ref : silu_mul_cpu)(device, &args), OK);
}

/* The exponential, the sum, the quotient and the product each err by an ulp or so. */
static void silu_mul_follows_the_twin(void **state)
{
    (void)state;
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
            assert_true(off <= 4e-7f * fabsf(found[0].f32[k]));
        }
    }
    device_close(scalar);
    device_close(widest);
}

static void silu_mul_has_its_limits(void **state)
{
    (void)state;
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
        struct embed_args args = {.table = &table, .tokens = tokens, .x = a, .rows = ROWS};
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rmsnorm_equals_the_twin),   cmocka_unit_test(rmsnorm_is_what_it_says),
        cmocka_unit_test(silu_mul_follows_the_twin), cmocka_unit_test(silu_mul_has_its_limits),
        cmocka_unit_test(embed_equals_the_twin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
