/*
 * Tests of hf_config: what a config.json of each family comes to in the keys of GGUF files,
 * where members are missing as where they are given, and that what is not computed is refused
 * by its name.
 */
#include "engine/hf_config.h"

#include "engine/gguf_get.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIZES                                                                                  \
    "\"num_hidden_layers\": 4, \"hidden_size\": 64, \"num_attention_heads\": 4, "              \
    "\"intermediate_size\": 96, \"max_position_embeddings\": 512, \"vocab_size\": 32"

static enum status write_keys(const char *family, const char *members, struct text_buf *out,
                              struct error *err)
{
    char source[2000];
    const struct hf_tokenizer_texts no_tokenizer = {0};
    struct json *root = NULL;
    struct hf_config config;
    (void)snprintf(source, sizeof source, "{\"architectures\": [\"%sForCausalLM\"], %s%s%s}",
                   family, SIZES, members[0] ? ", " : "", members);
    TRY(json_parse(text_of(source), 0, &root, err));
    enum status status = hf_config_read(&config, root, err);
    if (status == OK)
        status = hf_config_write(&config, &no_tokenizer, out, err);
    json_free(root);
    return status;
}

/* The key's value: a number, or the truths of an array as digits after a 1. NAN: none. */
static double value_of(const struct gguf *gguf, const char *name)
{
    const struct gguf_entry *entry = gguf_find(gguf, name);
    int64_t whole = 0;
    double value = 1.0;
    float real = 0.0F;
    if (!entry)
        return (double)NAN;
    if (entry->is_array) {
        for (uint64_t i = 0; i < entry->count; i++)
            value = 10.0 * value + entry->data[i];
        return value;
    }
    if (entry->type == GGUF_F64) {
        assert_int_equal(gguf_get_float(gguf, name, &real, NULL), OK);
        return (double)real;
    }
    assert_int_equal(gguf_get_int(gguf, name, &whole, NULL), OK);
    return (double)whole;
}

static const struct {
    const char *family, *members, *key;
    double value; /* NAN: the key is absent */
} VALUES[] = {
    {"Llama", "", "llama.attention.key_length", 16},
    {"Llama", "", "llama.attention.head_count_kv", (double)NAN},
    {"Llama", "", "llama.rope.freq_base", 1e4},
    {"Llama", "", "llama.attention.sliding_window", 0},
    {"Llama", "\"hidden_act\": \"swish\"", "llama.block_count", 4},
    {"Mistral", "", "llama.attention.head_count_kv", 8},
    {"Mistral", "\"num_key_value_heads\": null", "llama.attention.head_count_kv", (double)NAN},
    {"Mistral", "", "llama.attention.sliding_window", 4096},
    {"Mistral", "\"sliding_window\": null", "llama.attention.sliding_window", 0},
    {"Mistral", "\"head_dim\": null", "llama.attention.key_length", 16},
    {"Qwen2", "\"use_sliding_window\": true", "qwen2.attention.sliding_window", 4096},
    {"Qwen2", "\"sliding_window\": 7", "qwen2.attention.sliding_window", 0},
    {"Qwen2", "\"use_sliding_window\": true, \"max_window_layers\": 1",
     "qwen2.attention.sliding_window_pattern", 10111},
    {"Qwen2", "\"use_sliding_window\": true", "qwen2.attention.sliding_window_pattern", 10000},
    {"Qwen3", "", "qwen3.attention.key_length", 128},
    {"Qwen3", "\"head_dim\": 32", "qwen3.attention.key_length", 32},
    {"Gemma2", "", "gemma2.attention.key_length", 256},
    {"Gemma2", "", "gemma2.attention.scale", 0.0625},
    {"Gemma2", "", "gemma2.attention.sliding_window", 4096},
    {"Gemma2", "\"hidden_act\": \"gelu\"", "gemma2.attention.head_count_kv", 4},
    {"Gemma3", "", "gemma3.rope.freq_base", 1e6},
    {"Gemma3", "\"sliding_window_pattern\": 3", "gemma3.attention.sliding_window_pattern", 3},
    {"Gemma3", "\"_sliding_window_pattern\": 2", "gemma3.attention.sliding_window_pattern", 2},
    {"Gemma3",
     "\"sliding_window_pattern\": 2, \"layer_types\": [\"full_attention\", "
     "\"sliding_attention\", \"sliding_attention\", \"full_attention\"]",
     "gemma3.attention.sliding_window_pattern", 10110},
    {"Gemma3",
     "\"rope_parameters\": {\"full_attention\": {\"rope_type\": \"linear\", \"factor\": 8, "
     "\"rope_theta\": 500}, \"sliding_attention\": {\"rope_theta\": 50}}",
     "gemma3.rope.freq_base", 500},
    {"Gemma3",
     "\"rope_parameters\": {\"full_attention\": {\"rope_type\": \"linear\", \"factor\": 8}, "
     "\"sliding_attention\": {\"rope_theta\": 50}}",
     "gemma3.rope.freq_base_swa", 50},
    {"Phi3", "", "phi3.attention.layer_norm_rms_epsilon", 1e-5},
    {"Phi3", "", "phi3.attention.sliding_window", 0},
    {"Phi3", "\"rope_parameters\": {\"partial_rotary_factor\": 0.75}",
     "phi3.rope.dimension_count", 12},
    {"Phi3", "\"partial_rotary_factor\": 0.5", "phi3.rope.dimension_count", 8},
    {"Phi3", "\"rope_scaling\": {\"type\": \"su\", \"factor\": 2}",
     "phi3.rope.scaling.original_context_length", 4096},
    {"SmolLM3", "", "smollm3.rope.freq_base", 2e6},
    {"SmolLM3", "\"use_sliding_window\": true, \"sliding_window\": 9",
     "smollm3.attention.sliding_window_pattern", 10001},
    {"SmolLM3", "\"no_rope_layers\": [1, 1, 1, 0], \"no_rope_layer_interval\": 9",
     "smollm3.block_count", 4},
    {"Qwen2",
     "\"rope_scaling\": {\"type\": \"yarn\", \"original_max_position_embeddings\": 128}",
     "qwen2.rope.scaling.factor", 4},
    {"Qwen2", "\"rope_scaling\": {\"type\": \"yarn\", \"factor\": 4}",
     "qwen2.rope.scaling.attn_factor", (double)NAN},
    {"Qwen2",
     "\"rope_scaling\": {\"type\": \"yarn\", \"factor\": 4, \"mscale\": 1, "
     "\"mscale_all_dim\": 1}",
     "qwen2.rope.scaling.attn_factor", 1.0 / 1.1386294361},
    {"Llama", "\"rope_scaling\": {\"rope_type\": \"linear\", \"factor\": 2.5}",
     "llama.rope.scaling.factor", 2.5},
};

static void members_become_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof VALUES / sizeof VALUES[0]; i++) {
        struct text_buf file = {0};
        struct gguf gguf;
        struct error err = {0};
        if (write_keys(VALUES[i].family, VALUES[i].members, &file, &err) != OK)
            fail_msg("%s: %s: %s", VALUES[i].family, VALUES[i].members, err.text);
        assert_int_equal(gguf_init(&gguf, (const uint8_t *)file.data, file.size, &err), OK);
        const double value = value_of(&gguf, VALUES[i].key), wanted = VALUES[i].value;
        if (isnan(value) != isnan(wanted) || fabs(value - wanted) > 1e-6 * fabs(wanted))
            fail_msg("%s: %s: %s is %g, must be %g", VALUES[i].family, VALUES[i].members,
                     VALUES[i].key, value, wanted);
        gguf_deinit(&gguf);
        text_buf_deinit(&file);
    }
}

static const struct {
    const char *family, *members, *says;
} REFUSALS[] = {
    {"Mamba", "", "MambaForCausalLM is not supported"},
    {"Llama", "\"hidden_act\": \"relu\"", "hidden_act relu"},
    {"Llama", "\"hidden_act\": 5", "hidden_act is no text"},
    {"Gemma3", "\"hidden_activation\": \"gelu\"", "hidden_activation gelu"},
    {"Gemma3", "\"use_bidirectional_attention\": true", "use_bidirectional_attention"},
    {"Qwen2", "\"is_causal\": false", "is_causal"},
    {"Gemma2", "\"query_pre_attn_scalar\": 0", "query_pre_attn_scalar 0"},
    {"Llama", "\"quantization_config\": {}", "quantization_config"},
    {"Llama", "\"rope_scaling\": 5", "rope_scaling is no object"},
    {"Llama", "\"rope_parameters\": []", "rope_parameters is no object"},
    {"Llama", "\"rope_scaling\": {}", "no rope_type"},
    {"Llama", "\"rope_parameters\": {\"rope_type\": 3}", "no rope_type"},
    {"Llama", "\"rope_scaling\": {\"rope_type\": \"dynamic\"}", "rope_type dynamic"},
    {"Llama", "\"rope_scaling\": {\"rope_type\": \"linear\"}", "no factor"},
    {"Llama", "\"rope_scaling\": {\"rope_type\": \"linear\", \"factor\": -1}", "factor -1"},
    {"Qwen2", "\"rope_scaling\": {\"type\": \"yarn\", \"factor\": 4, \"truncate\": false}",
     "truncate"},
    {"Qwen2", "\"rope_scaling\": {\"type\": \"yarn\", \"factor\": 4, \"mscale\": -1}",
     "mscale -1"},
    {"Gemma3", "\"rope_parameters\": {\"sliding_attention\": {\"rope_type\": \"yarn\"}}",
     "rope_type yarn of sliding_attention"},
    {"Gemma3", "\"layer_types\": [\"full_attention\"]", "1 entries for 4 layers"},
    {"Gemma3", "\"layer_types\": [1, 2, 3, 4]", "layer_types[0] is no text"},
    {"Gemma3", "\"layer_types\": [\"full_attention\", \"chunked\", \"x\", \"x\"]",
     "layer_types[1] chunked"},
    {"SmolLM3", "\"no_rope_layers\": 4", "no_rope_layers is no list of 4"},
    {"SmolLM3", "\"no_rope_layers\": [1, 1]", "no_rope_layers is no list of 4"},
    {"SmolLM3", "\"no_rope_layers\": [1, 0, 1, 0]", "other than every 4th"},
    {"SmolLM3", "\"no_rope_layer_interval\": 2", "other than every 4th"},
};

static void what_is_not_computed_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof REFUSALS / sizeof REFUSALS[0]; i++) {
        struct text_buf file = {0};
        struct error err = {0};
        if (write_keys(REFUSALS[i].family, REFUSALS[i].members, &file, &err) == OK)
            fail_msg("%s: %s is taken", REFUSALS[i].family, REFUSALS[i].members);
        if (!strstr(err.text, REFUSALS[i].says))
            fail_msg("\"%s\" does not say %s", err.text, REFUSALS[i].says);
        text_buf_deinit(&file);
    }
}

/* llama3's numbers are in no key, but in the factors. */
static void llama3_needs_its_numbers(void **state)
{
    static const char *const MEMBERS[] = {"\"factor\": 8, ", "\"low_freq_factor\": 1, ",
                                          "\"high_freq_factor\": 4, ",
                                          "\"original_max_position_embeddings\": 256, "};
    float factors[HF_CONFIG_PAIRS_MAX];
    (void)state;
    for (size_t without = 0; without <= 4; without++) {
        struct text_buf source = {0};
        struct json *root = NULL;
        struct hf_config config;
        struct error err = {0};
        uint32_t count;
        text_buf_format(&source,
                        "{\"architectures\": [\"LlamaForCausalLM\"], %s, "
                        "\"rope_scaling\": {%s%s%s%s\"rope_type\": \"llama3\"}}",
                        SIZES, without == 0 ? "" : MEMBERS[0], without == 1 ? "" : MEMBERS[1],
                        without == 2 ? "" : MEMBERS[2], without == 3 ? "" : MEMBERS[3]);
        assert_int_equal(json_parse(text_buf_text(&source), 0, &root, &err), OK);
        assert_int_equal(hf_config_read(&config, root, &err), OK);
        const enum status status =
            hf_config_factors(&config, HF_CONFIG_LLAMA3, factors, &count, &err);
        assert_int_equal(status, without == 4 ? OK : ERR_FORMAT);
        assert_true(without == 4 || strstr(err.text, "which llama3 needs"));
        if (without == 4) /* the first pair turns often, the last not once */
            assert_true(factors[0] <= 1.0F && factors[7] >= 8.0F && count == 8);
        json_free(root);
        text_buf_deinit(&source);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_become_keys),
        cmocka_unit_test(what_is_not_computed_is_refused),
        cmocka_unit_test(llama3_needs_its_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
