/* minion_test - the plain Minion protocol: a talk over both wires, replies that cannot be read,
 * documents that the worker cannot take whole. */
#include "tests/harness/round_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ASKS(text) ROUND_FIXTURE_ASKS("message", text)
static const struct round_setup MINION = {.protocol = ROUND_MINION};

static void talk(enum remote_api api, bool is_stream)
{
    struct round_script script = {.api = api, .is_stream = is_stream};
    struct round_fixture f;
    round_fixture_say(&script, ASKS("What was the revenue in 2019?"), 100, 10);
    round_fixture_say(&script, "Hm. " ASKS("What were the costs?"), 200, 20);
    round_fixture_say(&script, ROUND_FIXTURE_ANSWERS("72.7 million dollars"), 300, 30);
    round_fixture_run_well(&f, &script, &MINION);
    round_fixture_check_answer(&f, "72.7 million dollars");
    assert_int_equal(f.result.rounds, 2);
    assert_true(round_fixture_sent(&f, 0, "document 0: report.txt, "));
    assert_true(round_fixture_sent(&f, 0, "at most 3 messages"));
    assert_true(round_fixture_sent(&f, 1, "answer (grounded): 72.7 million"));
    assert_true(round_fixture_sent(&f, 1, "citation: Revenue in 2019 was\\n72.7 million"));
    assert_true(round_fixture_sent(&f, 2, "What were the costs?"));
    assert_int_equal(f.result.citation_count, 1);
    assert_int_equal(f.ledger.outcomes[JOB_OUTPUT_ANSWER], 2);
    assert_int_equal(f.ledger.remote_prompt_tokens, script.prompt_tokens);
    assert_int_equal(f.ledger.remote_output_tokens, script.output_tokens);
    round_fixture_end(&f, &script);
}

static void both_wires(void **state)
{
    (void)state;
    talk(REMOTE_API_OPENAI, false);
    talk(REMOTE_API_OPENAI, true);
    talk(REMOTE_API_ANTHROPIC, false);
    talk(REMOTE_API_ANTHROPIC, true);
}

/* The last message: the supervisor must answer, and is asked once more when it does not. */
static void the_talk_has_an_end(void **state)
{
    (void)state;
    struct round_script script = {.api = REMOTE_API_OPENAI};
    struct round_setup setup = MINION;
    struct round_fixture f;
    setup.rounds_max = 1;
    round_fixture_say(&script, ASKS("Revenue?"), 1, 1);
    round_fixture_say(&script, ASKS("More?"), 1, 1);
    round_fixture_say(&script, "{\"decision\": \"provide_final_answer\", \"answer\": 22.7}", 1,
                      1);
    round_fixture_run_well(&f, &script, &setup);
    round_fixture_check_answer(&f, "22.7");
    assert_true(round_fixture_sent(&f, 1, "That was the last message"));
    assert_true(round_fixture_sent(&f, 2, "That could not be read"));
    assert_int_equal(f.result.rounds, 1);
    round_fixture_end(&f, &script);
}

static void twice_unreadable_is_an_error(void **state)
{
    (void)state;
    struct round_script script = {.api = REMOTE_API_ANTHROPIC};
    struct round_fixture f;
    round_fixture_say(&script, "{\"decision\": \"request_additional_info\"}", 1, 1);
    round_fixture_say(&script, "[]", 1, 1);
    round_fixture_run(&f, &script, &MINION);
    assert_int_equal(f.status, ERR_REMOTE);
    assert_non_null(strstr(f.err.text, "could not be read, twice"));
    assert_int_equal(f.server.request_count, 2);
    assert_int_equal(f.scripted.total, 0);
    round_fixture_check_ledger(&f);
    round_fixture_end(&f, &script);
}

/* Several documents, longer than the worker's context: it gets the passages that count. */
static void long_documents_are_read_in_part(void **state)
{
    (void)state;
    struct round_script script = {.api = REMOTE_API_OPENAI};
    struct round_setup setup = MINION;
    struct round_fixture f;
    struct text_buf filler = {0};
    for (int i = 0; i < 4000; i++)
        text_buf_format(&filler, "Paragraph %d speaks of the weather and of nothing else.\n\n",
                        i);
    struct text texts[] = {text_buf_text(&filler), round_fixture_documents.texts[0],
                           text_buf_text(&filler)};
    struct text names[] = {TEXT("a"), TEXT("report.txt"), TEXT("b")};
    const struct documents documents = {.texts = texts,
                                        .paths = names,
                                        .names = names,
                                        .count = 3,
                                        .bytes = 2 * filler.size + texts[1].size};
    setup.documents = &documents;
    setup.prompt_max = 8000;
    round_fixture_say(&script, ASKS("Revenue in 2019?"), 1, 1);
    round_fixture_say(&script, ROUND_FIXTURE_ANSWERS("72.7"), 1, 1);
    round_fixture_run_well(&f, &script, &setup);
    assert_int_equal(f.result.citation_count, 1);
    assert_int_equal(f.result.citations[0].document, 1);
    assert_true(f.scripted.total > 1); /* it was tried with more */
    round_fixture_deinit(&f);

    setup.prompt_max = 10; /* never fits: told, and the supervisor goes on */
    round_fixture_run(&f, &script, &setup);
    assert_int_equal(f.status, OK);
    assert_true(round_fixture_sent(&f, 1, "no answer (unreadable)"));
    assert_int_equal(f.result.citation_count, 0);
    round_fixture_end(&f, &script);
    text_buf_deinit(&filler);
}

static void it_needs_a_supervisor(void **state)
{
    (void)state;
    struct ledger ledger = {0};
    struct round_progress progress = {0};
    struct round_result result = {0};
    struct error err = {0};
    const struct round_options options = {.question = TEXT("Who?"),
                                          .documents = &round_fixture_documents,
                                          .ledger = &ledger,
                                          .protocol = ROUND_MINION};
    assert_int_equal(round_run(&options, &progress, &result, &err), ERR_FORMAT);
    assert_non_null(strstr(err.text, "minion"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_wires),
        cmocka_unit_test(the_talk_has_an_end),
        cmocka_unit_test(twice_unreadable_is_an_error),
        cmocka_unit_test(long_documents_are_read_in_part),
        cmocka_unit_test(it_needs_a_supervisor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
