/* progress_test - the lines, and when one is due. */
#include "tools/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct progress WORKING = {.phase = ROUND_WORKING,
                                        .round = 2,
                                        .jobs_done = 120,
                                        .jobs_total = 350,
                                        .tokens_per_s = 1234.4,
                                        .dollars = 0.25,
                                        .remote_only_dollars = 0.75,
                                        .seconds = 12.25};

static void expect(const struct progress *progress, enum progress_style style, const char *line)
{
    struct text_buf buf = {0};
    progress_line(progress, style, &buf);
    text_buf_byte(&buf, '\0');
    assert_string_equal(buf.data, line);
    text_buf_deinit(&buf);
}

static void lines(void **state)
{
    (void)state;
    const struct progress begun = {.phase = ROUND_READING, .dollars = 0.2, .seconds = 0.6};
    expect(&WORKING, PROGRESS_PLAIN,
           "round 2, working  jobs 120/350  1234 tokens/s  $0.2500 spent, $0.5000 saved  12 s");
    expect(&WORKING, PROGRESS_JSON,
           "{\"event\":\"progress\",\"phase\":\"working\",\"round\":2,\"jobs_done\":120,"
           "\"jobs_total\":350,\"tokens_per_s\":1234.4,\"dollars\":0.25,"
           "\"saved_dollars\":0.5,\"seconds\":12.25}");
    /* Nothing is said to be saved before it is. */
    expect(&begun, PROGRESS_PLAIN, "reading  $0.2000 spent  1 s");
}

static void when_a_line_is_due(void **state)
{
    (void)state;
    struct progress now = WORKING;
    now.jobs_done++;
    now.seconds += 4.9;
    assert_false(progress_is_due(&WORKING, &now));
    now.seconds += 0.2;
    assert_true(progress_is_due(&WORKING, &now));
    now = WORKING;
    now.round++;
    assert_true(progress_is_due(&WORKING, &now));
    now = WORKING;
    now.phase = ROUND_ANSWERING;
    assert_true(progress_is_due(&WORKING, &now));
    struct progress later = now;
    later.seconds += 100; /* one line is enough while a supervisor thinks */
    assert_false(progress_is_due(&now, &later));
}

static void rate_is_of_working_time(void **state)
{
    (void)state;
    struct round_progress run = {.phase = ROUND_READING};
    const struct ledger ledger = {0};
    const struct documents documents = {0};
    struct progress_watch watch;
    progress_watch_init(&watch, &run, &ledger, &documents, 100);
    assert_true(progress_look(&watch, 103).tokens_per_s == 0);
    run.phase = ROUND_WORKING;
    run.worker.tokens = 80;
    assert_true(progress_look(&watch, 105).tokens_per_s == 40);
    struct progress_watch late; /* what was before the first look, nobody knows */
    progress_watch_init(&late, &run, &ledger, &documents, 100);
    assert_true(progress_look(&late, 105).tokens_per_s == 0);
    run.phase = ROUND_ASKING; /* a supervisor's time is not the workers' */
    const struct progress asking = progress_look(&watch, 115);
    assert_true(asking.tokens_per_s == 40);
    assert_true(asking.seconds == 15);
}

static void documents_cost_what_they_would(void **state)
{
    (void)state;
    struct round_progress run = {.phase = ROUND_WORKING, .round = 3};
    const struct ledger ledger = {.price = {.in = 2}};
    const struct documents documents = {.bytes = 4000000};
    struct progress_watch watch;
    run.micro_dollars = 1500000;
    run.worker.jobs_done = 4;
    run.worker.jobs_total = 9;
    progress_watch_init(&watch, &run, &ledger, &documents, 0);
    const struct progress now = progress_look(&watch, 1);
    assert_true(now.remote_only_dollars == 2);
    assert_true(now.dollars == 1.5);
    assert_int_equal(now.round, 3);
    assert_int_equal(now.jobs_done, 4);
    assert_int_equal(now.jobs_total, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(when_a_line_is_due),
        cmocka_unit_test(rate_is_of_working_time),
        cmocka_unit_test(documents_cost_what_they_would),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
