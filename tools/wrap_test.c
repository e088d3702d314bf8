/* wrap_test - where lines end. */
#include "tools/wrap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void check(const char *text, size_t columns, size_t indent, const char *wanted)
{
    struct text_buf out = {0};
    wrap_add(&out, text_of(text), columns, indent);
    text_buf_byte(&out, '\0');
    assert_string_equal(out.data, wanted);
    text_buf_deinit(&out);
}

static void lines_end_between_words(void **state)
{
    (void)state;
    check("", 10, 0, "\n");
    check("one", 3, 0, "one\n");
    check("one two three", 7, 0, "one two\nthree\n");
    check("one two three", 6, 0, "one\ntwo\nthree\n");
    check("  one   two ", 10, 0, "one two\n");
}

static void the_first_line_is_indented_by_the_caller(void **state)
{
    (void)state;
    check("one two three", 9, 2, "one two\n  three\n");
    check("one two three", 8, 2, "one\n  two\n  three\n");
}

static void a_long_word_stays_whole(void **state)
{
    (void)state;
    check("a an-endless-word b", 6, 1, "a\n an-endless-word\n b\n");
    check("an-endless-word", 6, 1, "an-endless-word\n");
    check("x y", 3, 8, "x\n        y\n"); /* no room at all */
}

static void columns_are_code_points(void **state)
{
    (void)state;
    check("\xc3\xa4\xc3\xb6\xc3\xbc \xe2\x82\xac\xe2\x82\xac", 6, 0,
          "\xc3\xa4\xc3\xb6\xc3\xbc \xe2\x82\xac\xe2\x82\xac\n");
    check("\xc3\xa4\xc3\xb6\xc3\xbc \xe2\x82\xac\xe2\x82\xac", 5, 0,
          "\xc3\xa4\xc3\xb6\xc3\xbc\n\xe2\x82\xac\xe2\x82\xac\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_end_between_words),
        cmocka_unit_test(the_first_line_is_indented_by_the_caller),
        cmocka_unit_test(a_long_word_stays_whole),
        cmocka_unit_test(columns_are_code_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
