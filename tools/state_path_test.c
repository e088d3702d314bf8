/* state_path_test - which variable wins, and that the folder is there afterwards. */
#include "tools/state_path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void variables_in_their_order(void **state)
{
    (void)state;
    char top[] = "/tmp/state_path_XXXXXX", path[STATE_PATH_BYTES], want[128];
    struct error err = {0};
    struct stat info;
    assert_non_null(mkdtemp(top));
    unsetenv("COHORT_STATE");
    unsetenv("XDG_STATE_HOME");
    setenv("HOME", top, 1);
    assert_int_equal(state_path("a.db", path, &err), OK);
    snprintf(want, sizeof want, "%s/.local/state/cohort/a.db", top);
    assert_string_equal(path, want);
    setenv("XDG_STATE_HOME", top, 1);
    assert_int_equal(state_path("a.db", path, &err), OK);
    snprintf(want, sizeof want, "%s/cohort/a.db", top);
    assert_string_equal(path, want);
    snprintf(want, sizeof want, "%s/x/y", top);
    setenv("COHORT_STATE", want, 1);
    assert_int_equal(state_path("a.db", path, &err), OK);
    assert_int_equal(stat(want, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_int_equal(rmdir(want), 0);
    snprintf(want, sizeof want, "rm -r %s", top);
    assert_int_equal(system(want), 0);
}

static void what_cannot_be_made_is_said(void **state)
{
    (void)state;
    char path[STATE_PATH_BYTES];
    struct error err = {0};
    setenv("COHORT_STATE", "/proc/nowhere/at/all", 1);
    assert_int_equal(state_path("a.db", path, &err), ERR_IO);
    assert_non_null(strstr(err.text, "/proc/nowhere: the folder cannot be made"));
    unsetenv("COHORT_STATE");
    unsetenv("XDG_STATE_HOME");
    unsetenv("HOME");
    assert_int_equal(state_path("a.db", path, &err), ERR_IO);
    assert_non_null(strstr(err.text, "COHORT_STATE"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_in_their_order),
        cmocka_unit_test(what_cannot_be_made_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
