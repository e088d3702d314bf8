/* matmul_cpu_test - every SIMD level this machine has against the plain twin: int8 bit for
 * bit, exact precision within rounding; and a row's bits alone and in every batch. */
#include "kernels/matmul.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct shape {
    int32_t rows, in_dim, out_dim;
};

/* One matmul with everything it needs, in memory of exactly the right size. */
struct problem {
    struct shape shape;
    struct device *device;
    float *values, *rows; /* the weight and x as floats */
    struct weight weight;
    struct activation x;
    float *bias, *start, *y; /* start: what y holds before */
};

static float noise(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) * 0x1p-23f - 1.0f;
}

static float *noise_new(size_t count, uint32_t seed)
{
    float *values = malloc(count * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < count; i++)
        values[i] = noise(&seed);
    return values;
}

static struct device *device_new(uint32_t threads, enum device_simd simd)
{
    struct device *device;
    const struct device_options options = {.threads = threads, .simd_max = simd};
    assert_int_equal(device_open(&device, &options, NULL), OK);
    return device;
}

static void int8_fill(struct problem *p)
{
    const size_t cols = (size_t)p->shape.in_dim;
    float *row = malloc(cols * sizeof *row);
    assert_non_null(row);
    for (int32_t r = 0; r < p->shape.rows; r++) {
        memcpy(row, p->rows + (size_t)r * cols, cols * sizeof *row);
        activation_quantize(&p->x, r, row);
    }
    free(row);
}

static void problem_init(struct problem *p, struct device *device, struct shape shape,
                         enum weight_form form)
{
    const size_t rows = (size_t)shape.rows, cols = (size_t)shape.in_dim;
    const size_t outs = (size_t)shape.out_dim;
    *p = (struct problem){.shape = shape, .device = device};
    p->values = noise_new(cols * outs, 1);
    p->rows = noise_new(cols * rows, 2);
    p->bias = noise_new(outs, 3);
    p->start = noise_new(outs * rows, 4);
    p->y = calloc(outs * rows, sizeof *p->y);
    p->x = (struct activation){.forms = ACTIVATION_F32,
                               .cols = shape.in_dim,
                               .f32 = p->rows,
                               .stride = (shape.in_dim + 63) / 64 * 64};
    const struct weight_source source = {"test", WEIGHT_F32, shape.out_dim, shape.in_dim,
                                         p->values};
    assert_int_equal(weight_prepare(device, &source, form, &p->weight, NULL), OK);
    if (form == WEIGHT_INT8) {
        p->x.forms = ACTIVATION_INT8;
        p->x.q8 = malloc(rows * (size_t)p->x.stride);
        p->x.scales = malloc(rows * sizeof(float));
        assert_true(p->x.q8 != NULL && p->x.scales != NULL);
        int8_fill(p);
    }
}

static void problem_deinit(struct problem *p)
{
    weight_release(p->device, &p->weight);
    free(p->values);
    free(p->rows);
    free(p->bias);
    free(p->start);
    free(p->y);
    free(p->x.q8);
    free(p->x.scales);
}

typedef enum status matmul_function(struct device *, const struct matmul_args *);

/* Runs rows first .. first+rows-1 of the problem into y; extras: with bias and residual. */
static void problem_run(struct problem *p, matmul_function *function, int32_t first,
                        int32_t rows, bool extras)
{
    struct activation x = p->x;
    const size_t skip_outs = (size_t)first * (size_t)p->shape.out_dim;
    const size_t outs = (size_t)rows * (size_t)p->shape.out_dim;
    if (x.q8 != NULL) {
        x.q8 += (size_t)first * (size_t)x.stride;
        x.scales += first;
    }
    x.f32 += (size_t)first * (size_t)p->shape.in_dim;
    memcpy(p->y + skip_outs, p->start + skip_outs, outs * sizeof(float));
    const struct matmul_args args = {.x = &x,
                                     .w = &p->weight,
                                     .bias = extras ? p->bias : NULL,
                                     .y = p->y + skip_outs,
                                     .rows = rows,
                                     .accumulate = extras};
    assert_int_equal(function(p->device, &args), OK);
}

static float *result_copy(const struct problem *p)
{
    const size_t bytes = (size_t)p->shape.rows * (size_t)p->shape.out_dim * sizeof(float);
    float *copy = malloc(bytes);
    assert_non_null(copy);
    return memcpy(copy, p->y, bytes);
}

static void int8_check(struct problem *p, bool extras)
{
    const struct shape s = p->shape;
    problem_run(p, matmul_ref, 0, s.rows, extras);
    float *expected = result_copy(p);
    problem_run(p, matmul_cpu, 0, s.rows, extras);
    for (size_t i = 0; i < (size_t)s.rows * (size_t)s.out_dim; i++) {
        if (memcmp(p->y + i, expected + i, sizeof(float)) != 0)
            fail_msg("int8 %dx%dx%d, %s: y[%zu] is %a, should be %a", s.rows, s.in_dim,
                     s.out_dim, device_simd_name(device_simd(p->device)), i, (double)p->y[i],
                     (double)expected[i]);
    }
    free(expected);
}

static const int32_t in_dims[] = {4, 64, 172, 288, 576, 1536};
static const int32_t out_dims[] = {1, 3, 16, 192, 513};
/* Of 300 rows a task has a part, of fewer all. */
static const int32_t row_counts[] = {1, 2, 15, 16, 17, 33, 130, 300};

enum { PRODUCTS_MAX = 3 << 20 };

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* The twin is slow: sizes whose product is large are left out, each occurs often enough. */
static void int8_shape(struct device *device, struct shape shape, bool extras)
{
    if ((int64_t)shape.rows * shape.in_dim * shape.out_dim > PRODUCTS_MAX)
        return;
    struct problem p;
    problem_init(&p, device, shape, WEIGHT_INT8);
    int8_check(&p, extras);
    problem_deinit(&p);
}

static void int8_shapes(struct device *device)
{
    for (size_t i = 0; i < COUNT(in_dims); i++) {
        for (size_t o = 0; o < COUNT(out_dims); o++) {
            for (size_t r = 0; r < COUNT(row_counts); r++)
                int8_shape(device, (struct shape){row_counts[r], in_dims[i], out_dims[o]},
                           (i + o + r) % 2 == 0);
        }
    }
}

static void int8_equals_the_twin(void **state)
{
    (void)state;
    for (uint32_t threads = 1; threads <= 2; threads++) {
        enum device_simd last = DEVICE_SIMD_SCALAR;
        for (int level = DEVICE_SIMD_SCALAR; level <= DEVICE_SIMD_WIDEST; level++) {
            struct device *device = device_new(threads, (enum device_simd)level);
            if (level == DEVICE_SIMD_SCALAR || device_simd(device) != last)
                int8_shapes(device);
            last = device_simd(device);
            device_close(device);
        }
    }
}

/* All values at the ends of the range, signs so chosen that sums are as large as they get. */
static void int8_extremes_do_not_saturate(void **state)
{
    (void)state;
    const struct shape shape = {17, 4096, 48};
    struct device *device = device_new(2, DEVICE_SIMD_WIDEST);
    for (int pattern = 0; pattern < 4; pattern++) {
        struct problem p;
        problem_init(&p, device, shape, WEIGHT_INT8);
        int8_t *packed = device_alloc(device, p.weight.data_bytes);
        assert_non_null(packed);
        const int8_t w = pattern & 1 ? -127 : 127;
        const int8_t x = pattern & 2 ? -127 : 127;
        memset(packed, w, p.weight.data_bytes);
        memset(p.x.q8, x, (size_t)(shape.rows * p.x.stride));
        struct weight weight = p.weight;
        weight.data = packed;
        const struct weight made = p.weight;
        p.weight = weight;
        int8_check(&p, false);
        p.weight = made;
        device_free(device, packed, made.data_bytes);
        problem_deinit(&p);
    }
    device_close(device);
}

static void exact_check(struct problem *p, bool extras)
{
    const struct shape s = p->shape;
    problem_run(p, matmul_ref, 0, s.rows, extras);
    float *expected = result_copy(p);
    problem_run(p, matmul_cpu, 0, s.rows, extras);
    /* Values are below 1 in magnitude; each of in_dim/8 steps errs by at most half an ulp. */
    const double bound = 4.0 * s.in_dim * 0x1p-24;
    for (size_t i = 0; i < (size_t)s.rows * (size_t)s.out_dim; i++) {
        if (!(fabs((double)p->y[i] - (double)expected[i]) <= bound))
            fail_msg("exact %dx%dx%d: y[%zu] is %.9g, should be %.9g", s.rows, s.in_dim,
                     s.out_dim, i, (double)p->y[i], (double)expected[i]);
    }
    free(expected);
}

static void exact_follows_the_twin(void **state)
{
    (void)state;
    const enum device_simd levels[] = {DEVICE_SIMD_SCALAR, DEVICE_SIMD_WIDEST};
    for (size_t level = 0; level < COUNT(levels); level++) {
        struct device *device = device_new(2, levels[level]);
        for (size_t i = 0; i < COUNT(in_dims); i++) {
            for (size_t o = 0; o < COUNT(out_dims); o++) {
                struct problem p;
                const struct shape shape = {(int32_t)(i + 7 * o) + 1, in_dims[i], out_dims[o]};
                problem_init(&p, device, shape, WEIGHT_STORED);
                exact_check(&p, (i + o) % 2 == 0);
                problem_deinit(&p);
            }
        }
        device_close(device);
    }
}

/* Rows in batches of every size up to 70 give the bits that each gives alone (of some sizes
 * where in_dim is large: then one output's weights fill a task). */
static void batches_change_nothing(enum weight_form form, int32_t in_dim, uint32_t threads)
{
    enum { ROWS = 70, ROWS_STEP_DIM = 2000 };
    struct problem p;
    const struct shape shape = {ROWS, in_dim, 35};
    struct device *device = device_new(threads, DEVICE_SIMD_WIDEST);
    problem_init(&p, device, shape, form);
    for (int32_t r = 0; r < ROWS; r++)
        problem_run(&p, matmul_cpu, r, 1, true);
    float *alone = result_copy(&p);
    for (int32_t rows = 1; rows <= ROWS; rows += in_dim > ROWS_STEP_DIM && rows > 4 ? 9 : 1) {
        problem_run(&p, matmul_cpu, ROWS - rows, rows, true);
        if (memcmp(p.y, alone, (size_t)(ROWS * shape.out_dim) * sizeof(float)) != 0)
            fail_msg("form %d, in_dim %d, %u threads: a batch of %d rows differs", (int)form,
                     in_dim, threads, rows);
    }
    free(alone);
    problem_deinit(&p);
    device_close(device);
}

static void a_row_is_the_same_alone_and_in_a_batch(void **state)
{
    (void)state;
    const int32_t dims[] = {64, 172, 288, 1536, 20000};
    for (size_t i = 0; i < COUNT(dims); i++) {
        for (uint32_t threads = 1; threads <= 2; threads++) {
            batches_change_nothing(WEIGHT_STORED, dims[i], threads);
            batches_change_nothing(WEIGHT_INT8, dims[i], threads);
        }
    }
}

/* One gated product of a problem's weight by itself and by another, into a new array. */
static float *gated_new(struct problem *p, const struct problem *other,
                        matmul_function *function, enum silu_mul_kind kind)
{
    const size_t outs = (size_t)p->shape.rows * (size_t)p->shape.out_dim;
    float *y = noise_new(outs, 9);
    const struct matmul_args args = {.x = &p->x,
                                     .w = &p->weight,
                                     .y = y,
                                     .rows = p->shape.rows,
                                     .gate = &other->weight,
                                     .gate_kind = kind};
    assert_int_equal(function(p->device, &args), OK);
    return y;
}

/* The bits of two products and silu_mul, and within rounding what the twin says. */
static void gate_check(struct problem *p, struct problem *other, enum silu_mul_kind kind)
{
    const struct shape s = p->shape;
    const size_t outs = (size_t)s.rows * (size_t)s.out_dim;
    float *fused = gated_new(p, other, matmul_cpu, kind);
    float *plain = gated_new(p, other, matmul_ref, kind);
    problem_run(p, matmul_cpu, 0, s.rows, false);
    const struct activation x = other->x; /* another weight, the same rows */
    other->x = p->x;
    problem_run(other, matmul_cpu, 0, s.rows, false);
    other->x = x;
    float *apart = noise_new(outs, 9);
    struct activation y = {.forms = ACTIVATION_F32, .cols = s.out_dim, .f32 = apart};
    const struct silu_mul_args silu = {
        .kind = kind, .gate = other->y, .up = p->y, .y = &y, .rows = s.rows, .dim = s.out_dim};
    assert_int_equal(silu_mul_cpu(p->device, &silu), OK);
    assert_memory_equal(fused, apart, outs * sizeof *fused);
    for (size_t i = 0; i < outs; i++) {
        const double bound = 1e-5 * fabs((double)plain[i]) + 1e-4;
        if (!(fabs((double)fused[i] - (double)plain[i]) <= bound))
            fail_msg("gate %d, form %d: y[%zu] is %.9g, should be %.9g", (int)kind,
                     (int)p->weight.form, i, (double)fused[i], (double)plain[i]);
    }
    free(fused);
    free(plain);
    free(apart);
}

static void gate_shape(struct shape shape)
{
    for (int form = WEIGHT_STORED; form <= WEIGHT_INT8; form++) {
        struct device *device = device_new(2, DEVICE_SIMD_WIDEST);
        struct problem p, other;
        problem_init(&p, device, shape, (enum weight_form)form);
        problem_init(&other, device, shape, (enum weight_form)form);
        weight_release(device, &other.weight);
        free(other.values);
        other.values = noise_new((size_t)(shape.in_dim * shape.out_dim), 77);
        const struct weight_source gate = {"gate", WEIGHT_F32, shape.out_dim, shape.in_dim,
                                           other.values};
        assert_int_equal(
            weight_prepare(device, &gate, (enum weight_form)form, &other.weight, NULL), OK);
        gate_check(&p, &other, SILU_MUL_SILU);
        gate_check(&p, &other, SILU_MUL_GELU);
        problem_deinit(&p);
        problem_deinit(&other);
        device_close(device);
    }
}

/* Of 130 rows a level may turn both weights' panels beforehand. */
static void a_gate_is_two_products_and_silu_mul(void **state)
{
    (void)state;
    gate_shape((struct shape){33, 172, 51});
    gate_shape((struct shape){130, 172, 51});
}

/* Then panels are multiplied as they lie in the weight, and nothing is written there. (There is
 * room for the two panels of this weight, but not for those of a gate too.) */
static void scratch_may_be_too_little_for_panels(void **state)
{
    (void)state;
    enum { SCRATCH = 65536 };
    const struct device_options options = {
        .threads = 1, .simd_max = DEVICE_SIMD_WIDEST, .scratch_bytes = SCRATCH};
    struct device *device;
    assert_int_equal(device_open(&device, &options, NULL), OK);
    struct problem p;
    problem_init(&p, device, (struct shape){130, 576, 48}, WEIGHT_INT8);
    uint8_t *scratch = device_scratch(device, 0);
    memset(scratch, 0x5a, SCRATCH);
    int8_check(&p, true);
    for (size_t i = 0; i < SCRATCH; i++)
        assert_int_equal(scratch[i], 0x5a);
    problem_deinit(&p);
    device_close(device);
}

static void no_rows_write_nothing(void **state)
{
    (void)state;
    struct device *device = device_new(2, DEVICE_SIMD_WIDEST);
    struct problem p;
    problem_init(&p, device, (struct shape){1, 64, 16}, WEIGHT_INT8);
    float expected[16];
    memcpy(p.y, p.start, sizeof expected);
    memcpy(expected, p.y, sizeof expected);
    problem_run(&p, matmul_cpu, 0, 0, false);
    assert_memory_equal(p.y, expected, sizeof expected);
    problem_deinit(&p);
    device_close(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(int8_equals_the_twin),
        cmocka_unit_test(int8_extremes_do_not_saturate),
        cmocka_unit_test(exact_follows_the_twin),
        cmocka_unit_test(a_row_is_the_same_alone_and_in_a_batch),
        cmocka_unit_test(a_gate_is_two_products_and_silu_mul),
        cmocka_unit_test(scratch_may_be_too_little_for_panels),
        cmocka_unit_test(no_rows_write_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
