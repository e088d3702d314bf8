/* output_test - a whole result is printed as it is, of one that is not whole nothing. */
#include "tools/output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* What output_line prints of "ab" and a NUL in a buffer of at most size_max bytes. */
static enum status print(size_t size_max, char **printed, size_t *size, struct error *err)
{
    FILE *const out = stdout;
    struct text_buf buf = {.size_max = size_max};
    text_buf_add(&buf, (struct text){"ab", 3});
    stdout = open_memstream(printed, size);
    const enum status status = output_line(&buf, err);
    (void)fclose(stdout);
    stdout = out;
    assert_null(buf.data);
    return status;
}

static void test_whole_or_nothing(void **state)
{
    (void)state;
    char *printed;
    size_t size;
    struct error err;
    assert_int_equal(print(0, &printed, &size, &err), OK);
    assert_int_equal(size, 4);
    assert_memory_equal(printed, "ab\0\n", 4);
    free(printed);
    assert_int_equal(print(3, &printed, &size, &err), ERR_MEMORY); /* the newline is too much */
    assert_int_equal(size, 0);
    assert_string_equal(err.text, "no memory for a result of more than 3 bytes");
    free(printed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_whole_or_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
