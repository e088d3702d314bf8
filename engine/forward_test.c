/*
 * Tests of forward on a tiny random model: the logits of a sequence are the same bits whole and
 * in steps, alone and in company, with pages of its own and shared, with one thread and two,
 * in both precisions and every kind of KV cache; and they are near those of the plain twins.
 * Against references from outside: tests/golden/model_reference_test.c.
 */
#include "engine/forward.h"
#include "engine/model_run.h"
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

enum { TOKENS = 150, COMPANY = 5, CONTEXT = 160, SHARED_PAGES = 4 };

static char model_path[32];
static int model_fd = -1;

static int write_tiny(const struct tiny_model_options *options)
{
    model_fd = tiny_model_open(options, model_path, sizeof model_path);
    return model_fd < 0;
}

static int write_model(void **state)
{
    (void)state;
    return write_tiny(&(struct tiny_model_options){.seed = 3});
}

/* A window that leaves whole splits of the attention unseen, and what else Gemma has. */
static int write_gemma2(void **state)
{
    (void)state;
    return write_tiny(&(struct tiny_model_options){
        .family = TINY_MODEL_GEMMA2, .layers = 3, .window = 16, .seed = 4});
}

static int write_gemma3(void **state)
{
    (void)state;
    return write_tiny(&(struct tiny_model_options){
        .family = TINY_MODEL_GEMMA3, .layers = 6, .window = 20, .seed = 5});
}

static int close_model(void **state)
{
    (void)state;
    return close(model_fd);
}

struct kind {
    enum model_precision precision;
    enum kv_type kv_type;
    uint32_t threads;
    const struct ops *ops;
};

static void open_run(struct model_run *run, const struct kind *kind)
{
    struct error err;
    const struct model_run_options options = {.path = model_path,
                                              .precision = kind->precision,
                                              .kv_type = kind->kv_type,
                                              .ops = kind->ops,
                                              .threads = kind->threads,
                                              .simd_max = DEVICE_SIMD_WIDEST,
                                              .sequences = COMPANY,
                                              .context_max = CONTEXT,
                                              .rows_max = TOKENS * COMPANY,
                                              .head_max = COMPANY};
    if (model_run_open(run, &options, &err) != OK)
        fail_msg("%s", err.text);
}

static void step(struct model_run *run, const struct model_run_part *parts, int32_t count)
{
    struct error err;
    if (model_run_step(run, parts, count, &err) != OK)
        fail_msg("%s", err.text);
}

/* Token i of sequence s; all sequences begin alike. */
static token_id token_of(int32_t s, int32_t i)
{
    return (token_id)((i * 31 + (i >= SHARED_PAGES * KV_PAGE_TOKENS ? s * 17 : 0)) % 256);
}

static void fill(token_id *tokens, int32_t s)
{
    for (int32_t i = 0; i < TOKENS; i++)
        tokens[i] = token_of(s, i);
}

/* The last logits of sequence 0, in steps of rows. */
static void run_alone(struct model_run *run, int32_t rows, float *logits)
{
    token_id tokens[TOKENS];
    fill(tokens, 0);
    for (int32_t first = 0; first < TOKENS; first += rows) {
        const int32_t count = TOKENS - first < rows ? TOKENS - first : rows;
        const struct model_run_part part = {0, first, count, tokens + first, MODEL_RUN_LAST};
        step(run, &part, 1);
    }
    memcpy(logits, model_run_logits(run, 0), TINY_MODEL_VOCAB * sizeof *logits);
}

/* The same, all sequences in one batch and sequence 0 last; their common pages are one. */
static void run_in_company(struct model_run *run, float *logits)
{
    static token_id tokens[COMPANY][TOKENS];
    struct model_run_part parts[COMPANY];
    const int32_t common = SHARED_PAGES * KV_PAGE_TOKENS;
    for (int32_t s = 0; s < COMPANY; s++)
        fill(tokens[s], s);
    parts[0] = (struct model_run_part){1, 0, common, tokens[1], MODEL_RUN_NONE};
    step(run, parts, 1);
    for (int32_t i = 0; i < COMPANY; i++) {
        const int32_t s = COMPANY - 1 - i;
        if (s != 1)
            model_run_share(run, s, 1, SHARED_PAGES);
        parts[i] = (struct model_run_part){s, common, TOKENS - common, tokens[s] + common,
                                           MODEL_RUN_LAST};
    }
    step(run, parts, COMPANY);
    const float *last = model_run_logits(run, COMPANY - 1);
    memcpy(logits, last, TINY_MODEL_VOCAB * sizeof *logits);
    assert_memory_not_equal(last, model_run_logits(run, 0), TINY_MODEL_VOCAB * sizeof *last);
}

static void check_kind(struct kind kind)
{
    float expected[TINY_MODEL_VOCAB], logits[TINY_MODEL_VOCAB];
    for (uint32_t threads = 1; threads <= 2; threads++) {
        struct model_run run;
        kind.threads = threads;
        open_run(&run, &kind);
        if (threads == 1)
            run_alone(&run, TOKENS, expected);
        assert_true(isfinite(expected[0]));
        run_alone(&run, TOKENS, logits);
        assert_memory_equal(logits, expected, sizeof expected);
        run_alone(&run, 7, logits);
        assert_memory_equal(logits, expected, sizeof expected);
        run_alone(&run, 1, logits);
        assert_memory_equal(logits, expected, sizeof expected);
        run_in_company(&run, logits);
        assert_memory_equal(logits, expected, sizeof expected);
        model_run_close(&run);
    }
}

static void test_same_bits_in_any_batch_exact(void **state)
{
    (void)state;
    check_kind((struct kind){.precision = MODEL_EXACT, .kv_type = KV_F32});
    check_kind((struct kind){.precision = MODEL_EXACT, .kv_type = KV_F16});
    check_kind((struct kind){.precision = MODEL_EXACT, .kv_type = KV_INT8});
}

static void test_same_bits_in_any_batch_int8(void **state)
{
    (void)state;
    check_kind((struct kind){.precision = MODEL_INT8, .kv_type = KV_F32});
    check_kind((struct kind){.precision = MODEL_INT8, .kv_type = KV_F16});
    check_kind((struct kind){.precision = MODEL_INT8, .kv_type = KV_INT8});
}

static void test_near_the_plain_twins(void **state)
{
    (void)state;
    float plain[TINY_MODEL_VOCAB], fast[TINY_MODEL_VOCAB];
    struct model_run run;
    open_run(&run, &(struct kind){.kv_type = KV_F32, .threads = 1, .ops = ops_ref()});
    run_alone(&run, TOKENS, plain);
    model_run_close(&run);
    open_run(&run, &(struct kind){.kv_type = KV_F32, .threads = 2, .ops = ops_cpu()});
    run_alone(&run, TOKENS, fast);
    model_run_close(&run);
    for (int32_t i = 0; i < TINY_MODEL_VOCAB; i++)
        assert_true(fabsf(plain[i] - fast[i]) <= 1e-4F);
}

static void test_too_little_memory_is_said(void **state)
{
    (void)state;
    struct model_run run;
    struct error err;
    struct forward forward;
    open_run(&run, &(struct kind){.kv_type = KV_F32, .threads = 1});
    const struct forward_limits limits = {.rows_max = 1,
                                          .positions_max = 1,
                                          .head_max = 1,
                                          .partials_max = 1,
                                          .samples_max = 1,
                                          .copies_max = 1,
                                          .page_count = INT32_MAX,
                                          .kv_type = KV_F32};
    const struct forward_limits wide = {.rows_max = INT32_MAX,
                                        .positions_max = 1,
                                        .head_max = INT32_MAX,
                                        .partials_max = 1,
                                        .samples_max = 1,
                                        .copies_max = 1,
                                        .page_count = 1};
    const struct forward_limits *all[] = {&limits, &wide};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        const enum status status =
            forward_init(&forward, run.model, ops_cpu(), run.device, all[i], &err);
        if (status == OK) { /* the machine promises what it has not: nothing was touched */
            forward_deinit(&forward);
            continue;
        }
        assert_int_equal(status, ERR_MEMORY);
        assert_non_null(strstr(err.text, "forward: needs "));
    }
    model_run_close(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bits_in_any_batch_exact),
        cmocka_unit_test(test_same_bits_in_any_batch_int8),
        cmocka_unit_test(test_near_the_plain_twins),
        cmocka_unit_test(test_too_little_memory_is_said),
    };
    const struct CMUnitTest of_families[] = {
        cmocka_unit_test(test_same_bits_in_any_batch_exact),
        cmocka_unit_test(test_same_bits_in_any_batch_int8),
        cmocka_unit_test(test_near_the_plain_twins),
    };
    int failed = cmocka_run_group_tests(tests, write_model, close_model);
    failed += cmocka_run_group_tests(of_families, write_gemma2, close_model);
    return failed + cmocka_run_group_tests(of_families, write_gemma3, close_model);
}
