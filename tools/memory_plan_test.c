/* memory_plan_test - jobs that fit, by pages, by sequences and by the context. */
#include "tools/memory_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void jobs_are_bound_by_the_least(void **state)
{
    (void)state;
    struct engine_info info = {
        .kv_pages = 720, .page_tokens = 16, .sequences_max = 96, .context_max = 2048};
    assert_int_equal(memory_plan_jobs(&info, 1150), 10); /* 72 pages each */
    assert_int_equal(memory_plan_jobs(&info, 1152), 10);
    assert_int_equal(memory_plan_jobs(&info, 1153), 9);
    info.sequences_max = 4;
    assert_int_equal(memory_plan_jobs(&info, 1150), 4);
    info.context_max = 1149;
    assert_int_equal(memory_plan_jobs(&info, 1150), 0);
}

static void what_cannot_be_planned_says_why(void **state)
{
    (void)state;
    struct memory_plan plan;
    struct text_buf out = {0};
    struct json_writer w = {.out = &out};
    const struct engine_options options = {.device = ENGINE_CPU, .model_path = "/nowhere"};
    memory_plan_make(&options, &plan);
    assert_int_equal(plan.error.status, ERR_IO);
    memory_plan_write(&plan, &w);
    assert_true(text_starts(text_buf_text(&out),
                            TEXT("{\"device\":\"cpu\",\"precision\":\"exact\",\"why_not\":")));
    text_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_are_bound_by_the_least),
        cmocka_unit_test(what_cannot_be_planned_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
