/*
 * model - see model.h: the file mapped, its header read, its configuration and weights made,
 * its tokenizer opened. Each step is a file of its own; this one keeps what they share alive.
 */
#include "engine/model.h"

#include "engine/gguf_vocab.h"
#include "engine/hf_tokenizer.h"
#include "engine/model_config.h"
#include "engine/model_file.h"
#include "engine/model_synthetic.h"
#include "engine/weights.h"

#include <stdlib.h>
#include <string.h>

struct owner {
    struct model_file file;
    struct model_synthetic synthetic; /* instead of a file */
    struct weights weights;
};

/* What opening the tokenizer answered. Past ours: the model still computes, and keeps the
 * reason. */
static enum status settle_tokenizer(const struct model *model, enum status status,
                                    struct error *err)
{
    if (status == OK || status == ERR_LIMIT)
        return OK;
    if (err)
        *err = model->tokenizer_error;
    return status;
}

static enum status open_tokenizer(struct model *model, const struct gguf *gguf,
                                  struct error *err)
{
    const uint32_t rows = (uint32_t)model->config.vocab;
    struct gguf_vocab vocab;
    enum status status = gguf_vocab_read(&vocab, gguf, err);
    if (status == OK && vocab.source.piece_count == 0)
        status = settle_tokenizer(
            model, hf_tokenizer_open(gguf, rows, &model->tokenizer, &model->tokenizer_error),
            err);
    else if (status == OK && vocab.source.piece_count != rows)
        status = error_set(err, ERR_FORMAT, __FILE__, __LINE__,
                           "key tokenizer.ggml.tokens: %u pieces, the embedding has %u rows",
                           vocab.source.piece_count, rows);
    else if (status == OK)
        status = settle_tokenizer(
            model, tokenizer_open(&vocab.source, &model->tokenizer, &model->tokenizer_error),
            err);
    gguf_vocab_deinit(&vocab);
    return status;
}

static enum status load_synthetic(struct model *model, const char *name, struct device *device,
                                  struct error *err)
{
    struct owner *owner = model->owner;
    const struct model_synthetic_shape *shape = model_synthetic_find(text_of(name));
    if (!shape)
        FAIL(err, ERR_LIMIT, "synthetic %s: no shape is known by that name", name);
    model->config = shape->config;
    TRY(model_synthetic_make(&owner->synthetic, shape, err));
    return weights_load(&owner->weights, model, &owner->synthetic.gguf, device, err);
}

static enum status load(struct model *model, const char *path, struct device *device,
                        struct error *err)
{
    struct owner *owner = model->owner;
    if (text_starts(text_of(path), TEXT(MODEL_SYNTHETIC_PREFIX)))
        return load_synthetic(model, path + sizeof MODEL_SYNTHETIC_PREFIX - 1, device, err);
    TRY(model_file_open(&owner->file, path, err));
    const struct gguf *gguf = owner->file.gguf;
    TRY(model_config_read(gguf, path, &model->config, err));
    TRY(weights_load(&owner->weights, model, gguf, device, err));
    return open_tokenizer(model, gguf, err);
}

enum status model_open(struct model **model, const char *path, enum model_precision precision,
                       struct device *device, struct error *err)
{
    struct model *made = calloc(1, sizeof *made);
    struct owner *owner = calloc(1, sizeof *owner);
    *model = NULL;
    if (!made || !owner) {
        free(made);
        free(owner);
        FAIL(err, ERR_MEMORY, "%s: no memory to open a model", path);
    }
    made->owner = owner;
    made->precision = precision;
    const enum status status = load(made, path, device, err);
    if (status == OK)
        *model = made;
    else
        model_close(made, device);
    return status;
}

void model_close(struct model *model, struct device *device)
{
    if (!model)
        return;
    struct owner *owner = model->owner;
    tokenizer_close(model->tokenizer);
    weights_release(&owner->weights, model, device);
    model_synthetic_deinit(&owner->synthetic);
    model_file_close(&owner->file);
    free(owner);
    free(model);
}

uint64_t model_layer_parameters(const struct model *model)
{
    uint64_t count = 0;
    for (int32_t i = 0; i < model->config.layers; i++) {
        const struct model_layer *layer = &model->layers[i];
        const struct weight *const weights[] = {
            &layer->q, &layer->k, &layer->v, &layer->o, &layer->gate, &layer->up, &layer->down};
        for (size_t w = 0; w < sizeof weights / sizeof *weights; w++)
            count += (uint64_t)weights[w]->out_dim * (uint64_t)weights[w]->in_dim;
    }
    return count;
}

static uint64_t layer_vector_parameters(const struct model_layer *layer, int32_t head_dim)
{
    const struct {
        const float *data;
        int32_t size;
    } vectors[] = {
        {layer->attn_norm, layer->q.in_dim},
        {layer->ffn_norm, layer->q.in_dim},
        {layer->attn_post_norm, layer->q.in_dim},
        {layer->ffn_post_norm, layer->q.in_dim},
        {layer->q_norm, head_dim},
        {layer->k_norm, head_dim},
        {layer->q_bias, layer->q.out_dim},
        {layer->k_bias, layer->k.out_dim},
        {layer->v_bias, layer->v.out_dim},
    };
    uint64_t count = 0;
    for (size_t v = 0; v < sizeof vectors / sizeof *vectors; v++)
        count += vectors[v].data ? (uint64_t)vectors[v].size : 0;
    return count;
}

uint64_t model_parameters(const struct model *model)
{
    const struct model_config *config = &model->config;
    const uint64_t table = (uint64_t)config->vocab * (uint64_t)config->hidden;
    uint64_t count = model_layer_parameters(model) + (model->is_head_tied ? 1 : 2) * table +
                     (uint64_t)config->hidden; /* the last norm */
    for (int32_t i = 0; i < config->layers; i++)
        count += layer_vector_parameters(&model->layers[i], config->head_dim);
    return count;
}
