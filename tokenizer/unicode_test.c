/* unicode_test - classes of some code points, at the edges of ranges and pages. */
#include "tokenizer/unicode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_known_classes(void **state)
{
    static const struct {
        uint32_t code_point;
        uint8_t class;
    } cases[] = {
        {0, 0},
        {'\t', UNICODE_SPACE},
        {0x1f, 0},
        {' ', UNICODE_SPACE},
        {'!', UNICODE_PUNCT},
        {'$', UNICODE_SYMBOL},
        {'0', UNICODE_NUMBER},
        {'9', UNICODE_NUMBER},
        {':', UNICODE_PUNCT},
        {'A', UNICODE_UPPER},
        {'z', UNICODE_LOWER},
        {0x7f, 0},
        {0x85, UNICODE_SPACE},
        {0xa0, UNICODE_SPACE},
        {0xaa, UNICODE_CASELESS},
        {0xbd, UNICODE_NUMBER},
        {0xe9, UNICODE_LOWER},
        {0xff, UNICODE_LOWER},
        {0x100, UNICODE_UPPER},
        {0x1c5, UNICODE_UPPER}, /* a title-case letter */
        {0x301, UNICODE_MARK},
        {0x660, UNICODE_NUMBER},
        {0x200b, 0}, /* zero width space is a format character */
        {0x2028, UNICODE_SPACE},
        {0x3000, UNICODE_SPACE},
        {0x4e00, UNICODE_CASELESS},
        {0x9fff, UNICODE_CASELESS},
        {0xac00, UNICODE_CASELESS},
        {0xd800, 0},
        {0xffff, 0},
        {0x1d400, UNICODE_UPPER},
        {0x1f600, UNICODE_SYMBOL},
        {0x20000, UNICODE_CASELESS},
        {0x2a6df, UNICODE_CASELESS},
        {0x2a6e0, 0},
        {0xe0100, UNICODE_MARK},
        {0x10ffff, 0},
        {0x110000, 0},
        {UINT32_MAX, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (unicode_class(cases[i].code_point) != cases[i].class)
            fail_msg("U+%04X is %u, want %u", cases[i].code_point,
                     unicode_class(cases[i].code_point), cases[i].class);
    }
}

static void test_at_most_one_bit(void **state)
{
    (void)state;
    for (uint32_t code_point = 0; code_point <= 0x110000; code_point++) {
        const uint8_t class = unicode_class(code_point);
        assert_int_equal(class & (class - 1), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_classes),
        cmocka_unit_test(test_at_most_one_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
