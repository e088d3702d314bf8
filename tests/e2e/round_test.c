/* round_test - whole rounds: against a scripted supervisor on a real socket, and local ones.
 * The worker is scripted; the language, the prompts, the client and the ledger are real. */
#include "tests/harness/round_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define USAGE(in, out) "\"usage\":{\"prompt_tokens\":" #in ",\"completion_tokens\":" #out "}}"
#define SAYS(text, in, out)                                                                    \
    {                                                                                          \
        200, "{\"choices\":[{\"message\":{\"content\":\"" text "\"}}]," USAGE(in, out),        \
            SCRIPTED_WHOLE, NULL                                                               \
    }
#define PROGRAM                                                                                \
    "```python\\n"                                                                             \
    "def prepare_jobs(context, prev_job_manifests=None, prev_job_outputs=None):\\n"            \
    "    jobs = []\\n"                                                                         \
    "    for doc in context:\\n"                                                               \
    "        for chunk in chunk_by_paragraph(doc, max_chunk_size=60):\\n"                      \
    "            jobs.append(JobManifest(chunk=chunk, task='Revenue in 2019?', "               \
    "advice='Look for a number.'))\\n"                                                         \
    "    return jobs\\n"                                                                       \
    "def transform_outputs(jobs):\\n"                                                          \
    "    return '; '.join([j.output.answer for j in jobs if j.grade == 'grounded'])\\n```"

/* One remote run against that script. */
static void run_remote(struct round_fixture *f, const struct scripted_reply *replies,
                       uint32_t count, uint32_t rounds_max)
{
    struct round_script script = {.api = REMOTE_API_OPENAI, .count = count};
    const struct round_setup setup = {
        .rounds_max = rounds_max,
        .wishes = {.tasks_max = 2, .chunk_size = 777, .chunks_max = 9}};
    memcpy(script.replies, replies, count * sizeof(*replies));
    round_fixture_run(f, &script, &setup);
}

static void refused_repaired_answered(void **state)
{
    (void)state;
    const struct scripted_reply replies[] = {
        SAYS("Find the revenue.", 100, 10),
        SAYS("```python\\nimport os\\ndef prepare_jobs(context):\\n    return "
             "os.listdir()\\n```",
             200, 20),
        SAYS(PROGRAM, 300, 30),
        SAYS("Well: {\\\"decision\\\": \\\"provide_final_answer\\\", \\\"answer\\\": "
             "\\\"72.7 million dollars\\\"}",
             400, 40)};
    struct round_fixture f;
    run_remote(&f, replies, 4, 3);
    if (f.status != OK)
        fail_msg("%s", f.err.text);
    assert_true(text_equal(text_buf_text(&f.result.answer), TEXT("72.7 million dollars")));
    assert_int_equal(f.result.rounds, 1);
    assert_int_equal(f.result.repairs, 1);
    assert_int_equal(f.server.request_count, 4);
    round_fixture_check_ledger(&f);
    assert_int_equal(f.ledger.remote_prompt_tokens, 1000);
    assert_int_equal(f.ledger.remote_output_tokens, 100);
    assert_true(f.ledger.dollars > 0.00279 && f.ledger.dollars < 0.00281);
    assert_int_equal(f.ledger.local_prompt_tokens, 100 * f.ledger.jobs);
    /* The repair names what was refused, and where. */
    assert_true(round_fixture_sent(&f, 2, "import"));
    assert_true(round_fixture_sent(&f, 2, "at line 1"));
    /* The supervisor sees what transform_outputs wrote, and never the documents. */
    assert_true(round_fixture_sent(&f, 3, "<findings>\\n72.7 million\\n</findings>"));
    for (uint32_t i = 0; i < 4; i++)
        assert_false(round_fixture_sent(&f, i, "canary"));
    assert_int_equal(f.result.citation_count, 1);
    const struct round_citation *citation = &f.result.citations[0];
    assert_true(text_equal(text_slice(round_fixture_documents.texts[0], citation->offset,
                                      citation->offset + citation->size),
                           TEXT("Revenue in 2019 was\n72.7 million dollars.")));
    assert_true(f.ledger.outcomes[JOB_OUTPUT_NONE] >= 1); /* none */
    round_fixture_deinit(&f);
}

static void wishes_are_told(void **state)
{
    (void)state;
    const struct scripted_reply replies[] = {
        SAYS("Advice.", 1, 1), SAYS(PROGRAM, 1, 1),
        SAYS("{\\\"decision\\\": \\\"provide_final_answer\\\", \\\"answer\\\": \\\"x\\\"}", 1,
             1)};
    struct round_fixture f;
    run_remote(&f, replies, 3, 1);
    assert_int_equal(f.status, OK);
    assert_true(round_fixture_sent(&f, 1, "At most 2 different tasks a round."));
    assert_true(round_fixture_sent(&f, 1, "chunks of at most 777 characters"));
    assert_true(round_fixture_sent(&f, 1, "the best 9 chunks only"));
    round_fixture_deinit(&f);
}

/* Runs the local supervisor with those wishes; gives the number of jobs. */
static uint32_t count_local_jobs(struct prompts_wishes wishes)
{
    static char written[] = "72.7 million";
    struct scripted_worker scripted = {
        .answer = round_fixture_answer, .self = written, .parameters = 1000};
    const struct worker worker = scripted_worker(&scripted);
    struct ledger ledger = {0};
    struct round_progress progress = {0};
    struct round_result result = {0};
    struct error err = {0};
    uint32_t jobs = 0;
    const struct round_options options = {.question = TEXT("What was the revenue in 2019?"),
                                          .documents = &round_fixture_documents,
                                          .worker = &worker,
                                          .ledger = &ledger,
                                          .kind = ROUND_GENERATE,
                                          .wishes = wishes};
    if (round_run(&options, &progress, &result, &err) != OK)
        fail_msg("%s", err.text);
    assert_true(text_equal(text_buf_text(&result.answer), TEXT("72.7 million")));
    for (int i = 0; i < JOB_OUTPUT_KINDS; i++)
        jobs += ledger.outcomes[i];
    round_result_deinit(&result);
    return jobs;
}

static void the_best_chunks_alone(void **state)
{
    (void)state;
    assert_int_equal(count_local_jobs((struct prompts_wishes){0}), 1);
    assert_int_equal(count_local_jobs((struct prompts_wishes){.chunk_size = 120}), 3);
    assert_int_equal(
        count_local_jobs((struct prompts_wishes){.chunk_size = 120, .chunks_max = 1}), 1);
}

static void a_second_round_carries_notes(void **state)
{
    (void)state;
    const struct scripted_reply replies[] = {
        SAYS("Find the revenue.", 1, 1),
        SAYS(PROGRAM, 1, 1),
        SAYS("{\\\"decision\\\": \\\"request_additional_info\\\", \\\"answer\\\": null, "
             "\\\"feedback\\\": \\\"need the costs too\\\", \\\"scratchpad\\\": "
             "\\\"revenue is known\\\"}",
             1, 1),
        SAYS(PROGRAM, 1, 1),
        SAYS("no json here", 1, 1),
        SAYS("{\\\"decision\\\": \\\"provide_final_answer\\\", \\\"answer\\\": 22.7}", 1, 1)};
    struct round_fixture f;
    run_remote(&f, replies, 6, 2);
    if (f.status != OK)
        fail_msg("%s", f.err.text);
    assert_true(text_equal(text_buf_text(&f.result.answer), TEXT("22.7")));
    assert_int_equal(f.result.rounds, 2);
    assert_true(round_fixture_sent(&f, 3, "need the costs too"));
    assert_true(round_fixture_sent(&f, 3, "revenue is known"));
    assert_true(round_fixture_sent(&f, 4, "This was the last round"));
    assert_true(round_fixture_sent(&f, 5, "That could not be read"));
    round_fixture_check_ledger(&f);
    round_fixture_deinit(&f);
}

static void three_bad_programs_end_the_run(void **state)
{
    (void)state;
    const struct scripted_reply replies[] = {SAYS("Advice.", 1, 1), SAYS("no code", 1, 1)};
    struct round_fixture f;
    run_remote(&f, replies, 2, 3);
    assert_int_equal(f.status, ERR_LIMIT);
    assert_int_equal(f.server.request_count, 1 + ROUND_ATTEMPTS);
    assert_non_null(strstr(f.err.text, "3 programs of the supervisor failed"));
    round_fixture_check_ledger(&f);
    round_fixture_deinit(&f);
}

static void exceptions_do_not_carry_documents(void **state)
{
    (void)state;
    const struct scripted_reply replies[] = {
        SAYS("Advice.", 1, 1),
        SAYS("```python\\ndef prepare_jobs(context, a=None, b=None):\\n    return "
             "int(context[0])\\ndef transform_outputs(jobs):\\n    return ''\\n```",
             1, 1),
        SAYS(PROGRAM, 1, 1),
        SAYS("{\\\"decision\\\": \\\"provide_final_answer\\\", \\\"answer\\\": \\\"x\\\"}", 1,
             1)};
    struct round_fixture f;
    run_remote(&f, replies, 4, 1);
    if (f.status != OK)
        fail_msg("%s", f.err.text);
    assert_true(round_fixture_sent(&f, 2, "ValueError"));
    for (uint32_t i = 0; i < 4; i++)
        assert_false(round_fixture_sent(&f, i, "canary"));
    round_fixture_deinit(&f);
}

static void a_transform_that_fails_is_replaced(void **state)
{
    (void)state;
    const struct scripted_reply replies[] = {
        SAYS("Advice.", 1, 1),
        SAYS("```python\\ndef prepare_jobs(context, a=None, b=None):\\n    return "
             "[JobManifest(chunk=context[0], task='t', advice='')]\\ndef "
             "transform_outputs(jobs):\\n    return jobs[99]\\n```",
             1, 1),
        SAYS("{\\\"decision\\\": \\\"provide_final_answer\\\", \\\"answer\\\": \\\"x\\\"}", 1,
             1)};
    struct round_fixture f;
    run_remote(&f, replies, 3, 1);
    if (f.status != OK)
        fail_msg("%s", f.err.text);
    assert_true(round_fixture_sent(&f, 2, "<findings>\\nTask: t\\n- (chunk 0) 72.7 million"));
    round_fixture_deinit(&f);
}

static void the_local_supervisor(void **state)
{
    (void)state;
    static char written[] = "Costs were 50 million dollars.";
    struct scripted_worker scripted = {
        .answer = round_fixture_answer, .self = written, .parameters = 1000};
    const struct worker worker = scripted_worker(&scripted);
    struct ledger ledger = {0};
    struct round_progress progress = {0};
    struct round_result result = {0};
    struct error err = {0};
    const struct round_options options = {.question = TEXT("How high were the \"costs\"?"),
                                          .documents = &round_fixture_documents,
                                          .worker = &worker,
                                          .ledger = &ledger};
    if (round_run(&options, &progress, &result, &err) != OK)
        fail_msg("%s", err.text);
    assert_true(text_equal(text_buf_text(&result.answer), text_of(written)));
    assert_false(result.is_quoted);
    const struct round_citation *best = &result.citations[0];
    assert_true(text_equal(
        text_slice(round_fixture_documents.texts[0], best->offset, best->offset + best->size),
        TEXT("Costs were 50 million dollars.")));
    assert_int_equal(ledger.calls, 0);
    assert_true(ledger.dollars == 0);
    assert_int_equal(ledger.document_bytes, round_fixture_documents.bytes);
    assert_int_equal(atomic_load(&progress.phase), ROUND_OVER);
    round_result_deinit(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_repaired_answered),
        cmocka_unit_test(wishes_are_told),
        cmocka_unit_test(the_best_chunks_alone),
        cmocka_unit_test(a_second_round_carries_notes),
        cmocka_unit_test(three_bad_programs_end_the_run),
        cmocka_unit_test(exceptions_do_not_carry_documents),
        cmocka_unit_test(a_transform_that_fails_is_replaced),
        cmocka_unit_test(the_local_supervisor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
