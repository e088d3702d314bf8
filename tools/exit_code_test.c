/* exit_code_test - each status has its sysexits code, and success alone is 0. */
#include "tools/exit_code.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sysexits.h>

#include <cmocka.h>

static void test_codes(void **state)
{
    (void)state;
    assert_int_equal(exit_code_of(OK), 0);
    assert_int_equal(exit_code_of(ERR_FORMAT), EX_DATAERR);
    assert_int_equal(exit_code_of(ERR_LIMIT), EX_DATAERR);
    assert_int_equal(exit_code_of(ERR_IO), EX_NOINPUT);
    assert_int_equal(exit_code_of(ERR_REMOTE), EX_UNAVAILABLE);
    assert_int_equal(exit_code_of(ERR_CANCELLED), EX_TEMPFAIL);
    for (int status = ERR_MEMORY; status <= ERR_CANCELLED; status++)
        assert_in_range(exit_code_of((enum status)status), EX__BASE, EX__MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_codes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
