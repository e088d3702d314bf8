/* error_test - a failure carries its sentence, its place and its word. */
#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static enum status fail_with(struct error *err, const char *what)
{
    FAIL(err, ERR_LIMIT, "%s: 9 is past 8", what);
}

static enum status forward(struct error *err, const char *what)
{
    TRY(fail_with(err, what));
    return OK;
}

static void test_sentence(void **state)
{
    struct error err = {0};
    char longer[1000];
    (void)state;
    assert_int_equal(forward(&err, "field"), ERR_LIMIT);
    assert_int_equal(err.status, ERR_LIMIT);
    assert_string_equal(err.text, "field: 9 is past 8");
    assert_non_null(strstr(err.file, "error_test.c"));
    assert_true(err.line > 0);
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(forward(&err, longer), ERR_LIMIT);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_int_equal(forward(NULL, "dropped"), ERR_LIMIT);
    assert_int_equal(forward(&err, "a\nb\x1b[2J\x7f\xc3\xa9"), ERR_LIMIT);
    assert_string_equal(err.text, "a?b?[2J?\xc3\xa9: 9 is past 8");
}

static void test_words(void **state)
{
    (void)state;
    for (int i = OK; i <= ERR_CANCELLED; i++) {
        for (int j = OK; j < i; j++)
            assert_string_not_equal(error_word((enum status)i), error_word((enum status)j));
        assert_string_not_equal(error_word((enum status)i), "unknown");
    }
    assert_string_equal(error_word(OK), "ok");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sentence),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
