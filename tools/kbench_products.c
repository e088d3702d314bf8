/*
 * kbench_products - products with weights: int8 (matmul) and the file's own formats
 * (matmul_stored). A variant is one matrix of the model.
 *
 * Bytes: weights and their scales once, the activation in, the result out. The residual that
 * o and down add to is read and written; that is counted too.
 */
#include "tools/kbench_kernels.h"

#include <stdio.h>
#include <string.h>

enum { Y, X };

struct matrix {
    int32_t out_dim, in_dim;
    bool accumulates, has_gate;
};

static struct matrix matrix_of(const struct kbench_case *c)
{
    const struct kbench_dims *d = &c->dims;
    const int32_t q = d->heads * d->head_dim, kv = d->kv_heads * d->head_dim;
    const struct {
        const char *name;
        struct matrix matrix;
    } all[] = {
        {"q", {q, d->hidden, false, false}},
        {"kv", {kv, d->hidden, false, false}},
        {"o", {d->hidden, q, true, false}},
        {"up", {d->ffn, d->hidden, false, false}},
        {"gate_up", {d->ffn, d->hidden, false, true}},
        {"down", {d->hidden, d->ffn, true, false}},
        {"head", {d->vocab, d->hidden, false, false}},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (strcmp(c->variant, all[i].name) == 0)
            return all[i].matrix;
    return all[0].matrix;
}

static bool is_stored(const struct kbench_case *c)
{
    return strcmp(c->kernel->name, "matmul_stored") == 0;
}

static enum weight_type type_of(const struct kbench_case *c)
{
    static const enum weight_type TYPES[] = {
        WEIGHT_F32,  WEIGHT_F16,  WEIGHT_BF16, WEIGHT_Q4_0, WEIGHT_Q4_1, WEIGHT_Q5_0,
        WEIGHT_Q5_1, WEIGHT_Q8_0, WEIGHT_Q4_K, WEIGHT_Q5_K, WEIGHT_Q6_K, WEIGHT_IQ4_NL};
    for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++)
        if (strcasecmp(c->dtype, weight_type_name(TYPES[i])) == 0)
            return TYPES[i];
    return WEIGHT_Q8_0; /* what int8 weights are made from */
}

static enum status open(struct kbench_case *c, struct error *err)
{
    const struct matrix matrix = matrix_of(c);
    const size_t rows = (size_t)c->m;
    const enum weight_form form = is_stored(c) ? WEIGHT_STORED : WEIGHT_INT8;
    const int matrices = matrix.has_gate ? 2 : 1;
    for (int i = 0; i < matrices; i++)
        TRY(kbench_case_matrix(c, matrix.out_dim, matrix.in_dim, type_of(c), form, err));
    const size_t count = rows * (size_t)matrix.out_dim;
    if (!(matrix.accumulates ? kbench_case_floats(c, count, KBENCH_OUT_F32)
                             : kbench_case_add(c, count * sizeof(float), KBENCH_OUT_F32)))
        FAIL(err, ERR_MEMORY, "%s: no room for %d x %d", c->kernel->name, c->m, matrix.out_dim);
    TRY(kbench_case_activation(c, matrix.in_dim,
                               is_stored(c) ? ACTIVATION_F32 : ACTIVATION_INT8, true, err));
    const double weights = matrix.has_gate ? 2 : 1,
                 area = (double)matrix.out_dim * matrix.in_dim;
    const double stored = is_stored(c) ? (double)c->weights[0].bytes
                                       : area + (double)sizeof(float) * matrix.out_dim;
    const double in = is_stored(c) ? 4.0 * matrix.in_dim : matrix.in_dim + 4.0;
    c->work.bytes =
        weights * stored + c->m * (in + (matrix.accumulates ? 8.0 : 4.0) * matrix.out_dim);
    c->work.operations = 2.0 * weights * area * c->m;
    c->work.unit = is_stored(c) ? KBENCH_UNIT_F32 : KBENCH_UNIT_S8_S32;
    (void)snprintf(c->shape_text, sizeof c->shape_text, "%dx%d%s", matrix.out_dim,
                   matrix.in_dim, matrix.has_gate ? "x2" : "");
    return OK;
}

static enum status run(struct kbench_case *c, int32_t set)
{
    const struct matrix matrix = matrix_of(c);
    const struct activation x = kbench_case_view(
        c, X, matrix.in_dim, is_stored(c) ? ACTIVATION_F32 : ACTIVATION_INT8, set);
    const struct matmul_args args = {.x = &x,
                                     .w = kbench_case_weight(c, 0, set),
                                     .y = kbench_case_at(c, Y, set),
                                     .rows = c->m,
                                     .accumulate = matrix.accumulates,
                                     .gate =
                                         matrix.has_gate ? kbench_case_weight(c, 1, set) : NULL,
                                     .gate_kind = SILU_MUL_SILU};
    return kbench_case_ops(c, set)->matmul(kbench_case_device(c, set), &args);
}

const struct kbench_kernel kbench_products_kernels[] = {
    {"matmul", "int8 products of the model's matrices", "q,kv,o,up,gate_up,down,head", "int8",
     true, 1e-6, open, run},
    {"matmul_stored", "products with weights in the file's own format",
     "q,kv,o,up,gate_up,down,head", "q4_1,q4_0,q5_0,q5_1,q8_0,f16,bf16,f32,q4_k,q5_k,q6_k",
     true, 1e-5, open, run},
    {0},
};
