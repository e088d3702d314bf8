/* embed_simt_test - the kernel against the twin, bit for bit, for every type of the file. */
#include "kernels/embed.h"

#include "tests/harness/simt_activation.h"

#include <stdlib.h>
#include <string.h>

enum { VOCAB = 9, ROWS = 5, DIM_MAX = 1280 };

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Of five rows one has the token of the second result, one that of the first: none. */
static const token_id tokens[ROWS] = {8, EMBED_CHOSEN(1), 3, EMBED_CHOSEN(0), 7};
static const struct sample_result chosen[] = {{.token = TOKEN_NONE}, {.token = 5}};

static const enum weight_type types[] = {
    WEIGHT_F32,  WEIGHT_F16,  WEIGHT_BF16, WEIGHT_Q4_0, WEIGHT_Q4_1, WEIGHT_Q5_0, WEIGHT_Q5_1,
    WEIGHT_Q8_0, WEIGHT_Q2_K, WEIGHT_Q3_K, WEIGHT_Q4_K, WEIGHT_Q5_K, WEIGHT_Q6_K, WEIGHT_IQ4_NL,
};

static float x[ROWS * DIM_MAX];

static void compare(struct simt_case *c, enum weight_type type, int32_t dim)
{
    uint32_t block_elems, block_bytes;
    assert_true(weight_type_layout(type, &block_elems, &block_bytes));
    if ((uint32_t)dim % block_elems != 0)
        return;
    const size_t bytes = VOCAB * (size_t)dim / block_elems * block_bytes;
    uint8_t *data = malloc(bytes);
    assert_non_null(data);
    for (size_t i = 0; i < bytes; i++)
        data[i] = (uint8_t)simt_case_below(c, 256);
    struct weight table = {.form = WEIGHT_STORED,
                           .type = type,
                           .out_dim = VOCAB,
                           .in_dim = dim,
                           .data = data,
                           .data_bytes = bytes};
    struct embed_args args = {.table = &table,
                              .tokens = tokens,
                              .chosen = chosen,
                              .x = x,
                              .rows = ROWS,
                              .scale = type % 2 == 0 ? 25.298221f : 0.0f};
    assert_int_equal(embed_ref(c->host, &args), OK);
    const size_t count = (size_t)ROWS * (size_t)dim;
    table.data = simt_case_up(c, data, bytes);
    args.tokens = simt_case_up(c, tokens, sizeof tokens);
    args.chosen = simt_case_up(c, chosen, sizeof chosen);
    args.x = simt_case_up(c, NULL, count * sizeof(float));
    assert_int_equal(SIMT_CASE_OP(c, embed)(c->device, &args), OK);
    simt_activation_floats_same(c, x, args.x, count);
    free(data);
}

static void all_types(struct simt_case *c)
{
    static const int32_t dims[] = {64, 100, 256, 576, 1280};
    for (size_t i = 0; i < COUNT(types) * COUNT(dims); i++)
        compare(c, types[i % COUNT(types)], dims[i / COUNT(types)]);
}

static void equals_the_twin(void **state)
{
    simt_case_each(*state, all_types);
}

static void what_it_cannot(struct simt_case *c)
{
    struct weight table = {.form = WEIGHT_STORED, .type = WEIGHT_Q4_0, .out_dim = 1};
    struct embed_args args = {.table = &table, .rows = 1};
    assert_int_equal(SIMT_CASE_OP(c, embed)(c->device, &args), ERR_LIMIT); /* no columns */
    table.in_dim = 48;
    assert_int_equal(SIMT_CASE_OP(c, embed)(c->device, &args), ERR_LIMIT); /* half a block */
    table.form = WEIGHT_INT8;
    table.in_dim = 64;
    assert_int_equal(SIMT_CASE_OP(c, embed)(c->device, &args), ERR_LIMIT);
    args.rows = 0;
    table.form = WEIGHT_STORED;
    assert_int_equal(SIMT_CASE_OP(c, embed)(c->device, &args), OK);
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
