/* model_config - see model_config.h. */
#include "engine/model_config.h"

#include "base/checked.h"
#include "engine/gguf_get.h"
#include "engine/hf_config.h"
#include "kernels/matmul.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SUPPORTED                                                                              \
    "llama (Llama 1 to 3, SmolLM2, Mistral), qwen2 (Qwen2, Qwen2.5), qwen3, gemma2, gemma3, "  \
    "phi3 (Phi-3, Phi-4) and smollm3"

/* Of queries and keys, once turned. Published models have up to 1.3; past this the scores of
 * a healthy model pass what a float holds. */
#define MAGNITUDE_MAX 1e6F

/* What an architecture is, where its files do not say. */
static const struct architecture {
    const char *name;
    bool rope_interleaved; /* how the file's query and key rows are ordered */
    bool has_qk_norm;
    bool is_gemma;          /* scaled embedding, GELU, norms after each branch */
    int32_t local_period;   /* every so many layers one is not local; 0: all are, in a window */
    int32_t window;         /* of local layers, where no key says so */
    float rope_local_theta; /* of local layers */
    float softcaps[2];      /* of attention, of logits */
    int32_t no_rope_period; /* every so many layers one is not turned; 0: all are */
    int32_t share_layers;   /* with so many, queries are scaled by hidden / heads */
} ARCHITECTURES[] = {
    {.name = "llama", .rope_interleaved = true},
    {.name = "qwen2"},
    {.name = "qwen3", .has_qk_norm = true},
    {.name = "gemma2",
     .is_gemma = true,
     .local_period = 2,
     .window = 4096,
     .softcaps = {50.0F, 30.0F},
     .share_layers = 46},
    {.name = "gemma3",
     .has_qk_norm = true,
     .is_gemma = true,
     .local_period = 6,
     .rope_local_theta = 10000.0F,
     .share_layers = 62},
    {.name = "phi3"},
    {.name = "smollm3", .rope_interleaved = true, .no_rope_period = 4},
};

/* A file whose keys begin with its architecture's name. */
struct reader {
    const struct gguf *gguf;
    const struct architecture *architecture;
};

struct key {
    char name[GGUF_NAME_BYTES_MAX * 2];
};

static struct key key_of(const struct reader *reader, const char *suffix)
{
    struct key key;
    (void)snprintf(key.name, sizeof key.name, "%s.%s", reader->architecture->name, suffix);
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

/* *out stays as it is where the key is absent. */
static enum status read_positive(const struct reader *reader, const char *suffix, float *out,
                                 struct error *err)
{
    const struct key key = key_of(reader, suffix);
    if (!gguf_find(reader->gguf, key.name))
        return OK;
    TRY(gguf_get_float(reader->gguf, key.name, out, err));
    if (!(*out > 0.0F))
        FAIL(err, ERR_FORMAT, "key %s: %g, must be greater than 0", key.name, (double)*out);
    return OK;
}

/* The same, where 0 is a value too. */
static enum status read_not_negative(const struct reader *reader, const char *suffix,
                                     float *out, struct error *err)
{
    const struct key key = key_of(reader, suffix);
    TRY(gguf_get_float(reader->gguf, key.name, out, err));
    if (*out < 0.0F)
        FAIL(err, ERR_FORMAT, "key %s: %g, must not be below 0", key.name, (double)*out);
    return OK;
}

static enum status read_architecture(struct reader *reader, struct model_config *config,
                                     struct error *err)
{
    struct text name = {0};
    if (!gguf_find(reader->gguf, "general.architecture"))
        FAIL(err, ERR_FORMAT, "key general.architecture: is missing");
    TRY(gguf_get_text(reader->gguf, "general.architecture", &name, err));
    for (size_t i = 0; i < sizeof ARCHITECTURES / sizeof ARCHITECTURES[0]; i++) {
        if (!text_equal(name, text_of(ARCHITECTURES[i].name)))
            continue;
        reader->architecture = &ARCHITECTURES[i];
        config->rope_interleaved = ARCHITECTURES[i].rope_interleaved;
        config->has_qk_norm = ARCHITECTURES[i].has_qk_norm;
        config->has_post_norms = ARCHITECTURES[i].is_gemma;
        config->gate_kind = ARCHITECTURES[i].is_gemma ? SILU_MUL_GELU : SILU_MUL_SILU;
        (void)snprintf(config->architecture, sizeof config->architecture, "%s",
                       ARCHITECTURES[i].name);
        return gguf_get_bool(reader->gguf, HF_CONFIG_INTERLEAVED_KEY, &config->rope_interleaved,
                             err);
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
    /* Of Gemma's sizes the largest alone scales queries otherwise, and no key says so. */
    const bool is_share = config->layers == reader->architecture->share_layers;
    config->attention_scale = 1.0F / sqrtf((float)(is_share ? share : config->head_dim));
    return read_positive(reader, "attention.scale", &config->attention_scale, err);
}

static enum status read_yarn(const struct reader *reader, struct model_config *config,
                             struct error *err)
{
    float extrapolation = 1.0F;
    config->rope_is_yarn = true;
    config->rope_fast = 32.0F;
    config->rope_slow = 1.0F;
    TRY(read_positive(reader, "rope.scaling.factor", &config->rope_factor, err));
    TRY(read_positive(reader, "rope.scaling.yarn_beta_fast", &config->rope_fast, err));
    TRY(read_positive(reader, "rope.scaling.yarn_beta_slow", &config->rope_slow, err));
    TRY(read_positive(reader, "rope.scaling.yarn_ext_factor", &extrapolation, err));
    if (extrapolation < 1.0F || extrapolation > 1.0F)
        FAIL(err, ERR_LIMIT, "key %s: %g, only 1 is supported",
             key_of(reader, "rope.scaling.yarn_ext_factor").name, (double)extrapolation);
    if (config->rope_original == 0)
        FAIL(err, ERR_FORMAT, "key %s: is missing",
             key_of(reader, "rope.scaling.original_context_length").name);
    if (config->rope_theta <= 1.0F)
        FAIL(err, ERR_FORMAT, "key %s: %g, must be above 1 with yarn",
             key_of(reader, "rope.freq_base").name, (double)config->rope_theta);
    return OK;
}

static enum status read_rope_scaling(const struct reader *reader, struct model_config *config,
                                     struct error *err)
{
    const struct key scaling = key_of(reader, "rope.scaling.type");
    struct text kind = TEXT("none");
    config->rope_factor = 1.0F;
    TRY(gguf_get_text(reader->gguf, scaling.name, &kind, err));
    if (text_equal(kind, TEXT("linear")))
        return read_positive(reader, "rope.scaling.factor", &config->rope_factor, err);
    if (text_equal(kind, TEXT("yarn")))
        return read_yarn(reader, config, err);
    if (!text_equal(kind, TEXT("none")) && !text_equal(kind, TEXT("longrope")))
        FAIL(err, ERR_LIMIT,
             "key %s: %s is not supported; supported are none, linear, yarn, longrope, and "
             "the factors of a tensor rope_freqs.weight",
             scaling.name, gguf_label(kind).text);
    /* Older files have the factor of linear scaling under another name, and no type. */
    return read_positive(reader, "rope.scale_linear", &config->rope_factor, err);
}

/* LongRoPE is told by its tensors; which of them serves, by the original context. */
static enum status read_longrope(const struct reader *reader, struct model_config *config,
                                 struct error *err)
{
    static const char *const NAMES[] = {"rope_factors_short.weight",
                                        "rope_factors_long.weight"};
    const bool has_short = gguf_find_tensor(reader->gguf, NAMES[0]) != NULL;
    config->rope_is_long = gguf_find_tensor(reader->gguf, NAMES[1]) != NULL;
    if (has_short != config->rope_is_long)
        FAIL(err, ERR_FORMAT, "tensor %s: is missing beside %s", NAMES[has_short],
             NAMES[!has_short]);
    if (config->rope_is_long && config->rope_original < 2)
        FAIL(err, ERR_FORMAT, "key %s: %d, must be at least 2 with tensor %s",
             key_of(reader, "rope.scaling.original_context_length").name, config->rope_original,
             NAMES[1]);
    return OK;
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
    config->rope_local_theta = reader->architecture->rope_local_theta;
    TRY(read_positive(reader, "rope.freq_base_swa", &config->rope_local_theta, err));
    TRY(read_positive(reader, "rope.scaling.attn_factor", &config->rope_magnitude, err));
    if (config->rope_magnitude > MAGNITUDE_MAX)
        FAIL(err, ERR_LIMIT, "key %s: %g, at most %g",
             key_of(reader, "rope.scaling.attn_factor").name, (double)config->rope_magnitude,
             (double)MAGNITUDE_MAX);
    const struct key original = key_of(reader, "rope.scaling.original_context_length");
    const struct wanted before = {"rope.scaling.original_context_length",
                                  MODEL_CONFIG_CONTEXT_MAX, 0};
    if (gguf_find(reader->gguf, original.name))
        TRY(read_count(reader, &before, &config->rope_original, err));
    TRY(read_longrope(reader, config, err));
    return read_rope_scaling(reader, config, err);
}

/* Keys that say that the model computes what forward.c does not. */
static enum status refuse_unknown_parts(const struct reader *reader, struct error *err)
{
    static const struct {
        const char *suffix;
        float none; /* the value that says nothing; 0 says nothing either */
    } PARTS[] = {{"attention.max_alibi_bias", 0.0F},
                 {"attention.clamp_kqv", 0.0F},
                 {"logit_scale", 1.0F},
                 {"embedding_scale", 1.0F},
                 {"residual_scale", 1.0F},
                 {"rope.scaling.yarn_log_multiplier", 0.0F}};
    const struct key experts = key_of(reader, "expert_count");
    const struct key causal = key_of(reader, "attention.causal");
    int64_t count = 0;
    bool is_causal = true;
    TRY(gguf_get_int(reader->gguf, experts.name, &count, err));
    if (count != 0)
        FAIL(err, ERR_LIMIT, "key %s: %lld, only models without (0) are supported",
             experts.name, (long long)count);
    TRY(gguf_get_bool(reader->gguf, causal.name, &is_causal, err));
    if (!is_causal)
        FAIL(err, ERR_LIMIT, "key %s: false, only attention to what came before is supported",
             causal.name);
    for (size_t i = 0; i < sizeof PARTS / sizeof PARTS[0]; i++) {
        const struct key key = key_of(reader, PARTS[i].suffix);
        float value = PARTS[i].none;
        TRY(gguf_get_float(reader->gguf, key.name, &value, err));
        if (fabsf(value) > 0.0F && fabsf(value - PARTS[i].none) > 0.0F)
            FAIL(err, ERR_LIMIT, "key %s: %g, only %g is supported", key.name, (double)value,
                 (double)PARTS[i].none);
    }
    return OK;
}

/* A pattern of the file's own: a period, or a truth for every layer. */
static enum status read_pattern(const struct reader *reader, struct model_config *config,
                                struct error *err)
{
    const struct key key = key_of(reader, "attention.sliding_window_pattern");
    const struct gguf_entry *entry = gguf_find(reader->gguf, key.name);
    const struct gguf_get_array want = {key.name, GGUF_BOOL, MODEL_LAYERS_MAX};
    const struct wanted period = {"attention.sliding_window_pattern", MODEL_LAYERS_MAX,
                                  reader->architecture->local_period};
    int32_t every = reader->architecture->local_period;
    if (entry && entry->is_array) {
        TRY(gguf_get_array(reader->gguf, &want, &entry, err));
        if (entry->count != (uint64_t)config->layers)
            FAIL(err, ERR_FORMAT, "key %s: %llu truths for %d layers", key.name,
                 (unsigned long long)entry->count, config->layers);
    } else if (entry) {
        TRY(read_count(reader, &period, &every, err));
    }
    for (int32_t i = 0; i < config->layers; i++) {
        const bool is_local = entry && entry->is_array ? entry->data[i] != 0
                              : every > 0              ? i % every < every - 1
                                                       : true;
        config->layer_kinds[i] |= is_local ? MODEL_LAYER_LOCAL : 0;
    }
    return OK;
}

static enum status read_window(const struct reader *reader, struct model_config *config,
                               struct error *err)
{
    const struct key key = key_of(reader, "attention.sliding_window");
    int64_t window = reader->architecture->window;
    TRY(gguf_get_int(reader->gguf, key.name, &window, err));
    if (window < 0 || window > INT32_MAX)
        FAIL(err, ERR_LIMIT, "key %s: %lld, must be 0 .. %d", key.name, (long long)window,
             INT32_MAX);
    if (window == 0)
        return OK; /* files say so of models without */
    config->window = (int32_t)window;
    return read_pattern(reader, config, err);
}

/* What of the architecture its name says, and perhaps a key. */
static enum status read_parts(const struct reader *reader, struct model_config *config,
                              struct error *err)
{
    const struct architecture *architecture = reader->architecture;
    config->attention_softcap = architecture->softcaps[0];
    config->logit_softcap = architecture->softcaps[1];
    if (architecture->is_gemma) {
        config->embed_scale = sqrtf((float)config->hidden);
        TRY(read_not_negative(reader, "attn_logit_softcapping", &config->attention_softcap,
                              err));
        TRY(read_not_negative(reader, "final_logit_softcapping", &config->logit_softcap, err));
    }
    const int32_t period = architecture->no_rope_period;
    for (int32_t i = 0; period > 0 && i < config->layers; i++)
        config->layer_kinds[i] |= i % period == period - 1 ? MODEL_LAYER_NO_ROPE : 0;
    return read_window(reader, config, err);
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
    struct reader reader = {.gguf = gguf};
    TRY(read_architecture(&reader, config, err));
    TRY(read_name(gguf, path, config, err));
    const struct wanted layers = {"block_count", MODEL_LAYERS_MAX, 0};
    const struct wanted hidden = {"embedding_length", MODEL_CONFIG_HIDDEN_MAX, 0};
    const struct wanted ffn = {"feed_forward_length", MODEL_CONFIG_FFN_MAX, 0};
    TRY(read_count(&reader, &layers, &config->layers, err));
    TRY(read_count(&reader, &hidden, &config->hidden, err));
    TRY(read_count(&reader, &ffn, &config->ffn, err));
    TRY(read_heads(&reader, config, err));
    TRY(read_rope(&reader, config, err));
    const struct wanted context = {"context_length", MODEL_CONFIG_CONTEXT_MAX, 0};
    TRY(read_count(&reader, &context, &config->context_max, err));
    TRY(read_parts(&reader, config, err));
    TRY(refuse_unknown_parts(&reader, err));
    if (!gguf_find(gguf, key_of(&reader, "attention.layer_norm_rms_epsilon").name))
        FAIL(err, ERR_FORMAT, "key %s: is missing",
             key_of(&reader, "attention.layer_norm_rms_epsilon").name);
    TRY(read_positive(&reader, "attention.layer_norm_rms_epsilon", &config->rms_eps, err));
    return read_vocab(&reader, config, err);
}
