/* tiny_model - see tiny_model.h. */
#include "tests/harness/tiny_model.h"

#include "tests/harness/gguf_write.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { KEY_COUNT = 19, END_TENSORS = 2, LAYER_TENSORS = 9 };

/* Tensors: described once with their offsets, then filled in the same order. */
struct tensors {
    struct text_buf *out;
    uint64_t offset; /* of the next one, in the data section */
    uint32_t random; /* state of the generator */
    bool is_data;    /* second pass */
};

/* A number in [-1, 1) from a linear congruential generator (Numerical Recipes). */
static float next_random(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return (float)(int32_t)*state / 2147483648.0F;
}

/* Rows of cols numbers in [-scale, scale); norms have one row and stand around 1. */
static void put(struct tensors *tensors, const char *name, uint64_t cols, uint64_t rows)
{
    const uint64_t count = cols * (rows > 0 ? rows : 1);
    if (!tensors->is_data) {
        const struct gguf_write_tensor tensor = {
            name, WEIGHT_F32, {cols, rows}, tensors->offset};
        gguf_write_tensor(tensors->out, &tensor);
        tensors->offset += (count * sizeof(float) + 31) / 32 * 32;
        return;
    }
    const float scale = rows > 0 ? 2.0F / (float)(cols < 16 ? 4 : cols < 64 ? 6 : 8) : 0.1F;
    for (uint64_t i = 0; i < count; i++) {
        const float value = scale * next_random(&tensors->random) + (rows > 0 ? 0.0F : 1.0F);
        text_buf_add(tensors->out, (struct text){(const char *)&value, sizeof value});
    }
    gguf_write_pad(tensors->out, GGUF_ALIGNMENT_DEFAULT);
}

static void put_layer(struct tensors *tensors, const struct tiny_model_options *o,
                      uint32_t index)
{
    const uint64_t head_dim = o->hidden / o->heads, kv_dim = head_dim * o->kv_heads;
    const struct {
        const char *suffix;
        uint64_t cols, rows;
    } all[LAYER_TENSORS] = {
        {"attn_norm", o->hidden, 0},           {"attn_q", o->hidden, o->hidden},
        {"attn_k", o->hidden, kv_dim},         {"attn_v", o->hidden, kv_dim},
        {"attn_output", o->hidden, o->hidden}, {"ffn_norm", o->hidden, 0},
        {"ffn_gate", o->hidden, o->ffn},       {"ffn_up", o->hidden, o->ffn},
        {"ffn_down", o->ffn, o->hidden},
    };
    char name[GGUF_NAME_BYTES_MAX];
    for (size_t i = 0; i < LAYER_TENSORS; i++) {
        (void)snprintf(name, sizeof name, "blk.%u.%s.weight", index, all[i].suffix);
        put(tensors, name, all[i].cols, all[i].rows);
    }
}

static void put_tensors(struct tensors *tensors, const struct tiny_model_options *o)
{
    put(tensors, "token_embd.weight", o->hidden, TINY_MODEL_VOCAB);
    put(tensors, "output_norm.weight", o->hidden, 0);
    for (uint32_t i = 0; i < o->layers; i++)
        put_layer(tensors, o, i);
}

static void put_sizes(struct text_buf *out, const struct tiny_model_options *o)
{
    gguf_write_key_string(out, "general.architecture", "llama");
    gguf_write_key_string(out, "general.name", "tiny");
    gguf_write_key_u32(out, "llama.block_count", o->layers);
    gguf_write_key_u32(out, "llama.embedding_length", o->hidden);
    gguf_write_key_u32(out, "llama.feed_forward_length", o->ffn);
    gguf_write_key_u32(out, "llama.attention.head_count", o->heads);
    gguf_write_key_u32(out, "llama.attention.head_count_kv", o->kv_heads);
    gguf_write_key_u32(out, "llama.context_length", o->context);
    gguf_write_key_f32(out, "llama.attention.layer_norm_rms_epsilon", 1e-5F);
    gguf_write_key_f32(out, "llama.rope.freq_base", 10000.0F);
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

static void put_vocabulary(struct text_buf *out)
{
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
}

void tiny_model_write(struct text_buf *out, const struct tiny_model_options *options)
{
    const struct tiny_model_options o = {
        .layers = options->layers ? options->layers : 2,
        .hidden = options->hidden ? options->hidden : 64,
        .heads = options->heads ? options->heads : 4,
        .kv_heads = options->kv_heads ? options->kv_heads : 2,
        .ffn = options->ffn ? options->ffn : 96,
        .context = options->context ? options->context : 512,
    };
    struct tensors tensors = {.out = out, .random = options->seed};
    gguf_write_header(out, END_TENSORS + (uint64_t)o.layers * LAYER_TENSORS, KEY_COUNT);
    put_sizes(out, &o);
    put_vocabulary(out);
    put_tensors(&tensors, &o);
    gguf_write_pad(out, GGUF_ALIGNMENT_DEFAULT);
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
