/* text_test - slices, searching, UTF-8 by table and by sweep, and buffers with a limit. */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void assert_text(struct text text, const char *want)
{
    assert_true(text_equal(text, text_of(want)));
}

static void test_pieces(void **state)
{
    const struct text text = TEXT("one two one");
    (void)state;
    assert_int_equal(text_of(NULL).size, 0);
    assert_true(text_equal(text_of(NULL), TEXT("")));
    assert_false(text_equal(TEXT("a"), TEXT("b")));
    assert_true(text_equal(TEXT("a\0b"), (struct text){"a\0b", 3}));
    assert_false(text_equal(TEXT("a\0b"), TEXT("a\0c")));
    const struct text rising[] = {TEXT(""),     TEXT("\0"), TEXT("a"),   TEXT("a\0b"),
                                  TEXT("a\0c"), TEXT("aa"), TEXT("\x80")};
    const size_t count = sizeof rising / sizeof rising[0];
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(text_compare(rising[i], rising[i]), 0);
        for (size_t j = i + 1; j < count; j++)
            assert_true(text_compare(rising[i], rising[j]) == -1 &&
                        text_compare(rising[j], rising[i]) == 1);
    }
    assert_int_equal(text_compare((struct text){NULL, 0}, TEXT("")), 0);
    assert_true(text_starts(text, TEXT("one ")) && text_starts(text, TEXT("")));
    assert_false(text_starts(TEXT("on"), TEXT("one")));
    assert_true(text_ends(text, TEXT(" one")) && !text_ends(text, TEXT("two")));
    assert_text(text_slice(text, 4, 7), "two");
    assert_text(text_slice(text, 8, SIZE_MAX), "one");
    assert_text(text_slice(text, SIZE_MAX, 3), "");
    assert_text(text_slice(text, 7, 4), "");
    assert_text(text_trim(TEXT(" \t\n\v\f\r a b \r")), "a b");
    assert_text(text_trim(TEXT(" \n ")), "");
}

static void test_find(void **state)
{
    const struct text text = TEXT("abcabc");
    (void)state;
    assert_int_equal(text_find(text, TEXT("bc"), 0), 1);
    assert_int_equal(text_find(text, TEXT("bc"), 1), 1);
    assert_int_equal(text_find(text, TEXT("bc"), 2), 4);
    assert_true(text_find(text, TEXT("bc"), 5) == SIZE_MAX);
    assert_true(text_find(text, TEXT("bc"), SIZE_MAX) == SIZE_MAX);
    assert_true(text_find(text, TEXT("abcabcd"), 0) == SIZE_MAX);
    assert_int_equal(text_find(text, TEXT(""), 6), 6);
    assert_true(text_find(text_of(NULL), TEXT("a"), 0) == SIZE_MAX);
}

static void test_copy(void **state)
{
    uint8_t room[8];
    struct arena arena = {.base = room, .size = sizeof room};
    (void)state;
    const struct text copy = text_copy(TEXT("1234567"), &arena);
    assert_text(copy, "1234567");
    assert_int_equal(copy.data[7], 0);
    assert_null(text_copy(TEXT(""), &arena).data);
    arena_rewind(&arena, 0);
    assert_null(text_copy(TEXT("12345678"), &arena).data);
    assert_non_null(text_copy(text_of(NULL), &arena).data);
}

/* Every valid code point comes back from its bytes, and from no shorter run of them. */
static void test_utf8_every_code_point(void **state)
{
    char bytes[4];
    (void)state;
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        if (c >= 0xd800 && c <= 0xdfff)
            continue;
        const size_t size = text_utf8_put(c, bytes);
        size_t offset = 0;
        if (text_utf8_next((struct text){bytes, size}, &offset) != c || offset != size)
            fail_msg("U+%04X does not come back", (unsigned)c);
        if (text_utf8_valid((struct text){bytes, size - 1}) != 0)
            fail_msg("U+%04X counts when cut", (unsigned)c);
    }
}

static void test_utf8_malformed(void **state)
{
    static const char *const malformed[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xc2",
        "\xc2\x41",
        "\xe0\x80\x80",
        "\xe0\x9f\xbf",
        "\xe1\x80",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xff",
        "\xfe",
        "\xf0\x9f\x98",
        "\xe2\x82\x41",
        "\xf0\x9f\x41\x80",
    };
    (void)state;
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        const struct text text = text_of(malformed[i]);
        size_t offset = 0;
        assert_true(text_utf8_next(text, &offset) == UINT32_MAX);
        assert_int_equal(offset, 1);
        assert_int_equal(text_utf8_valid(text), 0);
    }
    assert_int_equal(text_utf8_valid(TEXT("gr\xc3\xbc\xc3\x9f\xff")), 6);
    assert_int_equal(text_utf8_valid(TEXT("a\0b")), 3);
}

static void test_buf(void **state)
{
    struct text_buf buf = {0};
    (void)state;
    text_buf_add(&buf, text_of(NULL));
    assert_int_equal(buf.data[0], 0);
    for (int i = 0; i < 1000; i++)
        text_buf_format(&buf, "%d,", i);
    text_buf_byte(&buf, '\0');
    text_buf_add(&buf, TEXT("end"));
    assert_false(buf.failed);
    assert_int_equal(buf.size, 3894);
    assert_true(text_starts(text_buf_text(&buf), TEXT("0,1,2,")));
    assert_true(text_ends(text_buf_text(&buf), TEXT("998,999,\0end")));
    assert_int_equal(buf.data[buf.size], 0);
    text_buf_clear(&buf);
    assert_int_equal(text_buf_text(&buf).size, 0);
    text_buf_deinit(&buf);
    text_buf_deinit(&buf);
}

/* At the limit all is kept, one byte past it nothing is added and the failure stays. */
static void test_buf_limit(void **state)
{
    struct text_buf buf = {.size_max = 5};
    (void)state;
    text_buf_add(&buf, TEXT("12345"));
    assert_false(buf.failed);
    text_buf_byte(&buf, '6');
    assert_true(buf.failed);
    text_buf_add(&buf, TEXT(""));
    assert_text(text_buf_text(&buf), "12345");
    text_buf_clear(&buf);
    text_buf_format(&buf, "%s", "123456");
    assert_true(buf.failed && buf.size == 0);
    text_buf_deinit(&buf);
    assert_int_equal(buf.size_max, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces),         cmocka_unit_test(test_find),
        cmocka_unit_test(test_copy),           cmocka_unit_test(test_utf8_every_code_point),
        cmocka_unit_test(test_utf8_malformed), cmocka_unit_test(test_buf),
        cmocka_unit_test(test_buf_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
