/*
 * Tests of model, model_config and weights: a tiny random model opens in both precisions with
 * what its file says; each contradiction in a file is refused by name; no single-bit flip of a
 * header does harm.
 */
#include "engine/model.h"
#include "engine/model_file.h"
#include "tests/harness/gguf_write.h"
#include "tests/harness/sanitized.h"
#include "tests/harness/tiny_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct device *open_device(void)
{
    const struct device_options options = {.kind = DEVICE_CPU, .threads = 1};
    struct device *device;
    struct error err;
    if (device_open(&device, &options, &err) != OK)
        fail_msg("%s", err.text);
    return device;
}

/* Opens the bytes as a model and closes it again. */
static enum status try_open(struct device *device, struct text bytes,
                            enum model_precision precision, struct error *err)
{
    char path[32];
    struct model *model;
    const int fd = tiny_model_file(bytes, path, sizeof path);
    assert_true(fd >= 0);
    const enum status status = model_open(&model, path, precision, device, err);
    if (status == OK)
        model_close(model, device);
    else
        assert_null(model);
    (void)close(fd);
    return status;
}

static void test_tiny_model_opens(void **state)
{
    (void)state;
    struct device *device = open_device();
    char path[32];
    const int fd = tiny_model_open(&(struct tiny_model_options){0}, path, sizeof path);
    for (int precision = MODEL_EXACT; precision <= MODEL_INT8; precision++) {
        struct model *model;
        struct error err;
        if (model_open(&model, path, (enum model_precision)precision, device, &err) != OK)
            fail_msg("%s", err.text);
        assert_string_equal(model->config.name, "tiny");
        assert_int_equal(model->config.layers, 2);
        assert_int_equal(model->config.head_dim, 16);
        assert_int_equal(model->config.rope_dim, 16);
        assert_int_equal(model->config.vocab, TINY_MODEL_VOCAB);
        assert_true(model->config.rope_interleaved);
        assert_true(fabsf(model->config.attention_scale - 0.25F) < 1e-6F);
        assert_true(fabsf(model->rope_inv_freq[1] - powf(10000.0F, -0.125F)) < 1e-6F);
        const enum weight_form form = precision == MODEL_INT8 ? WEIGHT_INT8 : WEIGHT_STORED;
        assert_int_equal(model->embed.form, WEIGHT_STORED);
        assert_int_equal(model->head.form, form);
        assert_int_equal(model->layers[1].down.form, form);
        assert_int_equal(model->layers[1].down.in_dim, 96);
        assert_true(model->output_norm[0] > 0.8F && model->output_norm[0] < 1.2F);
        assert_null(model->layers[0].q_bias);
        assert_non_null(model->tokenizer);
        assert_int_equal(tokenizer_bos(model->tokenizer), TINY_MODEL_BOS);
        assert_true(tokenizer_is_end(model->tokenizer, TINY_MODEL_END));
        model_close(model, device);
    }
    (void)close(fd);
    device_close(device);
}

/* Where in the file a key's value, or what follows a tensor's name, begins. */
static char *place_after(struct text_buf *file, const char *name)
{
    char spelled[GGUF_KEY_BYTES_MAX + 8];
    const uint64_t size = strlen(name);
    memcpy(spelled, &size, sizeof size);
    memcpy(spelled + sizeof size, name, (size_t)size);
    const struct text wanted = {spelled, sizeof size + (size_t)size};
    const size_t at = text_find(text_buf_text(file), wanted, 0);
    assert_true(at != SIZE_MAX);
    return file->data + at + wanted.size;
}

/* One change to a good file, and what the refusal must say. */
struct fault {
    const char *name; /* of a key or tensor */
    size_t offset;    /* bytes after its name */
    uint32_t value;   /* put there */
    enum status status;
    const char *reason;
};

/* Elements of a file's tensors: every one of them is a parameter, in plain ropes' files. */
static uint64_t elements_of(const char *path)
{
    struct model_file file;
    uint64_t count = 0;
    assert_int_equal(model_file_open(&file, path, NULL), OK);
    for (uint32_t i = 0; i < file.gguf->tensor_count; i++) {
        const struct gguf_tensor *tensor = &file.gguf->tensors[i];
        uint64_t elements = 1;
        for (uint32_t d = 0; d < tensor->dim_count; d++)
            elements *= (uint64_t)tensor->dims[d];
        count += elements;
    }
    model_file_close(&file);
    return count;
}

static void test_parameters_are_those_of_the_file(void **state)
{
    (void)state;
    struct device *device = open_device();
    for (int family = TINY_MODEL_LLAMA; family <= TINY_MODEL_SMOLLM3; family++) {
        const struct tiny_model_options options = {.family = (enum tiny_model_family)family,
                                                   .has_own_head = family % 2 != 0};
        char path[32];
        const int fd = tiny_model_open(&options, path, sizeof path);
        for (int precision = MODEL_EXACT; precision <= MODEL_INT8; precision++) {
            struct model *model;
            assert_int_equal(
                model_open(&model, path, (enum model_precision)precision, device, NULL), OK);
            assert_int_equal(model_parameters(model), elements_of(path));
            model_close(model, device);
        }
        (void)close(fd);
    }
    device_close(device);
}

static void test_contradictions_are_named(void **state)
{
    (void)state;
    enum { VALUE = 4, DIM0 = 4, DIM1 = 12, CUT_NAME = 0 };
    static const struct fault FAULTS[] = {
        {"general.architecture", VALUE + 8, 0x74616d62, ERR_LIMIT, /* "bmat" */
         "key general.architecture: bmata is not supported; supported are llama"},
        {"llama.block_count", VALUE, 0, ERR_LIMIT,
         "key llama.block_count: 0, must be 1 .. 512"},
        {"llama.block_count", VALUE, 513, ERR_LIMIT, "must be 1 .. 512"},
        {"llama.block_count", VALUE, 3, ERR_FORMAT, "tensor blk.2.attn_q.weight: is missing"},
        {"llama.block_count", VALUE, 1, ERR_LIMIT, "with 1 layers has no place for it"},
        {"llama.block_count", CUT_NAME, GGUF_F32, ERR_FORMAT,
         "key llama.block_count: type f32, must be an integer"},
        {"llama.embedding_length", VALUE, 128, ERR_FORMAT, "64 x 264, must be 2, 128 x 264"},
        {"llama.embedding_length", VALUE, UINT32_MAX, ERR_LIMIT, "4294967295, must be"},
        {"llama.feed_forward_length", VALUE, 95, ERR_FORMAT, "tensor blk.0.ffn_gate.weight"},
        {"llama.attention.head_count", VALUE, 0, ERR_LIMIT, "head_count: 0, must be 1 .. 1024"},
        {"llama.attention.head_count_kv", VALUE, 3, ERR_FORMAT,
         "4 heads do not divide among 3"},
        {"llama.attention.head_count_kv", VALUE, 5, ERR_LIMIT, "5, must be 1 .. 4"},
        {"llama.attention.head_count", VALUE, 64, ERR_FORMAT,
         "dimension_count: 1, must be even"},
        {"llama.context_length", VALUE, 0, ERR_LIMIT, "context_length: 0, must be"},
        {"llama.rope.freq_base", VALUE, 0x7fc00000, ERR_FORMAT, "must be a finite f32"},
        {"llama.rope.freq_base", VALUE, 0xbf800000, ERR_FORMAT, "-1, must be greater than 0"},
        {"tokenizer.ggml.eos_token_id", VALUE, 264, ERR_FORMAT, "264, the vocabulary has 264"},
        {"token_embd.weight", DIM1, 132, ERR_FORMAT, "264 pieces, the embedding has 132 rows"},
        {"blk.1.attn_k.weight", DIM1, 31, ERR_FORMAT,
         "tensor blk.1.attn_k.weight: 2 dimensions, 64 x 31, must be 2, 64 x 32"},
        {"output_norm.weight", DIM0, 63, ERR_FORMAT, "tensor output_norm.weight"},
    };
    struct device *device = open_device();
    for (size_t i = 0; i < sizeof FAULTS / sizeof FAULTS[0]; i++) {
        struct text_buf file = {0};
        struct error err = {0};
        tiny_model_write(&file, &(struct tiny_model_options){0});
        memcpy(place_after(&file, FAULTS[i].name) + FAULTS[i].offset, &FAULTS[i].value, 4);
        const enum status status = try_open(device, text_buf_text(&file), MODEL_EXACT, &err);
        if (status != FAULTS[i].status || !strstr(err.text, FAULTS[i].reason))
            fail_msg("%s = %u: said \"%s\", not \"%s\"", FAULTS[i].name, FAULTS[i].value,
                     err.text, FAULTS[i].reason);
        text_buf_deinit(&file);
    }
    device_close(device);
}

enum { DIM0 = 4, DIM1 = 12 };

static const struct {
    struct tiny_model_options options;
    const char *name, *renamed; /* of the same length, or NULL */
    size_t offset;              /* of a dimension after the name */
    uint32_t value;
    enum status status;
    const char *reason;
} TENSOR_FAULTS[] = {
    {{.family = TINY_MODEL_QWEN3},
     "blk.0.attn_q_norm.weight",
     "blk.0.attn_q_narm.weight",
     0,
     0,
     ERR_FORMAT,
     "tensor blk.0.attn_q_norm.weight: is missing"},
    {{.family = TINY_MODEL_QWEN3},
     "blk.1.attn_k_norm.weight",
     NULL,
     DIM0,
     15,
     ERR_FORMAT,
     "tensor blk.1.attn_k_norm.weight: 1 dimensions, the first 15, must be one of 16"},
    {{.family = TINY_MODEL_GEMMA2},
     "blk.1.post_ffw_norm.weight",
     "blk.1.past_ffw_norm.weight",
     0,
     0,
     ERR_FORMAT,
     "tensor blk.1.post_ffw_norm.weight: is missing"},
    {{.family = TINY_MODEL_PHI3},
     "blk.0.attn_qkv.weight",
     NULL,
     DIM1,
     127,
     ERR_FORMAT,
     "tensor blk.0.attn_qkv.weight: 2 dimensions, 64 x 127, must be 2, 64 x 128"},
    {{.family = TINY_MODEL_PHI3},
     "blk.0.ffn_up.weight",
     NULL,
     DIM1,
     191,
     ERR_FORMAT,
     "tensor blk.0.ffn_gate.weight: is missing"},
    {{.rope = TINY_MODEL_ROPE_FACTORS},
     "rope_freqs.weight",
     NULL,
     DIM0,
     7,
     ERR_FORMAT,
     "tensor rope_freqs.weight: 1 dimensions, the first 7, must be one of 8"},
    {{.family = TINY_MODEL_PHI3, .rope = TINY_MODEL_ROPE_LONG},
     "rope_factors_short.weight",
     NULL,
     DIM0,
     4,
     ERR_FORMAT,
     "tensor rope_factors_short.weight: 1 dimensions, the first 4, must be one of 8"},
    {{.family = TINY_MODEL_LLAMA},
     "blk.1.ffn_norm.weight",
     "blk.1.ffn_nurm.weight",
     0,
     0,
     ERR_FORMAT,
     "tensor blk.1.ffn_norm.weight: is missing"},
};

/* A tensor's name or a dimension changed in a file of a family. */
static void test_tensors_of_families_are_checked(void **state)
{
    (void)state;
    struct device *device = open_device();
    for (size_t i = 0; i < sizeof TENSOR_FAULTS / sizeof TENSOR_FAULTS[0]; i++) {
        struct text_buf file = {0};
        struct error err = {0};
        tiny_model_write(&file, &TENSOR_FAULTS[i].options);
        char *after = place_after(&file, TENSOR_FAULTS[i].name);
        if (TENSOR_FAULTS[i].renamed)
            memcpy(after - strlen(TENSOR_FAULTS[i].name), TENSOR_FAULTS[i].renamed,
                   strlen(TENSOR_FAULTS[i].renamed));
        else
            memcpy(after + TENSOR_FAULTS[i].offset, &TENSOR_FAULTS[i].value,
                   sizeof TENSOR_FAULTS[i].value);
        const enum status status = try_open(device, text_buf_text(&file), MODEL_EXACT, &err);
        if (status != TENSOR_FAULTS[i].status || !strstr(err.text, TENSOR_FAULTS[i].reason))
            fail_msg("%s: said \"%s\", not \"%s\"", TENSOR_FAULTS[i].name, err.text,
                     TENSOR_FAULTS[i].reason);
        text_buf_deinit(&file);
    }
    device_close(device);
}

/* In a Llama, what another family would have is not left out in silence; a factor must be a
 * number above 0. */
static void test_parts_of_other_families_are_refused(void **state)
{
    (void)state;
    struct device *device = open_device();
    struct text_buf file = {0};
    struct error err;
    struct gguf gguf;
    tiny_model_write(&file, &(struct tiny_model_options){.family = TINY_MODEL_QWEN3});
    memcpy(place_after(&file, "general.architecture") + 4 + 8, "qwen2", 5);
    for (size_t at = text_find(text_buf_text(&file), TEXT("qwen3."), 0); at != SIZE_MAX;
         at = text_find(text_buf_text(&file), TEXT("qwen3."), at))
        memcpy(file.data + at, "qwen2", 5);
    assert_int_equal(try_open(device, text_buf_text(&file), MODEL_EXACT, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "architecture qwen2 with 2 layers has no place for it"));
    text_buf_clear(&file);

    tiny_model_write(&file, &(struct tiny_model_options){.rope = TINY_MODEL_ROPE_FACTORS});
    assert_int_equal(gguf_init(&gguf, (const uint8_t *)file.data, file.size, &err), OK);
    const uint8_t *factors = gguf_find_tensor(&gguf, "rope_freqs.weight")->data;
    memset(file.data + (factors - (const uint8_t *)file.data) + 3 * sizeof(float), 0, 4);
    gguf_deinit(&gguf);
    assert_int_equal(try_open(device, text_buf_text(&file), MODEL_EXACT, &err), ERR_FORMAT);
    assert_string_equal(err.text, "tensor rope_freqs.weight: factor 3 is 0, must be above 0");
    text_buf_deinit(&file);
    device_close(device);
}

static void test_unused_keys_of_other_models_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value;
        uint32_t number;
        const char *reason;
    } KEYS[] = {
        {"llama.expert_count", NULL, 8, "key llama.expert_count: 8"},
        {"llama.rope.scaling.type", "dynamic", 0, "scaling.type: dynamic is not supported"},
        {"llama.vocab_size", NULL, 300, "300, tensor token_embd.weight has 264 rows"},
    };
    struct device *device = open_device();
    for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++) {
        struct text_buf file = {0}, longer = {0};
        struct error err = {0};
        tiny_model_write(&file, &(struct tiny_model_options){0});
        uint64_t keys;
        memcpy(&keys, file.data + 16, sizeof keys);
        keys++;
        text_buf_add(&longer, text_slice(text_buf_text(&file), 0, 16));
        gguf_write_u64(&longer, keys);
        if (KEYS[i].value)
            gguf_write_key_string(&longer, KEYS[i].key, KEYS[i].value);
        else
            gguf_write_key_u32(&longer, KEYS[i].key, KEYS[i].number);
        struct gguf gguf; /* the data section moves: pad the header as it was */
        assert_int_equal(gguf_init(&gguf, (const uint8_t *)file.data, file.size, &err), OK);
        const size_t header = gguf.data_offset;
        gguf_deinit(&gguf);
        text_buf_add(&longer, text_slice(text_buf_text(&file), 24, header));
        gguf_write_pad(&longer, GGUF_ALIGNMENT_DEFAULT);
        text_buf_add(&longer, text_slice(text_buf_text(&file), header, file.size));
        gguf_write_zeros(&longer, 64);
        assert_int_not_equal(try_open(device, text_buf_text(&longer), MODEL_EXACT, &err), OK);
        if (!strstr(err.text, KEYS[i].reason))
            fail_msg("said \"%s\", not \"%s\"", err.text, KEYS[i].reason);
        text_buf_deinit(&file);
        text_buf_deinit(&longer);
    }
    device_close(device);
}

/* Every third bit, so that each place of a byte has its turn: all of them take three times as
 * long, which is seconds. */
enum { FLIP_STEP = SANITIZED ? 23 : 3 };

static void test_no_bit_flip_of_the_header_does_harm(void **state)
{
    (void)state;
    const struct tiny_model_options options = {
        .layers = 1, .hidden = 32, .heads = 2, .kv_heads = 1, .ffn = 32};
    struct device *device = open_device();
    struct text_buf file = {0};
    struct error err;
    struct gguf gguf;
    tiny_model_write(&file, &options);
    assert_int_equal(gguf_init(&gguf, (const uint8_t *)file.data, file.size, &err), OK);
    const size_t header = gguf.data_offset;
    gguf_deinit(&gguf);
    char path[32];
    const int fd = tiny_model_file(text_buf_text(&file), path, sizeof path);
    size_t refused = 0;
    for (size_t bit = 0; bit < header * 8; bit += FLIP_STEP) {
        const char byte = (char)(file.data[bit / 8] ^ (1 << bit % 8));
        struct model *model;
        err.text[0] = '\0';
        assert_int_equal(pwrite(fd, &byte, 1, (off_t)(bit / 8)), 1);
        const enum model_precision precision = bit % 8 == 0 ? MODEL_INT8 : MODEL_EXACT;
        const enum status status = model_open(&model, path, precision, device, &err);
        if (status != OK && err.text[0] == '\0')
            fail_msg("bit %zu: refused without a word", bit);
        refused += status != OK;
        model_close(model, device);
        assert_int_equal(pwrite(fd, &file.data[bit / 8], 1, (off_t)(bit / 8)), 1);
    }
    const size_t flips = header * 8 / FLIP_STEP;
    print_message("    %zu bits, %zu refused\n", flips, refused);
    assert_true(refused > flips / 8); /* flips inside pieces and texts pass */
    (void)close(fd);
    text_buf_deinit(&file);
    device_close(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tiny_model_opens),
        cmocka_unit_test(test_parameters_are_those_of_the_file),
        cmocka_unit_test(test_contradictions_are_named),
        cmocka_unit_test(test_tensors_of_families_are_checked),
        cmocka_unit_test(test_parts_of_other_families_are_refused),
        cmocka_unit_test(test_unused_keys_of_other_models_are_refused),
        cmocka_unit_test(test_no_bit_flip_of_the_header_does_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
