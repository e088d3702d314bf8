/*
 * Tests of hf_tokenizer: a GGUF file made from a folder has the folder's tokenizer, also where
 * tokenizer.ggml.* has no words for it; its chat template, the ends of its texts, and its text.
 */
#include "engine/hf_tokenizer.h"

#include "engine/int8_file.h"
#include "engine/model_file.h"
#include "engine/model_run.h"
#include "engine/quant_file.h"
#include "tests/harness/reference.h"
#include "tests/harness/tiny_folder.h"
#include "tokenizer/tokenizer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { TOKENS = 48, OWN_END = 27, BOS = 262, END = 261 };

/* Merges never cross a step that stands alone, and there is one after each "b": no splitter
 * that files name does that. */
static const char *const FILES[][2] = {
    {"tokenizer.json",
     "{\"added_tokens\": [{\"id\": 261, \"content\": \"<|end|>\", \"special\": true}, "
     "{\"id\": 262, \"content\": \"<|bos|>\", \"special\": true}], "
     "\"pre_tokenizer\": {\"type\": \"Sequence\", \"pretokenizers\": ["
     "{\"type\": \"Split\", \"pattern\": {\"Regex\": \"[^b]*b\"}, \"behavior\": \"Isolated\"}, "
     "{\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"use_regex\": false}]}, "
     "\"post_processor\": {\"type\": \"TemplateProcessing\", \"single\": ["
     "{\"SpecialToken\": {\"id\": \"<|bos|>\"}}, {\"Sequence\": {\"id\": \"A\"}}]}, "
     "\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0, \"b\": 1, \"c\": 2, \"\\u0120\": 3, "
     "\"ab\": 4, \"ba\": 5, \"ca\": 6}, \"merges\": [\"b a\", \"a b\", \"c a\"]}}"},
    {"tokenizer_config.json",
     "{\"bos_token\": \"<|bos|>\", \"eos_token\": {\"content\": \"<|end|>\"}, "
     "\"chat_template\": \"unused\"}"},
    {"chat_template.jinja",
     "{{ bos_token }}{% for m in messages %}{{ m.content }}{{ eos_token }}{% endfor %}"},
    {"generation_config.json", "{\"eos_token_id\": [261, 27]}"},
};

static char folder[TINY_FOLDER_PATH_BYTES], out_path[2 * TINY_FOLDER_PATH_BYTES];

static void file_path(size_t i, char path[2 * TINY_FOLDER_PATH_BYTES])
{
    (void)snprintf(path, 2 * TINY_FOLDER_PATH_BYTES, "%s/%s", folder, FILES[i][0]);
}

static int make_folder(void **state)
{
    const struct tiny_model_options options = {.seed = 5};
    struct text_buf file = {0};
    struct error err;
    (void)state;
    tiny_model_write(&file, &options);
    if (tiny_folder_write(text_buf_text(&file), &options, folder, &err) != OK)
        return 1;
    text_buf_deinit(&file);
    for (size_t i = 0; i < sizeof FILES / sizeof FILES[0]; i++) {
        char path[sizeof out_path];
        file_path(i, path);
        FILE *out = fopen(path, "wb");
        assert_non_null(out);
        assert_true(fputs(FILES[i][1], out) >= 0 && fclose(out) == 0);
    }
    (void)snprintf(out_path, sizeof out_path, "%s.gguf", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof FILES / sizeof FILES[0]; i++) {
        char path[sizeof out_path];
        file_path(i, path);
        (void)unlink(path);
    }
    (void)unlink(out_path);
    tiny_folder_remove(folder);
    return access(folder, F_OK) == 0;
}

/* What cohort quantize does. */
static void quantize(const char *from, bool is_int8, enum weight_type type)
{
    const struct device_options options = {
        .kind = DEVICE_CPU, .threads = 1, .simd_max = DEVICE_SIMD_WIDEST};
    struct device *device;
    struct model_file file;
    struct quant_report report = {0};
    struct error err;
    reference_check(device_open(&device, &options, &err), &err);
    reference_check(model_file_open(&file, from, &err), &err);
    if (is_int8) {
        reference_check(quant_report_make(&report, file.gguf, device, &err), &err);
        reference_check(int8_file_write(out_path, file.gguf, &report, device, &err), &err);
    } else {
        reference_check(quant_file_write(out_path, file.gguf, type, device, &err), &err);
    }
    quant_report_deinit(&report);
    model_file_close(&file);
    device_close(device);
}

static void open_run(struct model_run *run, const char *path, enum model_precision precision)
{
    struct error err;
    const struct model_run_options options = {.path = path,
                                              .precision = precision,
                                              .kv_type = KV_F32,
                                              .threads = 1,
                                              .simd_max = DEVICE_SIMD_WIDEST,
                                              .sequences = 1,
                                              .context_max = 4 * TOKENS,
                                              .rows_max = TOKENS,
                                              .head_max = TOKENS};
    reference_check(model_run_open(run, &options, &err), &err);
}

static void expect_ids(const struct tokenizer *tokenizer, const char *text, const token_id *ids,
                       size_t count)
{
    struct token_list list = {0};
    struct error err;
    reference_check(tokenizer_encode(tokenizer, text_of(text), TOKENIZER_BOUNDS, &list, &err),
                    &err);
    assert_int_equal(list.count, count);
    assert_memory_equal(list.ids, ids, count * sizeof *ids);
    token_list_deinit(&list);
}

static void expect_tokenizer(const struct model *model)
{
    static const token_id cut[] = {BOS, 4, 2, 4, 0}, chat[] = {BOS, 6, END};
    const struct tokenizer_message message = {.role = TEXT("user"), .content = TEXT("ca")};
    const struct tokenizer *tokenizer = model->tokenizer;
    struct token_list list = {0};
    struct error err;
    if (!tokenizer)
        fail_msg("no tokenizer: %s", model->tokenizer_error.text);
    expect_ids(tokenizer, "abcaba", cut, sizeof cut / sizeof *cut);
    assert_true(tokenizer_is_end(tokenizer, END) && tokenizer_is_end(tokenizer, OWN_END));
    assert_false(tokenizer_is_end(tokenizer, 0));
    reference_check(tokenizer_encode_chat(tokenizer, &message, 1, true, &list, &err), &err);
    assert_int_equal(list.count, sizeof chat / sizeof *chat);
    assert_memory_equal(list.ids, chat, sizeof chat);
    token_list_deinit(&list);
}

static void expect_alike(const char *from, enum model_precision precision)
{
    static const token_id prompt[] = {BOS, 4, 2, 4, 0};
    const int32_t count = sizeof prompt / sizeof *prompt;
    token_id ids[2][TOKENS];
    const char *const paths[2] = {from, out_path};
    for (size_t i = 0; i < 2; i++) {
        struct model_run run;
        open_run(&run, paths[i], precision);
        expect_tokenizer(run.model);
        reference_greedy(&run, prompt, count, ids[i], TOKENS);
        model_run_close(&run);
    }
    assert_memory_equal(ids[0], ids[1], sizeof ids[0]);
}

static void a_file_is_its_folder(void **state)
{
    (void)state;
    quantize(folder, true, WEIGHT_F32);
    expect_alike(folder, MODEL_INT8);
}

/* Numbers of the block form are others than the folder's: a file of it is held against a second
 * one made from it, which must keep all that the first took over. */
static void a_file_of_blocks_keeps_its_tokenizer(void **state)
{
    char first[sizeof out_path + 2];
    (void)state;
    quantize(folder, false, WEIGHT_Q8_0);
    (void)snprintf(first, sizeof first, "%s.1", out_path);
    assert_int_equal(rename(out_path, first), 0);
    quantize(first, false, WEIGHT_Q8_0);
    expect_alike(first, MODEL_EXACT);
    assert_int_equal(unlink(first), 0);
}

static void a_folder_may_have_none(void **state)
{
    char path[sizeof out_path], aside[sizeof out_path + 2];
    struct model_run run;
    (void)state;
    file_path(0, path);
    (void)snprintf(aside, sizeof aside, "%s.1", path);
    assert_int_equal(rename(path, aside), 0);
    quantize(folder, true, WEIGHT_F32);
    open_run(&run, out_path, MODEL_INT8);
    assert_null(run.model->tokenizer);
    assert_int_equal(run.model->tokenizer_error.status, OK);
    model_run_close(&run);
    assert_int_equal(rename(aside, path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_its_folder),
        cmocka_unit_test(a_file_of_blocks_keeps_its_tokenizer),
        cmocka_unit_test(a_folder_may_have_none),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
