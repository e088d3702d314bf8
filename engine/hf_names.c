/* hf_names - see hf_names.h. */
#include "engine/hf_names.h"

#include <stdio.h>

static const struct hf_names_family FAMILIES[] = {
    {.hf = "LlamaForCausalLM",
     .gguf = "llama",
     .activation = "silu",
     .defaults = {.theta = 1e4, .eps = 1e-6}},
    {.hf = "MistralForCausalLM",
     .gguf = "llama",
     .activation = "silu",
     .window_unless_said = true,
     .defaults = {.kv_heads = 8, .window = 4096, .theta = 1e4, .eps = 1e-6}},
    {.hf = "Qwen2ForCausalLM",
     .gguf = "qwen2",
     .activation = "silu",
     .defaults = {.kv_heads = 32, .window = 4096, .full_first = 28, .theta = 1e4, .eps = 1e-6}},
    {.hf = "Qwen3ForCausalLM",
     .gguf = "qwen3",
     .activation = "silu",
     .defaults = {.kv_heads = 32,
                  .head_dim = 128,
                  .window = 4096,
                  .full_first = 28,
                  .theta = 1e4,
                  .eps = 1e-6}},
    {.hf = "Gemma2ForCausalLM",
     .gguf = "gemma2",
     .activation = "gelu_pytorch_tanh",
     .is_gemma = true,
     .ties_unless_said = true,
     .window_unless_said = true,
     .defaults = {.kv_heads = 4,
                  .head_dim = 256,
                  .window = 4096,
                  .theta = 1e4,
                  .eps = 1e-6,
                  .scalar = 256}},
    {.hf = "Gemma3ForCausalLM",
     .gguf = "gemma3",
     .activation = "gelu_pytorch_tanh",
     .is_gemma = true,
     .ties_unless_said = true,
     .window_unless_said = true,
     .defaults = {.kv_heads = 4,
                  .head_dim = 256,
                  .window = 4096,
                  .theta = 1e6,
                  .eps = 1e-6,
                  .scalar = 256}},
    {.hf = "Phi3ForCausalLM",
     .gguf = "phi3",
     .activation = "silu",
     .window_unless_said = true,
     .defaults = {.original = 4096, .theta = 1e4, .eps = 1e-5}},
    {.hf = "SmolLM3ForCausalLM",
     .gguf = "smollm3",
     .activation = "silu",
     .ties_unless_said = true,
     .defaults = {.kv_heads = 4, .theta = 2e6, .eps = 1e-6}},
};
static const char KNOWN[] =
    "LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM, "
    "Gemma2ForCausalLM, Gemma3ForCausalLM, Phi3ForCausalLM and SmolLM3ForCausalLM";

static const struct pair {
    const char *hf, *gguf;
} ENDS[] = {{"lm_head.weight", "output.weight"},
            {"model.embed_tokens.weight", "token_embd.weight"},
            {"model.norm.weight", "output_norm.weight"}};

/* After the layer's number. */
static const struct pair PARTS[] = {
    {"input_layernorm", "attn_norm"},
    {"pre_feedforward_layernorm", "ffn_norm"},
    {"post_feedforward_layernorm", "post_ffw_norm"},
    {"self_attn.q_proj", "attn_q"},
    {"self_attn.k_proj", "attn_k"},
    {"self_attn.v_proj", "attn_v"},
    {"self_attn.qkv_proj", "attn_qkv"},
    {"self_attn.o_proj", "attn_output"},
    {"self_attn.q_norm", "attn_q_norm"},
    {"self_attn.k_norm", "attn_k_norm"},
    {"mlp.gate_proj", "ffn_gate"},
    {"mlp.up_proj", "ffn_up"},
    {"mlp.gate_up_proj", "ffn_up"},
    {"mlp.down_proj", "ffn_down"},
};

const struct hf_names_family *hf_names_find(struct text architecture)
{
    for (size_t i = 0; i < sizeof FAMILIES / sizeof FAMILIES[0]; i++) {
        if (text_equal(architecture, text_of(FAMILIES[i].hf)))
            return &FAMILIES[i];
    }
    return NULL;
}

const char *hf_names_known(void)
{
    return KNOWN;
}

/* The GGUF name of a layer's part, without ".weight"; NULL. */
static const char *part_name(const struct hf_names_family *family, struct text part)
{
    if (text_equal(part, TEXT("post_attention_layernorm")))
        return family->is_gemma ? "post_attention_norm" : "ffn_norm";
    for (size_t i = 0; i < sizeof PARTS / sizeof PARTS[0]; i++) {
        if (text_equal(part, text_of(PARTS[i].hf)))
            return PARTS[i].gguf;
    }
    return NULL;
}

bool hf_names_tensor(const struct hf_names_family *family, struct text name,
                     struct hf_names_tensor *out)
{
    const struct text layers = TEXT("model.layers.");
    for (size_t i = 0; i < sizeof ENDS / sizeof ENDS[0]; i++) {
        if (!text_equal(name, text_of(ENDS[i].hf)))
            continue;
        (void)snprintf(out->text, sizeof out->text, "%s", ENDS[i].gguf);
        return true;
    }
    const size_t dot = text_find(name, TEXT("."), layers.size);
    if (!text_starts(name, layers) || dot == SIZE_MAX || dot - layers.size > 4)
        return false;
    const struct text number = text_slice(name, layers.size, dot);
    for (size_t i = 0; i < number.size; i++) {
        if (number.data[i] < '0' || number.data[i] > '9')
            return false;
    }
    const struct text rest = text_slice(name, dot + 1, name.size);
    const bool is_bias = text_ends(rest, TEXT(".bias"));
    if (number.size == 0 || (!is_bias && !text_ends(rest, TEXT(".weight"))))
        return false;
    const char *part = part_name(
        family,
        text_slice(rest, 0, rest.size - (is_bias ? sizeof ".bias" : sizeof ".weight") + 1));
    if (!part)
        return false;
    (void)snprintf(out->text, sizeof out->text, "blk.%.*s.%s.%s", TEXT_ARG(number), part,
                   is_bias ? "bias" : "weight");
    return true;
}

bool hf_names_is_ignored(struct text name)
{
    return text_ends(name, TEXT(".rotary_emb.inv_freq"));
}
