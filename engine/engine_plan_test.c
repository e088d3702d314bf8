/* engine_plan_test - sizes follow from options, model and memory, within their limits. */
#include "engine/engine_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct model_config config = {.layers = 2,
                                           .hidden = 64,
                                           .ffn = 96,
                                           .heads = 4,
                                           .kv_heads = 2,
                                           .head_dim = 16,
                                           .vocab = 300,
                                           .context_max = 1000};
static const uint64_t gib = (uint64_t)1 << 30;

static struct engine_plan plan_of(struct engine_options options, uint64_t free_bytes)
{
    struct engine_plan plan;
    struct error err;
    const struct engine_plan_place place = {DEVICE_CPU, ops_cpu(), free_bytes};
    if (engine_plan_make(&options, &config, &place, &plan, &err) != OK)
        fail_msg("%s", err.text);
    return plan;
}

static void kv_follows_precision(void **state)
{
    (void)state;
    assert_int_equal(plan_of((struct engine_options){.precision = ENGINE_EXACT}, gib).kv_type,
                     KV_F32);
    assert_int_equal(plan_of((struct engine_options){.precision = ENGINE_INT8}, gib).kv_type,
                     KV_INT8);
    assert_int_equal(plan_of((struct engine_options){.kv = ENGINE_KV_F16}, gib).kv_type,
                     KV_F16);
}

static void pool_takes_a_quarter_and_no_more_than_useful(void **state)
{
    (void)state;
    const struct engine_plan page = plan_of((struct engine_options){.kv_pages = 1}, gib);
    const struct engine_plan little =
        plan_of((struct engine_options){.sequences_max = 4}, 40 * page.page_bytes);
    assert_int_equal(little.page_count, 10);
    assert_int_equal(little.tokens_max, 160);
    const struct engine_plan ample = plan_of((struct engine_options){.sequences_max = 4}, gib);
    assert_int_equal(ample.page_count, 4 * 63);
    assert_int_equal(ample.tokens_max, 1000);
    const struct engine_plan said =
        plan_of((struct engine_options){.kv_bytes = 7 * page.page_bytes + 1}, 0);
    assert_int_equal(said.page_count, 7);
}

/* One row at the last position must always fit, or nothing would ever move. */
static void a_step_holds_any_row(void **state)
{
    (void)state;
    for (uint32_t rows = 1; rows < 2000; rows += 111) {
        const struct engine_plan plan =
            plan_of((struct engine_options){.step_tokens = rows}, gib);
        assert_true(plan.limits.partials_max >= plan.tokens_max / plan.limits.split + 1);
        assert_true(plan.limits.heads_max >= 1 && plan.limits.heads_max <= rows);
        assert_int_equal(plan.forward.rows_max, rows);
        assert_int_equal(plan.forward.partials_max, plan.limits.partials_max);
    }
}

static void refuses_by_name(void **state)
{
    (void)state;
    struct engine_plan plan;
    struct error err;
    const struct engine_plan_place place = {DEVICE_CPU, ops_cpu(), gib};
    const struct engine_plan_place small = {DEVICE_CPU, ops_cpu(), 100};
    const struct engine_options steps = {.step_tokens = 1000000};
    assert_int_equal(engine_plan_make(&steps, &config, &place, &plan, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "step_tokens: 1000000"));
    const struct engine_options sequences = {.sequences_max = 1000000};
    assert_int_equal(engine_plan_make(&sequences, &config, &place, &plan, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "sequences_max: 1000000"));
    const struct engine_options defaults = {.kv_bytes = 0};
    assert_int_equal(engine_plan_make(&defaults, &config, &small, &plan, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "KV pool of 25 bytes"));
}

/* The sizes of a GPU follow from its kind; what computes does not matter here. */
static void a_gpu_takes_more_at_once(void **state)
{
    (void)state;
    struct engine_plan plan, page;
    struct error err;
    struct engine_options options = {.precision = ENGINE_EXACT, .kv_pages = 1};
    struct engine_plan_place place = {DEVICE_CUDA, ops_cpu(), gib};
    assert_int_equal(engine_plan_make(&options, &config, &place, &page, &err), OK);
    assert_int_equal(page.kv_type, KV_F16);
    assert_true(page.limits.rows_max > 512 && page.sequences_max > 96);
    options.kv_pages = 0;
    options.sequences_max = 4;
    place.free_bytes = 40 * page.page_bytes;
    assert_int_equal(engine_plan_make(&options, &config, &place, &plan, &err), OK);
    assert_int_equal(plan.page_count, 30);
    options.kv = ENGINE_KV_F32;
    assert_int_equal(engine_plan_make(&options, &config, &place, &plan, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "kv: f32"));
}

/* LongRoPE's short factors, unless a longer context is asked for. */
static void context_is_as_asked(void **state)
{
    (void)state;
    struct model_config long_config = config;
    long_config.rope_original = 400;
    const struct engine_plan_place place = {DEVICE_CPU, ops_cpu(), gib};
    const struct {
        bool is_long;
        uint32_t asked, given;
    } cases[] = {{false, 0, 1000}, {false, 70, 70}, {true, 0, 400},
                 {true, 401, 401}, {true, 30, 30},  {true, 1000, 1000}};
    struct engine_plan plan;
    struct error err;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct engine_options options = {.context_max = cases[i].asked};
        long_config.rope_is_long = cases[i].is_long;
        assert_int_equal(engine_plan_make(&options, &long_config, &place, &plan, &err), OK);
        assert_int_equal(plan.tokens_max, cases[i].given);
        assert_int_equal(plan.forward.positions_max, cases[i].given);
    }
    const struct engine_options more = {.context_max = 1001};
    assert_int_equal(engine_plan_make(&more, &long_config, &place, &plan, &err), ERR_LIMIT);
    assert_string_equal(err.text, "context_max: 1001, the model was trained for 1000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(context_is_as_asked),
        cmocka_unit_test(kv_follows_precision),
        cmocka_unit_test(pool_takes_a_quarter_and_no_more_than_useful),
        cmocka_unit_test(a_step_holds_any_row),
        cmocka_unit_test(refuses_by_name),
        cmocka_unit_test(a_gpu_takes_more_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
