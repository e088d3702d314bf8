/* tiny_folder - see tiny_folder.h. */
#include "tests/harness/tiny_folder.h"

#include "base/json.h"
#include "engine/gguf.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a family is called, and how its files differ. */
static const struct family {
    const char *name, *activation;
    bool is_gemma, is_fused, is_turned; /* is_turned: rows of queries and keys */
} FAMILIES[] = {
    [TINY_MODEL_LLAMA] = {"LlamaForCausalLM", "silu", false, false, true},
    [TINY_MODEL_QWEN2] = {"Qwen2ForCausalLM", "silu", false, false, false},
    [TINY_MODEL_QWEN3] = {"Qwen3ForCausalLM", "silu", false, false, false},
    [TINY_MODEL_GEMMA2] = {"Gemma2ForCausalLM", "gelu_pytorch_tanh", true, false, false},
    [TINY_MODEL_GEMMA3] = {"Gemma3ForCausalLM", "gelu_pytorch_tanh", true, false, false},
    [TINY_MODEL_PHI3] = {"Phi3ForCausalLM", "silu", false, true, false},
    [TINY_MODEL_SMOLLM3] = {"SmolLM3ForCausalLM", "silu", false, false, true},
};

static const struct {
    const char *gguf, *hf;
} PARTS[] = {
    {"attn_norm", "input_layernorm"},
    {"post_attention_norm", "post_attention_layernorm"},
    {"post_ffw_norm", "post_feedforward_layernorm"},
    {"attn_q", "self_attn.q_proj"},
    {"attn_k", "self_attn.k_proj"},
    {"attn_v", "self_attn.v_proj"},
    {"attn_qkv", "self_attn.qkv_proj"},
    {"attn_output", "self_attn.o_proj"},
    {"attn_q_norm", "self_attn.q_norm"},
    {"attn_k_norm", "self_attn.k_norm"},
    {"ffn_gate", "mlp.gate_proj"},
    {"ffn_down", "mlp.down_proj"},
};

struct folder {
    const struct tiny_model_options *options;
    const struct family *family;
    const struct gguf *gguf;
    struct text_buf config, header, data;
};

bool tiny_folder_can(const struct tiny_model_options *options)
{
    return options->rope != TINY_MODEL_ROPE_FACTORS;
}

/* ---- config.json ---- */

static void put_factors(const struct folder *folder, struct json_writer *w, const char *key,
                        const char *tensor)
{
    const struct gguf_tensor *factors = gguf_find_tensor(folder->gguf, tensor);
    json_write_key(w, key);
    json_write_array(w);
    for (int64_t i = 0; factors && i < factors->dims[0]; i++) {
        float value;
        memcpy(&value, factors->data + (size_t)i * sizeof value, sizeof value);
        json_write_double(w, (double)value);
    }
    json_write_array_end(w);
}

static void put_rope(const struct folder *folder, struct json_writer *w)
{
    static const char *const KINDS[] = {[TINY_MODEL_ROPE_LINEAR] = "linear",
                                        [TINY_MODEL_ROPE_YARN] = "yarn",
                                        [TINY_MODEL_ROPE_LONG] = "longrope"};
    const enum tiny_model_rope rope = folder->options->rope;
    if (rope == TINY_MODEL_ROPE_PLAIN)
        return;
    json_write_key(w, "rope_scaling");
    json_write_object(w);
    json_write_key_text(w, "rope_type", text_of(KINDS[rope]));
    if (rope != TINY_MODEL_ROPE_LINEAR)
        json_write_key_i64(w, "original_max_position_embeddings", TINY_MODEL_ORIGINAL);
    if (rope == TINY_MODEL_ROPE_LONG) {
        json_write_key_double(w, "attention_factor", (double)TINY_MODEL_MAGNITUDE);
        put_factors(folder, w, "short_factor", "rope_factors_short.weight");
        put_factors(folder, w, "long_factor", "rope_factors_long.weight");
    } else {
        json_write_key_double(w, "factor", (double)TINY_MODEL_FACTOR);
    }
    json_write_object_end(w);
}

/* What one family says beside the sizes. */
static void put_family(const struct folder *folder, struct json_writer *w)
{
    const struct tiny_model_options *o = folder->options;
    if (folder->family->is_gemma)
        json_write_key_i64(w, "query_pre_attn_scalar", o->head_dim);
    if (o->family == TINY_MODEL_GEMMA2) {
        json_write_key_double(w, "attn_logit_softcapping", (double)TINY_MODEL_ATTENTION_CAP);
        json_write_key_double(w, "final_logit_softcapping", (double)TINY_MODEL_LOGIT_CAP);
    }
    if (o->family == TINY_MODEL_GEMMA3) {
        json_write_key_double(w, "rope_local_base_freq", (double)TINY_MODEL_THETA);
        json_write_key(w, "layer_types");
        json_write_array(w);
        for (uint32_t i = 0; i < o->layers; i++)
            json_write_text(w, i % 6 == 5 ? TEXT("full_attention") : TEXT("sliding_attention"));
        json_write_array_end(w);
    }
    if (o->family == TINY_MODEL_QWEN2 || o->family == TINY_MODEL_QWEN3) {
        json_write_key(w, "use_sliding_window");
        json_write_bool(w, false);
        json_write_key_i64(w, "sliding_window", 4096);
    } else if (o->window > 0) {
        json_write_key_i64(w, "sliding_window", o->window);
    } else if (o->family == TINY_MODEL_LLAMA) {
        json_write_key(w, "sliding_window"); /* a Mistral's, where it is missing, is 4096 */
        json_write_null(w);
    }
    if (o->family == TINY_MODEL_SMOLLM3)
        json_write_key_i64(w, "no_rope_layer_interval", 4);
    if (o->rope_dim != o->head_dim)
        json_write_key_double(w, "partial_rotary_factor",
                              (double)o->rope_dim / (double)o->head_dim);
}

static void put_config(struct folder *folder)
{
    const struct tiny_model_options *o = folder->options;
    const bool is_mistral =
        o->family == TINY_MODEL_LLAMA && (o->window > 0 || o->head_dim * o->heads != o->hidden);
    struct json_writer w = {.out = &folder->config};
    json_write_object(&w);
    json_write_key(&w, "architectures");
    json_write_array(&w);
    json_write_text(&w, text_of(is_mistral ? "MistralForCausalLM" : folder->family->name));
    json_write_array_end(&w);
    json_write_key_text(&w, folder->family->is_gemma ? "hidden_activation" : "hidden_act",
                        text_of(folder->family->activation));
    json_write_key_i64(&w, "num_hidden_layers", o->layers);
    json_write_key_i64(&w, "hidden_size", o->hidden);
    json_write_key_i64(&w, "intermediate_size", o->ffn);
    json_write_key_i64(&w, "num_attention_heads", o->heads);
    json_write_key_i64(&w, "num_key_value_heads", o->kv_heads);
    json_write_key_i64(&w, "max_position_embeddings", o->context);
    json_write_key_i64(&w, "vocab_size", TINY_MODEL_VOCAB);
    json_write_key_i64(&w, "head_dim", o->head_dim);
    json_write_key_double(&w, "rms_norm_eps", 1e-5);
    json_write_key_double(
        &w, "rope_theta",
        (double)(o->family == TINY_MODEL_GEMMA3 ? TINY_MODEL_GEMMA3_THETA : TINY_MODEL_THETA));
    json_write_key(&w, "tie_word_embeddings");
    json_write_bool(&w, !o->has_own_head);
    put_rope(folder, &w);
    put_family(folder, &w);
    json_write_object_end(&w);
}

/* ---- model.safetensors ---- */

/* transformers' name of a tensor; false: it has none. */
static bool name_of(const struct folder *folder, struct text gguf, char *out, size_t size)
{
    static const char *const ENDS[][2] = {{"token_embd.weight", "model.embed_tokens.weight"},
                                          {"output_norm.weight", "model.norm.weight"},
                                          {"output.weight", "lm_head.weight"}};
    char part[64], kind[16];
    unsigned layer;
    for (size_t i = 0; i < 3; i++) {
        if (text_equal(gguf, text_of(ENDS[i][0])))
            return snprintf(out, size, "%s", ENDS[i][1]) > 0;
    }
    char name[GGUF_NAME_BYTES_MAX];
    (void)snprintf(name, sizeof name, "%.*s", TEXT_ARG(gguf));
    if (sscanf(name, "blk.%u.%63[^.].%15s", &layer, part, kind) != 3)
        return false;
    const char *hf = strcmp(part, "ffn_norm") == 0 ? folder->family->is_gemma
                                                         ? "pre_feedforward_layernorm"
                                                         : "post_attention_layernorm"
                     : strcmp(part, "ffn_up") == 0
                         ? folder->family->is_fused ? "mlp.gate_up_proj" : "mlp.up_proj"
                         : NULL;
    for (size_t i = 0; i < sizeof PARTS / sizeof PARTS[0]; i++) {
        if (strcmp(part, PARTS[i].gguf) == 0)
            hf = PARTS[i].hf;
    }
    return hf && snprintf(out, size, "model.layers.%u.%s.%s", layer, hf, kind) > 0;
}

/* Which row of the file comes at row: neighbours that turn together lie half a head apart. */
static uint64_t source_row(const struct folder *folder, const struct gguf_tensor *tensor,
                           uint64_t row)
{
    const uint64_t dim = folder->options->head_dim, in_head = row % dim;
    const bool is_turned =
        folder->family->is_turned && (text_ends(tensor->name, TEXT("attn_q.weight")) ||
                                      text_ends(tensor->name, TEXT("attn_k.weight")));
    if (!is_turned)
        return row;
    return row - in_head + (in_head < dim / 2 ? 2 * in_head : 2 * (in_head - dim / 2) + 1);
}

static void put_data(struct folder *folder, const struct gguf_tensor *tensor)
{
    const bool is_vector = tensor->dim_count == 1 || tensor->dims[1] == 1;
    const uint64_t rows = is_vector ? 1 : (uint64_t)tensor->dims[1];
    const size_t row_bytes = tensor->size / (size_t)rows;
    for (uint64_t row = 0; row < rows; row++) {
        const uint64_t from = is_vector ? 0 : source_row(folder, tensor, row);
        const char *data = (const char *)tensor->data + from * row_bytes;
        if (!folder->family->is_gemma || !is_vector) {
            text_buf_add(&folder->data, (struct text){data, row_bytes});
            continue;
        }
        for (size_t i = 0; i < row_bytes; i += sizeof(float)) {
            float value;
            memcpy(&value, data + i, sizeof value);
            value -= 1.0F;
            text_buf_add(&folder->data, (struct text){(const char *)&value, sizeof value});
        }
    }
}

static void put_tensors(struct folder *folder)
{
    struct json_writer w = {.out = &folder->header};
    json_write_object(&w);
    for (uint32_t i = 0; i < folder->gguf->tensor_count; i++) {
        const struct gguf_tensor *tensor = &folder->gguf->tensors[i];
        char name[128];
        if (!name_of(folder, tensor->name, name, sizeof name))
            continue;
        const bool is_vector = tensor->dim_count == 1 || tensor->dims[1] == 1;
        json_write_key(&w, name);
        json_write_object(&w);
        json_write_key_text(&w, "dtype", text_of(tensor->type == WEIGHT_F16 ? "F16" : "F32"));
        json_write_key(&w, "shape");
        json_write_array(&w);
        if (!is_vector)
            json_write_i64(&w, tensor->dims[1]);
        json_write_i64(&w, tensor->dims[0]);
        json_write_array_end(&w);
        json_write_key(&w, "data_offsets");
        json_write_array(&w);
        json_write_i64(&w, (int64_t)folder->data.size);
        put_data(folder, tensor);
        json_write_i64(&w, (int64_t)folder->data.size);
        json_write_array_end(&w);
        json_write_object_end(&w);
    }
    json_write_object_end(&w);
    while (folder->header.size % 8 != 0)
        text_buf_byte(&folder->header, ' ');
}

static enum status write_file(const char *folder, const char *name, struct text a,
                              struct text b, struct error *err)
{
    char path[2 * TINY_FOLDER_PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (!file)
        FAIL(err, ERR_IO, "%s: cannot be made", path);
    const uint64_t size = a.size;
    const bool has_size = b.size > 0; /* a safetensors file begins with its header's size */
    bool done = !has_size || fwrite(&size, sizeof size, 1, file) == 1;
    done = done && fwrite(a.data, 1, a.size, file) == a.size;
    done = done && (!has_size || fwrite(b.data, 1, b.size, file) == b.size);
    if (fclose(file) != 0 || !done)
        FAIL(err, ERR_IO, "%s: cannot be written", path);
    return OK;
}

enum status tiny_folder_write(struct text file, const struct tiny_model_options *options,
                              char path[TINY_FOLDER_PATH_BYTES], struct error *err)
{
    const struct tiny_model_options o = tiny_model_resolved(options);
    struct gguf gguf;
    struct folder folder = {.options = &o, .family = &FAMILIES[o.family], .gguf = &gguf};
    (void)snprintf(path, TINY_FOLDER_PATH_BYTES, "/tmp/tiny_folder.XXXXXX");
    if (!mkdtemp(path))
        FAIL(err, ERR_IO, "%s: cannot be made", path);
    TRY(gguf_init(&gguf, (const uint8_t *)file.data, file.size, err));
    put_config(&folder);
    put_tensors(&folder);
    enum status status =
        write_file(path, "config.json", text_buf_text(&folder.config), (struct text){0}, err);
    if (status == OK)
        status = write_file(path, "model.safetensors", text_buf_text(&folder.header),
                            text_buf_text(&folder.data), err);
    text_buf_deinit(&folder.config);
    text_buf_deinit(&folder.header);
    text_buf_deinit(&folder.data);
    gguf_deinit(&gguf);
    return status;
}

void tiny_folder_remove(const char *path)
{
    static const char *const NAMES[] = {"config.json", "model.safetensors"};
    char name[2 * TINY_FOLDER_PATH_BYTES];
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(name, sizeof name, "%s/%s", path, NAMES[i]);
        (void)unlink(name);
    }
    (void)rmdir(path);
}
