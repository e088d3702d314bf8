/* rope_cpu_test - rope and KV append against their plain twin, a row alone and in company. */
#include "kernels/rope.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS_MAX = 33, HEADS = 6, KV_HEADS = 2, DIM_MAX = 128, LAYERS = 2, STRIDE = 397 };

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

struct shape {
    enum kv_type type;
    int32_t head_dim, rope_dim;
    bool interleaved, is_normed;
};

/* What goes in, and what one function makes of it. */
struct problem {
    struct shape shape;
    float q[ROWS_MAX * HEADS * DIM_MAX];
    float k[ROWS_MAX * KV_HEADS * DIM_MAX], v[ROWS_MAX * KV_HEADS * DIM_MAX];
    float *turns, norm[DIM_MAX];
    int32_t positions[ROWS_MAX], pages[ROWS_MAX];
    struct kv_cache cache;
    size_t cache_bytes;
};

typedef enum status rope_function(struct device *, const struct rope_args *);

static struct device *device_new(uint32_t threads, enum device_simd simd)
{
    struct device *device;
    const struct device_options options = {.threads = threads, .simd_max = simd};
    assert_int_equal(device_open(&device, &options, NULL), OK);
    return device;
}

static void noise_fill(float *values, size_t count, uint32_t seed)
{
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        values[i] = (float)(seed >> 8) * 0x1p-23f - 1.0f;
    }
}

static struct problem *problem_new(struct shape shape)
{
    struct problem *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->shape = shape;
    noise_fill(p->q, COUNT(p->q), 1);
    noise_fill(p->k, COUNT(p->k), 2);
    noise_fill(p->v, COUNT(p->v), 3);
    noise_fill(p->norm, COUNT(p->norm), 4);
    float inv_freq[DIM_MAX / 2];
    for (int32_t i = 0; i < shape.rope_dim / 2; i++)
        inv_freq[i] = powf(10000.0f, -2.0f * (float)i / (float)shape.rope_dim);
    const int32_t positions = (ROWS_MAX - 1) * STRIDE + 1;
    p->turns = calloc((size_t)positions * (size_t)shape.rope_dim + 1, sizeof *p->turns);
    assert_non_null(p->turns);
    const struct rope_turns turns = {inv_freq, 0.0f, shape.rope_dim, positions};
    rope_turns_fill(p->turns, &turns);
    for (int32_t r = 0; r < ROWS_MAX; r++) {
        p->positions[r] = r * STRIDE;
        p->pages[r] = r;
    }
    p->cache = (struct kv_cache){.type = shape.type,
                                 .layers = LAYERS,
                                 .kv_heads = KV_HEADS,
                                 .head_dim = shape.head_dim,
                                 .page_count = ROWS_MAX};
    p->cache_bytes = kv_layout_page_bytes(&p->cache) * ROWS_MAX;
    p->cache.data = calloc(1, p->cache_bytes);
    assert_non_null(p->cache.data);
    return p;
}

static void problem_free(struct problem *p)
{
    free(p->turns);
    free(p->cache.data);
    free(p);
}

/* Runs rows first .. first+rows-1. */
static void run(struct device *device, rope_function *function, struct problem *p,
                int32_t first, int32_t rows)
{
    const size_t skip = (size_t)(first * p->shape.head_dim);
    const struct rope_args args = {.q = p->q + skip * HEADS,
                                   .k = p->k + skip * KV_HEADS,
                                   .v = p->v + skip * KV_HEADS,
                                   .positions = p->positions + first,
                                   .kv_pages = p->pages + first,
                                   .turns = p->turns,
                                   .q_norm = p->shape.is_normed ? p->norm : NULL,
                                   .k_norm = p->shape.is_normed ? p->norm : NULL,
                                   .norm_eps = 1e-5f,
                                   .cache = &p->cache,
                                   .rows = rows,
                                   .heads = HEADS,
                                   .layer = 1,
                                   .rope_dim = p->shape.rope_dim,
                                   .interleaved = p->shape.interleaved};
    assert_int_equal(function(device, &args), OK);
}

static const struct shape shapes[] = {
    {KV_F32, 64, 64, true, false},   {KV_F32, 128, 128, false, false},
    {KV_F16, 8, 8, true, false},     {KV_INT8, 96, 96, false, false},
    {KV_INT8, 64, 32, false, false}, {KV_F32, 20, 10, true, false},
    {KV_F16, 128, 128, false, true}, {KV_F32, 64, 0, true, false}};

static void rope_follows_the_twin(void **state)
{
    (void)state;
    const int32_t row_counts[] = {1, 15, 16, 17, 33};
    struct device *device = device_new(2, DEVICE_SIMD_AVX512_VNNI);
    for (size_t i = 0; i < COUNT(shapes) * COUNT(row_counts); i++) {
        struct problem *a = problem_new(shapes[i % COUNT(shapes)]);
        struct problem *b = problem_new(shapes[i % COUNT(shapes)]);
        const int32_t rows = row_counts[i / COUNT(shapes)];
        run(device, rope_append_ref, a, 0, rows);
        run(device, rope_append_cpu, b, 0, rows);
        assert_memory_equal(a->q, b->q, sizeof a->q);
        assert_memory_equal(a->cache.data, b->cache.data, a->cache_bytes);
        problem_free(a);
        problem_free(b);
    }
    device_close(device);
}

static void a_row_is_the_same_alone_and_in_company(void **state)
{
    (void)state;
    struct device *one = device_new(1, DEVICE_SIMD_SCALAR);
    struct device *two = device_new(2, DEVICE_SIMD_AVX512_VNNI);
    for (size_t i = 0; i < COUNT(shapes); i++) {
        struct problem *a = problem_new(shapes[i]), *b = problem_new(shapes[i]);
        run(two, rope_append_cpu, a, 0, ROWS_MAX);
        for (int32_t r = ROWS_MAX - 1; r >= 0; r--)
            run(one, rope_append_cpu, b, r, 1);
        assert_memory_equal(a->q, b->q, sizeof a->q);
        assert_memory_equal(a->cache.data, b->cache.data, a->cache_bytes);
        problem_free(a);
        problem_free(b);
    }
    device_close(one);
    device_close(two);
}

static void position_zero_turns_nothing(void **state)
{
    (void)state;
    struct device *device = device_new(1, DEVICE_SIMD_AVX512_VNNI);
    struct problem *a = problem_new(shapes[0]), *b = problem_new(shapes[0]);
    run(device, rope_append_cpu, a, 0, 1);
    assert_memory_equal(a->q, b->q, sizeof a->q);
    problem_free(a);
    problem_free(b);
    device_close(device);
}

/* Far positions turn by the angle itself, not by what a float leaves of it. */
static void turns_are_exact_far_away(void **state)
{
    (void)state;
    enum { POSITIONS = 131072, ROPE_DIM = 2 };
    float *turns = calloc((size_t)POSITIONS * ROPE_DIM, sizeof *turns);
    assert_non_null(turns);
    const float inv_freq = 0.7f;
    rope_turns_fill(turns, &(struct rope_turns){&inv_freq, 0.0f, ROPE_DIM, POSITIONS});
    for (int32_t p = 0; p < POSITIONS; p += 4999) {
        const double angle = (double)p * (double)inv_freq;
        assert_true(fabs((double)turns[p * ROPE_DIM] - cos(angle)) < 1e-7);
        assert_true(fabs((double)turns[p * ROPE_DIM + 1] - sin(angle)) < 1e-7);
    }
    free(turns);
}

static void a_magnitude_stretches_the_turns(void **state)
{
    (void)state;
    enum { POSITIONS = 9, ROPE_DIM = 4 };
    const float inv_freq[] = {0.7f, 0.01f};
    float plain[POSITIONS * ROPE_DIM], longer[POSITIONS * ROPE_DIM];
    rope_turns_fill(plain, &(struct rope_turns){inv_freq, 1.0f, ROPE_DIM, POSITIONS});
    rope_turns_fill(longer, &(struct rope_turns){inv_freq, 1.19f, ROPE_DIM, POSITIONS});
    for (size_t i = 0; i < COUNT(plain); i++)
        assert_true(fabsf(longer[i] - 1.19f * plain[i]) < 2e-7f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rope_follows_the_twin),
        cmocka_unit_test(a_row_is_the_same_alone_and_in_company),
        cmocka_unit_test(position_zero_turns_nothing),
        cmocka_unit_test(turns_are_exact_far_away),
        cmocka_unit_test(a_magnitude_stretches_the_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
