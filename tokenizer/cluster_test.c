/* cluster_test - texts and where their clusters end, at a guard page. */
#include "tokenizer/cluster.h"

#include "tokenizer/testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define ACUTE  "\xcc\x81"     /* U+0301 */
#define JOINER "\xe2\x80\x8d" /* U+200D */

static void test_clusters(void **state)
{
    /* '|' is where one ends. */
    static const char *const CASES[] = {
        "a",
        "a|b|c",
        "\r\n|\n|\r|a",
        "a|\r|" ACUTE,
        "e" ACUTE ACUTE "|e" ACUTE,
        ACUTE "|a",
        "a" JOINER "|b",
        "a\xe1\xab\x8f|b",                     /* U+1ACF, of Unicode 17 */
        "a\xe0\xa4\xbe|b",                     /* a spacing mark, U+093E */
        "a|\xc2\xad|b",                        /* U+00AD is a control character here */
        "\xd8\x80\x31|2",                      /* U+0600 joins what follows */
        "\xd8\x80|\n",                         /* but not a control character */
        "a|\xe1\x80\xab",                      /* U+102B: a mark that joins nothing */
        "a\xf0\x9f\x8f\xbb|b",                 /* U+1F3FB */
        "a\xe0\xb8\xb3|\xe0\xb8\x81",          /* U+0E33, no mark but joins */
        "\xe1\x84\x80\xe1\x85\xa1|a",          /* L V */
        "\xea\xb0\x80\xe1\x85\xa1|a",          /* LV V */
        "\xea\xb0\x81|\xe1\x85\xa1|a",         /* LVT, V */
        "\xea\xb0\x81\xe1\x86\xa8" ACUTE "|a", /* LVT T */
        "\xe1\x86\xa8|\xe1\x84\x80|a",         /* T, L */
        "\xe0\xa4\x95\xe0\xa5\x8d\xe0\xa4\xb7|\xe0\xa4\x95", /* a conjunct, a consonant */
        "\xe0\xa4\x95\xe0\xa5\x8d" JOINER "\xe0\xa4\xb7|a",
        "\xe0\xa4\x95\xe0\xa5\x8d\xe2\x80\x8c|\xe0\xa4\xb7|a", /* U+200C parts it */
        "\xe0\xa4\x95\xe0\xa4\xbe\xe0\xa5\x8d|\xe0\xa4\xb7|a",
        "a\xe0\xa5\x8d|\xe0\xa4\xb7|a",
        "\xff|\xcc|a" ACUTE,
    };
    const struct testing_guard guard = testing_guard_open();
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct text_buf text = {0}, got = {0};
        for (const char *at = CASES[i]; *at; at++) {
            if (*at != '|')
                text_buf_byte(&text, *at);
        }
        const struct text copy = testing_guard_copy(&guard, text_buf_text(&text));
        for (size_t at = 0, end; at < copy.size; at = end) {
            end = cluster_end(copy, at);
            text_buf_add(&got, text_slice(copy, at, end));
            if (end < copy.size)
                text_buf_byte(&got, '|');
        }
        if (!text_equal(text_buf_text(&got), text_of(CASES[i])))
            fail_msg("case %zu: got '%.*s', want '%s'", i, TEXT_ARG(text_buf_text(&got)),
                     CASES[i]);
        text_buf_deinit(&text);
        text_buf_deinit(&got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_clusters)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
