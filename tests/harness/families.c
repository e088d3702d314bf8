/* families - see families.h. */
#include "tests/harness/families.h"

#include "tests/harness/tiny_folder.h"
#include "tests/harness/tiny_reference.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { TOKENS = 40, TOKENS_WIDE = 20, STEP = 7, LONG_CONTEXT = 128, SHORT_CONTEXT = 48 };

static const struct {
    const char *name;
    struct tiny_model_options options;
    int32_t context;
} CASES[] = {
    {"llama", {.has_own_head = true}, SHORT_CONTEXT},
    {"llama, 3.1's factors", {.rope = TINY_MODEL_ROPE_FACTORS}, SHORT_CONTEXT},
    {"llama, linear", {.rope = TINY_MODEL_ROPE_LINEAR}, SHORT_CONTEXT},
    {"llama, head_dim of its own", {.head_dim = 24, .has_own_head = true}, SHORT_CONTEXT},
    {"llama, window", {.window = 9}, SHORT_CONTEXT},
    {"qwen2", {.family = TINY_MODEL_QWEN2}, SHORT_CONTEXT},
    {"qwen2, yarn",
     {.family = TINY_MODEL_QWEN2, .rope = TINY_MODEL_ROPE_YARN, .head_dim = 32},
     SHORT_CONTEXT},
    {"qwen3", {.family = TINY_MODEL_QWEN3, .head_dim = 32}, SHORT_CONTEXT},
    {"gemma2", {.family = TINY_MODEL_GEMMA2, .layers = 3, .window = 8}, SHORT_CONTEXT},
    {"gemma3",
     {.family = TINY_MODEL_GEMMA3, .layers = 7, .window = 8, .head_dim = 32, .kv_heads = 1},
     SHORT_CONTEXT},
    {"gemma3, linear",
     {.family = TINY_MODEL_GEMMA3, .rope = TINY_MODEL_ROPE_LINEAR, .layers = 7, .window = 8},
     SHORT_CONTEXT},
    {"phi3", {.family = TINY_MODEL_PHI3, .kv_heads = 4, .has_own_head = true}, SHORT_CONTEXT},
    {"phi3, longrope, short",
     {.family = TINY_MODEL_PHI3, .rope = TINY_MODEL_ROPE_LONG, .rope_dim = 12},
     SHORT_CONTEXT},
    {"phi3, longrope, long",
     {.family = TINY_MODEL_PHI3, .rope = TINY_MODEL_ROPE_LONG, .rope_dim = 12, .window = 200},
     LONG_CONTEXT},
    {"smollm3", {.family = TINY_MODEL_SMOLLM3, .layers = 5}, SHORT_CONTEXT},
    {"llama, up in halves", {.is_up_half = true}, SHORT_CONTEXT},
};

enum { CASE_COUNT = sizeof CASES / sizeof CASES[0] };

static token_id ids[TOKENS];
static double expected[TOKENS * TINY_MODEL_VOCAB];

/* Greatest |logit - reference| when the text runs in steps of step rows. */
static double compare(struct model_run *run, int32_t count, int32_t step)
{
    double worst = 0;
    struct error err;
    for (int32_t first = 0; first < count; first += step) {
        const int32_t rows = count - first < step ? count - first : step;
        const struct model_run_part part = {0, first, rows, ids + first, MODEL_RUN_ALL};
        if (model_run_step(run, &part, 1, &err) != OK)
            fail_msg("%s", err.text);
        const float *ours = model_run_logits(run, 0);
        for (int32_t i = 0; i < rows * TINY_MODEL_VOCAB; i++)
            worst = fmax(worst, fabs((double)ours[i] - expected[first * TINY_MODEL_VOCAB + i]));
    }
    return worst;
}

static void check_case(int index, const struct tiny_model_options *options,
                       const struct families_way *way)
{
    struct text_buf file = {0};
    struct error err;
    struct model_run run;
    char path[TINY_FOLDER_PATH_BYTES];
    const int32_t count = way->is_wide ? TOKENS_WIDE : TOKENS;
    const struct tiny_reference_text text = {ids, count, CASES[index].context};
    tiny_model_write(&file, options);
    if (tiny_reference_logits(text_buf_text(&file), options, &text, expected, &err) != OK)
        fail_msg("%s: %s", CASES[index].name, err.text);
    int fd = -1;
    if (!way->as_folder)
        assert_true((fd = tiny_model_file(text_buf_text(&file), path, sizeof path)) >= 0);
    else if (tiny_folder_write(text_buf_text(&file), options, path, &err) != OK)
        fail_msg("%s: %s", CASES[index].name, err.text);
    const struct model_run_options run_options = {.path = path,
                                                  .ops = way->ops,
                                                  .device = way->device,
                                                  .kv_type = way->kv,
                                                  .threads = 1,
                                                  .simd_max = DEVICE_SIMD_WIDEST,
                                                  .sequences = 1,
                                                  .context_max = CASES[index].context,
                                                  .rows_max = TOKENS,
                                                  .head_max = TOKENS};
    const enum status status = model_run_open(&run, &run_options, &err);
    if (way->as_folder)
        tiny_folder_remove(path);
    else
        (void)close(fd);
    if (status != OK)
        fail_msg("%s: %s", CASES[index].name, err.text);
    const double whole = compare(&run, count, count), parts = compare(&run, count, STEP);
    print_message("    %-28s %.6f, in steps of %d: %.6f\n", CASES[index].name, whole, STEP,
                  parts);
    assert_true(whole <= way->limit);
    assert_true(parts <= way->limit);
    model_run_close(&run);
    text_buf_deinit(&file);
}

void families_check(const struct families_way *way)
{
    for (int i = 0; i < TOKENS; i++)
        ids[i] = (token_id)((i * 37 + i * i * 5 + 11) % 256);
    for (int i = 0; i < CASE_COUNT; i++) {
        struct tiny_model_options options = CASES[i].options;
        options.seed = 5U + (uint32_t)i;
        if (way->is_wide) {
            options.hidden = 128;
            options.heads = 2;
            options.kv_heads = options.kv_heads == 4 ? 2 : 1;
            options.head_dim = options.head_dim == 24 ? 96 : 64;
            options.rope_dim *= 4;
        }
        if (!way->as_folder || tiny_folder_can(&options))
            check_case(i, &options, way);
    }
}
