/* round_test - whole rounds: against a scripted supervisor on a real socket, and local ones.
 * The worker is scripted; the language, the prompts, the client and the ledger are real. */
#include "tests/harness/round_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct round_setup ONCE = {.rounds_max = 1};

/* Where tokens do not matter. */
static void say(struct round_script *script, const char *text)
{
    round_fixture_say(script, text, 1, 1);
}

static void refused_repaired_answered(void **state)
{
    (void)state;
    struct round_script script = {.api = REMOTE_API_OPENAI};
    struct round_fixture f;
    round_fixture_say(&script, "Find the revenue.", 100, 10);
    round_fixture_say(&script, round_fixture_refused, 200, 20);
    round_fixture_say(&script, round_fixture_program, 300, 30);
    round_fixture_say(&script, "Well: " ROUND_FIXTURE_ANSWERS("72.7 million dollars"), 400, 40);
    round_fixture_run_well(&f, &script, &(struct round_setup){.rounds_max = 3});
    round_fixture_check_answer(&f, "72.7 million dollars");
    assert_int_equal(f.result.rounds, 1);
    assert_int_equal(f.result.repairs, 1);
    assert_int_equal(f.server.request_count, 4);
    assert_int_equal(f.ledger.remote_prompt_tokens, 1000);
    assert_int_equal(f.ledger.remote_output_tokens, 100);
    assert_true(f.ledger.dollars > 0.00279 && f.ledger.dollars < 0.00281);
    assert_int_equal(f.ledger.local_prompt_tokens, 100 * f.ledger.jobs);
    /* The repair names what was refused, and where. */
    assert_true(round_fixture_sent(&f, 2, "import"));
    assert_true(round_fixture_sent(&f, 2, "at line 1"));
    /* The supervisor sees what transform_outputs wrote. */
    assert_true(round_fixture_sent(&f, 3, "<findings>\\n72.7 million\\n</findings>"));
    assert_int_equal(f.result.citation_count, 1);
    const struct round_citation *citation = &f.result.citations[0];
    assert_true(text_equal(text_slice(round_fixture_documents.texts[0], citation->offset,
                                      citation->offset + citation->size),
                           TEXT("Revenue in 2019 was\n72.7 million dollars.")));
    assert_true(f.ledger.outcomes[JOB_OUTPUT_NONE] >= 1); /* none */
    round_fixture_end(&f, &script);
}

static void wishes_are_told(void **state)
{
    (void)state;
    struct round_script script = {.api = REMOTE_API_OPENAI};
    struct round_setup setup = ONCE;
    struct round_fixture f;
    setup.wishes = (struct prompts_wishes){.tasks_max = 2, .chunk_size = 777, .chunks_max = 9};
    say(&script, "Advice.");
    say(&script, round_fixture_program);
    say(&script, ROUND_FIXTURE_ANSWERS("x"));
    round_fixture_run_well(&f, &script, &setup);
    assert_true(round_fixture_sent(&f, 1, "At most 2 different tasks a round."));
    assert_true(round_fixture_sent(&f, 1, "chunks of at most 777 characters"));
    assert_true(round_fixture_sent(&f, 1, "the best 9 chunks only"));
    round_fixture_end(&f, &script);
}

/* A run without a supervisor elsewhere. */
struct local {
    struct ledger ledger;
    struct round_progress progress;
    struct round_result result;
};

/* Runs it with a worker that writes that at the end, and checks the answer. */
static void run_local(struct local *local, const struct round_options *asked,
                      const char *written, const char *answer)
{
    char reply[64];
    (void)strcpy(reply, written);
    struct scripted_worker scripted = {
        .answer = round_fixture_answer, .self = reply, .parameters = 1000};
    const struct worker worker = scripted_worker(&scripted);
    struct round_options options = *asked;
    struct error err = {0};
    options.worker = &worker;
    options.ledger = &local->ledger;
    if (!options.documents)
        options.documents = &round_fixture_documents;
    if (round_run(&options, &local->progress, &local->result, &err) != OK)
        fail_msg("%s", err.text);
    const struct text given = text_buf_text(&local->result.answer);
    if (!text_equal(given, text_of(answer)))
        fail_msg("answered: %.*s", TEXT_ARG(given));
}

static uint32_t count_local_jobs(struct prompts_wishes wishes)
{
    struct local local = {0};
    uint32_t jobs = 0;
    const struct round_options options = {.question = TEXT("What was the revenue in 2019?"),
                                          .kind = ROUND_GENERATE,
                                          .wishes = wishes};
    run_local(&local, &options, "72.7 million", "72.7 million");
    for (int i = 0; i < JOB_OUTPUT_KINDS; i++)
        jobs += local.ledger.outcomes[i];
    round_result_deinit(&local.result);
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
    struct round_script script = {.api = REMOTE_API_OPENAI};
    struct round_fixture f;
    say(&script, "Advice.");
    say(&script, round_fixture_program);
    say(&script, "{\"decision\": \"request_additional_info\", \"answer\": null, "
                 "\"feedback\": \"need the costs too\", \"scratchpad\": \"revenue is known\"}");
    say(&script, round_fixture_program);
    say(&script, "no json here");
    say(&script, "{\"decision\": \"provide_final_answer\", \"answer\": 22.7}");
    round_fixture_run_well(&f, &script, &(struct round_setup){.rounds_max = 2});
    round_fixture_check_answer(&f, "22.7");
    assert_int_equal(f.result.rounds, 2);
    assert_true(round_fixture_sent(&f, 3, "need the costs too"));
    assert_true(round_fixture_sent(&f, 3, "revenue is known"));
    assert_true(round_fixture_sent(&f, 4, "This was the last round"));
    assert_true(round_fixture_sent(&f, 5, "That could not be read"));
    round_fixture_end(&f, &script);
}

static void three_bad_programs_end_the_run(void **state)
{
    (void)state;
    struct round_script script = {.api = REMOTE_API_OPENAI};
    struct round_fixture f;
    say(&script, "Advice.");
    say(&script, "no code");
    round_fixture_run(&f, &script, &(struct round_setup){.rounds_max = 3});
    assert_int_equal(f.status, ERR_LIMIT);
    assert_int_equal(f.server.request_count, 1 + ROUND_ATTEMPTS);
    assert_non_null(strstr(f.err.text, "3 programs of the supervisor failed"));
    round_fixture_check_ledger(&f);
    round_fixture_end(&f, &script);
}

static void exceptions_do_not_carry_documents(void **state)
{
    (void)state;
    struct round_script script = {.api = REMOTE_API_OPENAI};
    struct round_fixture f;
    say(&script, "Advice.");
    say(&script, "```python\ndef prepare_jobs(context, a=None, b=None):\n    return "
                 "int(context[0])\ndef transform_outputs(jobs):\n    return ''\n```");
    say(&script, round_fixture_program);
    say(&script, ROUND_FIXTURE_ANSWERS("x"));
    round_fixture_run_well(&f, &script, &ONCE);
    round_fixture_check_answer(&f, "x");
    assert_true(round_fixture_sent(&f, 2, "ValueError"));
    round_fixture_end(&f, &script);
}

static void a_transform_that_fails_is_replaced(void **state)
{
    (void)state;
    struct round_script script = {.api = REMOTE_API_OPENAI};
    struct round_fixture f;
    say(&script, "Advice.");
    say(&script, "```python\ndef prepare_jobs(context, a=None, b=None):\n    return "
                 "[JobManifest(chunk=context[0], task='t', advice='')]\ndef "
                 "transform_outputs(jobs):\n    return jobs[99]\n```");
    say(&script, ROUND_FIXTURE_ANSWERS("x"));
    round_fixture_run_well(&f, &script, &ONCE);
    assert_true(round_fixture_sent(&f, 2, "<findings>\\nTask: t\\n- (chunk 0) 72.7 million"));
    round_fixture_end(&f, &script);
}

static void the_local_supervisor(void **state)
{
    (void)state;
    struct local local = {0};
    const char *answer = "Costs were 50 million dollars.";
    run_local(&local, &(struct round_options){.question = TEXT("How high were the \"costs\"?")},
              answer, answer);
    assert_false(local.result.is_quoted);
    const struct round_citation *best = &local.result.citations[0];
    assert_true(text_equal(
        text_slice(round_fixture_documents.texts[0], best->offset, best->offset + best->size),
        TEXT("Costs were 50 million dollars.")));
    assert_int_equal(local.ledger.calls, 0);
    assert_true(local.ledger.dollars == 0);
    assert_int_equal(local.ledger.document_bytes, round_fixture_documents.bytes);
    assert_int_equal(atomic_load(&local.progress.phase), ROUND_OVER);
    round_result_deinit(&local.result);
}

/* The question's words stand before the signature; the answer is not the model's. */
static void a_signature_is_an_answer(void **state)
{
    (void)state;
    static char deed[] = "The owner has caused this deed to be signed by the undersigned.\n\n"
                         "BLUE FISH BANK\n\nBy:   /s/ Ann Lee\nName: Ann Lee\n\n"
                         "HARBOUR, INC.\n\nBy:   /s/ Bo Day\n\n"
                         "THE MILL, INC.\n\nBy:   /s/ Cy Orr\n";
    struct text texts[] = {{deed, sizeof(deed) - 1}}, names[] = {TEXT("deed.txt")};
    const struct documents documents = {
        .texts = texts, .paths = names, .names = names, .count = 1, .bytes = sizeof(deed) - 1};
    struct round_options options = {.question = TEXT("Who signed for the blue fish bank?"),
                                    .documents = &documents};
    struct local local = {0};
    run_local(&local, &options, "Ann Lee is the bank.", "By: /s/ Ann Lee Name: Ann Lee");
    assert_true(local.result.is_quoted);
    round_result_deinit(&local.result);
    options.question = TEXT("Who signed the peace treaty with the islands?");
    local = (struct local){0};
    run_local(
        &local, &options, "Ann Lee.",
        "The documents do not seem to answer this: hardly a word of the question stands in "
        "what comes nearest.");
    assert_true(local.result.is_unanswered);
    round_result_deinit(&local.result);
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
        cmocka_unit_test(a_signature_is_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
