/*
 * Tests of model_config: what each architecture's name and keys come to, and the refusal of
 * every number that cannot be. Files are a header of keys and an embedding.
 */
#include "engine/model_config.h"
#include "tests/harness/gguf_write.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { HIDDEN = 64, VOCAB = 8, KEYS_MAX = 8 };

/* A key beside the usual ones: a text, an array of truths, or a number. */
struct key {
    const char *name;
    uint32_t type;
    double number;
    const char *text; /* GGUF_STRING; of an array: a byte for each truth */
};

struct file {
    const char *architecture;
    uint32_t layers;
    struct key keys[KEYS_MAX];
    const char *tensors[2]; /* beside the embedding */
};

static void write_key(struct text_buf *out, const struct key *key)
{
    switch (key->type) {
    case GGUF_STRING:
        gguf_write_key_string(out, key->name, key->text);
        break;
    case GGUF_ARRAY:
        gguf_write_key_array(out, key->name, GGUF_BOOL, strlen(key->text));
        for (const char *truth = key->text; *truth; truth++)
            text_buf_byte(out, *truth == '1');
        break;
    case GGUF_F32:
        gguf_write_key_f32(out, key->name, (float)key->number);
        break;
    case GGUF_BOOL:
        gguf_write_key(out, key->name, key->type);
        text_buf_byte(out, key->number != 0);
        break;
    default: {
        const int32_t number = (int32_t)key->number;
        gguf_write_key(out, key->name, key->type);
        text_buf_add(out, (struct text){(const char *)&number, sizeof number});
    }
    }
}

static void write_usual(struct text_buf *out, const struct file *file)
{
    static const struct {
        const char *suffix;
        uint32_t value;
    } SIZES[] = {{"embedding_length", HIDDEN},
                 {"feed_forward_length", 96},
                 {"attention.head_count", 4},
                 {"attention.head_count_kv", 2},
                 {"context_length", 4096}};
    char name[96];
    gguf_write_key_string(out, "general.architecture", file->architecture);
    (void)snprintf(name, sizeof name, "%s.block_count", file->architecture);
    gguf_write_key_u32(out, name, file->layers);
    (void)snprintf(name, sizeof name, "%s.attention.layer_norm_rms_epsilon",
                   file->architecture);
    gguf_write_key_f32(out, name, 1e-6F);
    for (size_t i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++) {
        (void)snprintf(name, sizeof name, "%s.%s", file->architecture, SIZES[i].suffix);
        gguf_write_key_u32(out, name, SIZES[i].value);
    }
}

static void write_file(struct text_buf *out, const struct file *file)
{
    uint32_t keys = 0, tensors = 0;
    while (keys < KEYS_MAX && file->keys[keys].name)
        keys++;
    while (tensors < 2 && file->tensors[tensors])
        tensors++;
    gguf_write_header(out, 1 + tensors, 8 + keys);
    write_usual(out, file);
    for (uint32_t i = 0; i < keys; i++)
        write_key(out, &file->keys[i]);
    const struct gguf_write_tensor embed = {
        "token_embd.weight", WEIGHT_F32, {HIDDEN, VOCAB}, 0};
    gguf_write_tensor(out, &embed);
    for (uint32_t i = 0; i < tensors; i++) {
        const struct gguf_write_tensor tensor = {
            file->tensors[i], WEIGHT_F32, {8}, HIDDEN * VOCAB * 4 + 32 * i};
        gguf_write_tensor(out, &tensor);
    }
    gguf_write_pad(out, GGUF_ALIGNMENT_DEFAULT);
    gguf_write_zeros(out, HIDDEN * VOCAB * 4 + 2 * 32);
}

static enum status read(const struct file *file, struct model_config *config, struct error *err)
{
    struct text_buf bytes = {0};
    struct gguf gguf;
    write_file(&bytes, file);
    if (gguf_init(&gguf, (const uint8_t *)bytes.data, bytes.size, err) != OK)
        fail_msg("%s", err->text);
    const enum status status = model_config_read(&gguf, "file", config, err);
    gguf_deinit(&gguf);
    text_buf_deinit(&bytes);
    return status;
}

static struct model_config config_of(const struct file *file)
{
    struct model_config config;
    struct error err;
    if (read(file, &config, &err) != OK)
        fail_msg("%s", err.text);
    return config;
}

#define EQUAL(a, b) assert_true(fabs((double)(a) - (b)) < 1e-6)

/* A digit per layer. */
static void check_layers(const struct model_config *config, const char *kinds)
{
    assert_int_equal(config->layers, strlen(kinds));
    for (int32_t i = 0; i < config->layers; i++)
        assert_int_equal(config->layer_kinds[i], kinds[i] - '0');
}

static void test_llama_and_qwen(void **state)
{
    (void)state;
    struct model_config config =
        config_of(&(struct file){.architecture = "llama", .layers = 2});
    assert_true(config.rope_interleaved && config.gate_kind == SILU_MUL_SILU);
    assert_false(config.has_qk_norm || config.has_post_norms || config.rope_is_yarn);
    EQUAL(config.embed_scale + config.attention_softcap + config.logit_softcap, 0.0);
    EQUAL(config.rope_local_theta, 0.0);
    assert_int_equal(config.window, 0);
    assert_int_equal(config.head_dim, 16);
    check_layers(&config, "00");

    config = config_of(&(struct file){"llama",
                                      2,
                                      {{"llama.attention.sliding_window", GGUF_U32, 100, NULL},
                                       {"llama.attention.key_length", GGUF_U32, 32, NULL},
                                       {"llama.attention.value_length", GGUF_U32, 32, NULL}},
                                      {0}});
    assert_int_equal(config.window, 100);
    assert_int_equal(config.head_dim, 32);
    assert_int_equal(config.rope_dim, 32);
    assert_int_equal(config.context_max, 4096);
    check_layers(&config, "11");

    config = config_of(&(struct file){.architecture = "qwen3", .layers = 2});
    assert_true(config.has_qk_norm && !config.rope_interleaved && !config.has_post_norms);
    check_layers(&config, "00");
}

static void test_gemma2(void **state)
{
    (void)state;
    struct model_config config =
        config_of(&(struct file){.architecture = "gemma2", .layers = 5});
    assert_true(config.has_post_norms && !config.has_qk_norm && !config.rope_interleaved);
    assert_int_equal(config.gate_kind, SILU_MUL_GELU);
    EQUAL(config.embed_scale, 8.0);
    EQUAL(config.attention_softcap, 50.0); /* the first files do not say */
    EQUAL(config.logit_softcap, 30.0);
    assert_int_equal(config.window, 4096);
    EQUAL(config.attention_scale, 0.25);
    check_layers(&config, "10101");

    const struct file large = {"gemma2",
                               46,
                               {{"gemma2.attention.key_length", GGUF_U32, 32, NULL},
                                {"gemma2.attention.value_length", GGUF_U32, 32, NULL},
                                {"gemma2.attn_logit_softcapping", GGUF_F32, 7.0, NULL},
                                {"gemma2.final_logit_softcapping", GGUF_F32, 0.0, NULL}},
                               {0}};
    config = config_of(&large);
    EQUAL(config.attention_scale, 0.25); /* of 64 / 4, not of 32 */
    EQUAL(config.attention_softcap, 7.0);
    EQUAL(config.logit_softcap, 0.0);
}

static void test_gemma3(void **state)
{
    (void)state;
    struct file file = {"gemma3",
                        7,
                        {{"gemma3.attention.sliding_window", GGUF_U32, 512, NULL},
                         {"gemma3.rope.freq_base", GGUF_F32, 1e6, NULL},
                         {"gemma3.rope.scaling.type", GGUF_STRING, 0, "linear"},
                         {"gemma3.rope.scaling.factor", GGUF_F32, 8.0, NULL}},
                        {0}};
    struct model_config config = config_of(&file);
    assert_true(config.has_qk_norm && config.has_post_norms);
    EQUAL(config.attention_softcap + config.logit_softcap, 0.0);
    EQUAL(config.rope_theta, 1e6);
    EQUAL(config.rope_local_theta, 1e4);
    EQUAL(config.rope_factor, 8.0);
    assert_int_equal(config.window, 512);
    check_layers(&config, "1111101");

    const char *pattern = "gemma3.attention.sliding_window_pattern";
    file.keys[4] = (struct key){pattern, GGUF_U32, 3, NULL};
    file.keys[5] = (struct key){"gemma3.rope.freq_base_swa", GGUF_F32, 500.0, NULL};
    config = config_of(&file);
    EQUAL(config.rope_local_theta, 500.0);
    check_layers(&config, "1101101");
    file.keys[4] = (struct key){pattern, GGUF_ARRAY, 0, "1000010"};
    config = config_of(&file);
    check_layers(&config, "1000010");
    file.keys[0].number = 0; /* no window: all layers see all, whatever the pattern */
    config = config_of(&file);
    check_layers(&config, "0000000");
}

static void test_phi3_and_smollm3(void **state)
{
    (void)state;
    const struct file phi = {
        "phi3",
        2,
        {{"phi3.rope.dimension_count", GGUF_U32, 12, NULL},
         {"phi3.rope.scaling.original_context_length", GGUF_U32, 1024, NULL},
         {"phi3.rope.scaling.attn_factor", GGUF_F32, 1.19, NULL},
         {"phi3.attention.sliding_window", GGUF_U32, 262144, NULL}},
        {"rope_factors_long.weight", "rope_factors_short.weight"}};
    struct model_config config = config_of(&phi);
    assert_true(config.rope_is_long && !config.rope_interleaved);
    assert_int_equal(config.rope_dim, 12);
    assert_int_equal(config.rope_original, 1024);
    assert_int_equal(config.context_max, 4096);
    assert_int_equal(config.window, 262144);
    EQUAL(config.rope_magnitude, 1.19);

    config = config_of(&(struct file){.architecture = "smollm3", .layers = 9});
    assert_true(config.rope_interleaved);
    check_layers(&config, "000200020");
}

static void test_yarn(void **state)
{
    (void)state;
    const struct file file = {
        "qwen2",
        1,
        {{"qwen2.rope.scaling.type", GGUF_STRING, 0, "yarn"},
         {"qwen2.rope.scaling.factor", GGUF_F32, 4.0, NULL},
         {"qwen2.rope.scaling.original_context_length", GGUF_U32, 1024, NULL},
         {"qwen2.rope.scaling.yarn_beta_fast", GGUF_F32, 16.0, NULL}},
        {0}};
    const struct model_config config = config_of(&file);
    assert_true(config.rope_is_yarn && !config.rope_is_long);
    assert_int_equal(config.rope_original, 1024);
    EQUAL(config.rope_factor, 4.0);
    EQUAL(config.rope_fast, 16.0);
    EQUAL(config.rope_slow, 1.0);
    EQUAL(config.rope_magnitude, 0.0);
}

#define YARN                                                                                   \
    {                                                                                          \
        "llama.rope.scaling.type", GGUF_STRING, 0, "yarn"                                      \
    }
#define ORIGINAL                                                                               \
    {                                                                                          \
        "llama.rope.scaling.original_context_length", GGUF_U32, 1024, NULL                     \
    }

static const struct {
    struct file file;
    enum status status;
    const char *reason;
} FAULTS[] = {
    {{"gemma4", 1, {{0}}, {0}},
     ERR_LIMIT,
     "key general.architecture: gemma4 is not supported; supported are llama (Llama 1 to 3, "
     "SmolLM2, Mistral), qwen2 (Qwen2, Qwen2.5), qwen3, gemma2, gemma3, phi3 (Phi-3, Phi-4) "
     "and smollm3"},
    {{"llama", 1, {{"llama.attention.sliding_window", GGUF_I32, -1, NULL}}, {0}},
     ERR_LIMIT,
     "key llama.attention.sliding_window: -1, must be 0 .. 2147483647"},
    {{"llama", 1, {{"llama.attention.sliding_window", GGUF_STRING, 0, "9"}}, {0}},
     ERR_FORMAT,
     "must be an integer"},
    {{"gemma2", 2, {{"gemma2.attention.sliding_window_pattern", GGUF_U32, 0, NULL}}, {0}},
     ERR_LIMIT,
     "sliding_window_pattern: 0, must be 1 .. 512"},
    {{"gemma2", 3, {{"gemma2.attention.sliding_window_pattern", GGUF_ARRAY, 0, "10"}}, {0}},
     ERR_FORMAT,
     "sliding_window_pattern: 2 truths for 3 layers"},
    {{"gemma2", 2, {{"gemma2.attention.sliding_window_pattern", GGUF_F32, 2, NULL}}, {0}},
     ERR_FORMAT,
     "must be an integer"},
    {{"gemma2", 2, {{"gemma2.attn_logit_softcapping", GGUF_F32, -50, NULL}}, {0}},
     ERR_FORMAT,
     "attn_logit_softcapping: -50, must not be below 0"},
    {{"gemma2", 2, {{"gemma2.final_logit_softcapping", GGUF_F32, (double)NAN, NULL}}, {0}},
     ERR_FORMAT,
     "must be a finite"},
    {{"gemma3", 2, {{"gemma3.rope.freq_base_swa", GGUF_F32, 0, NULL}}, {0}},
     ERR_FORMAT,
     "freq_base_swa: 0, must be greater than 0"},
    {{"llama", 1, {{"llama.rope.scaling.type", GGUF_STRING, 0, "su"}}, {0}},
     ERR_LIMIT,
     "su is not supported; supported are none, linear, yarn, longrope"},
    {{"llama", 1, {YARN}, {0}},
     ERR_FORMAT,
     "key llama.rope.scaling.original_context_length: is missing"},
    {{"llama", 1, {YARN, ORIGINAL, {"llama.rope.scaling.factor", GGUF_F32, 0, NULL}}, {0}},
     ERR_FORMAT,
     "scaling.factor: 0, must be greater than 0"},
    {{"llama", 1, {YARN, ORIGINAL, {"llama.rope.freq_base", GGUF_F32, 1, NULL}}, {0}},
     ERR_FORMAT,
     "freq_base: 1, must be above 1 with yarn"},
    {{"llama",
      1,
      {YARN, ORIGINAL, {"llama.rope.scaling.yarn_ext_factor", GGUF_F32, 0.5, NULL}},
      {0}},
     ERR_LIMIT,
     "yarn_ext_factor: 0.5, only 1 is supported"},
    {{"llama", 1, {{"llama.rope.scaling.original_context_length", GGUF_U32, 0, NULL}}, {0}},
     ERR_LIMIT,
     "original_context_length: 0, must be 1 .. 16777216"},
    {{"phi3", 1, {{"phi3.rope.scaling.attn_factor", GGUF_F32, -1, NULL}}, {0}},
     ERR_FORMAT,
     "attn_factor: -1, must be greater than 0"},
    {{"phi3", 1, {{0}}, {"rope_factors_long.weight"}},
     ERR_FORMAT,
     "tensor rope_factors_short.weight: is missing beside rope_factors_long.weight"},
    {{"phi3", 1, {{0}}, {"rope_factors_short.weight"}},
     ERR_FORMAT,
     "tensor rope_factors_long.weight: is missing beside rope_factors_short.weight"},
    {{"phi3", 1, {{0}}, {"rope_factors_long.weight", "rope_factors_short.weight"}},
     ERR_FORMAT,
     "original_context_length: 0, must be at least 2 with tensor rope_factors_long.weight"},
    {{"llama", 1, {{"llama.attention.key_length", GGUF_U32, 1025, NULL}}, {0}},
     ERR_LIMIT,
     "key_length: 1025, must be 1 .. 1024"},
    {{"llama", 1, {{"llama.attention.value_length", GGUF_U32, 8, NULL}}, {0}},
     ERR_LIMIT,
     "value_length: 8, must equal the key length 16"},
    {{"phi3", 1, {{"phi3.rope.dimension_count", GGUF_U32, 18, NULL}}, {0}},
     ERR_LIMIT,
     "dimension_count: 18, must be 1 .. 16"},
    {{"phi3", 1, {{"phi3.rope.dimension_count", GGUF_U32, 7, NULL}}, {0}},
     ERR_FORMAT,
     "dimension_count: 7, must be even"},
    {{"llama", 1, {{"llama.attention.scale", GGUF_F32, -1, NULL}}, {0}},
     ERR_FORMAT,
     "attention.scale: -1, must be greater than 0"},
    {{"phi3", 1, {{"phi3.rope.scaling.attn_factor", GGUF_F32, 1e18, NULL}}, {0}},
     ERR_LIMIT,
     "attn_factor: 1e+18, at most 1e+06"},
    {{"llama", 1, {{"llama.attention.causal", GGUF_BOOL, 0, NULL}}, {0}},
     ERR_LIMIT,
     "attention.causal: false, only attention to what came before"},
    {{"llama", 1, {{"llama.logit_scale", GGUF_F32, 0.25, NULL}}, {0}},
     ERR_LIMIT,
     "logit_scale: 0.25, only 1 is supported"},
    {{"qwen2", 1, {{"qwen2.attention.clamp_kqv", GGUF_F32, 8, NULL}}, {0}},
     ERR_LIMIT,
     "clamp_kqv: 8, only 0 is supported"},
    {{"llama", 1, {{"llama.expert_count", GGUF_U32, 8, NULL}}, {0}},
     ERR_LIMIT,
     "expert_count: 8, only models without"},
};

static void test_what_cannot_be_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof FAULTS / sizeof FAULTS[0]; i++) {
        struct model_config config;
        struct error err = {0};
        const enum status status = read(&FAULTS[i].file, &config, &err);
        if (status != FAULTS[i].status || !strstr(err.text, FAULTS[i].reason))
            fail_msg("%zu: said \"%s\", not \"%s\"", i, err.text, FAULTS[i].reason);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_llama_and_qwen), cmocka_unit_test(test_gemma2),
        cmocka_unit_test(test_gemma3),         cmocka_unit_test(test_phi3_and_smollm3),
        cmocka_unit_test(test_yarn),           cmocka_unit_test(test_what_cannot_be_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
