/* model_config - see model_config.h. */
#include "engine/model_config.h"

#include "base/checked.h"
#include "engine/gguf_get.h"
#include "kernels/matmul.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SUPPORTED "llama (Llama 2 and 3, SmolLM2, Mistral) and qwen2 (Qwen2, Qwen2.5)"

static const struct architecture {
    const char *name;
    bool rope_interleaved; /* how the file's query and key rows are ordered */
} ARCHITECTURES[] = {{"llama", true}, {"qwen2", false}};

/* A file whose keys begin with its architecture's name. */
struct reader {
    const struct gguf *gguf;
    const char *architecture;
};

struct key {
    char name[GGUF_NAME_BYTES_MAX * 2];
};

static struct key key_of(const struct reader *reader, const char *suffix)
{
    struct key key;
    (void)snprintf(key.name, sizeof key.name, "%s.%s", reader->architecture, suffix);
    return key;
}

/* An integer key that must lie in 1 .. max. fallback 0: the key must be there. */
struct wanted {
    const char *suffix;
    int32_t max, fallback;
};

static enum status read_count(const struct reader *reader, const struct wanted *wanted,
                              int32_t *out, struct error *err)
{
    const struct key key = key_of(reader, wanted->suffix);
    int64_t value = wanted->fallback;
    if (wanted->fallback == 0 && !gguf_find(reader->gguf, key.name))
        FAIL(err, ERR_FORMAT, "key %s: is missing", key.name);
    TRY(gguf_get_int(reader->gguf, key.name, &value, err));
    if (value < 1 || value > wanted->max || !checked_i64_to_i32(value, out))
        FAIL(err, ERR_LIMIT, "key %s: %lld, must be 1 .. %d", key.name, (long long)value,
             wanted->max);
    return OK;
}

static enum status read_positive(const struct reader *reader, const char *suffix, float *out,
                                 struct error *err)
{
    const struct key key = key_of(reader, suffix);
    TRY(gguf_get_float(reader->gguf, key.name, out, err));
    if (!(*out > 0.0F))
        FAIL(err, ERR_FORMAT, "key %s: %g, must be greater than 0", key.name, (double)*out);
    return OK;
}

static enum status read_architecture(const struct gguf *gguf, struct model_config *config,
                                     struct error *err)
{
    struct text name = {0};
    if (!gguf_find(gguf, "general.architecture"))
        FAIL(err, ERR_FORMAT, "key general.architecture: is missing");
    TRY(gguf_get_text(gguf, "general.architecture", &name, err));
    for (size_t i = 0; i < sizeof ARCHITECTURES / sizeof ARCHITECTURES[0]; i++) {
        if (!text_equal(name, text_of(ARCHITECTURES[i].name)))
            continue;
        config->rope_interleaved = ARCHITECTURES[i].rope_interleaved;
        (void)snprintf(config->architecture, sizeof config->architecture, "%s",
                       ARCHITECTURES[i].name);
        return OK;
    }
    FAIL(err, ERR_LIMIT,
         "key general.architecture: %s is not supported; supported are " SUPPORTED,
         gguf_label(name).text);
}

static enum status read_heads(const struct reader *reader, struct model_config *config,
                              struct error *err)
{
    const struct wanted heads = {"attention.head_count", MODEL_CONFIG_HEADS_MAX, 0};
    TRY(read_count(reader, &heads, &config->heads, err));
    const struct wanted kv_heads = {"attention.head_count_kv", config->heads, config->heads};
    TRY(read_count(reader, &kv_heads, &config->kv_heads, err));
    if (config->heads % config->kv_heads != 0)
        FAIL(err, ERR_FORMAT, "key %s: %d heads do not divide among %d KV heads",
             key_of(reader, "attention.head_count_kv").name, config->heads, config->kv_heads);
    if (config->hidden < config->heads)
        FAIL(err, ERR_FORMAT, "key %s: %d heads for %d hidden numbers",
             key_of(reader, "attention.head_count").name, config->heads, config->hidden);
    const int32_t share = config->hidden / config->heads;
    const struct wanted head_dim = {"attention.key_length", MODEL_CONFIG_HEAD_DIM_MAX, share};
    TRY(read_count(reader, &head_dim, &config->head_dim, err));
    int32_t value_length;
    const struct wanted value = {"attention.value_length", MODEL_CONFIG_HEAD_DIM_MAX,
                                 config->head_dim};
    TRY(read_count(reader, &value, &value_length, err));
    if (value_length != config->head_dim)
        FAIL(err, ERR_LIMIT, "key %s: %d, must equal the key length %d",
             key_of(reader, "attention.value_length").name, value_length, config->head_dim);
    if (config->heads * config->head_dim > MATMUL_IN_DIM_MAX)
        FAIL(err, ERR_LIMIT, "key %s: %d heads of %d, at most %d numbers together",
             key_of(reader, "attention.head_count").name, config->heads, config->head_dim,
             MATMUL_IN_DIM_MAX);
    config->attention_scale = 1.0F / sqrtf((float)config->head_dim);
    return read_positive(reader, "attention.scale", &config->attention_scale, err);
}

static enum status read_rope(const struct reader *reader, struct model_config *config,
                             struct error *err)
{
    const struct wanted dims = {"rope.dimension_count", config->head_dim, config->head_dim};
    TRY(read_count(reader, &dims, &config->rope_dim, err));
    if (config->rope_dim % 2 != 0)
        FAIL(err, ERR_FORMAT, "key %s: %d, must be even", key_of(reader, dims.suffix).name,
             config->rope_dim);
    config->rope_theta = 10000.0F;
    TRY(read_positive(reader, "rope.freq_base", &config->rope_theta, err));

    const struct key scaling = key_of(reader, "rope.scaling.type");
    struct text kind = TEXT("none");
    config->rope_factor = 1.0F;
    TRY(gguf_get_text(reader->gguf, scaling.name, &kind, err));
    if (text_equal(kind, TEXT("linear")))
        return read_positive(reader, "rope.scaling.factor", &config->rope_factor, err);
    if (!text_equal(kind, TEXT("none")))
        FAIL(err, ERR_LIMIT,
             "key %s: %s is not supported; supported are none, linear, and the factors of a "
             "tensor rope_freqs.weight",
             scaling.name, gguf_label(kind).text);
    /* Older files have the factor of linear scaling under another name, and no type. */
    return read_positive(reader, "rope.scale_linear", &config->rope_factor, err);
}

/* Keys that say that the model computes what forward.c does not. */
static enum status refuse_unknown_parts(const struct reader *reader, struct error *err)
{
    static const char *const PARTS[] = {"expert_count", "attention.sliding_window_pattern"};
    for (size_t i = 0; i < sizeof PARTS / sizeof PARTS[0]; i++) {
        const struct key key = key_of(reader, PARTS[i]);
        int64_t count = 0;
        TRY(gguf_get_int(reader->gguf, key.name, &count, err));
        if (count != 0)
            FAIL(err, ERR_LIMIT, "key %s: %lld, only models without (0) are supported",
                 key.name, (long long)count);
    }
    return OK;
}

static enum status read_context(const struct reader *reader, struct model_config *config,
                                struct error *err)
{
    const struct wanted context = {"context_length", MODEL_CONFIG_CONTEXT_MAX, 0};
    TRY(read_count(reader, &context, &config->context_max, err));
    /* Within its window, sliding attention is full attention: go no further. */
    const struct key key = key_of(reader, "attention.sliding_window");
    int64_t window = 0;
    TRY(gguf_get_int(reader->gguf, key.name, &window, err));
    if (window > 0 && window < config->context_max)
        config->context_max = (int32_t)window;
    return OK;
}

static enum status read_vocab(const struct reader *reader, struct model_config *config,
                              struct error *err)
{
    const struct gguf_tensor *table = gguf_find_tensor(reader->gguf, "token_embd.weight");
    if (!table)
        FAIL(err, ERR_FORMAT, "tensor token_embd.weight: is missing");
    if (table->dim_count != 2 || table->dims[1] > MODEL_CONFIG_VOCAB_MAX)
        FAIL(err, ERR_LIMIT,
             "tensor token_embd.weight: %u dimensions and %lld rows, must be 2 and at most %d",
             table->dim_count, (long long)table->dims[1], MODEL_CONFIG_VOCAB_MAX);
    config->vocab = (int32_t)table->dims[1];
    const struct wanted vocab = {"vocab_size", MODEL_CONFIG_VOCAB_MAX, config->vocab};
    int32_t given;
    TRY(read_count(reader, &vocab, &given, err));
    if (given != config->vocab)
        FAIL(err, ERR_FORMAT, "key %s: %d, tensor token_embd.weight has %d rows",
             key_of(reader, vocab.suffix).name, given, config->vocab);
    return OK;
}

static enum status read_name(const struct gguf *gguf, const char *path,
                             struct model_config *config, struct error *err)
{
    const char *slash = strrchr(path, '/');
    struct text name = text_of(slash ? slash + 1 : path);
    TRY(gguf_get_text(gguf, "general.name", &name, err));
    name = text_slice(name, 0, sizeof config->name - 1);
    name.size = text_utf8_valid(name);
    for (size_t i = 0; i < name.size; i++) /* it will be shown on terminals */
        config->name[i] = (unsigned char)name.data[i] < ' ' ? ' ' : name.data[i];
    return OK;
}

enum status model_config_read(const struct gguf *gguf, const char *path,
                              struct model_config *config, struct error *err)
{
    *config = (struct model_config){0};
    TRY(read_architecture(gguf, config, err));
    TRY(read_name(gguf, path, config, err));
    const struct reader reader = {gguf, config->architecture};
    const struct wanted layers = {"block_count", MODEL_LAYERS_MAX, 0};
    const struct wanted hidden = {"embedding_length", MODEL_CONFIG_HIDDEN_MAX, 0};
    const struct wanted ffn = {"feed_forward_length", MODEL_CONFIG_FFN_MAX, 0};
    TRY(read_count(&reader, &layers, &config->layers, err));
    TRY(read_count(&reader, &hidden, &config->hidden, err));
    TRY(read_count(&reader, &ffn, &config->ffn, err));
    TRY(read_heads(&reader, config, err));
    TRY(read_rope(&reader, config, err));
    TRY(read_context(&reader, config, err));
    TRY(refuse_unknown_parts(&reader, err));
    if (!gguf_find(gguf, key_of(&reader, "attention.layer_norm_rms_epsilon").name))
        FAIL(err, ERR_FORMAT, "key %s: is missing",
             key_of(&reader, "attention.layer_norm_rms_epsilon").name);
    TRY(read_positive(&reader, "attention.layer_norm_rms_epsilon", &config->rms_eps, err));
    return read_vocab(&reader, config, err);
}
