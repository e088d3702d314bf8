/* reference - see reference.h. */
#include "tests/harness/reference.h"

#include "base/file_map.h"
#include "engine/text_loss.h"
#include "tests/harness/model_judge.h"
#include "tests/harness/test_data.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const double LIMIT = 1e-3; /* of a logit */

enum { CONTEXT = 256 };

void reference_check(enum status status, const struct error *err)
{
    if (status != OK)
        fail_msg("%s", err->text);
}

struct json *reference_json(const char *name)
{
    const struct test_data_path path = test_data("models/%s", name);
    struct text_buf source = {0};
    struct json *root = NULL;
    struct error err;
    if (!test_data_is_there(&path))
        skip();
    reference_check(file_map_read(&source, path.text, 0, &err), &err);
    reference_check(json_parse(text_buf_text(&source), 0, &root, &err), &err);
    text_buf_deinit(&source);
    return root;
}

void reference_open(struct model_run *run, const char *path, const struct ops *ops)
{
    struct error err;
    const struct model_run_options options = {.path = path,
                                              .ops = ops,
                                              .simd_max = DEVICE_SIMD_WIDEST,
                                              .sequences = 1,
                                              .context_max = CONTEXT,
                                              .rows_max = REFERENCE_IDS_MAX,
                                              .head_max = REFERENCE_IDS_MAX};
    reference_check(model_run_open(run, &options, &err), &err);
}

/* Greatest |logit - reference| when ids run in steps of step rows. */
static double compare(struct model_run *run, const token_id *ids, int32_t count, int32_t step,
                      const float *expected)
{
    const int32_t vocab = run->model->config.vocab;
    double worst = 0;
    struct error err;
    for (int32_t first = 0; first < count; first += step) {
        const int32_t rows = count - first < step ? count - first : step;
        const struct model_run_part part = {0, first, rows, ids + first, MODEL_RUN_ALL};
        reference_check(model_run_step(run, &part, 1, &err), &err);
        const float *ours = model_run_logits(run, 0);
        for (int32_t i = 0; i < rows * vocab; i++)
            worst = fmax(worst, fabs((double)ours[i] - (double)expected[first * vocab + i]));
    }
    return worst;
}

static void check_prompt(struct model_run *run, const char *file, const struct json *prompt)
{
    token_id ids[REFERENCE_IDS_MAX];
    int32_t count;
    struct file_map map;
    struct error err;
    const struct text key = json_key(prompt);
    const struct test_data_path path =
        test_data("models/arch_tiny/%s.%.*s.logits.f32", file, TEXT_ARG(key));
    reference_check(
        model_judge_ids(json_get(prompt, "ids"), ids, REFERENCE_IDS_MAX, &count, &err), &err);
    reference_check(file_map_open(&map, path.text, 0, &err), &err);
    assert_int_equal(map.size,
                     sizeof(float) * (size_t)count * (size_t)run->model->config.vocab);
    const float *expected = (const float *)(const void *)map.data;
    const double whole = compare(run, ids, count, count, expected);
    const double parts = compare(run, ids, count, 3, expected);
    print_message("    %-18s %-6.*s %2d ids: %.6f, in steps of 3: %.6f\n", file, TEXT_ARG(key),
                  count, whole, parts);
    assert_true(whole <= LIMIT);
    assert_true(parts <= LIMIT);
    file_map_close(&map);
}

void reference_prompts(struct model_run *run, const struct json *model)
{
    struct text file;
    char name[128];
    assert_true(json_text(json_get(model, "file"), &file));
    (void)snprintf(name, sizeof name, "%.*s", TEXT_ARG(file));
    const struct json *prompts = json_get(model, "prompts");
    for (const struct json *prompt = json_first(prompts); prompt; prompt = json_next(prompt))
        check_prompt(run, name, prompt);
}

void reference_greedy(struct model_run *run, const token_id *ids, int32_t id_count,
                      token_id *out, int32_t count)
{
    struct model_run_part part = {0, 0, id_count, ids, MODEL_RUN_LAST};
    struct error err;
    for (int32_t i = 0; i < count; i++) {
        reference_check(model_run_step(run, &part, 1, &err), &err);
        out[i] = text_loss_top(model_run_logits(run, 0), run->model->config.vocab);
        part = (struct model_run_part){0, part.first + part.count, 1, &out[i], MODEL_RUN_LAST};
    }
}

static void check_case(struct model_run *run, const struct json *one)
{
    token_id ids[REFERENCE_IDS_MAX], greedy[REFERENCE_IDS_MAX], ours[REFERENCE_IDS_MAX];
    int32_t id_count, greedy_count, i = 0;
    double expected;
    struct error err;
    reference_check(
        model_judge_ids(json_get(one, "ids"), ids, REFERENCE_IDS_MAX, &id_count, &err), &err);
    reference_check(model_judge_ids(json_get(one, "greedy"), greedy, REFERENCE_IDS_MAX,
                                    &greedy_count, &err),
                    &err);
    const struct model_run_part part = {0, 0, id_count, ids, MODEL_RUN_LAST};
    reference_check(model_run_step(run, &part, 1, &err), &err);
    const struct json *logits = json_get(one, "last_logits");
    for (const struct json *at = json_first(logits); at; at = json_next(at), i++) {
        assert_true(i < run->model->config.vocab && json_double(at, &expected));
        assert_true(fabs((double)model_run_logits(run, 0)[i] - expected) <= LIMIT);
    }
    assert_true(!logits || i == run->model->config.vocab);
    reference_greedy(run, ids, id_count, ours, greedy_count);
    assert_memory_equal(ours, greedy, (size_t)greedy_count * sizeof(token_id));
}

void reference_cases(struct model_run *run, const struct json *cases)
{
    assert_true(json_count(cases) > 0);
    for (const struct json *one = json_first(cases); one; one = json_next(one))
        check_case(run, one);
}
