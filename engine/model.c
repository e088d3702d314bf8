/*
 * model - see model.h: the file mapped, its header read, its configuration and weights made,
 * its tokenizer opened. Each step is a file of its own; this one keeps what they share alive.
 */
#include "engine/model.h"

#include "engine/gguf_get.h"
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

/* The arrays that a tokenizer_source borrows while the tokenizer is opened. */
struct vocabulary {
    struct text *pieces, *merges;
    float *scores;
    int32_t *kinds;
};

static void vocabulary_free(struct vocabulary *vocabulary)
{
    free(vocabulary->pieces);
    free(vocabulary->merges);
    free(vocabulary->scores);
    free(vocabulary->kinds);
}

/* An id that the file gives, or TOKEN_NONE: for none at all and for 2^32 - 1, which writers
 * put there for none. */
static enum status read_id(const struct gguf *gguf, const char *key, uint32_t piece_count,
                           token_id *id, struct error *err)
{
    int64_t value = TOKEN_NONE;
    TRY(gguf_get_int(gguf, key, &value, err));
    if (value == UINT32_MAX)
        value = TOKEN_NONE;
    if (value < TOKEN_NONE || value >= (int64_t)piece_count)
        FAIL(err, ERR_FORMAT, "key %s: %lld, the vocabulary has %u pieces", key,
             (long long)value, piece_count);
    *id = (token_id)value;
    return OK;
}

static enum status read_ids(const struct gguf *gguf, struct tokenizer_source *source,
                            struct error *err)
{
    const uint32_t count = source->piece_count;
    TRY(read_id(gguf, "tokenizer.ggml.bos_token_id", count, &source->bos, err));
    TRY(read_id(gguf, "tokenizer.ggml.eos_token_id", count, &source->eos, err));
    TRY(read_id(gguf, "tokenizer.ggml.eot_token_id", count, &source->eot, err));
    TRY(read_id(gguf, "tokenizer.ggml.unknown_token_id", count, &source->unknown, err));
    /* SentencePiece models begin texts with BOS and a space where the file does not say; Llama
     * 3's and the like with BOS. */
    source->add_space_prefix = text_equal(source->model, TEXT("llama"));
    source->add_bos = source->add_space_prefix || tokenizer_adds_bos(source->pre);
    TRY(gguf_get_bool(gguf, "tokenizer.ggml.add_bos_token", &source->add_bos, err));
    TRY(gguf_get_bool(gguf, "tokenizer.ggml.add_eos_token", &source->add_eos, err));
    TRY(gguf_get_bool(gguf, "tokenizer.ggml.add_space_prefix", &source->add_space_prefix, err));
    /* Files of byte-level models may have the key; the reference implementation ignores it. */
    source->add_space_prefix =
        source->add_space_prefix && !text_equal(source->model, TEXT("gpt2"));
    return OK;
}

/* Memory for count elements, at least one; the count was checked against the file. */
static enum status alloc(void **out, const char *what, uint64_t count, size_t elem_size,
                         struct error *err)
{
    *out = calloc(count > 0 ? (size_t)count : 1, elem_size);
    if (!*out)
        FAIL(err, ERR_MEMORY, "key %s: no memory for %llu elements", what,
             (unsigned long long)count);
    return OK;
}

static enum status read_texts(const struct gguf_entry *entry, struct text **out,
                              struct error *err)
{
    void *texts;
    TRY(alloc(&texts, gguf_label(entry->key).text, entry->count, sizeof **out, err));
    *out = texts;
    gguf_get_texts(entry, *out);
    return OK;
}

/* An array that must have one element per piece, or be absent (NULL). */
static enum status find_per_piece(const struct gguf *gguf, const struct gguf_get_array *want,
                                  const struct gguf_entry **entry, struct error *err)
{
    *entry = NULL;
    TRY(gguf_get_array(gguf, want, entry, err));
    if (*entry && (*entry)->count != want->count_max)
        FAIL(err, ERR_FORMAT, "key %s: %llu elements for %u pieces", want->key,
             (unsigned long long)(*entry)->count, want->count_max);
    return OK;
}

static enum status read_pieces(const struct gguf *gguf, const struct gguf_entry *pieces,
                               struct vocabulary *vocabulary, struct tokenizer_source *source,
                               struct error *err)
{
    const uint32_t count = (uint32_t)pieces->count;
    const struct gguf_get_array scores = {"tokenizer.ggml.scores", GGUF_F32, count};
    const struct gguf_get_array kinds = {"tokenizer.ggml.token_type", GGUF_I32, count};
    const struct gguf_get_array merges = {"tokenizer.ggml.merges", GGUF_STRING,
                                          4 * TOKENIZER_PIECES_MAX};
    const struct gguf_entry *found;
    void *memory;
    TRY(read_texts(pieces, &vocabulary->pieces, err));
    TRY(find_per_piece(gguf, &scores, &found, err));
    if (found) {
        TRY(alloc(&memory, scores.key, count, sizeof(float), err));
        gguf_get_f32s(found, vocabulary->scores = memory);
    }
    TRY(find_per_piece(gguf, &kinds, &found, err));
    if (found) {
        TRY(alloc(&memory, kinds.key, count, sizeof(int32_t), err));
        gguf_get_i32s(found, vocabulary->kinds = memory);
    }
    found = NULL;
    TRY(gguf_get_array(gguf, &merges, &found, err));
    if (found) {
        TRY(read_texts(found, &vocabulary->merges, err));
        source->merge_count = (uint32_t)found->count;
    }
    source->pieces = vocabulary->pieces;
    source->scores = vocabulary->scores;
    source->kinds = vocabulary->kinds;
    source->merges = vocabulary->merges;
    source->piece_count = count;
    return OK;
}

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

static enum status open_vocabulary(struct model *model, const struct gguf *gguf,
                                   const struct gguf_entry *pieces,
                                   struct vocabulary *vocabulary, struct error *err)
{
    struct tokenizer_source source = {0};
    TRY(gguf_get_text(gguf, "tokenizer.ggml.model", &source.model, err));
    TRY(gguf_get_text(gguf, "tokenizer.ggml.pre", &source.pre, err));
    TRY(gguf_get_text(gguf, "tokenizer.chat_template", &source.chat_template, err));
    TRY(read_pieces(gguf, pieces, vocabulary, &source, err));
    TRY(read_ids(gguf, &source, err));
    return settle_tokenizer(
        model, tokenizer_open(&source, &model->tokenizer, &model->tokenizer_error), err);
}

static enum status open_tokenizer(struct model *model, const struct gguf *gguf,
                                  struct error *err)
{
    const struct gguf_get_array want = {"tokenizer.ggml.tokens", GGUF_STRING,
                                        TOKENIZER_PIECES_MAX};
    const struct gguf_entry *pieces = NULL;
    TRY(gguf_get_array(gguf, &want, &pieces, err));
    if (!pieces)
        return settle_tokenizer(model,
                                hf_tokenizer_open(gguf, (uint32_t)model->config.vocab,
                                                  &model->tokenizer, &model->tokenizer_error),
                                err);
    if (pieces->count != (uint64_t)model->config.vocab)
        FAIL(err, ERR_FORMAT, "key %s: %llu pieces, the embedding has %d rows", want.key,
             (unsigned long long)pieces->count, model->config.vocab);
    struct vocabulary vocabulary = {0};
    const enum status status = open_vocabulary(model, gguf, pieces, &vocabulary, err);
    vocabulary_free(&vocabulary);
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
