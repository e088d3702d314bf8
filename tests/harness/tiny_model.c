/* tiny_model - see tiny_model.h. */
#include "tests/harness/tiny_model.h"

#include "kernels/half.h"
#include "tests/harness/gguf_write.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What a family's files call themselves and what they hold beside a Llama's. */
static const struct family {
    const char *name;
    bool has_bias, has_qk_norm, has_post_norms, is_fused;
} FAMILIES[] = {
    [TINY_MODEL_LLAMA] = {.name = "llama"},
    [TINY_MODEL_QWEN2] = {.name = "qwen2", .has_bias = true},
    [TINY_MODEL_QWEN3] = {.name = "qwen3", .has_qk_norm = true},
    [TINY_MODEL_GEMMA2] = {.name = "gemma2", .has_post_norms = true},
    [TINY_MODEL_GEMMA3] = {.name = "gemma3", .has_qk_norm = true, .has_post_norms = true},
    [TINY_MODEL_PHI3] = {.name = "phi3", .is_fused = true},
    [TINY_MODEL_SMOLLM3] = {.name = "smollm3"},
};

/* Keys of the model, and how many there are. */
struct keys {
    struct text_buf *out;
    const char *family;
    uint64_t count;
    char name[GGUF_NAME_BYTES_MAX];
};

/* Tensors: described once with their offsets, then filled in the same order. */
struct tensors {
    struct text_buf *out;
    uint64_t count;
    uint64_t offset; /* of the next one, in the data section */
    uint32_t random; /* state of the generator */
    bool is_data;    /* second pass */
};

/* rows x cols numbers around 0; without rows a vector, around the centre. */
struct tensor {
    const char *name;
    uint64_t cols, rows;
    float centre;
    bool is_half; /* F16, not F32 */
};

/* A number in [-1, 1) from a linear congruential generator (Numerical Recipes). */
static float next_random(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return (float)(int32_t)*state / 2147483648.0F;
}

static void put(struct tensors *tensors, const struct tensor *wanted)
{
    const uint64_t cols = wanted->cols, rows = wanted->rows;
    const uint64_t count = cols * (rows > 0 ? rows : 1);
    if (!tensors->is_data) {
        const struct gguf_write_tensor tensor = {wanted->name,
                                                 wanted->is_half ? WEIGHT_F16 : WEIGHT_F32,
                                                 {cols, rows},
                                                 tensors->offset};
        gguf_write_tensor(tensors->out, &tensor);
        tensors->offset += (count * (wanted->is_half ? 2 : 4) + 31) / 32 * 32;
        tensors->count++;
        return;
    }
    const float scale = rows > 0 ? 2.0F / (float)(cols < 16 ? 4 : cols < 64 ? 6 : 8) : 0.1F;
    for (uint64_t i = 0; i < count; i++) {
        const float value = scale * next_random(&tensors->random) + wanted->centre;
        const uint16_t half = half_from_float(value);
        if (wanted->is_half)
            text_buf_add(tensors->out, (struct text){(const char *)&half, sizeof half});
        else
            text_buf_add(tensors->out, (struct text){(const char *)&value, sizeof value});
    }
    gguf_write_pad(tensors->out, GGUF_ALIGNMENT_DEFAULT);
}

static void put_layer(struct tensors *tensors, const struct tiny_model_options *o,
                      uint32_t index)
{
    const struct family *family = &FAMILIES[o->family];
    const uint64_t q_dim = (uint64_t)o->head_dim * o->heads;
    const uint64_t kv_dim = (uint64_t)o->head_dim * o->kv_heads;
    const bool is_apart = !family->is_fused;
    const struct {
        const char *suffix;
        bool is_there;
        uint64_t cols, rows;
        float centre;
    } all[] = {
        {"attn_norm.weight", true, o->hidden, 0, 1.0F},
        {"attn_qkv.weight", family->is_fused, o->hidden, q_dim + 2 * kv_dim, 0.0F},
        {"attn_q.weight", is_apart, o->hidden, q_dim, 0.0F},
        {"attn_k.weight", is_apart, o->hidden, kv_dim, 0.0F},
        {"attn_v.weight", is_apart, o->hidden, kv_dim, 0.0F},
        {"attn_q.bias", family->has_bias, q_dim, 0, 0.0F},
        {"attn_k.bias", family->has_bias, kv_dim, 0, 0.0F},
        {"attn_v.bias", family->has_bias, kv_dim, 0, 0.0F},
        {"attn_q_norm.weight", family->has_qk_norm, o->head_dim, 0, 1.1F},
        {"attn_k_norm.weight", family->has_qk_norm, o->head_dim, 0, 0.9F},
        {"attn_output.weight", true, q_dim, o->hidden, 0.0F},
        {"post_attention_norm.weight", family->has_post_norms, o->hidden, 0, 0.8F},
        {"ffn_norm.weight", true, o->hidden, 0, 1.0F},
        {"ffn_gate.weight", is_apart, o->hidden, o->ffn, 0.0F},
        {"ffn_up.weight", true, o->hidden, is_apart ? o->ffn : 2 * o->ffn, 0.0F},
        {"ffn_down.weight", true, o->ffn, o->hidden, 0.0F},
        {"post_ffw_norm.weight", family->has_post_norms, o->hidden, 0, 1.2F},
    };
    char name[GGUF_NAME_BYTES_MAX];
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        (void)snprintf(name, sizeof name, "blk.%u.%s", index, all[i].suffix);
        const bool is_up = strcmp(all[i].suffix, "ffn_up.weight") == 0;
        const struct tensor tensor = {name, all[i].cols, all[i].rows, all[i].centre,
                                      is_up && o->is_up_half};
        if (all[i].is_there)
            put(tensors, &tensor);
    }
}

static void put_tensors(struct tensors *tensors, const struct tiny_model_options *o)
{
    const uint64_t pairs = o->rope_dim / 2;
    const bool is_long = o->rope == TINY_MODEL_ROPE_LONG;
    const struct {
        bool is_there;
        struct tensor tensor;
    } ends[] = {
        {true, {"token_embd.weight", o->hidden, TINY_MODEL_VOCAB, 0.0F, false}},
        {true, {"output_norm.weight", o->hidden, 0, 1.0F, false}},
        {o->has_own_head, {"output.weight", o->hidden, TINY_MODEL_VOCAB, 0.0F, false}},
        {o->rope == TINY_MODEL_ROPE_FACTORS, {"rope_freqs.weight", pairs, 0, 3.0F, false}},
        {is_long, {"rope_factors_short.weight", pairs, 0, 1.5F, false}},
        {is_long, {"rope_factors_long.weight", pairs, 0, 4.0F, false}},
    };
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        if (ends[i].is_there)
            put(tensors, &ends[i].tensor);
    }
    for (uint32_t i = 0; i < o->layers; i++)
        put_layer(tensors, o, i);
}

/* The key of that suffix in the family's own names. */
static const char *key(struct keys *keys, const char *suffix)
{
    (void)snprintf(keys->name, sizeof keys->name, "%s.%s", keys->family, suffix);
    keys->count++;
    return keys->name;
}

static void key_u32(struct keys *keys, const char *suffix, uint32_t value)
{
    gguf_write_key_u32(keys->out, key(keys, suffix), value);
}

static void key_f32(struct keys *keys, const char *suffix, float value)
{
    gguf_write_key_f32(keys->out, key(keys, suffix), value);
}

/* Keys that not every file has. */
static void put_parts(struct keys *keys, const struct tiny_model_options *o)
{
    const bool is_gemma2 = o->family == TINY_MODEL_GEMMA2;
    const bool is_long = o->rope == TINY_MODEL_ROPE_LONG;
    if (o->head_dim * o->heads != o->hidden) {
        key_u32(keys, "attention.key_length", o->head_dim);
        key_u32(keys, "attention.value_length", o->head_dim);
    }
    if (o->rope_dim != o->head_dim)
        key_u32(keys, "rope.dimension_count", o->rope_dim);
    if (o->window > 0)
        key_u32(keys, "attention.sliding_window", o->window);
    if (is_gemma2) {
        key_f32(keys, "attn_logit_softcapping", TINY_MODEL_ATTENTION_CAP);
        key_f32(keys, "final_logit_softcapping", TINY_MODEL_LOGIT_CAP);
    }
    if (o->rope == TINY_MODEL_ROPE_LINEAR || o->rope == TINY_MODEL_ROPE_YARN) {
        gguf_write_key_string(keys->out, key(keys, "rope.scaling.type"),
                              o->rope == TINY_MODEL_ROPE_YARN ? "yarn" : "linear");
        key_f32(keys, "rope.scaling.factor", TINY_MODEL_FACTOR);
    }
    if (o->rope == TINY_MODEL_ROPE_YARN || is_long)
        key_u32(keys, "rope.scaling.original_context_length", TINY_MODEL_ORIGINAL);
    if (is_long)
        key_f32(keys, "rope.scaling.attn_factor", TINY_MODEL_MAGNITUDE);
}

static void put_sizes(struct keys *keys, const struct tiny_model_options *o)
{
    gguf_write_key_string(keys->out, "general.architecture", keys->family);
    gguf_write_key_string(keys->out, "general.name", "tiny");
    keys->count += 2;
    key_u32(keys, "block_count", o->layers);
    key_u32(keys, "embedding_length", o->hidden);
    key_u32(keys, "feed_forward_length", o->ffn);
    key_u32(keys, "attention.head_count", o->heads);
    key_u32(keys, "attention.head_count_kv", o->kv_heads);
    key_u32(keys, "context_length", o->context);
    key_f32(keys, "attention.layer_norm_rms_epsilon", 1e-5F);
    key_f32(keys, "rope.freq_base",
            o->family == TINY_MODEL_GEMMA3 ? TINY_MODEL_GEMMA3_THETA : TINY_MODEL_THETA);
}

/* The code point by which byte-level vocabularies spell a byte (GPT-2): itself where it can
 * be printed, else the next free one from U+0100. */
static uint32_t byte_code_point(uint32_t byte)
{
    const bool is_printed = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte != 0xad);
    uint32_t before = 0;
    for (uint32_t b = 0; b < byte; b++)
        before += !((b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b != 0xad));
    return is_printed ? byte : 0x100 + before;
}

static void put_vocabulary(struct keys *keys)
{
    struct text_buf *out = keys->out;
    static const char *const MERGES[][2] = {
        {"t", "h"}, {"th", "e"}, {"i", "n"}, {"a", "n"}, {"e", "r"}};
    static const char *const CONTROL[] = {"<|end|>", "<|begin|>", "<|role|>"};
    char piece[16];
    gguf_write_key_string(out, "tokenizer.ggml.model", "gpt2");
    gguf_write_key_string(out, "tokenizer.ggml.pre", "smollm");
    gguf_write_key_array(out, "tokenizer.ggml.tokens", GGUF_STRING, TINY_MODEL_VOCAB);
    for (uint32_t byte = 0; byte < 256; byte++) {
        piece[text_utf8_put(byte_code_point(byte), piece)] = '\0';
        gguf_write_string(out, piece);
    }
    for (int i = 0; i < 5; i++) {
        (void)snprintf(piece, sizeof piece, "%s%s", MERGES[i][0], MERGES[i][1]);
        gguf_write_string(out, piece);
    }
    for (int i = 0; i < 3; i++)
        gguf_write_string(out, CONTROL[i]);
    gguf_write_key_array(out, "tokenizer.ggml.token_type", GGUF_I32, TINY_MODEL_VOCAB);
    for (uint32_t i = 0; i < TINY_MODEL_VOCAB; i++)
        gguf_write_u32(out, i < TINY_MODEL_END ? 1 : 3);
    gguf_write_key_array(out, "tokenizer.ggml.merges", GGUF_STRING, 5);
    for (int i = 0; i < 5; i++) {
        (void)snprintf(piece, sizeof piece, "%s %s", MERGES[i][0], MERGES[i][1]);
        gguf_write_string(out, piece);
    }
    gguf_write_key_u32(out, "tokenizer.ggml.bos_token_id", TINY_MODEL_BOS);
    gguf_write_key_u32(out, "tokenizer.ggml.eos_token_id", TINY_MODEL_END);
    gguf_write_key(out, "tokenizer.ggml.add_bos_token", GGUF_BOOL);
    text_buf_byte(out, 0);
    gguf_write_key_string(
        out, "tokenizer.chat_template",
        "{% for message in messages %}{{ '<|role|>' + message['role'] + ' ' "
        "+ message['content'] + '<|end|>' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|role|>assistant ' }}{% endif %}");
    keys->count += 9;
}

struct tiny_model_options tiny_model_resolved(const struct tiny_model_options *options)
{
    struct tiny_model_options o = *options;
    o.layers = o.layers ? o.layers : 2;
    o.hidden = o.hidden ? o.hidden : 64;
    o.heads = o.heads ? o.heads : 4;
    o.kv_heads = o.kv_heads ? o.kv_heads : 2;
    o.ffn = o.ffn ? o.ffn : 96;
    o.context = o.context ? o.context : 512;
    o.head_dim = o.head_dim ? o.head_dim : o.hidden / o.heads;
    o.rope_dim = o.rope_dim ? o.rope_dim : o.head_dim;
    return o;
}

void tiny_model_write(struct text_buf *out, const struct tiny_model_options *options)
{
    const struct tiny_model_options o = tiny_model_resolved(options);
    struct tensors tensors = {.out = out, .random = o.seed};
    struct keys keys = {.out = out, .family = FAMILIES[o.family].name};
    const size_t counts = out->size + 8;
    gguf_write_header(out, 0, 0);
    put_sizes(&keys, &o);
    put_vocabulary(&keys);
    put_parts(&keys, &o);
    put_tensors(&tensors, &o);
    gguf_write_pad(out, GGUF_ALIGNMENT_DEFAULT);
    memcpy(out->data + counts, &tensors.count, sizeof tensors.count);
    memcpy(out->data + counts + sizeof tensors.count, &keys.count, sizeof keys.count);
    tensors.is_data = true;
    put_tensors(&tensors, &o);
}

int tiny_model_file(struct text bytes, char *path, size_t path_size)
{
    const int fd = memfd_create("tiny_model", MFD_CLOEXEC);
    if (fd < 0)
        return -1;
    if (write(fd, bytes.data, bytes.size) != (ssize_t)bytes.size) {
        (void)close(fd);
        return -1;
    }
    (void)snprintf(path, path_size, "/proc/self/fd/%d", fd);
    return fd;
}

int tiny_model_open(const struct tiny_model_options *options, char *path, size_t path_size)
{
    struct text_buf file = {0};
    tiny_model_write(&file, options);
    const int fd = tiny_model_file(text_buf_text(&file), path, path_size);
    text_buf_deinit(&file);
    return fd;
}
