/* kv_copy_simt_test - pages copied whole, and no byte of another page touched. */
#include "kernels/kv_copy.h"

#include "tests/harness/simt_case.h"

#include <stdlib.h>
#include <string.h>

enum { PAGES = 6, COPIES = 2 };

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const int32_t from[COPIES] = {4, 0}, to[COPIES] = {1, 5};

/* A page of 64 bytes, of less than a block's piece, of a bit more than one, of several. */
static const struct kv_cache caches[] = {
    {.type = KV_INT8, .layers = 1, .kv_heads = 1, .head_dim = 1, .page_count = PAGES},
    {.type = KV_F16, .layers = 2, .kv_heads = 1, .head_dim = 64, .page_count = PAGES},
    {.type = KV_INT8, .layers = 2, .kv_heads = 3, .head_dim = 96, .page_count = PAGES},
    {.type = KV_F32, .layers = 1, .kv_heads = 3, .head_dim = 128, .page_count = PAGES},
};

static void compare(struct simt_case *c, const struct kv_cache *shape)
{
    struct kv_cache host = *shape, device = *shape;
    const size_t bytes = kv_layout_page_bytes(shape) * PAGES;
    uint8_t *found = malloc(bytes);
    host.data = malloc(bytes);
    assert_true(found != NULL && host.data != NULL);
    for (size_t i = 0; i < bytes; i++)
        host.data[i] = (uint8_t)simt_case_below(c, 256);
    device.data = simt_case_up(c, host.data, bytes);
    struct kv_copy_args args = {.cache = &host, .from = from, .to = to, .count = COPIES};
    assert_int_equal(kv_copy_cpu(c->host, &args), OK);
    args.cache = &device;
    args.from = simt_case_up(c, from, sizeof from);
    args.to = simt_case_up(c, to, sizeof to);
    assert_int_equal(SIMT_CASE_OP(c, kv_copy)(c->device, &args), OK);
    simt_case_down(c, found, device.data, bytes);
    assert_memory_equal(found, host.data, bytes);
    args.count = 0;
    assert_int_equal(SIMT_CASE_OP(c, kv_copy)(c->device, &args), OK);
    args.count = -1;
    assert_int_equal(SIMT_CASE_OP(c, kv_copy)(c->device, &args), ERR_LIMIT);
    free(host.data);
    free(found);
}

static void all_caches(struct simt_case *c)
{
    for (size_t i = 0; i < COUNT(caches); i++)
        compare(c, &caches[i]);
}

static void equals_the_cpu(void **state)
{
    simt_case_each(*state, all_caches);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_cpu),
    };
    return simt_case_main(argc, argv, tests, COUNT(tests));
}
