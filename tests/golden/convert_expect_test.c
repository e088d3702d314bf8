/*
 * Real models of five families as their converter names them: every key and every tensor's name
 * of the shared data's lists, in a file of the true shapes that takes no room (its data are
 * holes), must open: no name is missing, none without a place, and what is made of the keys is
 * what the model is.
 */
#include "base/file_map.h"
#include "base/json.h"
#include "engine/model.h"
#include "tests/harness/gguf_write.h"
#include "tests/harness/test_data.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum { SKIPPED = 77, TENSOR_BYTES_ALIGN = 32 };

/* What is known of a model apart from its list. */
static const struct real {
    const char *file;
    int32_t hidden, ffn, heads, kv_heads, head_dim, vocab;
    int32_t layers, window, context;
    bool has_own_head, is_fused;
    double rope_theta, magnitude;
} REALS[] = {
    {"Meta-Llama-3-8B-Instruct", 4096, 14336, 32, 8, 128, 128256, 32, 0, 8192, true, false, 5e5,
     1.0},
    {"Mistral-7B-Instruct-v0.2", 4096, 14336, 32, 8, 128, 32000, 32, 0, 32768, true, false, 1e4,
     1.0},
    {"Qwen2.5-0.5B-Instruct", 896, 4864, 14, 2, 64, 151936, 24, 0, 32768, false, false, 1e6,
     1.0},
    {"gemma-2-2b-it", 2304, 9216, 8, 4, 256, 256000, 26, 4096, 8192, false, false, 1e4, 1.0},
    {"Phi-3-mini-128k-instruct", 3072, 8192, 32, 32, 96, 32064, 32, 262144, 131072, true, true,
     1e4, 1.1902381},
};

/* Such a list on its way to a file. */
struct writer {
    const struct real *real;
    struct text_buf keys, tensors;
    uint64_t key_count, tensor_count;
    uint64_t offset;        /* of the next tensor's data */
    uint64_t factors_at[2]; /* where rope factors lie, which must not be 0 */
    int factor_count;
};

static struct test_data_path list_of(const struct real *real)
{
    return test_data("models/convert_expect/%s.json", real->file);
}

static bool ends_with(struct text name, const char *end)
{
    const size_t size = strlen(end);
    return name.size >= size && memcmp(name.data + name.size - size, end, size) == 0;
}

/* The shape of the tensor of that name: *rows is 0 for a vector. */
static void shape_of(const struct real *real, struct text name, int64_t *cols, int64_t *rows)
{
    const int64_t hidden = real->hidden, ffn = real->ffn;
    const int64_t q_dim = (int64_t)real->heads * real->head_dim;
    const int64_t kv_dim = (int64_t)real->kv_heads * real->head_dim;
    const struct {
        const char *end;
        int64_t cols, rows;
    } shapes[] = {
        {"token_embd.weight", hidden, real->vocab},
        {"rope_factors_long.weight", real->head_dim / 2, 0},
        {"rope_factors_short.weight", real->head_dim / 2, 0},
        {"attn_q.weight", hidden, q_dim},
        {"attn_k.weight", hidden, kv_dim},
        {"attn_v.weight", hidden, kv_dim},
        {"attn_qkv.weight", hidden, q_dim + 2 * kv_dim},
        {"attn_q.bias", q_dim, 0},
        {"attn_k.bias", kv_dim, 0},
        {"attn_v.bias", kv_dim, 0},
        {"attn_output.weight", q_dim, hidden},
        {"output.weight", hidden, real->vocab},
        {"ffn_gate.weight", hidden, ffn},
        {"ffn_up.weight", hidden, real->is_fused ? 2 * ffn : ffn},
        {"ffn_down.weight", ffn, hidden},
        {"norm.weight", hidden, 0},
    };
    *cols = *rows = 0;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0] && *cols == 0; i++) {
        if (ends_with(name, shapes[i].end)) {
            *cols = shapes[i].cols;
            *rows = shapes[i].rows;
        }
    }
}

static void add_tensor(struct writer *writer, struct text name)
{
    char spelled[GGUF_NAME_BYTES_MAX];
    int64_t cols, rows;
    shape_of(writer->real, name, &cols, &rows);
    if (cols == 0)
        fail_msg("no shape is known for %.*s", TEXT_ARG(name));
    (void)snprintf(spelled, sizeof spelled, "%.*s", TEXT_ARG(name));
    const struct gguf_write_tensor tensor = {spelled,
                                             rows > 0 ? WEIGHT_F16 : WEIGHT_F32,
                                             {(uint64_t)cols, (uint64_t)rows},
                                             writer->offset};
    gguf_write_tensor(&writer->tensors, &tensor);
    if (strstr(spelled, "rope_factors") && writer->factor_count < 2)
        writer->factors_at[writer->factor_count++] = writer->offset;
    const uint64_t bytes = rows > 0 ? 2 * (uint64_t)(cols * rows) : 4 * (uint64_t)cols;
    writer->offset +=
        (bytes + TENSOR_BYTES_ALIGN - 1) / TENSOR_BYTES_ALIGN * TENSOR_BYTES_ALIGN;
    writer->tensor_count++;
}

/* Sizes are integers in such files, constants floats. */
static void add_key(struct writer *writer, struct text name, const struct json *value)
{
    char spelled[GGUF_KEY_BYTES_MAX];
    struct text text;
    double number = 0;
    (void)snprintf(spelled, sizeof spelled, "%.*s", TEXT_ARG(name));
    const bool is_float = ends_with(name, "freq_base") || ends_with(name, "epsilon") ||
                          ends_with(name, "attn_factor");
    const bool is_text = json_text(value, &text);
    char copy[64] = {0};
    if (is_text)
        (void)snprintf(copy, sizeof copy, "%.*s", TEXT_ARG(text));
    else
        assert_true(json_double(value, &number));
    writer->key_count++;
    if (text_equal(name, TEXT("general.architecture")))
        gguf_write_key_string(&writer->keys, spelled, copy);
    else if (is_float)
        gguf_write_key_f32(&writer->keys, spelled, (float)(is_text ? atof(copy) : number));
    else
        gguf_write_key_u32(&writer->keys, spelled, (uint32_t)(is_text ? atof(copy) : number));
}

static void read_list(struct writer *writer)
{
    struct text_buf source = {0};
    struct json *root = NULL;
    struct error err;
    if (file_map_read(&source, list_of(writer->real).text, 0, &err) != OK ||
        json_parse(text_buf_text(&source), 0, &root, &err) != OK)
        fail_msg("%s", err.text);
    for (const struct json *one = json_first(root); one; one = json_next(one)) {
        const struct text name = json_key(one);
        if (ends_with(name, ".weight") || ends_with(name, ".bias"))
            add_tensor(writer, name);
        else if (!text_starts(name, TEXT("tokenizer.")))
            add_key(writer, name, one);
    }
    json_free(root);
    text_buf_deinit(&source);
}

/* A file without a name whose data are holes, but for rope factors of 1. */
static int write_holes(const struct writer *writer)
{
    struct text_buf header = {0};
    float ones[512];
    gguf_write_header(&header, writer->tensor_count, writer->key_count);
    text_buf_add(&header, text_buf_text(&writer->keys));
    text_buf_add(&header, text_buf_text(&writer->tensors));
    gguf_write_pad(&header, GGUF_ALIGNMENT_DEFAULT);
    const int fd = memfd_create("convert_expect", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, header.data, header.size, 0), header.size);
    assert_int_equal(ftruncate(fd, (off_t)(header.size + writer->offset)), 0);
    for (size_t i = 0; i < 512; i++)
        ones[i] = 1.0F;
    const size_t bytes = (size_t)writer->real->head_dim / 2 * sizeof *ones;
    for (int i = 0; i < writer->factor_count; i++)
        assert_int_equal(pwrite(fd, ones, bytes, (off_t)(header.size + writer->factors_at[i])),
                         bytes);
    text_buf_deinit(&header);
    return fd;
}

static void check_model(const struct model *model, const struct real *real)
{
    const struct model_config *config = &model->config;
    assert_int_equal(config->layers, real->layers);
    assert_int_equal(config->hidden, real->hidden);
    assert_int_equal(config->ffn, real->ffn);
    assert_int_equal(config->heads, real->heads);
    assert_int_equal(config->kv_heads, real->kv_heads);
    assert_int_equal(config->head_dim, real->head_dim);
    assert_int_equal(config->vocab, real->vocab);
    assert_int_equal(config->window, real->window);
    assert_int_equal(config->context_max, real->context);
    assert_true(fabs((double)config->rope_theta - real->rope_theta) < 1.0);
    assert_true(fabs((double)model->rope_magnitude - real->magnitude) < 1e-6);
    assert_true(fabs((double)config->attention_scale - 1.0 / sqrt(real->head_dim)) < 1e-6);
    assert_int_equal(model->head.data != model->embed.data, real->has_own_head);
    const struct model_layer *last = &model->layers[real->layers - 1];
    const size_t row_bytes = 2 * (size_t)real->hidden;
    assert_int_equal(last->up.out_dim, real->ffn);
    assert_int_equal(last->v.out_dim, real->kv_heads * real->head_dim);
    if (!real->is_fused)
        return;
    assert_ptr_equal(last->up.data,
                     (const uint8_t *)last->gate.data + (size_t)real->ffn * row_bytes);
    assert_ptr_equal(last->k.data, (const uint8_t *)last->q.data +
                                       (size_t)(real->heads * real->head_dim) * row_bytes);
}

static void test_real_names_have_their_places(void **state)
{
    (void)state;
    struct device *device;
    struct error err;
    const struct device_options options = {.kind = DEVICE_CPU, .threads = 1};
    assert_int_equal(device_open(&device, &options, &err), OK);
    for (size_t i = 0; i < sizeof REALS / sizeof REALS[0]; i++) {
        struct writer writer = {.real = &REALS[i]};
        struct model *model;
        char path[32];
        read_list(&writer);
        const int fd = write_holes(&writer);
        (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        if (model_open(&model, path, MODEL_EXACT, device, &err) != OK)
            fail_msg("%s: %s", REALS[i].file, err.text);
        print_message("    %-26s %llu tensors\n", REALS[i].file,
                      (unsigned long long)writer.tensor_count);
        check_model(model, &REALS[i]);
        model_close(model, device);
        (void)close(fd);
        text_buf_deinit(&writer.keys);
        text_buf_deinit(&writer.tensors);
    }
    device_close(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_real_names_have_their_places)};
    const struct test_data_path first = list_of(&REALS[0]);
    if (!test_data_is_there(&first))
        return SKIPPED;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
