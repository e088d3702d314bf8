/* base64_test - the examples of RFC 4648, all bytes there and back, what is malformed. */
#include "base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void the_examples(void **state)
{
    static const char *const examples[][2] = {
        {"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
        {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"foobar", "Zm9vYmFy"}};
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        struct text_buf there = {0}, back = {0};
        base64_add(&there, text_of(examples[i][0]));
        assert_true(text_equal(text_buf_text(&there), text_of(examples[i][1])));
        assert_true(base64_decode(text_buf_text(&there), &back));
        assert_true(text_equal(text_buf_text(&back), text_of(examples[i][0])));
        text_buf_deinit(&there);
        text_buf_deinit(&back);
    }
}

static void all_bytes_there_and_back(void **state)
{
    struct text_buf bytes = {0}, there = {0}, back = {0};
    (void)state;
    for (int i = 0; i < 256; i++)
        text_buf_byte(&bytes, (char)i);
    base64_add(&there, text_buf_text(&bytes));
    assert_true(base64_decode(text_buf_text(&there), &back));
    assert_true(text_equal(text_buf_text(&back), text_buf_text(&bytes)));
    text_buf_deinit(&bytes);
    text_buf_deinit(&there);
    text_buf_deinit(&back);
}

static void padding_and_lines_are_free_and_the_rest_is_not(void **state)
{
    static const char *const wrong[] = {"!", "Zg=g", "Z", "Zm9vY", "Zm 9v", "Zm-v"};
    struct text_buf out = {0};
    (void)state;
    assert_true(base64_decode(TEXT("Zm9v\r\nYg\n"), &out));
    assert_true(text_equal(text_buf_text(&out), TEXT("foob")));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(base64_decode(text_of(wrong[i]), &out));
    assert_false(base64_decode(TEXT("Zm9v\0"), &out));
    text_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples),
        cmocka_unit_test(all_bytes_there_and_back),
        cmocka_unit_test(padding_and_lines_are_free_and_the_rest_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
