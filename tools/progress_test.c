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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(when_a_line_is_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
