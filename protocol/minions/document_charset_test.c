/* document_charset_test - the encodings that pages name. */
#include "protocol/minions/document_charset.h"

#include "protocol/minions/document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check_declared(const char *page, const char *wanted)
{
    const char *charset = document_charset_declared(text_of(page));
    if (!wanted)
        assert_null(charset);
    else
        assert_string_equal(charset ? charset : "none", wanted);
}

static void finds_what_is_declared(void **state)
{
    (void)state;
    check_declared("<meta charset=\"iso-8859-2\">", "ISO-8859-2");
    check_declared("<html><META CHARSET = Windows-1251 >", "CP1251");
    check_declared("<meta http-equiv='Content-Type' content='text/html; charset=Shift_JIS'>",
                   "CP932");
    check_declared("<?xml version='1.0' encoding='gb2312'?><html>", "GB18030");
    check_declared("<meta name=\"x-charset\" content=\"y\"><meta charset=koi8-r>", "KOI8-R");
    check_declared("<!-- <meta charset=koi8-r> --><meta charset=koi8-u>", "KOI8-U");
    check_declared("<meta charset=utf-8><meta charset=koi8-u>", NULL);
    check_declared("<meta charset=iso-2022-jp>", NULL);
    check_declared("<p>charset=koi8-r</p>", NULL);
    check_declared("<metacharset=koi8-r>", NULL);
    check_declared("<metax charset=koi8-r>", NULL);
    check_declared("<meta data-charset=koi8-r>", NULL);
    check_declared("<meta charset", NULL);
    check_declared("<meta charset=", NULL);
    check_declared("<meta charset=koi8-rr>", NULL);
    check_declared("", NULL);
}

/* In the first 1,024 bytes, and not in those behind. */
static void looks_at_the_head_alone(void **state)
{
    static const char declared[] = "<meta charset=koi8-r>";
    char page[1100];
    (void)state;
    for (size_t at = 1000; at < 1010; at++) {
        memset(page, ' ', sizeof(page));
        memcpy(page + at, declared, sizeof(declared) - 1);
        const char *charset = document_charset_declared((struct text){page, sizeof(page)});
        assert_int_equal(charset != NULL, at + sizeof(declared) - 2 <= 1024);
    }
}

/* Cut anywhere, no byte behind it is read. */
static void reads_no_further(void **state)
{
    (void)state;
    static const char page[] = "<?xml encoding='x'?><!-- --><meta charset = \"koi8-r\" >";
    for (size_t size = 0; size < sizeof(page); size++) {
        char *copy = malloc(size > 0 ? size : 1);
        assert_non_null(copy);
        memcpy(copy, page, size);
        (void)document_charset_declared((struct text){copy, size});
        free(copy);
    }
}

static void check_decoded(const char *bytes, const char *charset, const char *wanted,
                          size_t wanted_faults)
{
    struct text_buf out = {0};
    size_t faults = 0;
    assert_int_equal(document_charset_decode(text_of(bytes), charset, &out, &faults, NULL), OK);
    assert_string_equal(out.data, wanted);
    assert_int_equal(faults, wanted_faults);
    text_buf_deinit(&out);
}

static void converts(void **state)
{
    (void)state;
    struct text_buf out = {.size_max = 1000};
    size_t faults = 0;
    char many[5000];
    check_decoded("\xb1\xea", "ISO-8859-2", "\xc4\x85\xc4\x99", 0);
    check_decoded("\x93\xfa\x96\x7b", "CP932", "\xe6\x97\xa5\xe6\x9c\xac", 0);
    check_decoded("a\xff\xff"
                  "b\x93",
                  "CP932",
                  "a\xef\xbf\xbd\xef\xbf\xbd"
                  "b\xef\xbf\xbd",
                  3);
    memset(many, 0xd0, sizeof(many));
    assert_int_equal(
        document_charset_decode((struct text){many, 5000}, "KOI8-R", &out, &faults, NULL),
        ERR_LIMIT);
    text_buf_deinit(&out);
    out.size_max = 0;
    assert_int_equal(
        document_charset_decode((struct text){many, 5000}, "KOI8-R", &out, &faults, NULL), OK);
    assert_int_equal(out.size, 10000);
    text_buf_deinit(&out);
    assert_int_equal(document_charset_decode(TEXT("x"), "no such", &out, &faults, NULL),
                     ERR_FORMAT);
}

static void check_page(const char *page, const char *wanted)
{
    struct document document = {0};
    assert_int_equal(document_read(&document, text_of(page), TEXT("a.html"), NULL), OK);
    assert_true(text_equal(text_buf_text(&document.text), text_of(wanted)));
    document_deinit(&document);
}

static void reads_pages_as_they_say(void **state)
{
    (void)state;
    check_page("<meta charset=iso-8859-2>\xb1", "\xc4\x85");
    check_page("<meta charset=iso-8859-1>\xb1", "\xc2\xb1");
    /* One that is valid UTF-8 is that, whatever it says. */
    check_page("<meta charset=iso-8859-2>\xc4\x85", "\xc4\x85");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_is_declared),  cmocka_unit_test(looks_at_the_head_alone),
        cmocka_unit_test(reads_no_further),        cmocka_unit_test(converts),
        cmocka_unit_test(reads_pages_as_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
