/* document_text_test - encodings told apart, line ends, and what is no text. */
#include "protocol/minions/document_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void check(struct text bytes, const char *wanted, enum document_encoding encoding,
                  size_t faults)
{
    struct text_buf out = {0};
    struct document_text_found found;
    struct error err = {0};
    assert_int_equal(document_text_decode(bytes, &out, &found, &err), OK);
    assert_int_equal(found.encoding, encoding);
    assert_int_equal(found.faults, faults);
    assert_int_equal(out.size, strlen(wanted));
    if (out.size > 0)
        assert_memory_equal(out.data, wanted, out.size);
    assert_int_equal(text_utf8_valid(text_buf_text(&out)), out.size);
    text_buf_deinit(&out);
}

static void tells_encodings_apart(void **state)
{
    (void)state;
    check(TEXT(""), "", DOCUMENT_UTF8, 0);
    check(TEXT("caf\xc3\xa9"), "caf\xc3\xa9", DOCUMENT_UTF8, 0);
    check(TEXT("\xef\xbb\xbf"
               "caf\xc3\xa9"),
          "caf\xc3\xa9", DOCUMENT_UTF8, 0);
    check(TEXT("\xff\xfe"
               "h\0\xe9\0\x3d\xd8\x00\xde"),
          "h\xc3\xa9\xf0\x9f\x98\x80", DOCUMENT_UTF16_LE, 0);
    check(TEXT("\xfe\xff\0h\0\xe9\xd8\x3d\xde\x00"), "h\xc3\xa9\xf0\x9f\x98\x80",
          DOCUMENT_UTF16_BE, 0);
    check(TEXT("h\0i\0 \0y\0o\0u\0"), "hi you", DOCUMENT_UTF16_LE, 0);
    check(TEXT("\0h\0i\0 \0y\0o\0u"), "hi you", DOCUMENT_UTF16_BE, 0);
    check(TEXT("caf\xe9 \x80"
               "5 \x93q\x94 \x81"),
          "caf\xc3\xa9 \xe2\x82\xac"
          "5 \xe2\x80\x9cq\xe2\x80\x9d \xc2\x81",
          DOCUMENT_WINDOWS_1252, 0);
}

static void keeps_utf8_with_few_faults(void **state)
{
    (void)state;
    check(TEXT("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3"
               "\xa9 \xff"),
          "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9 "
          "\xef\xbf\xbd",
          DOCUMENT_UTF8_FAULTY, 1);
    check(TEXT("\xff\xfe"
               "a\0\x00\xd8"
               "b\0c\0d\0e\0f\0g\0h\0i\0j\0"),
          "a\xef\xbf\xbd"
          "bcdefghij",
          DOCUMENT_UTF16_LE, 1);
    check(TEXT("\xff\xfe"
               "a\0b"),
          "a\xef\xbf\xbd", DOCUMENT_UTF16_LE, 1);
}

static void ends_lines_with_line_feeds(void **state)
{
    (void)state;
    check(TEXT("a\r\nb\rc\n\r\r\n"), "a\nb\nc\n\n\n", DOCUMENT_UTF8, 0);
    check(TEXT("\r"), "\n", DOCUMENT_UTF8, 0);
    check(TEXT("\xe9\r\n\r"), "\xc3\xa9\n\n", DOCUMENT_WINDOWS_1252, 0);
}

static void refuse(struct text bytes, const char *why)
{
    struct text_buf out = {0};
    struct document_text_found found;
    struct error err = {0};
    assert_int_equal(document_text_decode(bytes, &out, &found, &err), ERR_FORMAT);
    assert_non_null(strstr(err.text, why));
    text_buf_deinit(&out);
}

static void refuses_what_is_no_text(void **state)
{
    (void)state;
    refuse(TEXT("a\0b"), "1 of 3 bytes are NUL");
    refuse(TEXT("\xe9\1\2\3\4\5"), "5 of 6 bytes are control characters");
    refuse(TEXT("\xff\xfe\0\xd8\0\xd8\0\xd8\0\xd8"), "4 faults");
    refuse(TEXT("\1\0\2\0\3\0\4\0"), "4 control characters");
    char page[200];
    memset(page, 'x', sizeof(page));
    memset(page, 1, sizeof(page) / 12); /* compressed data has one in ten */
    page[199] = '\xe9';
    refuse((struct text){page, sizeof(page)}, "16 of 200 bytes are control characters");
    memset(page, 'x', sizeof(page));
    page[7] = '\0'; /* one in 200 is let through, as it is */
    struct text_buf out = {0};
    struct document_text_found found;
    assert_int_equal(
        document_text_decode((struct text){page, sizeof(page)}, &out, &found, NULL), OK);
    assert_int_equal(out.data[7], '\0');
    text_buf_deinit(&out);
    out.size_max = 2;
    assert_int_equal(document_text_decode(TEXT("abc"), &out, &found, NULL), ERR_LIMIT);
    text_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_encodings_apart),
        cmocka_unit_test(keeps_utf8_with_few_faults),
        cmocka_unit_test(ends_lines_with_line_feeds),
        cmocka_unit_test(refuses_what_is_no_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
