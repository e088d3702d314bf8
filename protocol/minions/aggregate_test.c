/* aggregate_test - grouping, repeated answers, and the cap. */
#include "protocol/minions/aggregate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define JOB(c, t, words)                                                                       \
    {                                                                                          \
        .chunk = TEXT("chunk"), .task = TEXT(words), .chunk_id = (c), .task_id = (t)           \
    }
#define ANSWER(words)                                                                          \
    {                                                                                          \
        .answer = TEXT(words), .has_answer = true                                              \
    }

static void groups_by_task_then_chunk(void **state)
{
    (void)state;
    const struct dsl_job jobs[] = {JOB(1, 0, "first"), JOB(0, 1, "second"), JOB(0, 0, "first"),
                                   JOB(1, 0, "first"), JOB(2, 0, "first")};
    const struct dsl_output outputs[] = {
        ANSWER("a"),
        {.answer = TEXT("b"), .has_answer = true, .citation = TEXT("c"), .has_citation = true},
        ANSWER("d"),
        ANSWER("a"),
        {.has_answer = false}};
    const struct dsl_finished finished = {jobs, outputs, 5};
    struct text_buf buf = {0};
    aggregate_add(&buf, &finished, 1000);
    assert_string_equal(buf.data, "Task: first\n- (chunk 0) d\n- (chunk 1, 2 times) a\n"
                                  "Task: second\n- (chunk 0) b\n  citation: c\n");
    text_buf_clear(&buf);
    aggregate_add(&buf, &finished, 30);
    assert_true(text_equal(text_buf_text(&buf), TEXT("Task: first\n- (chunk 0) d\n")));
    text_buf_deinit(&buf);
}

static void ungrounded_answers_are_marked(void **state)
{
    (void)state;
    const struct dsl_job jobs[] = {JOB(0, 0, "t"), JOB(0, 0, "t"), JOB(0, 0, "t")};
    const struct dsl_output outputs[] = {
        {.answer = TEXT("a"), .has_answer = true, .grade = TEXT("ungrounded")},
        {.answer = TEXT("a"), .has_answer = true, .grade = TEXT("grounded")},
        {.answer = TEXT("a"), .has_answer = true, .grade = TEXT("ungrounded")}};
    const struct dsl_finished finished = {jobs, outputs, 3};
    struct text_buf buf = {0};
    aggregate_add(&buf, &finished, 1000);
    text_buf_byte(&buf, '\0');
    assert_string_equal(buf.data,
                        "Task: t\n- (chunk 0, 2 times, ungrounded) a\n- (chunk 0) a\n");
    text_buf_deinit(&buf);
}

static void nothing_found(void **state)
{
    (void)state;
    const struct dsl_job job = JOB(0, 0, "first");
    const struct dsl_output output = {.has_answer = false};
    const struct dsl_finished finished = {&job, &output, 1};
    struct text_buf buf = {0};
    aggregate_add(&buf, &finished, 1000);
    assert_string_equal(buf.data, "No worker found an answer.\n");
    text_buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_by_task_then_chunk),
        cmocka_unit_test(ungrounded_answers_are_marked),
        cmocka_unit_test(nothing_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
