/*
 * quant_file_test - which tensor gets which type; that what is written is what the encoder
 * makes of each row, and opens; that numbers no type holds leave no file behind.
 */
#include "engine/quant_file.h"

#include "base/file_map.h"
#include "engine/gguf_get.h"
#include "kernels/weight_quantize.h"
#include "tests/harness/tiny_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATH = 64, ROW_MAX = 1024 };

static char folder[PATH], source_path[2 * PATH], out_path[2 * PATH];

/* A file, read. */
struct opened {
    struct file_map map;
    struct gguf gguf;
};

static void open_file(struct opened *file, const char *path)
{
    struct error err;
    assert_int_equal(file_map_open(&file->map, path, 0, &err), OK);
    assert_int_equal(gguf_init(&file->gguf, file->map.data, file->map.size, &err), OK);
}

static void close_file(struct opened *file)
{
    gguf_deinit(&file->gguf);
    file_map_close(&file->map);
}

static enum status convert(const struct gguf *gguf, enum weight_type type, struct error *err)
{
    const struct device_options options = {.kind = DEVICE_CPU, .threads = 2};
    struct device *device;
    assert_int_equal(device_open(&device, &options, err), OK);
    const enum status status = quant_file_write(out_path, gguf, type, device, err);
    device_close(device);
    return status;
}

static int write_source(void **state)
{
    (void)state;
    struct text_buf file = {0};
    (void)snprintf(folder, sizeof folder, "/tmp/quant_file_test.XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    (void)snprintf(source_path, sizeof source_path, "%s/source.gguf", folder);
    (void)snprintf(out_path, sizeof out_path, "%s/out.gguf", folder);
    tiny_model_write(&file, &(struct tiny_model_options){.seed = 3, .hidden = 256, .ffn = 96});
    FILE *out = fopen(source_path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(file.data, 1, file.size, out), file.size);
    assert_int_equal(fclose(out), 0);
    text_buf_deinit(&file);
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    (void)unlink(source_path);
    (void)unlink(out_path);
    return rmdir(folder); /* fails when anything was left behind */
}

static void expect_rows(const struct gguf_tensor *from, const struct gguf_tensor *to)
{
    static float values[ROW_MAX];
    static uint8_t row[ROW_MAX * sizeof(float)];
    const int64_t columns = from->dims[0];
    const size_t from_bytes = from->size / (size_t)from->dims[1];
    const size_t to_bytes = to->size / (size_t)to->dims[1];
    assert_true(columns <= ROW_MAX);
    for (size_t r = 0; r < (size_t)from->dims[1]; r++) {
        weight_dequantize(from->type, from->data + r * from_bytes, values, columns);
        assert_true(weight_quantize(to->type, values, row, columns));
        assert_memory_equal(to->data + r * to_bytes, row, to_bytes);
    }
}

static void rows_are_the_encoders(void **state)
{
    (void)state;
    static const enum weight_type types[] = {WEIGHT_Q4_0, WEIGHT_Q4_K, WEIGHT_Q8_0, WEIGHT_F16,
                                             WEIGHT_Q5_1};
    static const int64_t numbers[] = {2, 14, 7, 1, 9};
    struct opened source, out;
    struct error err;
    open_file(&source, source_path);
    for (size_t t = 0; t < sizeof types / sizeof types[0]; t++) {
        int64_t number = 0;
        uint32_t converted = 0;
        assert_int_equal(convert(&source.gguf, types[t], &err), OK);
        open_file(&out, out_path);
        assert_int_equal(gguf_get_int(&out.gguf, "general.file_type", &number, &err), OK);
        assert_int_equal(number, numbers[t]);
        assert_int_equal(out.gguf.tensor_count, source.gguf.tensor_count);
        for (uint32_t i = 0; i < source.gguf.tensor_count; i++) {
            const struct gguf_tensor *from = &source.gguf.tensors[i];
            const struct gguf_tensor *to = &out.gguf.tensors[i];
            assert_true(text_equal(from->name, to->name));
            assert_int_equal(to->type, quant_file_choose(&source.gguf, from, types[t]));
            if (to->type == from->type)
                assert_memory_equal(from->data, to->data, from->size);
            else
                expect_rows(from, to);
            converted += to->type != from->type;
        }
        assert_true(converted >= 14);
        close_file(&out);
    }
    close_file(&source);
}

static void types_follow_the_rule(void **state)
{
    (void)state;
    struct opened source;
    open_file(&source, source_path);
    const struct gguf *gguf = &source.gguf;
    const struct gguf_tensor *down = gguf_find_tensor(gguf, "blk.0.ffn_down.weight");
    const struct gguf_tensor *up = gguf_find_tensor(gguf, "blk.0.ffn_up.weight");
    const struct gguf_tensor *norm = gguf_find_tensor(gguf, "blk.0.ffn_norm.weight");
    const struct gguf_tensor *embedding = gguf_find_tensor(gguf, "token_embd.weight");
    assert_int_equal(quant_file_choose(gguf, up, WEIGHT_Q4_K), WEIGHT_Q4_K);
    assert_int_equal(quant_file_choose(gguf, down, WEIGHT_Q4_K), WEIGHT_Q8_0); /* 96 columns */
    assert_int_equal(quant_file_choose(gguf, down, WEIGHT_Q4_0), WEIGHT_Q4_0);
    assert_int_equal(quant_file_choose(gguf, norm, WEIGHT_Q4_0), norm->type);
    const bool is_tied = !gguf_find_tensor(gguf, "output.weight");
    assert_int_equal(quant_file_choose(gguf, embedding, WEIGHT_Q4_0),
                     is_tied ? WEIGHT_Q8_0 : WEIGHT_Q4_0);
    assert_int_equal(quant_file_choose(gguf, embedding, WEIGHT_F16), WEIGHT_F16);
    struct gguf_tensor odd = *up;
    odd.dims[0] = 172;
    assert_int_equal(quant_file_choose(gguf, &odd, WEIGHT_Q4_0), WEIGHT_F16);
    close_file(&source);
}

static void what_no_type_holds_is_refused(void **state)
{
    (void)state;
    struct opened source;
    struct error err;
    open_file(&source, source_path);
    struct gguf *gguf = &source.gguf;
    struct gguf_tensor *up = NULL;
    for (uint32_t i = 0; i < gguf->tensor_count; i++)
        if (text_equal(gguf->tensors[i].name, TEXT("blk.1.ffn_up.weight")))
            up = &gguf->tensors[i];
    assert_non_null(up);
    uint8_t *bytes = malloc(up->size);
    assert_non_null(bytes);
    memcpy(bytes, up->data, up->size);
    memset(bytes + 5 * (up->size / (size_t)up->dims[1]), 0xff,
           4); /* NaN in F32, F16 or a scale */
    up->data = bytes;
    assert_int_equal(unlink(out_path), 0); /* of the test before */
    assert_int_equal(convert(gguf, WEIGHT_Q4_1, &err), ERR_FORMAT);
    assert_non_null(strstr(err.text, "blk.1.ffn_up.weight: row 5"));
    assert_int_equal(access(out_path, F_OK), -1);
    assert_int_equal(convert(gguf, WEIGHT_Q6_K, &err), ERR_LIMIT);
    free(bytes);
    close_file(&source);
}

static void names_are_read_in_any_case(void **state)
{
    (void)state;
    enum weight_type type;
    assert_true(quant_file_type("q4_k", &type) && type == WEIGHT_Q4_K);
    assert_true(quant_file_type("BF16", &type) && type == WEIGHT_BF16);
    assert_false(quant_file_type("Q6_K", &type));
    assert_false(quant_file_type("", &type));
    assert_int_equal(type, WEIGHT_BF16); /* the last that was found */
    assert_string_equal(quant_file_names().text,
                        "F16, BF16, Q8_0, Q4_0, Q4_1, Q4_K, Q5_0, Q5_1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_follow_the_rule),
        cmocka_unit_test(rows_are_the_encoders),
        cmocka_unit_test(what_no_type_holds_is_refused),
        cmocka_unit_test(names_are_read_in_any_case),
    };
    return cmocka_run_group_tests(tests, write_source, remove_files);
}
