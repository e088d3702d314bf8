/* rope_simt_test - the kernel against the twin, bit for bit: types of the cache, head sizes,
 * GQA, both kinds of pairs, part of a head, norms, padding; and not a byte beside them. */
#include "kernels/device_emu.h"
#include "kernels/rope.h"

#include "tests/harness/simt_activation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 17, HEADS_MAX = 8, DIM_MAX = 256, LAYERS = 2, LAYER = 1, POSITIONS = 80 };

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct shape {
    enum kv_type type;
    int32_t head_dim, rope_dim, heads, kv_heads, rows;
    bool interleaved, has_norm;
} shapes[] = {
    {KV_INT8, 64, 64, 3, 1, 17, true, false}, {KV_INT8, 128, 128, 8, 2, 3, false, true},
    {KV_INT8, 96, 48, 2, 2, 2, false, false}, {KV_INT8, 256, 256, 4, 1, 1, false, true},
    {KV_F16, 64, 64, 4, 4, 5, false, true},   {KV_F16, 96, 96, 7, 1, 2, true, false},
    {KV_F16, 128, 32, 3, 1, 16, true, true},  {KV_F32, 128, 128, 2, 1, 2, true, true},
    {KV_F32, 20, 10, 3, 1, 3, true, false},   {KV_INT8, 20, 6, 1, 1, 2, false, true},
    {KV_INT8, 64, 0, 2, 1, 3, true, false},   {KV_F16, 128, 0, 2, 1, 2, false, true},
};

static float q[ROWS_MAX * HEADS_MAX * DIM_MAX];
static float k[ROWS_MAX * HEADS_MAX * DIM_MAX], v[ROWS_MAX * HEADS_MAX * DIM_MAX];
static float turns[POSITIONS * DIM_MAX], q_norm[DIM_MAX], k_norm[DIM_MAX];

static void noise_fill(struct simt_case *c)
{
    for (size_t i = 0; i < COUNT(q); i++) {
        q[i] = simt_case_normal(c);
        k[i] = simt_case_normal(c);
        v[i] = simt_case_normal(c);
    }
    for (size_t i = 0; i < DIM_MAX; i++) {
        q_norm[i] = 2.0f * simt_case_float(c);
        k_norm[i] = 2.0f * simt_case_float(c);
    }
}

static struct rope_args args_of(const struct shape *shape, const struct kv_cache *cache)
{
    return (struct rope_args){.norm_eps = 1e-6f,
                              .cache = cache,
                              .rows = shape->rows,
                              .heads = shape->heads,
                              .layer = LAYER,
                              .rope_dim = shape->rope_dim,
                              .interleaved = shape->interleaved};
}

static void cache_same(struct simt_case *c, const struct kv_cache *host, const uint8_t *device)
{
    const size_t page_bytes = kv_layout_page_bytes(host);
    const size_t bytes = page_bytes * (size_t)host->page_count;
    uint8_t *found = malloc(bytes);
    assert_non_null(found);
    simt_case_down(c, found, device, bytes);
    for (size_t i = 0; i < bytes; i++) {
        if (found[i] != host->data[i])
            print_error("page %zu, byte %zu of %zu: %u, the twin has %u\n", i / page_bytes,
                        i % page_bytes, page_bytes, found[i], host->data[i]);
        assert_int_equal(found[i], host->data[i]);
    }
    free(found);
}

/* Rows sit at neighbouring positions from 13 on, so that they cross pages; one is padding. */
static void compare(struct simt_case *c, const struct shape *shape)
{
    int32_t positions[ROWS_MAX], pages[ROWS_MAX];
    for (int32_t r = 0; r < shape->rows; r++) {
        positions[r] = shape->rows > 4 && r == 3 ? -1 : 13 + r + r / 9 * 32;
        pages[r] = 4 - (13 + r + r / 9 * 32) / KV_PAGE_TOKENS;
    }
    struct kv_cache host = {.type = shape->type,
                            .order = KV_ORDER_GPU,
                            .layers = LAYERS,
                            .kv_heads = shape->kv_heads,
                            .head_dim = shape->head_dim,
                            .page_count = 5};
    const size_t cache_bytes = kv_layout_page_bytes(&host) * (size_t)host.page_count;
    host.data = malloc(cache_bytes);
    float *turned = malloc(sizeof q);
    assert_true(host.data != NULL && turned != NULL);
    memset(host.data, 0x5b, cache_bytes);
    memcpy(turned, q, sizeof q);
    struct kv_cache device = host;
    device.data = simt_case_up(c, host.data, cache_bytes);
    struct rope_args args = args_of(shape, &host);
    args.q = turned;
    args.k = k;
    args.v = v;
    args.positions = positions;
    args.kv_pages = pages;
    args.turns = turns;
    args.q_norm = shape->has_norm ? q_norm : NULL;
    args.k_norm = shape->has_norm ? k_norm : NULL;
    assert_int_equal(rope_append_ref(c->host, &args), OK);
    const size_t head_bytes = (size_t)shape->head_dim * sizeof(float);
    const size_t row_bytes = head_bytes * (size_t)shape->rows;
    const size_t q_bytes = row_bytes * (size_t)shape->heads;
    const size_t k_bytes = row_bytes * (size_t)shape->kv_heads;
    args.cache = &device;
    args.q = simt_case_up(c, q, q_bytes);
    args.k = simt_case_up(c, k, k_bytes);
    args.v = simt_case_up(c, v, k_bytes);
    args.positions = simt_case_up(c, positions, (size_t)shape->rows * sizeof *positions);
    args.kv_pages = simt_case_up(c, pages, (size_t)shape->rows * sizeof *pages);
    args.turns = simt_case_up(c, turns, POSITIONS * (size_t)shape->rope_dim * sizeof(float));
    args.q_norm = shape->has_norm ? simt_case_up(c, q_norm, head_bytes) : NULL;
    args.k_norm = shape->has_norm ? simt_case_up(c, k_norm, head_bytes) : NULL;
    assert_int_equal(SIMT_CASE_OP(c, rope_append)(c->device, &args), OK);
    simt_activation_floats_same(c, turned, args.q, q_bytes / sizeof(float));
    cache_same(c, &host, device.data);
    free(host.data);
    free(turned);
}

static void turns_of(const struct shape *shape)
{
    float inv_freq[DIM_MAX / 2];
    for (int32_t i = 0; i < shape->rope_dim / 2; i++)
        inv_freq[i] = powf(10000.0f, -2.0f * (float)i / (float)shape->rope_dim);
    rope_turns_fill(turns, &(struct rope_turns){inv_freq, 0.0f, shape->rope_dim, POSITIONS});
}

static void all_shapes(struct simt_case *c)
{
    noise_fill(c);
    for (size_t i = 0; i < COUNT(shapes); i++) {
        turns_of(&shapes[i]);
        compare(c, &shapes[i]);
    }
}

static void equals_the_twin(void **state)
{
    simt_case_each(*state, all_shapes);
}

/* Heads of zeros, with an infinity, subnormal, and so small that int8 has no scale. */
static void odd_heads(struct simt_case *c)
{
    const struct shape shape = {KV_INT8, 64, 64, 4, 4, 2, false, false};
    noise_fill(c);
    turns_of(&shape);
    for (size_t i = 0; i < 64; i++) {
        k[i] = 0.0f;
        v[i] = v[i] * 1e-40f;
        v[128 + i] = i == 9 ? -1e-45f : 0.0f;
        k[192 + i] *= 1e37f;
    }
    v[64 + 7] = INFINITY;
    v[192 + 7] = -NAN;
    compare(c, &shape);
}

static void odd_heads_equal_the_twin(void **state)
{
    simt_case_each(*state, odd_heads);
}

static void traffic(struct simt_case *c)
{
    const struct shape shape = {KV_INT8, 128, 128, 8, 2, 2, true, true};
    struct device_emu_counters counters;
    if (!simt_case_counts(c))
        return;
    device_emu_clear();
    noise_fill(c);
    turns_of(&shape);
    compare(c, &shape);
    assert_true(device_emu_count("rope_heads", &counters));
    assert_true(counters.launches == 1 && counters.shared_requests > 0);
    assert_int_equal(counters.shared_conflicts, 0);
}

static void has_no_conflicts(void **state)
{
    simt_case_each(*state, traffic);
}

static void what_it_cannot(struct simt_case *c)
{
    struct kv_cache cache = {.type = KV_F32,
                             .order = KV_ORDER_CPU,
                             .layers = LAYERS,
                             .kv_heads = 1,
                             .head_dim = 64,
                             .page_count = 1};
    const struct shape shape = {KV_F32, 64, 64, 1, 1, 1, false, false};
    struct rope_args args = args_of(&shape, &cache);
    assert_int_equal(SIMT_CASE_OP(c, rope_append)(c->device, &args), ERR_LIMIT);
    cache.order = KV_ORDER_GPU;
    cache.head_dim = 257;
    assert_int_equal(SIMT_CASE_OP(c, rope_append)(c->device, &args), ERR_LIMIT);
    cache.head_dim = 62;
    assert_int_equal(SIMT_CASE_OP(c, rope_append)(c->device, &args), ERR_LIMIT);
    cache.head_dim = 64;
    args.rows = 0;
    assert_int_equal(SIMT_CASE_OP(c, rope_append)(c->device, &args), OK);
}

static void refuses_what_it_cannot(void **state)
{
    simt_case_each(*state, what_it_cannot);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_twin),
        cmocka_unit_test(odd_heads_equal_the_twin),
        cmocka_unit_test(has_no_conflicts),
        cmocka_unit_test(refuses_what_it_cannot),
    };
    return simt_case_main(argc, argv, tests, COUNT(tests));
}
