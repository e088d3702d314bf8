/*
 * model_synthetic - see model_synthetic.h.
 *
 * A weight is uniform, with a deviation of 1 / sqrt(hidden): what goes through the layers stays
 * of one order of magnitude. The pool is as large as the largest matrix and POOL_SLACK blocks;
 * matrix i begins at block i * POOL_STRIDE mod POOL_SLACK of it.
 */
#include "engine/model_synthetic.h"

#include "kernels/half.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_ELEMS = 32,
    BLOCK_BYTES = 34, /* Q8_0: a half as scale, 32 signed bytes */
    POOL_SLACK = 4093,
    POOL_STRIDE = 37,
    LAYER_TENSORS = 12,
    END_TENSORS = 3
};

#define UNIFORM_DEVIATION 73.9F /* of the integers -128 .. 127 */

#define LLAMA(label, layers_, hidden_, ffn_, heads_, theta, own_head)                          \
    {                                                                                          \
        .config = {.name = label,                                                              \
                   .architecture = "llama",                                                    \
                   .layers = (layers_),                                                        \
                   .hidden = (hidden_),                                                        \
                   .ffn = (ffn_),                                                              \
                   .heads = (heads_),                                                          \
                   .kv_heads = 8,                                                              \
                   .head_dim = 128,                                                            \
                   .vocab = 128256,                                                            \
                   .context_max = 131072,                                                      \
                   .rope_dim = 128,                                                            \
                   .rope_interleaved = true,                                                   \
                   .rope_theta = (theta),                                                      \
                   .rms_eps = 1e-5F,                                                           \
                   .attention_scale = 0.08838835F,                                             \
                   .rope_factor = 1.0F},                                                       \
        .has_own_head = (own_head)                                                             \
    }

static const struct model_synthetic_shape SHAPES[] = {
    LLAMA("llama-3.2-3b", 28, 3072, 8192, 24, 500000.0F, false),
    LLAMA("llama-3.1-8b", 32, 4096, 14336, 32, 500000.0F, true),
    {.config = {.name = "qwen2.5-7b",
                .architecture = "qwen2",
                .layers = 28,
                .hidden = 3584,
                .ffn = 18944,
                .heads = 28,
                .kv_heads = 4,
                .head_dim = 128,
                .vocab = 152064,
                .context_max = 32768,
                .rope_dim = 128,
                .rope_theta = 1000000.0F,
                .rms_eps = 1e-6F,
                .attention_scale = 0.08838835F,
                .rope_factor = 1.0F},
     .has_own_head = true,
     .has_bias = true},
    {.config = {.name = "tiny", /* small enough for the emulator */
                .architecture = "llama",
                .layers = 2,
                .hidden = 128,
                .ffn = 192,
                .heads = 4,
                .kv_heads = 2,
                .head_dim = 64,
                .vocab = 512,
                .context_max = 4096,
                .rope_dim = 64,
                .rope_interleaved = true,
                .rope_theta = 10000.0F,
                .rms_eps = 1e-5F,
                .attention_scale = 0.125F,
                .rope_factor = 1.0F}},
};

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static void fill_pool(struct model_synthetic *made, const struct model_config *config)
{
    uint64_t state = 1;
    const uint16_t scale =
        half_from_float(1.0F / (UNIFORM_DEVIATION * sqrtf((float)config->hidden)));
    for (size_t at = 0; at < made->pool_bytes; at += BLOCK_BYTES) {
        uint64_t words[BLOCK_ELEMS / sizeof(uint64_t)] = {0};
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
            words[i] = random_next(&state);
        memcpy(made->pool + at, &scale, sizeof scale);
        memcpy(made->pool + at + sizeof scale, words, sizeof words);
    }
}

/* count norms in [0.9, 1.1), then count biases in [-0.1, 0.1). */
static void fill_vectors(float *vectors, size_t count)
{
    uint64_t state = 2;
    for (size_t i = 0; i < 2 * count; i++) {
        const float noise = (float)(random_next(&state) >> 40) * 0x1p-24F * 0.2F - 0.1F;
        vectors[i] = i < count ? 1.0F + noise : noise;
    }
}

/* Where the next tensor goes, and what its data come from. */
struct maker {
    struct model_synthetic *made;
    size_t vector_floats; /* of the norms, and again of the biases */
};

static struct gguf_tensor *add(struct maker *maker, const char *name)
{
    struct gguf *gguf = &maker->made->gguf;
    char *place = maker->made->names + (size_t)gguf->tensor_count * GGUF_NAME_BYTES_MAX;
    struct gguf_tensor *tensor = &gguf->tensors[gguf->tensor_count++];
    (void)snprintf(place, GGUF_NAME_BYTES_MAX, "%s", name);
    tensor->name = text_of(place);
    return tensor;
}

static void add_matrix(struct maker *maker, const char *name, int32_t out_dim, int32_t in_dim)
{
    struct gguf_tensor *tensor = add(maker, name);
    const size_t index = maker->made->gguf.tensor_count;
    tensor->type = WEIGHT_Q8_0;
    tensor->dim_count = 2;
    tensor->dims[0] = in_dim;
    tensor->dims[1] = out_dim;
    tensor->size = (size_t)out_dim * (size_t)(in_dim / BLOCK_ELEMS) * BLOCK_BYTES;
    tensor->data = maker->made->pool + index * POOL_STRIDE % POOL_SLACK * BLOCK_BYTES;
}

static void add_vector(struct maker *maker, const char *name, int32_t count, bool is_bias)
{
    struct gguf_tensor *tensor = add(maker, name);
    tensor->type = WEIGHT_F32;
    tensor->dim_count = 1;
    tensor->dims[0] = count;
    tensor->size = (size_t)count * sizeof(float);
    tensor->data =
        (const uint8_t *)(maker->made->vectors + (is_bias ? maker->vector_floats : 0));
}

static void add_layer(struct maker *maker, const struct model_synthetic_shape *shape,
                      int32_t layer)
{
    const struct model_config *c = &shape->config;
    const int32_t q_dim = c->heads * c->head_dim, kv_dim = c->kv_heads * c->head_dim;
    const struct {
        const char *suffix;
        int32_t out_dim, in_dim; /* in_dim 0: a norm, -1: a bias */
    } tensors[LAYER_TENSORS] = {
        {"attn_norm.weight", c->hidden, 0},
        {"ffn_norm.weight", c->hidden, 0},
        {"attn_q.weight", q_dim, c->hidden},
        {"attn_k.weight", kv_dim, c->hidden},
        {"attn_v.weight", kv_dim, c->hidden},
        {"attn_output.weight", c->hidden, q_dim},
        {"ffn_gate.weight", c->ffn, c->hidden},
        {"ffn_up.weight", c->ffn, c->hidden},
        {"ffn_down.weight", c->hidden, c->ffn},
        {"attn_q.bias", q_dim, -1},
        {"attn_k.bias", kv_dim, -1},
        {"attn_v.bias", kv_dim, -1},
    };
    for (size_t i = 0; i < LAYER_TENSORS; i++) {
        char name[GGUF_NAME_BYTES_MAX];
        (void)snprintf(name, sizeof name, "blk.%d.%s", layer, tensors[i].suffix);
        if (tensors[i].in_dim > 0)
            add_matrix(maker, name, tensors[i].out_dim, tensors[i].in_dim);
        else if (tensors[i].in_dim == 0 || shape->has_bias)
            add_vector(maker, name, tensors[i].out_dim, tensors[i].in_dim < 0);
    }
}

static size_t largest(size_t a, size_t b)
{
    return a > b ? a : b;
}

static bool alloc_all(struct maker *maker, const struct model_synthetic_shape *shape)
{
    const struct model_config *c = &shape->config;
    struct model_synthetic *made = maker->made;
    const size_t hidden = (size_t)c->hidden, widest = largest((size_t)c->vocab, (size_t)c->ffn);
    const size_t q_dim = (size_t)c->heads * (size_t)c->head_dim;
    const size_t elems = hidden * largest(widest, q_dim);
    const size_t tensors = (size_t)c->layers * LAYER_TENSORS + END_TENSORS;
    maker->vector_floats = largest(hidden, q_dim);
    made->pool_bytes = (elems / BLOCK_ELEMS + POOL_SLACK) * BLOCK_BYTES;
    made->pool = malloc(made->pool_bytes);
    made->vectors = malloc(2 * maker->vector_floats * sizeof(float));
    made->names = calloc(tensors, GGUF_NAME_BYTES_MAX);
    made->gguf.tensors = calloc(tensors, sizeof *made->gguf.tensors);
    return made->pool && made->vectors && made->names && made->gguf.tensors;
}

const struct model_synthetic_shape *model_synthetic_at(size_t index)
{
    return index < sizeof SHAPES / sizeof SHAPES[0] ? &SHAPES[index] : NULL;
}

const struct model_synthetic_shape *model_synthetic_find(struct text name)
{
    for (size_t i = 0; i < sizeof SHAPES / sizeof SHAPES[0]; i++) {
        if (text_equal(name, text_of(SHAPES[i].config.name)))
            return &SHAPES[i];
    }
    return NULL;
}

enum status model_synthetic_make(struct model_synthetic *made,
                                 const struct model_synthetic_shape *shape, struct error *err)
{
    const struct model_config *config = &shape->config;
    struct maker maker = {.made = made};
    *made = (struct model_synthetic){0};
    if (!alloc_all(&maker, shape)) {
        const size_t bytes = made->pool_bytes;
        model_synthetic_deinit(made);
        FAIL(err, ERR_MEMORY, "synthetic %s: no room for %zu bytes of weights", config->name,
             bytes);
    }
    fill_pool(made, config);
    fill_vectors(made->vectors, maker.vector_floats);
    add_matrix(&maker, "token_embd.weight", config->vocab, config->hidden);
    add_vector(&maker, "output_norm.weight", config->hidden, false);
    if (shape->has_own_head)
        add_matrix(&maker, "output.weight", config->vocab, config->hidden);
    for (int32_t i = 0; i < config->layers; i++)
        add_layer(&maker, shape, i);
    return gguf_sort_tensors(&made->gguf, err);
}

void model_synthetic_deinit(struct model_synthetic *made)
{
    gguf_deinit(&made->gguf);
    free(made->names);
    free(made->pool);
    free(made->vectors);
    *made = (struct model_synthetic){0};
}
