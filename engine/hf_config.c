/* hf_config - see hf_config.h. */
#include "engine/hf_config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TWO_PI 6.283185307179586

enum { NO_ROPE_EVERY = 4 }; /* SmolLM3 */

/* The keys, as they are written. */
struct writer {
    const struct hf_config *config;
    struct text_buf body;
    uint64_t count;
};

static void put_number(struct text_buf *out, uint64_t value, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        text_buf_byte(out, (char)(uint8_t)(value >> 8 * i));
}

static void put_text(struct text_buf *out, struct text text)
{
    put_number(out, text.size, 8);
    text_buf_add(out, text);
}

/* A key of the architecture's, or of the whole file's where it has a dot as its first byte. */
static void put_key(struct writer *w, const char *suffix, enum gguf_type type)
{
    char key[GGUF_KEY_BYTES_MAX];
    if (suffix[0] == '.')
        (void)snprintf(key, sizeof key, "%s", suffix + 1);
    else
        (void)snprintf(key, sizeof key, "%s.%s", w->config->family->gguf, suffix);
    put_text(&w->body, text_of(key));
    put_number(&w->body, (uint64_t)type, 4);
    w->count++;
}

static void add_text(struct writer *w, const char *suffix, struct text value)
{
    put_key(w, suffix, GGUF_STRING);
    put_text(&w->body, value);
}

static void add_int(struct writer *w, const char *suffix, int64_t value)
{
    put_key(w, suffix, GGUF_I64);
    put_number(&w->body, (uint64_t)value, 8);
}

static void add_double(struct writer *w, const char *suffix, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_key(w, suffix, GGUF_F64);
    put_number(&w->body, bits, 8);
}

static bool is_absent(const struct json *value)
{
    return json_type(value) == JSON_NULL;
}

static enum status get_int(const struct json *object, const char *name, int64_t *out,
                           struct error *err)
{
    const struct json *value = json_get(object, name);
    if (!is_absent(value) && !json_i64(value, out))
        FAIL(err, ERR_FORMAT, "config.json: %s is no integer", name);
    return OK;
}

/* The family's value where the member is missing; 0 where it is null. */
static enum status get_default(const struct json *root, const char *name, int64_t fallback,
                               int64_t *out, struct error *err)
{
    *out = json_get(root, name) ? 0 : fallback;
    return get_int(root, name, out, err);
}

static enum status get_double(const struct json *object, const char *name, double *out,
                              struct error *err)
{
    const struct json *value = json_get(object, name);
    if (!is_absent(value) && !json_double(value, out))
        FAIL(err, ERR_FORMAT, "config.json: %s is no finite number", name);
    return OK;
}

static enum status get_bool(const struct json *object, const char *name, bool *out,
                            struct error *err)
{
    const struct json *value = json_get(object, name);
    if (!is_absent(value) && !json_bool(value, out))
        FAIL(err, ERR_FORMAT, "config.json: %s is no truth value", name);
    return OK;
}

static enum status read_family(struct hf_config *config, struct error *err)
{
    struct text name = {0};
    const struct json *names = json_get(config->root, "architectures");
    if (json_type(names) != JSON_ARRAY || json_count(names) != 1 ||
        !json_text(json_first(names), &name))
        FAIL(err, ERR_FORMAT, "config.json: architectures is no list of one name");
    config->family = hf_names_find(name);
    if (!config->family)
        FAIL(err, ERR_LIMIT, "config.json: architecture %s is not supported; supported are %s",
             gguf_label(name).text, hf_names_known());
    return OK;
}

/* Gemma's old hidden_act says "gelu", and is read by nobody. */
static enum status check_activation(const struct hf_config *config, struct error *err)
{
    const char *name = config->family->is_gemma ? "hidden_activation" : "hidden_act";
    const struct json *value = json_get(config->root, name);
    const struct text own = text_of(config->family->activation);
    struct text given = own;
    if (!is_absent(value) && !json_text(value, &given))
        FAIL(err, ERR_FORMAT, "config.json: %s is no text", name);
    if (text_equal(given, TEXT("swish"))) /* another name of the same */
        given = TEXT("silu");
    if (!text_equal(given, own))
        FAIL(err, ERR_LIMIT, "config.json: %s %s is not supported, %s takes %s", name,
             gguf_label(given).text, config->family->hf, config->family->activation);
    return OK;
}

/* Members that say that the model computes what we do not. */
static enum status refuse_unknown(const struct hf_config *config, struct error *err)
{
    bool sees_ahead = false, is_causal = true;
    TRY(check_activation(config, err));
    TRY(get_bool(config->root, "use_bidirectional_attention", &sees_ahead, err));
    TRY(get_bool(config->root, "is_causal", &is_causal, err));
    if (sees_ahead || !is_causal)
        FAIL(err, ERR_LIMIT, "config.json: %s, only attention to what came before is supported",
             sees_ahead ? "use_bidirectional_attention is true" : "is_causal is false");
    if (!is_absent(json_get(config->root, "quantization_config")))
        FAIL(err, ERR_LIMIT,
             "config.json: quantization_config is not supported: weights must be F32, F16 or "
             "BF16");
    return OK;
}

/* Local layers have frequencies of their own, and no scaling of them is computed. */
static enum status check_local_rope(const struct json *local, struct error *err)
{
    struct text kind = TEXT("default");
    if (!json_text(json_get(local, "rope_type"), &kind))
        (void)json_text(json_get(local, "type"), &kind);
    if (!text_equal(kind, TEXT("default")))
        FAIL(err, ERR_LIMIT,
             "config.json: rope_type %s of sliding_attention is not supported, only default",
             gguf_label(kind).text);
    return OK;
}

/* Where the scaling is told, in the words of several ages. */
static enum status read_rope(struct hf_config *config, struct error *err)
{
    const struct json *rope = json_get(config->root, "rope_parameters");
    const bool is_new = !is_absent(rope); /* without a rope_type it says nothing of scaling */
    TRY(check_local_rope(json_get(rope, "sliding_attention"), err));
    if (!is_absent(json_get(rope, "full_attention")))
        rope = json_get(rope, "full_attention");
    if (!is_new)
        rope = json_get(config->root, "rope_scaling");
    config->rope = is_absent(rope) ? NULL : rope;
    config->scaling = TEXT("default");
    if (config->rope && json_type(rope) != JSON_OBJECT)
        FAIL(err, ERR_FORMAT, "config.json: rope_%s is no object",
             is_new ? "parameters" : "scaling");
    if (config->rope && !json_text(json_get(rope, "rope_type"), &config->scaling) &&
        !json_text(json_get(rope, "type"), &config->scaling) &&
        (!is_new || json_get(rope, "rope_type")))
        FAIL(err, ERR_FORMAT, "config.json: rope_scaling has no rope_type");
    if (text_equal(config->scaling, TEXT("su"))) /* its name before it was published */
        config->scaling = TEXT("longrope");
    static const char *const KINDS[] = {"default", "linear", "llama3", "yarn", "longrope"};
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++) {
        if (text_equal(config->scaling, text_of(KINDS[i])))
            return OK;
    }
    FAIL(err, ERR_LIMIT,
         "config.json: rope_type %s is not supported; supported are default, linear, llama3, "
         "yarn and longrope",
         gguf_label(config->scaling).text);
}

enum status hf_config_read(struct hf_config *config, const struct json *root, struct error *err)
{
    int64_t hidden = 0, heads = 0;
    double part = 1.0;
    *config = (struct hf_config){.root = root};
    if (json_type(root) != JSON_OBJECT)
        FAIL(err, ERR_FORMAT, "config.json: is no object");
    TRY(read_family(config, err));
    TRY(refuse_unknown(config, err));
    TRY(read_rope(config, err));
    config->is_tied = config->family->ties_unless_said;
    config->says_tied = !is_absent(json_get(root, "tie_word_embeddings"));
    TRY(get_bool(root, "tie_word_embeddings", &config->is_tied, err));
    TRY(get_int(root, "num_hidden_layers", &config->layers, err));
    TRY(get_int(root, "hidden_size", &hidden, err));
    TRY(get_int(root, "num_attention_heads", &heads, err));
    if (config->layers < 1 || config->layers > 4096 || hidden < 1 || heads < 1)
        FAIL(
            err, ERR_FORMAT,
            "config.json: %lld layers, hidden_size %lld, %lld heads; layers must be 1 .. 4096, "
            "the others at least 1",
            (long long)config->layers, (long long)hidden, (long long)heads);
    TRY(get_default(root, "head_dim", config->family->defaults.head_dim, &config->head_dim,
                    err));
    if (config->head_dim == 0)
        config->head_dim = hidden / heads;
    TRY(get_double(root, "partial_rotary_factor", &part, err));
    TRY(get_double(config->rope, "partial_rotary_factor", &part, err));

    if (config->head_dim < 2 || config->head_dim > 2 * HF_CONFIG_PAIRS_MAX || part <= 0.0 ||
        part > 1.0)
        FAIL(err, ERR_LIMIT,
             "config.json: head_dim %lld and partial_rotary_factor %g, must be 2 .. %d and "
             "above 0, at most 1",
             (long long)config->head_dim, part, 2 * HF_CONFIG_PAIRS_MAX);
    config->rope_dim = (int64_t)((double)config->head_dim * part);
    return OK;
}

static enum status write_sizes(struct writer *w, struct error *err)
{
    static const struct {
        const char *hf, *gguf;
        bool may_miss;
    } INTS[] = {
        {"num_hidden_layers", "block_count", false},
        {"hidden_size", "embedding_length", false},
        {"intermediate_size", "feed_forward_length", false},
        {"num_attention_heads", "attention.head_count", false},
        {"max_position_embeddings", "context_length", false},
        {"vocab_size", "vocab_size", false},
        {"num_local_experts", "expert_count", true},
    };
    const struct json *root = w->config->root;
    for (size_t i = 0; i < sizeof INTS / sizeof INTS[0]; i++) {
        int64_t value;
        if (is_absent(json_get(root, INTS[i].hf)) && INTS[i].may_miss)
            continue;
        if (is_absent(json_get(root, INTS[i].hf)))
            FAIL(err, ERR_FORMAT, "config.json: %s is missing", INTS[i].hf);
        TRY(get_int(root, INTS[i].hf, &value, err));
        add_int(w, INTS[i].gguf, value);
    }
    int64_t kv_heads = 0;
    TRY(get_default(root, "num_key_value_heads", w->config->family->defaults.kv_heads,
                    &kv_heads, err));
    if (kv_heads != 0 || !is_absent(json_get(root, "num_key_value_heads")))
        add_int(w, "attention.head_count_kv", kv_heads);
    add_int(w, "attention.key_length", w->config->head_dim);
    add_int(w, "attention.value_length", w->config->head_dim);
    add_int(w, "rope.dimension_count", w->config->rope_dim);
    return OK;
}

static enum status write_floats(struct writer *w, struct error *err)
{
    const struct json *root = w->config->root;
    static const char *const CAPS[] = {"attn_logit_softcapping", "final_logit_softcapping"};
    const struct hf_names_defaults *defaults = &w->config->family->defaults;
    double eps = defaults->eps, theta = defaults->theta, scalar = defaults->scalar;
    TRY(get_double(root, "rms_norm_eps", &eps, err));
    add_double(w, "attention.layer_norm_rms_epsilon", eps);
    TRY(get_double(root, "rope_theta", &theta, err));
    TRY(get_double(w->config->rope, "rope_theta", &theta, err));
    add_double(w, "rope.freq_base", theta);
    if (w->config->family->is_gemma)
        TRY(get_double(root, "query_pre_attn_scalar", &scalar, err));
    if (scalar < 0.0 || (scalar <= 0.0 && w->config->family->is_gemma))
        FAIL(err, ERR_FORMAT, "config.json: query_pre_attn_scalar %g, must be above 0", scalar);
    if (scalar > 0.0)
        add_double(w, "attention.scale", 1.0 / sqrt(scalar));
    for (size_t i = 0; i < 2 && w->config->family->is_gemma; i++) {
        double cap = 0.0; /* null: none */
        TRY(get_double(root, CAPS[i], &cap, err));
        if (json_get(root, CAPS[i]))
            add_double(w, CAPS[i], cap);
    }
    double local = 0.0;
    const struct json *sliding =
        json_get(json_get(root, "rope_parameters"), "sliding_attention");
    TRY(get_double(root, "rope_local_base_freq", &local, err));
    TRY(get_double(sliding, "rope_theta", &local, err));
    if (local > 0.0)
        add_double(w, "rope.freq_base_swa", local);
    return OK;
}

/* How much longer YaRN makes queries and keys, by mscale. */
static double yarn_magnitude(double factor, double mscale)
{
    return factor > 1.0 ? 1.0 + 0.1 * mscale * log(factor) : 1.0;
}

/* YaRN's own magnitude is taken for granted by its key: what is given replaces it. */
static enum status write_magnitude(struct writer *w, double factor, struct error *err)
{
    const struct json *rope = w->config->rope;
    const bool is_yarn = text_equal(w->config->scaling, TEXT("yarn"));
    double given = 0.0, mscale = 0.0, all = 0.0;
    TRY(get_double(rope, "attention_factor", &given, err));
    TRY(get_double(rope, "mscale", &mscale, err));
    TRY(get_double(rope, "mscale_all_dim", &all, err));
    if (given < 0.0 || mscale < 0.0 || all < 0.0)
        FAIL(err, ERR_FORMAT,
             "config.json: attention_factor %g, mscale %g, mscale_all_dim %g must not be below "
             "0",
             given, mscale, all);
    if (is_yarn && given <= 0.0 && mscale > 0.0 && all > 0.0)
        given = yarn_magnitude(factor, mscale) / yarn_magnitude(factor, all);
    if (given <= 0.0)
        return OK;
    add_double(w, "rope.scaling.attn_factor",
               is_yarn ? given / yarn_magnitude(factor, 1.0) : given);
    return OK;
}

/* By how much the context grew. YaRN may leave it to the sizes, and LongRoPE does so. */
static enum status get_factor(const struct hf_config *config, int64_t original, double *factor,
                              struct error *err)
{
    int64_t longest = 0;
    *factor = 0.0;
    TRY(get_double(config->rope, "factor", factor, err));
    TRY(get_int(config->root, "max_position_embeddings", &longest, err));
    if (!is_absent(json_get(config->rope, "factor")) && !(*factor > 0.0))
        FAIL(err, ERR_FORMAT, "config.json: rope_scaling factor %g, must be above 0", *factor);
    if (*factor <= 0.0 && original > 0 && !text_equal(config->scaling, TEXT("linear")))
        *factor = (double)longest / (double)original;
    if (!(*factor > 0.0))
        FAIL(err, ERR_FORMAT, "config.json: rope_scaling has no factor");
    return OK;
}

static enum status write_scaling(struct writer *w, struct error *err)
{
    const struct hf_config *config = w->config;
    double factor = 1.0, fast = 32.0, slow = 1.0;
    int64_t original = config->family->defaults.original;
    bool truncates = true;
    if (text_equal(config->scaling, TEXT("default")) ||
        text_equal(config->scaling, TEXT("llama3")))
        return OK; /* llama3's are in the factors */
    add_text(w, "rope.scaling.type", config->scaling);
    TRY(get_int(config->root, "original_max_position_embeddings", &original, err));
    TRY(get_int(config->rope, "original_max_position_embeddings", &original, err));
    if (original == 0)
        TRY(get_int(config->root, "max_position_embeddings", &original, err));
    TRY(get_factor(config, original, &factor, err));
    add_double(w, "rope.scaling.factor", factor);
    add_int(w, "rope.scaling.original_context_length", original);
    TRY(get_double(config->rope, "beta_fast", &fast, err));
    TRY(get_double(config->rope, "beta_slow", &slow, err));
    TRY(get_bool(config->rope, "truncate", &truncates, err));
    if (!truncates)
        FAIL(err, ERR_LIMIT, "config.json: rope_scaling truncate false is not supported");
    add_double(w, "rope.scaling.yarn_beta_fast", fast);
    add_double(w, "rope.scaling.yarn_beta_slow", slow);
    return write_magnitude(w, factor, err);
}

/* A truth for every layer: the list's, or where it is absent, from full_first on. */
static enum status write_layers(struct writer *w, const struct json *types, int64_t full_first,
                                struct error *err)
{
    const struct hf_config *config = w->config;
    const bool is_smollm3 = strcmp(config->family->gguf, "smollm3") == 0;
    if (types && json_count(types) != (size_t)config->layers)
        FAIL(err, ERR_FORMAT, "config.json: layer_types has %zu entries for %lld layers",
             json_count(types), (long long)config->layers);
    put_key(w, "attention.sliding_window_pattern", GGUF_ARRAY);
    put_number(&w->body, GGUF_BOOL, 4);
    put_number(&w->body, (uint64_t)config->layers, 8);
    const struct json *at = types ? json_first(types) : NULL;
    for (int64_t i = 0; i < config->layers; i++, at = json_next(at)) {
        /* Without a list SmolLM3's layers see all but where they turn no position. */
        bool is_local = is_smollm3 ? i % NO_ROPE_EVERY == NO_ROPE_EVERY - 1 : i >= full_first;
        struct text type = {0};
        if (types && !json_text(at, &type))
            FAIL(err, ERR_FORMAT, "config.json: layer_types[%lld] is no text", (long long)i);
        if (types)
            is_local = text_equal(type, TEXT("sliding_attention"));
        if (types && !is_local && !text_equal(type, TEXT("full_attention")))
            FAIL(err, ERR_LIMIT, "config.json: layer_types[%lld] %s is not supported",
                 (long long)i, gguf_label(type).text);
        put_number(&w->body, is_local, 1);
    }
    return OK;
}

/* Which layers are local: what the list says comes before all else. */
static enum status write_pattern(struct writer *w, struct error *err)
{
    const struct hf_config *config = w->config;
    const struct json *types = json_get(config->root, "layer_types");
    const int64_t usual = config->family->defaults.full_first;
    int64_t period = 0, full_first = 0;
    if (!is_absent(types))
        return write_layers(w, types, 0, err);
    if (config->family->is_gemma) {
        TRY(get_int(config->root, "_sliding_window_pattern", &period, err));
        TRY(get_int(config->root, "sliding_window_pattern", &period, err));
        if (period != 0)
            add_int(w, "attention.sliding_window_pattern", period);
        return OK;
    }
    TRY(get_default(config->root, "max_window_layers", usual, &full_first, err));
    if (usual > 0 || strcmp(config->family->gguf, "smollm3") == 0)
        return write_layers(w, NULL, full_first, err);
    return OK;
}

static enum status write_window(struct writer *w, struct error *err)
{
    bool is_used = w->config->family->window_unless_said;
    int64_t window = 0;
    TRY(get_bool(w->config->root, "use_sliding_window", &is_used, err));
    TRY(get_default(w->config->root, "sliding_window", w->config->family->defaults.window,
                    &window, err));
    if (!is_used || window == 0) {
        add_int(w, "attention.sliding_window", 0);
        return OK;
    }
    add_int(w, "attention.sliding_window", window);
    return write_pattern(w, err);
}

/* SmolLM3 turns no position in every fourth layer; no key tells of another pattern. */
static enum status check_no_rope(const struct hf_config *config, struct error *err)
{
    int64_t every = NO_ROPE_EVERY, i = 0, turned;
    const struct json *list = json_get(config->root, "no_rope_layers");
    if (is_absent(list)) /* a list says it all */
        TRY(get_int(config->root, "no_rope_layer_interval", &every, err));
    else if (json_type(list) != JSON_ARRAY || json_count(list) < (size_t)config->layers)
        FAIL(err, ERR_FORMAT, "config.json: no_rope_layers is no list of %lld numbers",
             (long long)config->layers);
    bool is_usual = every == NO_ROPE_EVERY;
    const struct json *at = is_absent(list) ? NULL : json_first(list);
    for (; at && i < config->layers; at = json_next(at), i++)
        is_usual = is_usual && json_i64(at, &turned) &&
                   turned == (i % NO_ROPE_EVERY != NO_ROPE_EVERY - 1);
    if (!is_usual)
        FAIL(err, ERR_LIMIT,
             "config.json: no_rope_layers other than every %dth are not "
             "supported",
             NO_ROPE_EVERY);
    return OK;
}

static enum status write_all(struct writer *w, struct error *err)
{
    add_text(w, ".general.architecture", text_of(w->config->family->gguf));
    add_text(w, ".general.name", w->config->name);
    put_key(w, "." HF_CONFIG_INTERLEAVED_KEY, GGUF_BOOL);
    put_number(&w->body, 0, 1);
    TRY(write_sizes(w, err));
    TRY(write_floats(w, err));
    TRY(write_scaling(w, err));
    TRY(write_window(w, err));
    return strcmp(w->config->family->gguf, "smollm3") == 0 ? check_no_rope(w->config, err) : OK;
}

/* The keys of a tokenizer's texts, which are held to no size but their files'. */
static void write_tokenizer(struct writer *w, const struct hf_tokenizer_texts *tokenizer)
{
    w->body.size_max = 0;
    for (uint32_t i = 0; i < HF_TOKENIZER_TEXTS; i++) {
        const struct text text = text_buf_text(&tokenizer->texts[i]);
        char key[GGUF_KEY_BYTES_MAX];
        (void)snprintf(key, sizeof key, ".%s", hf_tokenizer_key(i));
        if (text.size > 0)
            add_text(w, key, text);
    }
}

enum status hf_config_write(const struct hf_config *config,
                            const struct hf_tokenizer_texts *tokenizer, struct text_buf *out,
                            struct error *err)
{
    struct writer w = {.config = config, .body = {.size_max = HF_CONFIG_KEYS_BYTES_MAX}};
    const enum status status = write_all(&w, err);
    if (!w.body.failed)
        write_tokenizer(&w, tokenizer);
    text_buf_add(out, TEXT("GGUF"));
    put_number(out, 3, 4);
    put_number(out, 0, 8);
    put_number(out, w.count, 8);
    text_buf_add(out, text_buf_text(&w.body));
    while (!out->failed && out->size % GGUF_ALIGNMENT_DEFAULT != 0)
        text_buf_byte(out, 0);
    const bool failed = out->failed || w.body.failed;
    text_buf_deinit(&w.body);
    if (status == OK && failed)
        FAIL(err, ERR_MEMORY, "config.json: no room for its keys");
    return status;
}

static enum status llama3_factors(const struct hf_config *config, float *factors,
                                  uint32_t pairs, struct error *err)
{
    static const char *const NEEDED[] = {"factor", "low_freq_factor", "high_freq_factor",
                                         "original_max_position_embeddings"};
    double theta = config->family->defaults.theta, factor = 0.0, low = 0.0, high = 0.0;
    int64_t original = 0;
    for (size_t i = 0; i < sizeof NEEDED / sizeof NEEDED[0]; i++) {
        if (is_absent(json_get(config->rope, NEEDED[i])))
            FAIL(err, ERR_FORMAT, "config.json: rope_scaling has no %s, which llama3 needs",
                 NEEDED[i]);
    }
    TRY(get_double(config->root, "rope_theta", &theta, err));
    TRY(get_double(config->rope, "rope_theta", &theta, err));
    TRY(get_double(config->rope, "factor", &factor, err));
    TRY(get_double(config->rope, "low_freq_factor", &low, err));
    TRY(get_double(config->rope, "high_freq_factor", &high, err));
    TRY(get_int(config->rope, "original_max_position_embeddings", &original, err));
    if (!(theta > 0.0) || !(factor >= 1.0) || !(high > low) || !(low > 0.0) || original < 1)
        FAIL(err, ERR_FORMAT,
             "config.json: rope_scaling llama3 with factor %g, low_freq_factor %g, "
             "high_freq_factor %g, rope_theta %g makes no sense",
             factor, low, high, theta);
    for (uint32_t k = 0; k < pairs; k++) {
        const double turns = (double)original *
                             pow(theta, -2.0 * k / (double)config->rope_dim) /
                             TWO_PI; /* within the original context */
        const double kept = fmin(1.0, fmax(0.0, (turns - low) / (high - low)));
        factors[k] = (float)(1.0 / ((1.0 - kept) / factor + kept));
    }
    return OK;
}

enum status hf_config_factors(const struct hf_config *config, enum hf_config_factors kind,
                              float factors[HF_CONFIG_PAIRS_MAX], uint32_t *count,
                              struct error *err)
{
    const bool is_long = text_equal(config->scaling, TEXT("longrope"));
    const char *name = kind == HF_CONFIG_SHORT ? "short_factor" : "long_factor";
    const uint32_t pairs = (uint32_t)config->rope_dim / 2;
    *count = 0;
    if (kind == HF_CONFIG_LLAMA3 && text_equal(config->scaling, TEXT("llama3"))) {
        *count = pairs;
        return llama3_factors(config, factors, pairs, err);
    }
    if (kind == HF_CONFIG_LLAMA3 || !is_long)
        return OK;
    const struct json *list = json_get(config->rope, name), *at = json_first(list);
    if (json_count(list) != pairs)
        FAIL(err, ERR_FORMAT, "config.json: %s has %zu numbers, must be %u", name,
             json_count(list), pairs);
    for (uint32_t k = 0; k < pairs; k++, at = json_next(at)) {
        double value;
        if (!json_double(at, &value) || !(value > 0.0))
            FAIL(err, ERR_FORMAT, "config.json: %s[%u] is no number above 0", name, k);
        factors[k] = (float)value;
    }
    *count = pairs;
    return OK;
}
