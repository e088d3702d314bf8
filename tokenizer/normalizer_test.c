/* normalizer_test - what each change does, in lists; and the other normal forms. */
#include "tokenizer/normalizer.h"

#include "tokenizer/testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct arena arena;

/* The changes up to the first NFC that is not the first of all. */
static void check(const struct tokenizer_change given[3], const char *text, const char *want)
{
    static struct testing_guard guard;
    struct normalizer_scratch scratch = {0};
    struct tokenizer_change steps[3];
    struct normalizer normalizer;
    struct error err;
    uint32_t count = 0;
    if (!guard.end)
        guard = testing_guard_open();
    arena.used = 0;
    for (; count < 3 && (count == 0 || given[count].kind != TOKENIZER_NFC); count++) {
        steps[count] = given[count];
        if (!steps[count].content.data)
            steps[count].content = TEXT("");
    }
    struct text changed = testing_guard_copy(&guard, text_of(text));
    assert_int_equal(normalizer_init(&normalizer, steps, count, &arena, &err), OK);
    assert_true(normalizer_apply(&normalizer, &scratch, &changed));
    if (!text_equal(changed, text_of(want)))
        fail_msg("'%s' becomes '%.*s', want '%s'", text, TEXT_ARG(changed), want);
    normalizer_scratch_deinit(&scratch);
}

static void test_changes(void **state)
{
    const struct {
        struct tokenizer_change steps[3];
        const char *text, *want;
    } cases[] = {
        {{{.kind = TOKENIZER_NFC}}, "e\xcc\x81", "\xc3\xa9"},
        {{{.kind = TOKENIZER_NFD}},
         "\xc3\xa9\xea\xb0\x81",
         "e\xcc\x81\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8"},
        {{{.kind = TOKENIZER_NFD}}, "\xef\xac\x81", "\xef\xac\x81"},
        {{{.kind = TOKENIZER_NFKC}}, "\xef\xac\x81\xef\xbc\xa1\xc2\xa0\xe2\x85\xa3", "fiA IV"},
        {{{.kind = TOKENIZER_NFKC}}, "\xce\x85", " \xcc\x88\xcc\x81"}, /* by way of U+00A8 */
        {{{.kind = TOKENIZER_NFKD}},
         "\xc3\xa9\xc2\xbd",
         "e\xcc\x81"
         "1\xe2\x81\x84"
         "2"},
        {{{.kind = TOKENIZER_NFKD}}, "\xe2\x84\xab\xff", "A\xcc\x8a\xff"},
        {{{.kind = TOKENIZER_LOWER}},
         "A\xc3\x89\xce\xa9z\xc4\xb0\xff",
         "a\xc3\xa9\xcf\x89zi\xcc\x87\xff"},
        {{{.kind = TOKENIZER_LOWER}}, "\xc4\x80\xc4\x81\xc7\x85", "\xc4\x81\xc4\x81\xc7\x86"},
        {{{.kind = TOKENIZER_STRIP, .left = true}}, " \t a ", "a "},
        {{{.kind = TOKENIZER_STRIP, .right = true}}, " a \xe3\x80\x80", " a"},
        {{{.kind = TOKENIZER_STRIP, .left = true, .right = true}}, "  ", ""},
        {{{.kind = TOKENIZER_DROP_MARKS}}, "e\xcc\x81x", "ex"},
        {{{.kind = TOKENIZER_NFD}, {.kind = TOKENIZER_DROP_MARKS}, {.kind = TOKENIZER_LOWER}},
         "\xc3\x89"
         "A",
         "ea"},
        {{{.kind = TOKENIZER_PREPEND, .content = TEXT("_")}}, "a", "_a"},
        {{{.kind = TOKENIZER_PREPEND, .content = TEXT("_")}}, "", ""},
        {{{.kind = TOKENIZER_REPLACE, .pattern = TEXT(" {2,}"), .content = TEXT(" ")}},
         "a   b c",
         "a b c"},
        {{{.kind = TOKENIZER_REPLACE,
           .is_literal = true,
           .pattern = TEXT("."),
           .content = TEXT("")}},
         "a.b.",
         "ab"},
        {{{.kind = TOKENIZER_REPLACE, .pattern = TEXT("x*"), .content = TEXT("-")}},
         "axb",
         "-a-b-"},
        {{{.kind = TOKENIZER_STRIP, .left = true},
          {.kind = TOKENIZER_REPLACE,
           .is_literal = true,
           .pattern = TEXT(" "),
           .content = TEXT("_")},
          {.kind = TOKENIZER_PREPEND, .content = TEXT("_")}},
         "  a b",
         "_a_b"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check(cases[i].steps, cases[i].text, cases[i].want);
}

static void test_refusals(void **state)
{
    const struct tokenizer_change bad = {
        .kind = TOKENIZER_REPLACE, .pattern = TEXT("("), .content = TEXT("")};
    struct normalizer normalizer;
    struct error err;
    (void)state;
    assert_int_equal(normalizer_init(&normalizer, &bad, 1, &arena, &err), ERR_FORMAT);
    assert_int_equal(normalizer_init(&normalizer, NULL, 9, &arena, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "9 steps, the limit is 8"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_refusals),
    };
    struct error err;
    if (arena_init(&arena, 16 << 20, &err) != OK)
        return 1;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_deinit(&arena);
    return failed;
}
