/*
 * kbench_rows - operations that go row by row over activations: embed, rmsnorm, rope_append,
 * silu_mul, gather, kv_copy. All are bound by memory; bytes are what must move.
 */
#include "tools/kbench_kernels.h"

#include <stdio.h>
#include <string.h>

enum {
    TABLE_ROWS_MAX = 8192, /* of the embedding: what a step touches is M rows of it */
    POSITIONS = 1024,
    LAYERS = 1
};

static const double F32 = sizeof(float);

static enum status no_room(const struct kbench_case *c, struct error *err)
{
    FAIL(err, ERR_MEMORY, "%s: no room for %d rows", c->kernel->name, c->m);
}

static uint32_t forms_of(const struct kbench_case *c)
{
    return strcmp(c->dtype, "f32") == 0 ? ACTIVATION_F32 : ACTIVATION_INT8;
}

/* Bytes of one written activation row. */
static double row_bytes(const struct kbench_case *c, int32_t cols)
{
    return forms_of(c) == ACTIVATION_F32 ? F32 * cols : (double)cols + F32;
}

static bool is_variant(const struct kbench_case *c, const char *name)
{
    return strcmp(c->variant, name) == 0;
}

/* ---- embed: buffers tokens, x ---- */

static enum status embed_open(struct kbench_case *c, struct error *err)
{
    const int32_t rows = c->dims.vocab < TABLE_ROWS_MAX ? c->dims.vocab : TABLE_ROWS_MAX;
    const int32_t dim = c->dims.hidden;
    const enum weight_type type = strcmp(c->dtype, "f16") == 0    ? WEIGHT_F16
                                  : strcmp(c->dtype, "q4_1") == 0 ? WEIGHT_Q4_1
                                                                  : WEIGHT_Q8_0;
    TRY(kbench_case_matrix(c, rows, dim, type, WEIGHT_STORED, err));
    token_id *tokens = kbench_case_add(c, (size_t)c->m * sizeof *tokens, KBENCH_NO_OUTPUT);
    if (!tokens ||
        !kbench_case_add(c, (size_t)c->m * (size_t)dim * sizeof(float), KBENCH_OUT_F32))
        return no_room(c, err);
    for (int32_t r = 0; r < c->m; r++)
        tokens[r] = (token_id)(kbench_case_random(c) % (uint32_t)rows);
    const double stored = (double)c->weights[0].bytes / rows;
    c->work.bytes = c->m * (F32 + stored + F32 * dim);
    (void)snprintf(c->shape_text, sizeof c->shape_text, "%dx%d", rows, dim);
    return OK;
}

static enum status embed_run(struct kbench_case *c, int32_t set)
{
    const struct embed_args args = {.table = kbench_case_weight(c, 0, set),
                                    .tokens = kbench_case_at(c, 0, set),
                                    .x = kbench_case_at(c, 1, set),
                                    .rows = c->m};
    return kbench_case_ops(c, set)->embed(kbench_case_device(c, set), &args);
}

/* ---- rmsnorm: buffers x (and sum), weight, add, y ---- */

enum { NORM_X, NORM_WEIGHT, NORM_ADD, NORM_Y };

static enum status rmsnorm_open(struct kbench_case *c, struct error *err)
{
    const int32_t dim = c->dims.hidden;
    const bool adds = is_variant(c, "add");
    const size_t count = (size_t)c->m * (size_t)dim;
    if (!kbench_case_floats(c, count, adds ? KBENCH_OUT_F32 : KBENCH_NO_OUTPUT) ||
        !kbench_case_floats(c, (size_t)dim, KBENCH_NO_OUTPUT) ||
        !kbench_case_floats(c, adds ? count : 1, KBENCH_NO_OUTPUT))
        return no_room(c, err);
    TRY(kbench_case_activation(c, dim, forms_of(c), false, err));
    c->work.bytes = c->m * ((adds ? 3 : 1) * F32 * dim + row_bytes(c, dim)) + F32 * dim;
    (void)snprintf(c->shape_text, sizeof c->shape_text, "%d", dim);
    return OK;
}

static enum status rmsnorm_run(struct kbench_case *c, int32_t set)
{
    const bool adds = is_variant(c, "add");
    struct activation y = kbench_case_view(c, NORM_Y, c->dims.hidden, forms_of(c), set);
    const struct rmsnorm_args args = {.x = kbench_case_at(c, NORM_X, set),
                                      .add = adds ? kbench_case_at(c, NORM_ADD, set) : NULL,
                                      .sum = adds ? kbench_case_at(c, NORM_X, set) : NULL,
                                      .weight = kbench_case_at(c, NORM_WEIGHT, set),
                                      .y = &y,
                                      .row_count = c->m,
                                      .dim = c->dims.hidden,
                                      .eps = 1e-5F};
    return kbench_case_ops(c, set)->rmsnorm(kbench_case_device(c, set), &args);
}

/* ---- the cache: one page per row, then spares that kv_copy writes to ---- */

static enum kv_type kv_type_of(const struct kbench_case *c)
{
    return strcmp(c->dtype, "f16") == 0 ? KV_F16 : KV_INT8;
}

static struct kv_cache cache_of(const struct kbench_case *c, int32_t page_count, uint8_t *data)
{
    return (struct kv_cache){.type = kv_type_of(c),
                             .order = c->ops->kv_order,
                             .layers = LAYERS,
                             .kv_heads = c->dims.kv_heads,
                             .head_dim = c->dims.head_dim,
                             .page_count = page_count,
                             .data = data};
}

/* ---- rope_append: buffers q, k, v, positions, pages, turns, cache ---- */

enum { ROPE_Q, ROPE_K, ROPE_V, ROPE_POSITIONS, ROPE_PAGES, ROPE_TURNS, ROPE_CACHE };

static enum status rope_open(struct kbench_case *c, struct error *err)
{
    const struct kbench_dims *d = &c->dims;
    const size_t rows = (size_t)c->m, q = (size_t)d->heads * (size_t)d->head_dim;
    const size_t kv = (size_t)d->kv_heads * (size_t)d->head_dim;
    const size_t pairs = (size_t)d->head_dim / 2;
    const struct kv_cache shape = cache_of(c, c->m, NULL);
    if (!kbench_case_floats(c, rows * q, KBENCH_OUT_F32) ||
        !kbench_case_floats(c, rows * kv, KBENCH_NO_OUTPUT) ||
        !kbench_case_floats(c, rows * kv, KBENCH_NO_OUTPUT))
        return no_room(c, err);
    int32_t *positions = kbench_case_add(c, rows * sizeof *positions, KBENCH_NO_OUTPUT);
    int32_t *pages = kbench_case_add(c, rows * sizeof *pages, KBENCH_NO_OUTPUT);
    float *turns = kbench_case_floats(c, POSITIONS * pairs * 2, KBENCH_NO_OUTPUT);
    if (!positions || !pages || !turns ||
        !kbench_case_add(c, rows * kv_layout_page_bytes(&shape), KBENCH_OUT_BYTES))
        return no_room(c, err);
    for (int32_t r = 0; r < c->m; r++) {
        positions[r] = (int32_t)(kbench_case_random(c) % POSITIONS);
        pages[r] = r;
    }
    const double number = (double)kv_layout_type_bytes(shape.type);
    c->work.bytes =
        c->m * (F32 * (2 * (double)q + 2 * (double)kv + d->head_dim) + 2 * (double)kv * number);
    (void)snprintf(c->shape_text, sizeof c->shape_text, "%d:%dx%d", d->heads, d->kv_heads,
                   d->head_dim);
    return OK;
}

static enum status rope_run(struct kbench_case *c, int32_t set)
{
    const struct kv_cache cache = cache_of(c, c->m, kbench_case_at(c, ROPE_CACHE, set));
    const struct rope_args args = {.q = kbench_case_at(c, ROPE_Q, set),
                                   .k = kbench_case_at(c, ROPE_K, set),
                                   .v = kbench_case_at(c, ROPE_V, set),
                                   .positions = kbench_case_at(c, ROPE_POSITIONS, set),
                                   .kv_pages = kbench_case_at(c, ROPE_PAGES, set),
                                   .turns = kbench_case_at(c, ROPE_TURNS, set),
                                   .cache = &cache,
                                   .rows = c->m,
                                   .heads = c->dims.heads,
                                   .rope_dim = c->dims.head_dim,
                                   .interleaved = c->dims.is_interleaved};
    return kbench_case_ops(c, set)->rope_append(kbench_case_device(c, set), &args);
}

/* ---- silu_mul: buffers gate, up, y ---- */

static enum status silu_mul_open(struct kbench_case *c, struct error *err)
{
    const int32_t dim = c->dims.ffn;
    const size_t count = (size_t)c->m * (size_t)dim;
    if (!kbench_case_floats(c, count, KBENCH_NO_OUTPUT) ||
        !kbench_case_floats(c, count, KBENCH_NO_OUTPUT))
        return no_room(c, err);
    TRY(kbench_case_activation(c, dim, forms_of(c), false, err));
    const double inputs = is_variant(c, "gated") ? 1 : 2;
    c->work.bytes = c->m * (inputs * F32 * dim + row_bytes(c, dim));
    (void)snprintf(c->shape_text, sizeof c->shape_text, "%d", dim);
    return OK;
}

static enum status silu_mul_run(struct kbench_case *c, int32_t set)
{
    struct activation y = kbench_case_view(c, 2, c->dims.ffn, forms_of(c), set);
    const struct silu_mul_args args = {
        .kind = is_variant(c, "gelu") ? SILU_MUL_GELU : SILU_MUL_SILU,
        .gate = is_variant(c, "gated") ? NULL /* the product has done it */
                                       : kbench_case_at(c, 0, set),
        .up = kbench_case_at(c, 1, set),
        .y = &y,
        .rows = c->m,
        .dim = c->dims.ffn};
    return kbench_case_ops(c, set)->silu_mul(kbench_case_device(c, set), &args);
}

/* ---- gather: buffers x, to_x, rows, from, to ---- */

enum { GATHER_X, GATHER_TO_X, GATHER_ROWS, GATHER_FROM, GATHER_TO = GATHER_FROM + 3 };

static enum status gather_open(struct kbench_case *c, struct error *err)
{
    const int32_t dim = c->dims.hidden;
    const size_t count = (size_t)c->m * (size_t)dim;
    int32_t *rows = NULL;
    if (!kbench_case_floats(c, count, KBENCH_NO_OUTPUT) ||
        !kbench_case_add(c, count * sizeof(float), KBENCH_OUT_F32) ||
        !(rows = kbench_case_add(c, (size_t)c->m * sizeof *rows, KBENCH_NO_OUTPUT)))
        return no_room(c, err);
    for (int32_t r = 0; r < c->m; r++)
        rows[r] = c->m - 1 - r;
    TRY(kbench_case_activation(c, dim, forms_of(c), true, err));
    TRY(kbench_case_activation(c, dim, forms_of(c), false, err));
    c->work.bytes = c->m * (2 * F32 * dim + 2 * row_bytes(c, dim) + F32);
    (void)snprintf(c->shape_text, sizeof c->shape_text, "%d", dim);
    return OK;
}

static enum status gather_run(struct kbench_case *c, int32_t set)
{
    const struct activation from =
        kbench_case_view(c, GATHER_FROM, c->dims.hidden, forms_of(c), set);
    struct activation to = kbench_case_view(c, GATHER_TO, c->dims.hidden, forms_of(c), set);
    const struct gather_args args = {.x = kbench_case_at(c, GATHER_X, set),
                                     .to_x = kbench_case_at(c, GATHER_TO_X, set),
                                     .from = &from,
                                     .to = &to,
                                     .rows = kbench_case_at(c, GATHER_ROWS, set),
                                     .row_count = c->m,
                                     .dim = c->dims.hidden};
    return kbench_case_ops(c, set)->gather(kbench_case_device(c, set), &args);
}

/* ---- kv_copy: buffers from, to, cache ---- */

static enum status kv_copy_open(struct kbench_case *c, struct error *err)
{
    const struct kv_cache shape = cache_of(c, 2 * c->m, NULL);
    const size_t page = kv_layout_page_bytes(&shape), rows = (size_t)c->m;
    int32_t *from = kbench_case_add(c, rows * sizeof *from, KBENCH_NO_OUTPUT);
    int32_t *to = kbench_case_add(c, rows * sizeof *to, KBENCH_NO_OUTPUT);
    uint8_t *data = kbench_case_add(c, 2 * rows * page, KBENCH_OUT_BYTES);
    if (!from || !to || !data)
        return no_room(c, err);
    for (int32_t i = 0; i < c->m; i++) {
        from[i] = i;
        to[i] = 2 * c->m - 1 - i;
    }
    for (size_t i = 0; i < rows * page; i++)
        data[i] = (uint8_t)kbench_case_random(c);
    c->work.bytes = 2.0 * c->m * (double)page;
    (void)snprintf(c->shape_text, sizeof c->shape_text, "page %zu B", page);
    return OK;
}

static enum status kv_copy_run(struct kbench_case *c, int32_t set)
{
    const struct kv_cache cache = cache_of(c, 2 * c->m, kbench_case_at(c, 2, set));
    const struct kv_copy_args args = {.cache = &cache,
                                      .from = kbench_case_at(c, 0, set),
                                      .to = kbench_case_at(c, 1, set),
                                      .count = c->m};
    return kbench_case_ops(c, set)->kv_copy(kbench_case_device(c, set), &args);
}

const struct kbench_kernel kbench_rows_kernels[] = {
    {"embed", "rows of the embedding as F32", "", "q8_0,f16,q4_1", false, 0, embed_open,
     embed_run},
    {"rmsnorm", "normalise, rotate, quantize; with the residual added", "plain,add", "int8,f32",
     false, 0, rmsnorm_open, rmsnorm_run},
    {"rope", "turn q and k, append k and v to the cache", "", "int8,f16", false, 0, rope_open,
     rope_run},
    {"silu_mul", "the gate, rotated and quantized", "silu,gelu,gated", "int8,f32", true, 1e-6,
     silu_mul_open, silu_mul_run},
    {"gather", "rows of the residual stream and of an activation", "", "int8,f32", false, 0,
     gather_open, gather_run},
    {"kv_copy", "copy on write of KV pages; M is the pages", "", "int8,f16", false, 0,
     kv_copy_open, kv_copy_run},
    {0},
};
