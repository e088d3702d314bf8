/* sentence_test - where sentences end, and that every byte is accounted for. */
#include "protocol/minions/sentence.h"

#include "protocol/minions/fold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect(const char *text, const char *const *sentences, size_t count)
{
    struct sentence_reader reader = {.text = text_of(text)};
    size_t begin, size;
    for (size_t i = 0; i < count; i++) {
        assert_true(sentence_next(&reader, &begin, &size));
        const struct text got = text_slice(reader.text, begin, begin + size);
        if (!text_equal(got, text_of(sentences[i])))
            fail_msg("sentence %zu is `%.*s`", i, TEXT_ARG(got));
    }
    assert_false(sentence_next(&reader, &begin, &size));
}
#define EXPECT(text, ...)                                                                      \
    do {                                                                                       \
        const char *const list_[] = {__VA_ARGS__};                                             \
        expect((text), list_, sizeof(list_) / sizeof(list_[0]));                               \
    } while (0)

static void marks(void **state)
{
    (void)state;
    EXPECT("One here.  Two\nthere! \"Three?\" 4 is last", "One here.", "Two\nthere!",
           "\"Three?\"", "4 is last");
    EXPECT("Versions 1.2 and e.g. the Foo Inc. Ltd stay. J. Doe too.",
           "Versions 1.2 and e.g. the Foo Inc. Ltd stay.", "J. Doe too.");
    EXPECT("(He left.) She stayed.", "(He left.)", "She stayed.");
    EXPECT("file.txt is a file. see it", "file.txt is a file. see it");
}

static void labels_stay_with_what_they_name(void **state)
{
    (void)state;
    EXPECT("  3. Definitions apply.\n\n  a) first\n  b) second.\n", "3. Definitions apply.",
           "a) first", "b) second.");
}

static void labels_begin_items(void **state)
{
    (void)state;
    EXPECT("are met:\n1. Keep this\nnotice.\n2. Say so.\n b. Or else.",
           "are met:", "1. Keep this\nnotice.", "2. Say so.", "b. Or else.");
    EXPECT("written by\nJ. Doe in\n2019. The end", "written by\nJ. Doe in\n2019.", "The end");
    EXPECT("under\n(ii) this one", "under", "(ii) this one");
}

static void paragraphs_and_markdown(void **state)
{
    (void)state;
    EXPECT("Title\n\nText goes\non\n  \nEnd", "Title", "Text goes\non", "End");
    EXPECT("# Head\ntext here\n- item one\n- item two", "# Head\ntext here", "- item one",
           "- item two");
    EXPECT("\xe7\x94\xb2\xe3\x80\x82\xe4\xb9\x99", "\xe7\x94\xb2\xe3\x80\x82", "\xe4\xb9\x99");
    EXPECT("page one\fpage two", "page one", "page two");
    expect(" \n ", NULL, 0);
}

static void long_runs_are_cut_between_words(void **state)
{
    (void)state;
    enum { SIZE = 5000 };
    char *text = malloc(SIZE);
    assert_non_null(text);
    for (int i = 0; i < SIZE; i++)
        text[i] = i % 7 == 6 ? ' ' : 'x';
    struct sentence_reader reader = {.text = {text, SIZE}};
    size_t begin, size, seen = 0;
    while (sentence_next(&reader, &begin, &size)) {
        assert_true(size > 0 && size <= SENTENCE_BYTES_MAX);
        assert_true(begin >= seen && begin <= seen + 1 && text[begin] == 'x');
        seen = begin + size;
    }
    assert_true(seen >= SIZE - 1);
    memset(text, '\xc3', SIZE); /* no white space at all, and not even UTF-8 */
    reader = (struct sentence_reader){.text = {text, SIZE}};
    seen = 0;
    while (sentence_next(&reader, &begin, &size)) {
        assert_int_equal(begin, seen);
        seen = begin + size;
    }
    assert_int_equal(seen, SIZE);
    free(text);
}

/* Random texts of the characters that decide: spans in order, all visible bytes covered. */
static void nothing_is_lost(void **state)
{
    (void)state;
    static const char alphabet[] = "aA1. .\n\n\f-#)(\"'? !\t";
    unsigned seed = 1;
    for (int round = 0; round < 2000; round++) {
        char text[64];
        for (size_t i = 0; i < sizeof(text); i++) {
            seed = seed * 1103515245u + 12345u;
            text[i] = alphabet[(seed >> 16) % (sizeof(alphabet) - 1)];
        }
        struct sentence_reader reader = {.text = {text, sizeof(text)}};
        size_t begin, size, seen = 0;
        while (sentence_next(&reader, &begin, &size)) {
            assert_true(begin >= seen && size > 0 && begin + size <= sizeof(text));
            for (size_t i = seen; i < begin; i++)
                assert_true(fold_is_space(text[i]));
            seen = begin + size;
        }
        for (size_t i = seen; i < sizeof(text); i++)
            assert_true(fold_is_space(text[i]));
    }
}

static void rows_stand_alone(void **state)
{
    (void)state;
    EXPECT("The votes were these:\n\n  Name       For      Against\n  Ann Lee    1,234    56\n"
           "  Bo Day     99       (2)\nAll were\nelected.",
           "The votes were these:", "Name       For      Against", "Ann Lee    1,234    56",
           "Bo Day     99       (2)", "All were\nelected.");
    EXPECT("Net sales\t$10 billion. Up\nmore", "Net sales\t$10 billion. Up", "more");
    struct sentence_reader lines = {.text = TEXT("a. B\n\n  c,1\n"), .has_lines = true};
    size_t begin, size;
    assert_true(sentence_next(&lines, &begin, &size));
    assert_int_equal(begin * 10 + size, 4);
    assert_true(sentence_next(&lines, &begin, &size));
    assert_int_equal(begin * 10 + size, 83);
    assert_false(sentence_next(&lines, &begin, &size));
    EXPECT("A line\n     with 5 indented words", "A line\n     with 5 indented words");
    assert_true(sentence_is_row(TEXT("  x   1")));
    assert_true(sentence_is_row(TEXT("x\t-5")));
    assert_false(sentence_is_row(TEXT("   1 x")));
    assert_false(sentence_is_row(TEXT("x  1")));
    assert_false(sentence_is_row(TEXT("1   x")));
    assert_false(sentence_is_row(TEXT("x   ")));
    assert_false(sentence_is_row(TEXT("x   (")));
    assert_false(sentence_is_row(TEXT("")));
    assert_false(sentence_is_heading(TEXT("Net sales   10")));
}

static void headings(void **state)
{
    (void)state;
    assert_true(sentence_is_heading(TEXT("15. Disclaimer of Warranty.")));
    assert_true(sentence_is_heading(TEXT("3. COPYING IN QUANTITY")));
    assert_true(sentence_is_heading(TEXT("Terms and Conditions")));
    assert_true(sentence_is_heading(TEXT("## Getting started: now!")));
    assert_true(sentence_is_heading(TEXT("NO WARRANTY.")));
    assert_false(sentence_is_heading(TEXT("There is no warranty.")));
    assert_false(sentence_is_heading(TEXT("15. You may copy the program freely and give it "
                                          "to others.")));
    assert_false(sentence_is_heading(TEXT("a list of words that goes on and on without end")));
    assert_false(sentence_is_heading(TEXT("")));
}

static void signatures(void **state)
{
    (void)state;
    assert_true(sentence_is_signature(TEXT("By: /s/ Ann Lee\nName: Ann Lee")));
    assert_true(sentence_is_signature(TEXT("Date: May 5     By:      /S/  Ann B. Lee")));
    assert_true(sentence_is_signature(TEXT("(Signed) Ann Lee, Master")));
    assert_true(sentence_is_signature(TEXT("Signed by: Ann Lee")));
    assert_true(sentence_is_signature(TEXT("By:\n   Name:   Ann Lee\n   Title: Master")));
    assert_false(sentence_is_signature(TEXT("By:\n   Name: ______\n   Title: ______")));
    assert_false(sentence_is_signature(TEXT("Name: Ann Lee")));
    assert_false(sentence_is_signature(TEXT("See http://a.example/s/ Ann for it.")));
    assert_false(sentence_is_signature(TEXT("It was signed by the master.")));
    assert_false(sentence_is_signature(TEXT("by: /s/")));
    assert_false(sentence_is_heading(TEXT("By: /s/ Ann Lee")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks),
        cmocka_unit_test(labels_stay_with_what_they_name),
        cmocka_unit_test(labels_begin_items),
        cmocka_unit_test(paragraphs_and_markdown),
        cmocka_unit_test(long_runs_are_cut_between_words),
        cmocka_unit_test(nothing_is_lost),
        cmocka_unit_test(rows_stand_alone),
        cmocka_unit_test(headings),
        cmocka_unit_test(signatures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
