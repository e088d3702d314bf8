/* document_ignore_test - gitignore(5), case by case. */
#include "protocol/minions/document_ignore.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static bool fits(const char *pattern, const char *text)
{
    uint64_t steps = 0;
    return document_ignore_fits(text_of(pattern), text_of(text), &steps);
}

static void matches_patterns(void **state)
{
    (void)state;
    assert_true(fits("a.txt", "a.txt"));
    assert_false(fits("a.txt", "a.txta"));
    assert_false(fits("a.txt", "xa.txt"));
    assert_true(fits("*.o", "x.o"));
    assert_true(fits("*.o", ".o"));
    assert_false(fits("*.o", "a/x.o"));
    assert_true(fits("a?c", "abc"));
    assert_false(fits("a?c", "a/c"));
    assert_true(fits("[a-c]x", "bx"));
    assert_false(fits("[!a-c]x", "bx"));
    assert_true(fits("[]x]", "]"));
    assert_true(fits("[a", "[a"));
    assert_false(fits("a[!b]c", "a/c"));
    assert_true(fits("\\*", "*"));
    assert_false(fits("\\*", "x"));
    assert_true(fits("**/x", "x"));
    assert_true(fits("**/x", "a/b/x"));
    assert_false(fits("**/x", "ax"));
    assert_true(fits("a/**/x", "a/x"));
    assert_true(fits("a/**/x", "a/b/c/x"));
    assert_false(fits("a/**/x", "a/bx"));
    assert_true(fits("a/**", "a/b/c"));
    assert_false(fits("a/**", "a"));
    assert_false(fits("a/**", "a/"));
    assert_true(fits("a**b", "axxb"));
    assert_false(fits("a**b", "ax/b"));
    assert_true(fits("*", "anything"));
    assert_false(fits("", "x"));
}

static void takes_no_exponential_time(void **state)
{
    (void)state;
    char pattern[256], text[4096];
    for (size_t i = 0; i < 254; i += 2)
        memcpy(pattern + i, "*a", 2);
    memcpy(pattern + 253, "b", 2);
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    uint64_t steps = 0;
    assert_false(document_ignore_fits(text_of(pattern), text_of(text), &steps));
    assert_true(steps <= (uint64_t)256 * sizeof(text));
}

static bool is_out(struct document_ignore *ignore, const char *path, bool is_folder)
{
    bool out = false;
    assert_int_equal(document_ignore_test(ignore, text_of(path), is_folder, &out, NULL), OK);
    return out;
}

static void applies_rules(void **state)
{
    (void)state;
    struct arena arena;
    struct document_ignore ignore;
    assert_int_equal(arena_init(&arena, 1 << 20, NULL), OK);
    assert_int_equal(document_ignore_init(&ignore, &arena, NULL), OK);
    assert_int_equal(
        document_ignore_add(&ignore,
                            TEXT("# comment\r\n*.log\n!keep.log\nbuild/\n/top.txt\n"
                                 "docs/*.tmp\n\\#odd\nname\\ \ntrail   \n"),
                            TEXT(""), NULL),
        OK);
    assert_true(is_out(&ignore, "a.log", false));
    assert_true(is_out(&ignore, "sub/a.log", false));
    assert_false(is_out(&ignore, "sub/keep.log", false));
    assert_true(is_out(&ignore, "sub/build", true));
    assert_false(is_out(&ignore, "build", false));
    assert_true(is_out(&ignore, "top.txt", false));
    assert_false(is_out(&ignore, "sub/top.txt", false));
    assert_true(is_out(&ignore, "docs/a.tmp", false));
    assert_false(is_out(&ignore, "sub/docs/a.tmp", false));
    assert_true(is_out(&ignore, "#odd", false));
    assert_true(is_out(&ignore, "name ", false));
    assert_true(is_out(&ignore, "trail", false));
    assert_false(is_out(&ignore, "# comment", false));
    const struct document_ignore_mark mark = document_ignore_mark(&ignore);
    assert_int_equal(document_ignore_add(&ignore, TEXT("!a.log\n/only\n"), TEXT("sub/"), NULL),
                     OK);
    assert_false(is_out(&ignore, "sub/a.log", false));
    assert_true(is_out(&ignore, "a.log", false));
    assert_true(is_out(&ignore, "sub/only", false));
    assert_false(is_out(&ignore, "only", false));
    assert_false(is_out(&ignore, "xyz/only", false));
    document_ignore_rewind(&ignore, mark);
    assert_true(is_out(&ignore, "sub/a.log", false));
    arena_deinit(&arena);
}

static void is_bounded(void **state)
{
    (void)state;
    struct arena arena;
    struct document_ignore ignore;
    struct text_buf many = {0};
    struct error err = {0};
    bool out;
    assert_int_equal(arena_init(&arena, 1 << 20, NULL), OK);
    assert_int_equal(document_ignore_init(&ignore, &arena, NULL), OK);
    for (uint32_t i = 0; i <= DOCUMENT_IGNORE_RULES_MAX; i++)
        text_buf_add(&many, TEXT("x\n"));
    assert_int_equal(document_ignore_add(&ignore, text_buf_text(&many), TEXT(""), &err),
                     ERR_LIMIT);
    assert_non_null(strstr(err.text, "more than 4096 rules"));
    ignore.steps = DOCUMENT_IGNORE_STEPS_MAX;
    assert_int_equal(document_ignore_test(&ignore, TEXT("y"), false, &out, &err), ERR_LIMIT);
    text_buf_deinit(&many);
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_patterns),
        cmocka_unit_test(takes_no_exponential_time),
        cmocka_unit_test(applies_rules),
        cmocka_unit_test(is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
