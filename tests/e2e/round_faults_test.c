/* round_faults_test - whole rounds against a supervisor that fails in every way, over both
 * wires, plain and as streams. Each run ends in the right answer or a clear error, and the
 * ledger holds what the server counted, byte for byte. */
#include "tests/harness/round_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MORE ROUND_FIXTURE_ASKS("feedback", "the costs")
#define DONE "So: " ROUND_FIXTURE_ANSWERS("72.7 million")
static const char RAISES[] =
    "```python\ndef prepare_jobs(context, a=None, b=None):\n    return "
    "missing\ndef transform_outputs(jobs):\n    return ''\n```";
static const char OVERLOADED[] = "{\"error\": {\"message\": \"overloaded\"}}";

static const struct round_setup PLAIN = {.rounds_max = 3};

/* Every wire in turn. */
static void on_each_wire(void (*run)(struct round_script script))
{
    for (int i = 0; i < 4; i++)
        run((struct round_script){.api = i < 2 ? REMOTE_API_OPENAI : REMOTE_API_ANTHROPIC,
                                  .is_stream = i % 2 == 1});
}

/* Dollars at the fixture's prices. */
static double price(const struct round_script *script)
{
    return ((double)script->prompt_tokens * 2 + (double)script->output_tokens * 8) / 1e6;
}

static void run_mended(struct round_script script)
{
    struct round_fixture f;
    round_fixture_fault(&script, 500, OVERLOADED, SCRIPTED_WHOLE);
    round_fixture_say(&script, "Find the revenue.", 100, 10);
    round_fixture_fault(&script, 429, OVERLOADED, SCRIPTED_WHOLE);
    round_fixture_say(&script, round_fixture_refused, 200, 20);
    round_fixture_fault(&script, 503, "<html>busy</html>", SCRIPTED_WHOLE);
    round_fixture_fault(&script, 529, OVERLOADED, SCRIPTED_WHOLE);
    round_fixture_say(&script, RAISES, 300, 30);
    round_fixture_say(&script, round_fixture_program, 400, 40);
    round_fixture_say(&script, "{\"decision\": \"request_additional_info\", ", 500, 50);
    round_fixture_say(&script, MORE, 600, 60);
    round_fixture_say(&script, round_fixture_program, 700, 70);
    round_fixture_say(&script, "no JSON", 800, 80);
    round_fixture_say(&script, DONE, 900, 90);
    round_fixture_run_well(&f, &script, &PLAIN);
    round_fixture_check_answer(&f, "72.7 million");
    assert_int_equal(f.result.rounds, 2);
    assert_int_equal(f.result.repairs, 2);
    assert_int_equal(f.server.request_count, 13);
    assert_int_equal(f.ledger.retries, 4);
    assert_true(round_fixture_sent(&f, 6, "import")); /* why it was refused */
    assert_true(round_fixture_sent(&f, 7, "NameError: name 'missing'")); /* what it raised */
    assert_true(round_fixture_sent(&f, 10, "the costs"));                /* what was missed */
    assert_int_equal(f.ledger.remote_prompt_tokens, script.prompt_tokens);
    assert_int_equal(f.ledger.remote_output_tokens, script.output_tokens);
    /* Whether a 5xx was served is unknown: three charges stay. The 429 was not. */
    const double unknown = f.ledger.dollars - price(&script), each = 4096 * 8 / 1e6;
    assert_true(unknown > 3 * each && unknown < 4 * each);
    round_fixture_end(&f, &script);
}

static void faults_are_mended(void **state)
{
    (void)state;
    on_each_wire(run_mended);
}

static void run_drip(struct round_script script)
{
    struct round_fixture f;
    round_fixture_say(&script, "Find the revenue.", 1, 2);
    round_fixture_say(&script, round_fixture_program, 3, 4);
    round_fixture_say(&script, DONE, 5, 6);
    for (uint32_t i = 0; i < script.count; i++)
        script.replies[i].fault = SCRIPTED_DRIP;
    round_fixture_run_well(&f, &script, &PLAIN);
    round_fixture_check_answer(&f, "72.7 million");
    assert_int_equal(f.ledger.remote_prompt_tokens, 9);
    round_fixture_end(&f, &script);
}

static void slow_replies_are_waited_for(void **state)
{
    (void)state;
    on_each_wire(run_drip);
}

/* Half of a reply was sent: it may have been served and paid, so it is not asked for again, and
 * its charge stays. */
static void run_cut(struct round_script script)
{
    struct round_fixture f;
    round_fixture_say(&script, "Find the revenue.", 100, 10);
    round_fixture_say(&script, round_fixture_program, 100, 10);
    script.replies[1].fault = SCRIPTED_CUT;
    round_fixture_run(&f, &script, &PLAIN);
    assert_int_equal(f.status, ERR_REMOTE);
    assert_true(strlen(f.err.text) > 20);
    assert_int_equal(f.server.request_count, 2);
    assert_int_equal(f.ledger.remote_prompt_tokens, 100);
    assert_true(f.ledger.dollars > price(&script) && f.ledger.dollars < 0.1);
    round_fixture_check_ledger(&f);
    round_fixture_end(&f, &script);
}

static void a_cut_reply_ends_the_run(void **state)
{
    (void)state;
    on_each_wire(run_cut);
}

static void run_long(struct round_script script)
{
    struct round_fixture f;
    struct round_setup setup = PLAIN;
    struct text_buf program = {0};
    setup.response_max = 20000;
    text_buf_add(&program, text_of(round_fixture_program));
    while (program.size < 40000)
        text_buf_add(&program, TEXT(" and so on"));
    text_buf_byte(&program, '\0');
    round_fixture_say(&script, "Find the revenue.", 100, 10);
    round_fixture_say(&script, program.data, 100, 10);
    text_buf_deinit(&program);
    round_fixture_run(&f, &script, &setup);
    assert_int_equal(f.status, ERR_LIMIT);
    assert_non_null(strstr(f.err.text, "20000"));
    assert_int_equal(f.ledger.calls, f.server.request_count);
    assert_int_equal(f.ledger.sent_bytes, f.server.received_bytes);
    assert_true(f.ledger.received_bytes <= f.server.sent_bytes + 40000); /* not all was taken */
    round_fixture_end(&f, &script);
}

static void long_replies_are_cut_off(void **state)
{
    (void)state;
    on_each_wire(run_long);
}

/* The server counts what it received even of calls it refused; attempts are few. */
static void run_refused(struct round_script script)
{
    struct round_fixture f;
    struct round_setup setup = PLAIN;
    setup.attempts_max = 3;
    round_fixture_say(&script, "Find the revenue.", 100, 10);
    round_fixture_fault(&script, 500, OVERLOADED, SCRIPTED_WHOLE);
    round_fixture_run(&f, &script, &setup);
    assert_int_equal(f.status, ERR_REMOTE);
    assert_non_null(strstr(f.err.text, "500"));
    assert_int_equal(f.server.request_count, 4);
    assert_int_equal(f.ledger.retries, 2);
    round_fixture_check_ledger(&f);
    round_fixture_end(&f, &script);
}

static void a_server_that_stays_down(void **state)
{
    (void)state;
    on_each_wire(run_refused);
}

/* Advice and program are paid; the next call is not sent, for it could pass the budget. */
static void run_out_of_budget(struct round_script script)
{
    struct round_fixture f;
    struct round_setup setup = PLAIN;
    round_fixture_say(&script, "Find the revenue.", 1000, 100);
    round_fixture_say(&script, round_fixture_program, 9000, 1000);
    round_fixture_say(&script, DONE, 1, 1);
    setup.budget_dollars = 0.055; /* 0.0288 are spent; the next may cost 0.033 and more */
    round_fixture_run(&f, &script, &setup);
    assert_int_equal(f.status, ERR_LIMIT);
    assert_non_null(strstr(f.err.text, "budget"));
    assert_non_null(strstr(f.err.text, "nothing was sent"));
    assert_int_equal(f.server.request_count, 2);
    assert_true(f.scripted.total > 0); /* the workers had done theirs */
    assert_true(fabs(f.ledger.dollars - (10000 * 2 + 1100 * 8) / 1e6) < 1e-12);
    round_fixture_check_ledger(&f);
    round_fixture_end(&f, &script);
}

static void the_budget_ends_in_the_middle(void **state)
{
    (void)state;
    on_each_wire(run_out_of_budget);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_are_mended),
        cmocka_unit_test(slow_replies_are_waited_for),
        cmocka_unit_test(a_cut_reply_ends_the_run),
        cmocka_unit_test(long_replies_are_cut_off),
        cmocka_unit_test(a_server_that_stays_down),
        cmocka_unit_test(the_budget_ends_in_the_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
