/* log_test - the level asked for is the level written. */
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void test_levels(void **state)
{
    (void)state;
    unsetenv("COHORT_LOG");
    assert_true(log_is_on(LOG_ERROR) && log_is_on(LOG_WARN));
    assert_false(log_is_on(LOG_INFO) || log_is_on(LOG_DEBUG));
    setenv("COHORT_LOG", "error", 1);
    assert_true(log_is_on(LOG_ERROR) && !log_is_on(LOG_WARN));
    setenv("COHORT_LOG", "debug", 1);
    assert_true(log_is_on(LOG_DEBUG));
    setenv("COHORT_LOG", "nonsense", 1);
    assert_true(log_is_on(LOG_WARN) && !log_is_on(LOG_INFO));
}

static void test_line(void **state)
{
    char got[256] = {0}, name[] = "/tmp/cohort-log-XXXXXX";
    (void)state;
    const int saved = dup(STDERR_FILENO), file = mkstemp(name);
    assert_true(saved >= 0 && file >= 0);
    unsetenv("COHORT_LOG");
    (void)dup2(file, STDERR_FILENO);
    log_line(LOG_WARN, "pages %d of %d", 3, 4);
    log_line(LOG_INFO, "not shown");
    (void)dup2(saved, STDERR_FILENO);
    assert_true(pread(file, got, sizeof got - 1, 0) > 0);
    assert_string_equal(got, "cohort warn: pages 3 of 4\n");
    (void)close(saved);
    (void)close(file);
    (void)unlink(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
