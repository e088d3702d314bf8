/*
 * Folders of safetensors against the float64 references of the shared data: random models of
 * two architectures (logits at every position), two trained ones (logits and greedy text),
 * weights in one file and in three, in F32, F16 and BF16. Skips with a line where the data is
 * absent.
 */
#include "base/file_map.h"
#include "engine/hf_folder.h"
#include "engine/text_loss.h"
#include "tests/harness/model_judge.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { IDS_MAX = 96, BF16_HALF = 1 << 15 };

static const char *shared(const char *name)
{
    static char path[512];
    const char *data = getenv("COHORT_TEST_DATA");
    (void)snprintf(path, sizeof path, "%s/models/%s", data ? data : "../shared/data", name);
    return path;
}

static void check(enum status status, const struct error *err)
{
    if (status != OK)
        fail_msg("%s", err->text);
}

static struct json *read_json(const char *name)
{
    struct text_buf source = {0};
    struct json *root = NULL;
    struct error err;
    check(file_map_read(&source, shared(name), 0, &err), &err);
    check(json_parse(text_buf_text(&source), 0, &root, &err), &err);
    text_buf_deinit(&source);
    return root;
}

static void open_run(struct model_run *run, const char *name)
{
    struct error err;
    const struct model_run_options options = {.path = shared(name),
                                              .simd_max = DEVICE_SIMD_AVX512_VNNI,
                                              .sequences = 1,
                                              .context_max = 256,
                                              .rows_max = IDS_MAX,
                                              .head_max = IDS_MAX};
    check(model_run_open(run, &options, &err), &err);
}

/* Every position of one prompt against the logits in a file. */
static void check_logits(struct model_run *run, const char *file, const struct json *prompt)
{
    char name[256];
    token_id ids[IDS_MAX];
    int32_t count;
    struct file_map map;
    struct error err;
    double worst = 0;
    const struct text key = json_key(prompt);
    const int32_t vocab = run->model->config.vocab;
    (void)snprintf(name, sizeof name, "arch_tiny/%s.%.*s.logits.f32", file, TEXT_ARG(key));
    check(model_judge_ids(json_get(prompt, "ids"), ids, IDS_MAX, &count, &err), &err);
    check(file_map_open(&map, shared(name), 0, &err), &err);
    const float *expected = (const float *)(const void *)map.data;
    const struct model_run_part part = {0, 0, count, ids, MODEL_RUN_ALL};
    check(model_run_step(run, &part, 1, &err), &err);
    for (int32_t i = 0; i < count * vocab; i++) {
        const double ours = (double)model_run_logits(run, i / vocab)[i % vocab];
        worst = fmax(worst, fabs(ours - (double)expected[i]));
    }
    print_message("    %-16s %-6.*s %2d ids: %.6f\n", file, TEXT_ARG(key), count, worst);
    assert_true(worst <= 1e-3);
    file_map_close(&map);
}

static void test_tiny_models(void **state)
{
    static const char *const FOLDERS[][2] = {{"arch_tiny/hf-llama", "tiny-llama-f16"},
                                             {"arch_tiny/hf-qwen2", "tiny-qwen2-f16"}};
    struct json *index = read_json("arch_tiny/index.json");
    int found = 0;
    (void)state;
    for (const struct json *one = json_first(index); one; one = json_next(one)) {
        struct text file;
        assert_true(json_text(json_get(one, "file"), &file));
        for (size_t i = 0; i < 2; i++) {
            if (!text_equal(file, text_of(FOLDERS[i][1])))
                continue;
            struct model_run run;
            open_run(&run, FOLDERS[i][0]);
            const struct json *prompts = json_get(one, "prompts");
            for (const struct json *p = json_first(prompts); p; p = json_next(p))
                check_logits(&run, FOLDERS[i][1], p);
            model_run_close(&run);
            found++;
        }
    }
    assert_int_equal(found, 2);
    json_free(index);
}

/* Logits after the prompt, where the reference has them, and the greedy way from there. */
static void check_case(struct model_run *run, const struct json *one)
{
    token_id ids[IDS_MAX], greedy[IDS_MAX];
    int32_t id_count, greedy_count, i = 0;
    double worst = 0, expected;
    struct error err;
    check(model_judge_ids(json_get(one, "ids"), ids, IDS_MAX, &id_count, &err), &err);
    check(model_judge_ids(json_get(one, "greedy"), greedy, IDS_MAX, &greedy_count, &err), &err);
    struct model_run_part part = {0, 0, id_count, ids, MODEL_RUN_LAST};
    check(model_run_step(run, &part, 1, &err), &err);
    const struct json *logit = json_first(json_get(one, "last_logits"));
    for (; logit; logit = json_next(logit), i++) {
        assert_true(json_double(logit, &expected));
        worst = fmax(worst, fabs((double)model_run_logits(run, 0)[i] - expected));
    }
    assert_true(i == run->model->config.vocab || !json_get(one, "last_logits"));
    assert_true(worst <= 1e-3);
    for (i = 0; i < greedy_count; i++) {
        token_id next = text_loss_top(model_run_logits(run, 0), run->model->config.vocab);
        if (next != greedy[i])
            fail_msg("greedy token %d is %d, want %d", i, next, greedy[i]);
        part = (struct model_run_part){0, part.first + part.count, 1, &next, MODEL_RUN_LAST};
        check(model_run_step(run, &part, 1, &err), &err);
    }
}

static void check_cases(const char *folder, const struct json *cases)
{
    struct model_run run;
    open_run(&run, folder);
    assert_true(json_count(cases) > 0);
    for (const struct json *one = json_first(cases); one; one = json_next(one))
        check_case(&run, one);
    print_message("    %s: %zu prompts\n", folder, json_count(cases));
    model_run_close(&run);
}

static void test_trained_models(void **state)
{
    (void)state;
    struct json *stories = read_json("stories260K/reference_float64.json");
    struct json *forms = read_json("stories260K/reference_quantised.json");
    struct json *tied = read_json("tinystories656k/reference_float64.json");
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
    check(hf_folder_open(&wide, shared("stories260K/hf-f32"), &err), &err);
    check(hf_folder_open(&narrow, shared("stories260K/hf-bf16"), &err), &err);
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
    open_run(&run, "stories260K/hf-bf16");
    model_run_close(&run);
    hf_folder_close(&wide);
    hf_folder_close(&narrow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tiny_models),
        cmocka_unit_test(test_trained_models),
        cmocka_unit_test(test_bf16_is_f32_rounded),
    };
    if (access(shared("arch_tiny/index.json"), R_OK) != 0) {
        print_message("skipped: no shared data at %s\n", shared(""));
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
