/* automaton_plain_test - which states take any plain text, and which texts are plain. */
#include "engine/automaton_plain.h"

#include "engine/regex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void states_are_plain_that_take_all(void **state)
{
    static const struct {
        const char *pattern, *before;
        bool plain;
    } cases[] = {
        {"[^]*", "", true},
        {".*", "ab", true},
        {"x.*", "", false},     /* only x may come */
        {"x.*", "x", true},     /* and then all */
        {"[^y]*", "", false},   /* y may not */
        {".{0,40}", "", false}, /* not for ever */
        {"[^\\x00-\\x1f]*", "", true},
        {"[^\\u20ac]*", "", false},      /* one of three bytes may not */
        {"[\\x20-\\uffff]*", "", false}, /* those of four may not */
        {".*", "\xe2\x82", false},       /* within a character */
    };
    struct arena arena = {0};
    (void)state;
    assert_int_equal(arena_init(&arena, (size_t)64 << 20, NULL), OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct nfa nfa;
        struct automaton made;
        arena_rewind(&arena, 0);
        assert_int_equal(automaton_nfa(&nfa, &arena, NULL), OK);
        const struct regex_target target = {.nfa = &nfa,
                                            .scratch = &arena,
                                            .after = automaton_accept(&nfa, 0),
                                            .options = {REGEX_PLAIN, REGEX_WHOLE}};
        assert_int_equal(regex_add(&target, text_of(cases[i].pattern), &nfa.start, NULL), OK);
        assert_int_equal(automaton_make(&made, &nfa, (struct automaton_want){0}, &arena, NULL),
                         OK);
        uint32_t at = AUTOMATON_START;
        for (const char *byte = cases[i].before; *byte; byte++)
            at = automaton_step(&made, at, (uint8_t)*byte);
        if (made.plain[at] != cases[i].plain)
            fail_msg("%s after `%s`", cases[i].pattern, cases[i].before);
    }
    arena_deinit(&arena);
}

static void characters_of_plain_text_are_counted(void **state)
{
    (void)state;
    assert_int_equal(automaton_plain_characters(TEXT("")), 0);
    assert_int_equal(automaton_plain_characters(TEXT(" the {}")), 7);
    assert_int_equal(automaton_plain_characters(TEXT("\xe2\x82\xac\xc3\xa9")), 2);
    assert_int_equal(automaton_plain_characters(TEXT("\xf0\x9f\x98\x80")), 1);
    assert_int_equal(automaton_plain_characters(TEXT("\xf0\x9f\x98")), 0);
    assert_int_equal(automaton_plain_characters(TEXT("\xe2\x80\xa8")), 0);
    assert_int_equal(automaton_plain_characters(TEXT("\xe2\x80\xa7")), 1);
    assert_int_equal(automaton_plain_characters(TEXT("a\"")), 0);
    assert_int_equal(automaton_plain_characters(TEXT("\\n")), 0);
    assert_int_equal(automaton_plain_characters(TEXT("a\n")), 0);
    assert_int_equal(automaton_plain_characters(TEXT("\x7f")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_are_plain_that_take_all),
        cmocka_unit_test(characters_of_plain_text_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
