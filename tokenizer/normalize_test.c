/* normalize_test - composition by hand and by its laws: done twice is done once, bytes that are
 * no UTF-8 stay, long runs of marks take no long time. */
#include "tokenizer/normalize.h"

#include "tokenizer/testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void check(struct text text, struct text want)
{
    struct text_buf out = {0};
    assert_true(normalize_text(NORMALIZE_NFC, text, &out));
    if (!text_equal(text_buf_text(&out), want))
        fail_msg("'%.*s' gives '%s', want '%.*s'", TEXT_ARG(text), out.data ? out.data : "",
                 TEXT_ARG(want));
    text_buf_deinit(&out);
}

static void test_cases(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"", ""},
        {"plain \xc3\xa9", "plain \xc3\xa9"},
        {"e\xcc\x81!", "\xc3\xa9!"}, /* e, acute */
        {"\xcc\x81"
         "e",
         "\xcc\x81"
         "e"},                                        /* a mark with nothing before it */
        {"a\xcc\xa3\xcc\x82", "\xe1\xba\xad"},        /* a, dot below, circumflex */
        {"a\xcc\x82\xcc\xa3", "\xe1\xba\xad"},        /* the same in the other order */
        {"q\xcc\x87\xcc\xa3", "q\xcc\xa3\xcc\x87"},   /* ordered, not joined */
        {"e\xcc\xb8\xcc\x81", "\xc3\xa9\xcc\xb8"},    /* past a mark of another class */
        {"a\xcc\x80\xcc\x81", "\xc3\xa0\xcc\x81"},    /* the second is in the way */
        {"\xe2\x84\xab", "\xc3\x85"},                 /* the angstrom sign */
        {"\xe0\xa5\x98", "\xe0\xa4\x95\xe0\xa4\xbc"}, /* excluded from composition */
        {"\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", "\xed\x95\x9c"}, /* a Korean syllable */
        {"\xed\x95\x98\xe1\x86\xab", "\xed\x95\x9c"},
        {"\xed\x95\x9c\xe1\x86\xab", "\xed\x95\x9c\xe1\x86\xab"},
        {"e\xff\xcc\x81", "e\xff\xcc\x81"},
        {"\xe4\xb8", "\xe4\xb8"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check(text_of(cases[i].text), text_of(cases[i].want));
    assert_true(normalize_is_plain(NORMALIZE_NFC, TEXT("a\xcb\xbf")));
    assert_false(normalize_is_plain(NORMALIZE_NFC, TEXT("a\xcc\x80")));
}

static void test_twice_is_once(void **state)
{
    const struct testing_guard guard = testing_guard_open();
    struct text_buf text = {0}, once = {0};
    uint64_t seed = 9;
    (void)state;
    for (uint32_t round = 0; round < 3000; round++) {
        text_buf_clear(&text);
        for (uint32_t i = testing_random(&seed) % 30; i > 0; i--) {
            static const uint32_t blocks[] = {'a',    0xc0,   0x300,  0x340,  0x900,  0x1100,
                                              0x1160, 0x11a0, 0x1e00, 0xac00, 0xf900, 0x1d160};
            const uint32_t random = testing_random(&seed);
            char bytes[4] = {(char)0xff};
            const uint32_t code_point = blocks[random % 12] + (random >> 8) % 64;
            const size_t size = random % 31 == 0 ? 1 : text_utf8_put(code_point, bytes);
            text_buf_add(&text, (struct text){bytes, size});
        }
        text_buf_clear(&once);
        assert_true(normalize_text(NORMALIZE_NFC,
                                   testing_guard_copy(&guard, text_buf_text(&text)), &once));
        check(text_buf_text(&once), text_buf_text(&once));
    }
    text_buf_deinit(&text);
    text_buf_deinit(&once);
}

/* Marks of two classes by turns: sorting each against each would take minutes. */
static void test_many_marks(void **state)
{
    enum { PAIRS = 200000 };
    struct text_buf text = {0}, out = {0};
    (void)state;
    text_buf_add(&text, TEXT("q"));
    for (uint32_t i = 0; i < PAIRS; i++)
        text_buf_add(&text, TEXT("\xcc\x87\xcc\xa3"));
    assert_true(normalize_text(NORMALIZE_NFC, text_buf_text(&text), &out));
    assert_int_equal(out.size, text.size);
    assert_true(text_starts(text_buf_text(&out), TEXT("q\xcc\xa3\xcc\xa3")));
    assert_true(text_ends(text_buf_text(&out), TEXT("\xcc\x87\xcc\x87")));
    text_buf_deinit(&text);
    text_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_twice_is_once),
        cmocka_unit_test(test_many_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
