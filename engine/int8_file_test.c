/*
 * Tests of int8_file: a written model gives the logits of its source, bit for bit; what is
 * wrong with such a file is refused; a file that cannot be written leaves nothing behind.
 */
#include "engine/int8_file.h"

#include "base/file_map.h"
#include "engine/model_run.h"
#include "tests/harness/tiny_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { TOKENS = 40, PATH = 64 };

static char folder[PATH], source_path[2 * PATH], int8_path[2 * PATH];

static void write_bytes(const char *path, struct text bytes)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
    assert_int_equal(fclose(file), 0);
}

static enum status convert(const char *from, const char *to, struct error *err)
{
    const struct device_options options = {
        .kind = DEVICE_CPU, .threads = 2, .simd_max = DEVICE_SIMD_WIDEST};
    struct file_map map;
    struct gguf gguf;
    struct quant_report report;
    struct device *device;
    assert_int_equal(device_open(&device, &options, err), OK);
    assert_int_equal(file_map_open(&map, from, 0, err), OK);
    assert_int_equal(gguf_init(&gguf, map.data, map.size, err), OK);
    assert_int_equal(quant_report_make(&report, &gguf, device, err), OK);
    const enum status status = int8_file_write(to, &gguf, &report, device, err);
    quant_report_deinit(&report);
    gguf_deinit(&gguf);
    file_map_close(&map);
    device_close(device);
    return status;
}

static void write_tiny(const struct tiny_model_options *options)
{
    struct text_buf file = {0};
    tiny_model_write(&file, options);
    write_bytes(source_path, text_buf_text(&file));
    text_buf_deinit(&file);
}

static int write_models(void **state)
{
    (void)state;
    struct error err;
    (void)snprintf(folder, sizeof folder, "/tmp/int8_file_test.XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    (void)snprintf(source_path, sizeof source_path, "%s/source.gguf", folder);
    (void)snprintf(int8_path, sizeof int8_path, "%s/int8.gguf", folder);
    write_tiny(&(struct tiny_model_options){.seed = 11});
    return convert(source_path, int8_path, &err) != OK;
}

static int remove_models(void **state)
{
    (void)state;
    (void)unlink(source_path);
    (void)unlink(int8_path);
    return rmdir(folder); /* fails when anything was left behind */
}

static enum status open_run(struct model_run *run, const char *path,
                            enum model_precision precision, struct error *err)
{
    const struct model_run_options options = {.path = path,
                                              .precision = precision,
                                              .kv_type = KV_INT8,
                                              .threads = 2,
                                              .simd_max = DEVICE_SIMD_WIDEST,
                                              .sequences = 1,
                                              .context_max = TOKENS,
                                              .rows_max = TOKENS,
                                              .head_max = TOKENS};
    return model_run_open(run, &options, err);
}

static void logits_of(const char *path, float *logits)
{
    struct model_run run;
    struct error err;
    token_id tokens[TOKENS];
    for (int32_t i = 0; i < TOKENS; i++)
        tokens[i] = i * 37 % 256;
    const struct model_run_part part = {
        .count = TOKENS, .tokens = tokens, .heads = MODEL_RUN_ALL};
    if (open_run(&run, path, MODEL_INT8, &err) != OK ||
        model_run_step(&run, &part, 1, &err) != OK)
        fail_msg("%s", err.text);
    assert_int_equal(run.model->config.vocab, TINY_MODEL_VOCAB);
    assert_non_null(run.model->tokenizer); /* the keys came along */
    memcpy(logits, model_run_logits(&run, 0), sizeof(float) * TOKENS * TINY_MODEL_VOCAB);
    model_run_close(&run);
}

static void logits_are_those_of_the_source(void **state)
{
    (void)state;
    static float from_source[TOKENS * TINY_MODEL_VOCAB], from_int8[TOKENS * TINY_MODEL_VOCAB];
    struct stat source, written;
    logits_of(source_path, from_source);
    logits_of(int8_path, from_int8);
    assert_memory_equal(from_source, from_int8, sizeof from_source);
    assert_int_equal(stat(source_path, &source), 0);
    assert_int_equal(stat(int8_path, &written), 0);
    assert_true(written.st_size < source.st_size); /* F32 there, bytes here */
}

/* Phi's q, k and v are rows of one tensor, gate and up of another. */
static void rows_of_one_tensor_are_those_of_the_source(void **state)
{
    static float from_source[TOKENS * TINY_MODEL_VOCAB], from_int8[TOKENS * TINY_MODEL_VOCAB];
    struct error err;
    write_tiny(&(struct tiny_model_options){.family = TINY_MODEL_PHI3, .seed = 3});
    if (convert(source_path, int8_path, &err) != OK)
        fail_msg("%s", err.text);
    logits_of(source_path, from_source);
    logits_of(int8_path, from_int8);
    assert_memory_equal(from_source, from_int8, sizeof from_source);
    assert_int_equal(remove_models(state), 0);
    assert_int_equal(write_models(state), 0);
}

/* The written file with something wrong in it, and the refusal it must meet. */
struct fault {
    const char *find;    /* bytes of the header */
    const char *replace; /* as many */
    const char *tensor;  /* or: a tensor, */
    size_t at, size;     /* and which of its bytes */
    uint8_t bytes[4];
    const char *says; /* NULL: it is taken */
};

static void plant(struct text_buf *file, const struct fault *fault)
{
    if (fault->find) {
        const size_t at = text_find(text_buf_text(file), text_of(fault->find), 0);
        assert_true(at < file->size);
        memcpy(file->data + at, fault->replace, strlen(fault->replace));
        return;
    }
    struct gguf gguf;
    struct error err;
    assert_int_equal(gguf_init(&gguf, (const uint8_t *)file->data, file->size, &err), OK);
    const struct gguf_tensor *tensor = gguf_find_tensor(&gguf, fault->tensor);
    assert_non_null(tensor);
    const size_t place = (size_t)(tensor->data - (const uint8_t *)file->data) + fault->at;
    gguf_deinit(&gguf);
    memcpy(file->data + place, fault->bytes, fault->size);
}

static void faults_are_refused(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        {.find = "cohort.int8.version",
         .replace = "cohort.int8.Version",
         .says = "without the"},
        {.find = "GGUF", .replace = "GGUF"}, /* none: the others fail for their own */
        {.find = "blk.1.attn_v.scale", .replace = "blk.1.attn_v.Scale", .says = "is missing"},
        {.tensor = "blk.0.attn_q.weight", .at = 65, .size = 1, .bytes = {0x80}, .says = "-128"},
        {.tensor = "blk.1.ffn_up.scale",
         .at = 8,
         .size = 4,
         .bytes = {0, 0, 0xc0, 0x7f},
         .says = "finite"},
        {.tensor = "output.scale",
         .at = 4,
         .size = 4,
         .bytes = {0, 0, 0x80, 0xbf},
         .says = "scale of -1"},
    };
    char path[2 * PATH];
    (void)snprintf(path, sizeof path, "%s/fault.gguf", folder);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct text_buf file = {0};
        struct model_run run;
        struct error err = {0};
        assert_int_equal(file_map_read(&file, int8_path, 0, &err), OK);
        plant(&file, &faults[i]);
        write_bytes(path, text_buf_text(&file));
        const enum status status = open_run(&run, path, MODEL_INT8, &err);
        model_run_close(&run);
        assert_int_equal(unlink(path), 0);
        text_buf_deinit(&file);
        if (faults[i].says) {
            assert_true(status == ERR_FORMAT || status == ERR_LIMIT);
            if (!strstr(err.text, faults[i].says))
                fail_msg("fault %zu: \"%s\" does not say \"%s\"", i, err.text, faults[i].says);
        } else {
            assert_int_equal(status, OK);
        }
    }
}

static void another_version_is_refused(void **state)
{
    (void)state;
    struct text_buf file = {0};
    struct model_run run;
    struct error err = {0};
    char path[2 * PATH];
    (void)snprintf(path, sizeof path, "%s/version.gguf", folder);
    assert_int_equal(file_map_read(&file, int8_path, 0, &err), OK);
    const struct text key = TEXT("cohort.int8.version");
    const size_t at = text_find(text_buf_text(&file), key, 0) + key.size + 4;
    assert_int_equal(file.data[at], INT8_FILE_VERSION);
    file.data[at] = INT8_FILE_VERSION + 1;
    write_bytes(path, text_buf_text(&file));
    assert_int_equal(open_run(&run, path, MODEL_INT8, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "cohort.int8.version"));
    model_run_close(&run);
    assert_int_equal(unlink(path), 0);
    text_buf_deinit(&file);
}

static void exact_precision_is_refused(void **state)
{
    (void)state;
    struct model_run run;
    struct error err;
    assert_int_equal(open_run(&run, int8_path, MODEL_EXACT, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "precision int8 alone"));
    model_run_close(&run);
}

/* remove_models sees whether a part of it stayed. */
static void what_cannot_be_written_leaves_nothing(void **state)
{
    (void)state;
    struct error err;
    char path[3 * PATH];
    (void)snprintf(path, sizeof path, "%s/none/int8.gguf", folder);
    assert_int_equal(convert(source_path, path, &err), ERR_IO);
    (void)snprintf(path, sizeof path, "%s/folder", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(convert(source_path, path, &err), ERR_IO); /* renamed onto a folder */
    assert_int_equal(rmdir(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logits_are_those_of_the_source),
        cmocka_unit_test(rows_of_one_tensor_are_those_of_the_source),
        cmocka_unit_test(faults_are_refused),
        cmocka_unit_test(another_version_is_refused),
        cmocka_unit_test(exact_precision_is_refused),
        cmocka_unit_test(what_cannot_be_written_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, write_models, remove_models);
}
