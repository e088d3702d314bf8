/* document_child_test - another program, and every way it can end. */
#include "protocol/minions/document_child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MUCH = 300000 };

/* Runs `sh -c script`, which stands for a program that does as it likes. */
static struct document_child_result run(const char *script, struct text input, double wait_s,
                                        struct text_buf *output)
{
    char *argv[] = {strdup("sh"), strdup("-c"), strdup(script), NULL};
    const struct document_child child = {.argv = argv,
                                         .input = input,
                                         .cpu_s = 60,
                                         .wait_s = wait_s,
                                         .memory_bytes = (size_t)1 << 30};
    struct document_child_result result;
    assert_int_equal(document_child_run(&child, output, &result, NULL), OK);
    for (size_t i = 0; i < 3; i++)
        free(argv[i]);
    return result;
}

static void passes_bytes_through(void **state)
{
    (void)state;
    char *much = malloc(MUCH);
    assert_non_null(much);
    for (size_t i = 0; i < MUCH; i++)
        much[i] = (char)(i * 7 % 251);
    struct text_buf output = {.size_max = MUCH};
    const struct document_child_result result =
        run("echo heard >&2; exec cat", (struct text){much, MUCH}, 600, &output);
    assert_int_equal(result.end, DOCUMENT_CHILD_ENDED);
    assert_int_equal(result.exit_code, 0);
    assert_string_equal(result.said, "heard\n");
    assert_int_equal(output.size, MUCH);
    assert_memory_equal(output.data, much, MUCH);
    text_buf_deinit(&output);
    free(much);
}

static void tells_how_it_ended(void **state)
{
    (void)state;
    struct text_buf output = {.size_max = 100};
    struct document_child_result result = run("exit 3", TEXT(""), 600, &output);
    assert_int_equal(result.end, DOCUMENT_CHILD_ENDED);
    assert_int_equal(result.exit_code, 3);
    result = run("kill -9 $$", TEXT(""), 600, &output);
    assert_int_equal(result.end, DOCUMENT_CHILD_KILLED);
    result = run("exec no-such-program-here", TEXT(""), 600, &output);
    assert_int_equal(result.end, DOCUMENT_CHILD_MISSING);
    result = run("while :; do echo flood; done", TEXT(""), 600, &output);
    assert_int_equal(result.end, DOCUMENT_CHILD_TOO_LARGE);
    text_buf_deinit(&output);
    result = run("exec sleep 1000", TEXT(""), 0, &output);
    assert_int_equal(result.end, DOCUMENT_CHILD_TIMED_OUT);
    result = run("yes noise | head -c 100000 >&2", TEXT(""), 600, &output);
    assert_int_equal(result.end, DOCUMENT_CHILD_ENDED);
    assert_int_equal(strlen(result.said), DOCUMENT_CHILD_SAID_MAX - 1);
    text_buf_deinit(&output);
}

static void gives_it_nothing(void **state)
{
    (void)state;
    struct text_buf output = {.size_max = 4096};
    setenv("COHORT_API_KEY", "secret", 1);
    struct document_child_result result =
        run("set; ls /proc/self/fd | wc -l; (echo x > /tmp/cohort-child-$$) && echo wrote; "
            "rm -f /tmp/cohort-child-$$",
            TEXT(""), 600, &output);
    assert_int_equal(result.end, DOCUMENT_CHILD_ENDED);
    text_buf_byte(&output, '\0');
    assert_null(strstr(output.data, "secret"));
    assert_null(strstr(output.data, "\nwrote"));
    assert_non_null(strstr(output.data, "\n4\n")); /* its three, and the listing's own */
    text_buf_deinit(&output);
    unsetenv("COHORT_API_KEY");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_bytes_through),
        cmocka_unit_test(tells_how_it_ended),
        cmocka_unit_test(gives_it_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
