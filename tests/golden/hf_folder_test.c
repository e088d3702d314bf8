/*
 * Folders of safetensors against the float64 references of the shared data: random models of
 * two architectures (logits at every position), two trained ones (logits and greedy text),
 * weights in one file and in three, in F32, F16 and BF16; and a GGUF file that is made of one.
 * Skips with a line where the data is absent.
 */
#include "engine/int8_file.h"
#include "engine/model_file.h"
#include "tests/harness/reference.h"
#include "tests/harness/test_data.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { BF16_HALF = 1 << 15, GREEDY = 64 };

static void open_folder(struct model_run *run, const char *name)
{
    reference_open(run, test_data("models/%s", name).text, NULL);
}

static void test_tiny_models(void **state)
{
    static const char *const FOLDERS[][2] = {{"arch_tiny/hf-llama", "tiny-llama-f16"},
                                             {"arch_tiny/hf-qwen2", "tiny-qwen2-f16"}};
    struct json *index = reference_json("arch_tiny/index.json");
    int found = 0;
    (void)state;
    for (const struct json *one = json_first(index); one; one = json_next(one)) {
        struct text file;
        assert_true(json_text(json_get(one, "file"), &file));
        for (size_t i = 0; i < 2; i++) {
            if (!text_equal(file, text_of(FOLDERS[i][1])))
                continue;
            struct model_run run;
            open_folder(&run, FOLDERS[i][0]);
            reference_prompts(&run, one);
            model_run_close(&run);
            found++;
        }
    }
    assert_int_equal(found, 2);
    json_free(index);
}

static void check_cases(const char *folder, const struct json *cases)
{
    struct model_run run;
    open_folder(&run, folder);
    reference_cases(&run, cases);
    print_message("    %s: %zu prompts\n", folder, json_count(cases));
    model_run_close(&run);
}

static void test_trained_models(void **state)
{
    (void)state;
    struct json *stories = reference_json("stories260K/reference_float64.json");
    struct json *forms = reference_json("stories260K/reference_quantised.json");
    struct json *tied = reference_json("tinystories656k/reference_float64.json");
    check_cases("stories260K/hf-f32", json_get(stories, "cases"));
    check_cases("stories260K/hf-f16-sharded", json_get(forms, "F16"));
    check_cases("tinystories656k", json_get(tied, "cases"));
    json_free(stories);
    json_free(forms);
    json_free(tied);
}

/* The reference has no logits of BF16: its weights are those of F32, rounded to nearest. */
static void test_bf16_is_f32_rounded(void **state)
{
    struct hf_folder wide, narrow;
    struct error err;
    (void)state;
    reference_check(hf_folder_open(&wide, test_data("models/stories260K/hf-f32").text, &err),
                    &err);
    reference_check(hf_folder_open(&narrow, test_data("models/stories260K/hf-bf16").text, &err),
                    &err);
    assert_int_equal(wide.gguf.tensor_count, narrow.gguf.tensor_count);
    for (uint32_t i = 0; i < wide.gguf.tensor_count; i++) {
        const struct gguf_tensor *a = &wide.gguf.tensors[i], *b = &narrow.gguf.tensors[i];
        assert_int_equal(b->type, WEIGHT_BF16);
        assert_int_equal(a->size, 2 * b->size);
        for (size_t k = 0; k < a->size / 4; k++) {
            uint32_t bits;
            uint16_t half;
            memcpy(&bits, a->data + 4 * k, sizeof bits);
            memcpy(&half, b->data + 2 * k, sizeof half);
            const uint32_t even = bits >> 16 & 1;
            assert_int_equal(half, (bits + BF16_HALF - 1 + even) >> 16);
        }
    }
    struct model_run run;
    open_folder(&run, "stories260K/hf-bf16");
    model_run_close(&run);
    hf_folder_close(&wide);
    hf_folder_close(&narrow);
}

/* A file that cohort quantize makes of a folder reads and writes what the folder does. */
static void test_quantized_has_the_tokenizer(void **state)
{
    static const char text[] = "Once upon a time, there was a little girl named Lily.";
    static const char folder[] = "models/tinystories656k";
    char path[] = "/tmp/hf_folder_test.XXXXXX";
    const struct device_options options = {.kind = DEVICE_CPU};
    struct token_list ids[2] = {{0}};
    token_id said[2][GREEDY];
    struct device *device;
    struct model_file file;
    struct quant_report report = {0};
    struct error err;
    (void)state;
    const int fd = mkstemp(path);
    assert_true(fd >= 0 && close(fd) == 0);
    reference_check(device_open(&device, &options, &err), &err);
    reference_check(model_file_open(&file, test_data(folder).text, &err), &err);
    reference_check(quant_report_make(&report, file.gguf, device, &err), &err);
    reference_check(int8_file_write(path, file.gguf, &report, device, &err), &err);
    quant_report_deinit(&report);
    model_file_close(&file);
    device_close(device);
    const struct test_data_path source = test_data(folder);
    const char *const paths[2] = {source.text, path};
    for (size_t i = 0; i < 2; i++) {
        const struct model_run_options how = {.path = paths[i],
                                              .precision = MODEL_INT8,
                                              .kv_type = KV_F32,
                                              .simd_max = DEVICE_SIMD_WIDEST,
                                              .sequences = 1,
                                              .context_max = 4 * GREEDY,
                                              .rows_max = REFERENCE_IDS_MAX,
                                              .head_max = REFERENCE_IDS_MAX};
        struct model_run run;
        reference_check(model_run_open(&run, &how, &err), &err);
        assert_non_null(run.model->tokenizer);
        reference_check(tokenizer_encode(run.model->tokenizer, text_of(text), TOKENIZER_BOUNDS,
                                         &ids[i], &err),
                        &err);
        reference_greedy(&run, ids[i].ids, (int32_t)ids[i].count, said[i], GREEDY);
        model_run_close(&run);
    }
    assert_int_equal(unlink(path), 0);
    assert_true(ids[0].count > 5 && ids[0].count == ids[1].count);
    assert_memory_equal(ids[0].ids, ids[1].ids, ids[0].count * sizeof(token_id));
    assert_memory_equal(said[0], said[1], sizeof said[0]);
    token_list_deinit(&ids[0]);
    token_list_deinit(&ids[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tiny_models),
        cmocka_unit_test(test_trained_models),
        cmocka_unit_test(test_bf16_is_f32_rounded),
        cmocka_unit_test(test_quantized_has_the_tokenizer),
    };
    const struct test_data_path index = test_data("models/arch_tiny/index.json");
    if (!test_data_is_there(&index))
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
