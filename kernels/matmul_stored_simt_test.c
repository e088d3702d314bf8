/*
 * matmul_stored_simt_test - products with stored weights against the definition, bit for bit:
 * eight running sums of fused products, and against matmul_cpu where that has AVX2.
 */
#include "kernels/matmul_stored.h"
#include "tests/harness/simt_case.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/half.h"

struct shape {
    int32_t rows, out_dim, in_dim;
};

/* One product: all arrays as the host has them. */
struct product {
    struct shape shape;
    enum weight_type type;
    size_t matrix_bytes;
    uint8_t *w, *gate; /* gate may be NULL */
    float *x, *bias;   /* bias may be NULL */
    float *y, *want;   /* [rows, out_dim] */
    bool accumulate;
    enum silu_mul_kind kind;
};

static const enum weight_type types[] = {WEIGHT_F32,  WEIGHT_F16,   WEIGHT_BF16, WEIGHT_Q4_0,
                                         WEIGHT_Q4_1, WEIGHT_Q5_0,  WEIGHT_Q5_1, WEIGHT_Q8_0,
                                         WEIGHT_Q2_K, WEIGHT_Q3_K,  WEIGHT_Q4_K, WEIGHT_Q5_K,
                                         WEIGHT_Q6_K, WEIGHT_IQ4_NL};

enum { TYPES = sizeof types / sizeof types[0] };

/* Where a block has its halves; SIZE_MAX: it has no second one. */
static void half_places(enum weight_type type, size_t places[2])
{
    places[0] = type == WEIGHT_Q2_K   ? 80
                : type == WEIGHT_Q3_K ? 108
                : type == WEIGHT_Q6_K ? 208
                                      : 0;
    const bool has_minimum = type == WEIGHT_Q4_1 || type == WEIGHT_Q5_1 ||
                             type == WEIGHT_Q2_K || type == WEIGHT_Q4_K || type == WEIGHT_Q5_K;
    places[1] = has_minimum ? places[0] + 2 : SIZE_MAX;
}

static void put_half(struct simt_case *c, uint8_t *place, float factor)
{
    const uint16_t half = half_from_float(simt_case_normal(c) * factor);
    memcpy(place, &half, sizeof half);
}

/* Blocks of random bits with scales that make sense. */
static uint8_t *random_matrix(struct simt_case *c, enum weight_type type, size_t bytes)
{
    uint32_t block_elems, block_bytes;
    size_t places[2];
    assert_true(weight_type_layout(type, &block_elems, &block_bytes));
    uint8_t *matrix = malloc(bytes);
    assert_non_null(matrix);
    for (size_t i = 0; i < bytes; i++)
        matrix[i] = (uint8_t)simt_case_below(c, 256);
    half_places(type, places);
    for (size_t at = 0; at < bytes; at += block_bytes) {
        const float value = simt_case_normal(c);
        const uint16_t top = (uint16_t)(half_float_bits(value) >> 16);
        if (type == WEIGHT_F32)
            memcpy(matrix + at, &value, sizeof value);
        else if (type == WEIGHT_BF16)
            memcpy(matrix + at, &top, sizeof top);
        else
            put_half(c, matrix + at + places[0], type == WEIGHT_F16 ? 1.0f : 0.02f);
        if (block_elems > 1 && places[1] != SIZE_MAX)
            put_half(c, matrix + at + places[1], 0.02f);
    }
    return matrix;
}

static float *random_floats(struct simt_case *c, size_t count)
{
    float *floats = malloc(count * sizeof *floats);
    assert_non_null(floats);
    for (size_t i = 0; i < count; i++)
        floats[i] = simt_case_normal(c);
    return floats;
}

static float sum_of(const float *x, const float *w, int32_t count)
{
    float lane[8] = {0};
    for (int32_t i = 0; i < count; i++)
        lane[i % 8] = fmaf(x[i], w[i], lane[i % 8]);
    for (int32_t half = 4; half > 0; half /= 2) {
        for (int32_t i = 0; i < half; i++)
            lane[i] += lane[i + half];
    }
    return lane[0];
}

/* sums[rows, out_dim] by definition. */
static void product_sums(const struct product *p, const uint8_t *matrix, float *sums)
{
    const struct shape s = p->shape;
    const size_t row_bytes = p->matrix_bytes / (size_t)s.out_dim;
    float *w = malloc((size_t)s.in_dim * sizeof *w);
    assert_non_null(w);
    for (int32_t out = 0; out < s.out_dim; out++) {
        weight_dequantize(p->type, matrix + (size_t)out * row_bytes, w, s.in_dim);
        for (int32_t r = 0; r < s.rows; r++)
            sums[r * s.out_dim + out] =
                sum_of(p->x + (size_t)r * (size_t)s.in_dim, w, s.in_dim);
    }
    free(w);
}

static void product_want(struct simt_case *c, struct product *p)
{
    const int32_t outputs = p->shape.rows * p->shape.out_dim;
    product_sums(p, p->w, p->want);
    if (p->gate) {
        float *gate = malloc((size_t)outputs * sizeof *gate);
        assert_non_null(gate);
        product_sums(p, p->gate, gate);
        struct activation y = {
            .forms = ACTIVATION_F32, .cols = p->shape.out_dim, .f32 = p->want};
        const struct silu_mul_args args = {.kind = p->kind,
                                           .gate = gate,
                                           .up = p->want,
                                           .y = &y,
                                           .rows = p->shape.rows,
                                           .dim = p->shape.out_dim};
        assert_int_equal(silu_mul_cpu(c->host, &args), OK);
        free(gate);
        return;
    }
    for (int32_t i = 0; i < outputs; i++) {
        if (p->bias)
            p->want[i] += p->bias[i % p->shape.out_dim];
        if (p->accumulate)
            p->want[i] += p->y[i];
    }
}

static struct weight weight_of(const struct product *p, const void *data)
{
    return (struct weight){.form = WEIGHT_STORED,
                           .type = p->type,
                           .out_dim = p->shape.out_dim,
                           .in_dim = p->shape.in_dim,
                           .data = data,
                           .data_bytes = p->matrix_bytes};
}

/* The kernel's result in got[rows, out_dim]. */
static void product_run(struct simt_case *c, const struct product *p, float *got)
{
    const struct shape s = p->shape;
    const size_t y_bytes = (size_t)s.rows * (size_t)s.out_dim * sizeof(float);
    const size_t x_bytes = (size_t)s.rows * (size_t)s.in_dim * sizeof(float);
    const struct weight w = weight_of(p, simt_case_up(c, p->w, p->matrix_bytes));
    struct weight gate = {0};
    if (p->gate)
        gate = weight_of(p, simt_case_up(c, p->gate, p->matrix_bytes));
    const struct activation x = {
        .forms = ACTIVATION_F32, .cols = s.in_dim, .f32 = simt_case_up(c, p->x, x_bytes)};
    struct matmul_args args = {.x = &x,
                               .w = &w,
                               .y = simt_case_up(c, p->y, y_bytes),
                               .rows = s.rows,
                               .accumulate = p->accumulate,
                               .gate = p->gate ? &gate : NULL,
                               .gate_kind = p->kind};
    if (p->bias)
        args.bias = simt_case_up(c, p->bias, (size_t)s.out_dim * sizeof(float));
    assert_int_equal(SIMT_CASE_OP(c, matmul_stored)(c->device, &args), OK);
    simt_case_down(c, got, args.y, y_bytes);
}

static void product_check(struct simt_case *c, struct product *p)
{
    const struct shape s = p->shape;
    const size_t outputs = (size_t)s.rows * (size_t)s.out_dim;
    uint32_t block_elems, block_bytes;
    assert_true(weight_type_layout(p->type, &block_elems, &block_bytes));
    p->matrix_bytes = (size_t)s.out_dim * ((size_t)s.in_dim / block_elems) * block_bytes;
    p->w = random_matrix(c, p->type, p->matrix_bytes);
    p->x = random_floats(c, (size_t)s.rows * (size_t)s.in_dim);
    p->y = random_floats(c, outputs);
    p->want = random_floats(c, outputs);
    float *got = random_floats(c, outputs);
    product_want(c, p);
    product_run(c, p, got);
    for (size_t i = 0; i < outputs; i++) {
        if (half_float_bits(got[i]) != half_float_bits(p->want[i]))
            fail_msg("%s %d x %d x %d: output %zu is %.9g, must be %.9g",
                     weight_type_name(p->type), s.rows, s.out_dim, s.in_dim, i, (double)got[i],
                     (double)p->want[i]);
    }
    if (device_simd(c->host) >= DEVICE_SIMD_AVX2 && !p->gate) {
        const struct weight w = weight_of(p, p->w);
        const struct activation x = {.forms = ACTIVATION_F32, .cols = s.in_dim, .f32 = p->x};
        const struct matmul_args args = {.x = &x,
                                         .w = &w,
                                         .bias = p->bias,
                                         .y = p->y,
                                         .rows = s.rows,
                                         .accumulate = p->accumulate};
        assert_int_equal(matmul_cpu(c->host, &args), OK);
        assert_memory_equal(p->y, got, outputs * sizeof *got);
    }
    free(got);
    free(p->want);
    free(p->y);
    free(p->x);
    free(p->w);
}

static void every_type_body(struct simt_case *c)
{
    static const struct shape shapes[] = {
        {1, 37, 256}, {2, 5, 512}, {5, 16, 768}, {17, 19, 256}, {1, 3, 4096}};
    for (size_t type = 0; type < TYPES; type++) {
        for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
            struct product p = {.shape = shapes[i], .type = types[type]};
            product_check(c, &p);
        }
    }
}

/* Blocks of 32 and lengths of which nothing divides the chunk. */
static void short_rows_body(struct simt_case *c)
{
    static const struct shape shapes[] = {{1, 7, 32}, {3, 17, 96}, {8, 1, 576}, {9, 2, 288}};
    for (size_t type = 0; type <= 7; type++) { /* up to Q8_0 */
        for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
            struct product p = {.shape = shapes[i], .type = types[type]};
            product_check(c, &p);
        }
    }
}

static void odd_lengths_body(struct simt_case *c)
{
    static const int32_t lengths[] = {1, 7, 8, 9, 63, 65, 127, 131, 257};
    for (size_t type = 0; type < 3; type++) { /* F32, F16, BF16 */
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            struct product p = {.shape = {1 + (int32_t)i % 3, 5, lengths[i]},
                                .type = types[type]};
            product_check(c, &p);
        }
    }
}

static void epilogues_body(struct simt_case *c)
{
    for (int32_t rows = 1; rows <= 9; rows += 4) {
        const struct shape shape = {rows, 21, 256};
        float *bias = random_floats(c, 21);
        struct product with_bias = {.shape = shape, .type = WEIGHT_Q4_1, .bias = bias};
        struct product residual = {.shape = shape, .type = WEIGHT_Q8_0, .accumulate = true};
        struct product both = {
            .shape = shape, .type = WEIGHT_Q4_K, .bias = bias, .accumulate = true};
        product_check(c, &with_bias);
        product_check(c, &residual);
        product_check(c, &both);
        free(bias);
        for (int kind = 0; kind < 2; kind++) {
            struct product gated = {
                .shape = shape, .type = WEIGHT_Q4_0, .kind = (enum silu_mul_kind)kind};
            const size_t bytes = 21 * 256 / 32 * 18;
            gated.gate = random_matrix(c, WEIGHT_Q4_0, bytes);
            product_check(c, &gated);
            free(gated.gate);
        }
    }
}

static void every_type(void **state)
{
    simt_case_each(*state, every_type_body);
}

static void short_rows(void **state)
{
    simt_case_each(*state, short_rows_body);
}

static void odd_lengths(void **state)
{
    simt_case_each(*state, odd_lengths_body);
}

static void epilogues(void **state)
{
    simt_case_each(*state, epilogues_body);
}

/* What the kernel cannot take is refused before anything runs. */
static void refusals(void **state)
{
    struct simt_case *c = *state;
    struct weight w = {.type = WEIGHT_Q4_0, .out_dim = 4, .in_dim = 48};
    const struct activation x = {.forms = ACTIVATION_F32, .cols = 48};
    struct matmul_args args = {.x = &x, .w = &w, .rows = 1};
    enum status (*run)(struct device *, const struct matmul_args *) =
        SIMT_CASE_OP(c, matmul_stored);
    assert_int_equal(run(c->device, &args), ERR_LIMIT); /* half a block */
    w.type = (enum weight_type)4;
    assert_int_equal(run(c->device, &args), ERR_LIMIT);
    args.rows = 0;
    assert_int_equal(run(c->device, &args), OK);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type), cmocka_unit_test(short_rows),
        cmocka_unit_test(odd_lengths), cmocka_unit_test(epilogues), cmocka_unit_test(refusals)};
    return simt_case_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
