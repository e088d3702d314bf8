/*
 * regex_test - texts that match and texts that do not, as the text's bytes and as the inside of
 * a JSON string; what is refused is refused by name.
 */
#include "engine/regex.h"

#include "tokenizer/unicode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static enum status make(struct automaton *made, const char *pattern,
                        struct regex_options options, struct error *err)
{
    struct nfa nfa;
    arena_rewind(&arena, 0);
    TRY(automaton_nfa(&nfa, &arena, err));
    const struct regex_target target = {
        .nfa = &nfa, .scratch = &arena, .after = automaton_accept(&nfa, 0), .options = options};
    TRY(regex_add(&target, text_of(pattern), &nfa.start, err));
    return automaton_make(made, &nfa, (struct automaton_want){0}, &arena, err);
}

static bool accepts(const struct automaton *automaton, const char *text)
{
    uint32_t state = AUTOMATON_START;
    for (; *text; text++)
        state = automaton_step(automaton, state, (uint8_t)*text);
    return automaton_ends(automaton, state);
}

static void texts_match_as_they_should(void **state)
{
    static const struct {
        const char *pattern, *yes[4], *no[4];
    } cases[] = {
        {"^a+b?$", {"a", "aaab"}, {"", "b", "abb"}},
        {"a5b", {"a5b", "xa5by"}, {"a5", "5b"}},
        {"(^[^5]*$)|7", {"", "12", "57"}, {"5", "15"}},
        {"^(ab|c){2,3}$", {"abc", "ccc"}, {"c", "abababab"}},
        {"^[\\w.-]+$", {"a-b.c_9"}, {"", "a b"}},
        {"^\\d{3}-\\D$", {"123-x"}, {"12-x", "123-4"}},
        {"^.$", {"a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}, {"\n", "\xc3", "ab"}},
        {"^[^a]$", {"b", "\xf0\x9f\x98\x80"}, {"a", "\xed\xa0\x80"}},
        {"^[\\u0400-\\u04ff]{2}$", {"\xd0\xb0\xd0\xb1"}, {"ab", "\xd0\xb0"}},
        {"^$|^x{0,2}y{1,}$", {"", "xxy", "yy"}, {"x", "xxxy"}},
        {"^a{,2}$", {"a{,2}"}, {"a", "aa"}},
        {"^(?:a|b)*?c$", {"c", "abac"}, {"ab"}},
        {"^\\x41\\u0042\\$$", {"AB$"}, {"AB"}},
        {"^\\ud83d\\ude00$", {"\xf0\x9f\x98\x80"}, {"\xf0\x9f\x98\x81"}},
        {"^\\t\\n\\r\\f\\v$", {"\t\n\r\f\v"}, {"tnrfv"}},
        {"^\\0?\\x01$", {"\x01"}, {"\x01\x01", "0\x01"}},
        {"^[\\b]$", {"\b"}, {"b"}},
        {"^[a-]$", {"a", "-"}, {"b"}},
        {"^[a-\\d]$", {"a", "-", "7"}, {"b", "A"}},
        {"^[-x\\-z]$", {"x", "-", "z"}, {"y"}},
        {"^(?<name>ab)+$", {"ab", "abab"}, {"name>ab", "aba"}},
        {"^.$", {"b"}, {"\r", "\xe2\x80\xa8", "\xe2\x80\xa9"}},
        {"^a()b$", {"ab"}, {"b"}},
        {"^\\s\\S$", {" x", "\tx", "\xc2\xa0x", "\xe3\x80\x80x"}, {"xx", "  ", "\x1fx"}},
        {"^\\w+$", {"azAZ_09"}, {"-", "@", "["}},
        {"^\\W$", {"-", " "}, {"Z", "_"}},
        {"^[\\u07f0-\\u0841]$",
         {"\xdf\xb0", "\xe0\xa0\x82", "\xe0\xa1\x81"},
         {"\xdf\xaf", "\xe0\xa1\x82"}},
        {"^[\\ud7fe-\\ue001]$", {"\xed\x9f\xbf", "\xee\x80\x80"}, {"\xed\xa0\x80"}},
        {"^a{2,}$", {"aa", "aaaa"}, {"a"}},
        {"^a{3}$", {"aaa"}, {"aa", "aaaa"}},
        {"^\\p{L}+$",
         {"aZ", "\xc3\xa9", "\xd0\xb6\xe4\xb8\xad", "\xf0\x90\x8c\xb0"},
         {"1", "a-"}},
        {"^\\p{Lu}\\p{Lowercase_Letter}$", {"Ab", "\xc3\x89\xc3\xa9"}, {"ab", "AB"}},
        {"^\\P{gc=N}\\p{General_Category=Decimal_Number}$", {"a1", "-\xd9\xa3"}, {"11", "ab"}},
        {"^[\\p{L}\\p{Nd}_-]+$", {"a_1-\xc3\xbc"}, {" ", "a b", "\xe2\x82\xac"}},
        {"^[^\\p{L}\\P{Any}]$", {"1", "\xe2\x82\xac"}, {"a", "\xc3\xa9"}},
        {"^\\p{Cc}$", {"\n", "\x01"}, {" ", "a"}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct automaton automaton;
        const struct regex_options options = {.span = REGEX_SEARCH};
        assert_int_equal(make(&automaton, cases[i].pattern, options, NULL), OK);
        for (size_t j = 0; j < 4 && cases[i].yes[j]; j++)
            if (!accepts(&automaton, cases[i].yes[j]))
                fail_msg("%s refuses \"%s\"", cases[i].pattern, cases[i].yes[j]);
        for (size_t j = 0; j < 4 && cases[i].no[j]; j++)
            if (accepts(&automaton, cases[i].no[j]))
                fail_msg("%s accepts \"%s\"", cases[i].pattern, cases[i].no[j]);
    }
}

/* Whether the automaton takes that character and no other bytes of it. */
static bool takes(const struct automaton *automaton, uint32_t character)
{
    char utf8[5] = {0};
    utf8[text_utf8_put(character, utf8)] = 0;
    return accepts(automaton, utf8);
}

static void a_class_has_its_characters_and_no_others(void **state)
{
    static const struct {
        const char *pattern;
        struct regex_range ranges[4];
    } cases[] = {
        {"^[^]$", {{0, 0x10ffff}}},
        {"^[^\\u00e9]$", {{0, 0xe8}, {0xea, 0x10ffff}}},
        {"^[\\u0080-\\u07ff\\u0fff\\u1000]$", {{0x80, 0x7ff}, {0xfff, 0x1000}}},
        {"^[\\u07c0-\\u083f\\uffc0-\\ud800\\udc3f]$", {{0x7c0, 0x83f}, {0xffc0, 0x1003f}}},
        {"^[\\ud7ff-\\ue000]$", {{0xd7ff, 0xe000}}},
        {"^[x\\udbc0\\udc00-\\udbff\\udffe]$", {{'x', 'x'}, {0x100000, 0x10fffe}}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct automaton automaton;
        assert_int_equal(make(&automaton, cases[i].pattern, (struct regex_options){0}, NULL),
                         OK);
        for (uint32_t c = 1; c <= 0x10ffff; c++) {
            bool is_of = false;
            if (c >= 0xd800 && c < 0xe000)
                continue;
            for (int r = 0; r < 4; r++)
                is_of =
                    is_of || (c >= cases[i].ranges[r].first && c <= cases[i].ranges[r].last);
            if (takes(&automaton, c) != is_of)
                fail_msg("%s: U+%04X", cases[i].pattern, c);
        }
    }
}

static void letters_are_what_unicode_calls_so(void **state)
{
    struct automaton automaton;
    (void)state;
    assert_int_equal(make(&automaton, "^\\p{L}$", (struct regex_options){0}, NULL), OK);
    assert_true(automaton.state_count < 310); /* 404 when each range had states of its own */
    for (uint32_t c = 1; c <= 0x10ffff; c++) {
        const uint8_t of = unicode_category(c);
        const bool is_letter = of == UNICODE_LU || of == UNICODE_LL || of == UNICODE_LT ||
                               of == UNICODE_LM || of == UNICODE_LO;
        if ((c < 0xd800 || c >= 0xe000) && takes(&automaton, c) != is_letter)
            fail_msg("U+%04X", c);
    }
    assert_int_equal(make(&automaton, "^\\p{L}{1,20}$", (struct regex_options){0}, NULL), OK);
    assert_false(accepts(&automaton, "\xe4\xb8\xad\xc3\xa9 "));
    assert_true(accepts(&automaton, "\xe4\xb8\xad\xc3\xa9x"));
    assert_true(accepts(&automaton, "abcdefghijklmnopqrs\xc3\xa9"));
    assert_false(accepts(&automaton, "abcdefghijklmnopqrst\xc3\xa9"));
}

static void inside_a_json_string_characters_are_escaped(void **state)
{
    struct automaton automaton;
    const struct regex_options options = {.bytes = REGEX_JSON};
    (void)state;
    assert_int_equal(make(&automaton, "[^a]", options, NULL), OK);
    assert_true(accepts(&automaton, "\\\""));
    assert_true(accepts(&automaton, "\\n"));
    assert_true(accepts(&automaton, "\\t") && accepts(&automaton, "\\b"));
    assert_true(accepts(&automaton, "\\u001F") && accepts(&automaton, "\\u000c"));
    assert_false(accepts(&automaton, "\\u0020") || accepts(&automaton, "\\u002f"));
    assert_true(accepts(&automaton, "/"));
    assert_false(accepts(&automaton, "\""));
    assert_false(accepts(&automaton, "\\"));
    assert_false(accepts(&automaton, "\n"));
    assert_false(accepts(&automaton, "a"));
    assert_int_equal(make(&automaton, "[\\x08\\x1f\\x0b\\\\]", options, NULL), OK);
    static const char *const yes[] = {"\\b",     "\\u0008", "\\u001f", "\\u001F",
                                      "\\u000b", "\\u000B", "\\\\"};
    static const char *const no[] = {"\\f", "\\u0018", "\\u000f", "\\u000C", "\\", "\\\""};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        assert_true(accepts(&automaton, yes[i]));
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        assert_false(accepts(&automaton, no[i]));
}

/* count times `part` between two texts, as a pattern that is made. */
static enum status make_of(const char *begin, const char *part, int count, const char *end,
                           struct error *err)
{
    struct automaton automaton;
    struct text_buf pattern = {0};
    text_buf_add(&pattern, text_of(begin));
    for (int i = 0; i < count; i++)
        text_buf_add(&pattern, text_of(part));
    text_buf_add(&pattern, text_of(end));
    text_buf_add(&pattern, (struct text){"", 1});
    const enum status status = make(&automaton, pattern.data, (struct regex_options){0}, err);
    text_buf_deinit(&pattern);
    return status;
}

/* A class of so many characters, none the neighbour of another. */
static enum status make_of_many(uint32_t count, struct error *err)
{
    struct automaton automaton;
    struct text_buf pattern = {0};
    text_buf_byte(&pattern, '[');
    for (uint32_t i = 0; i < count; i++) {
        char utf8[4];
        text_buf_add(&pattern, (struct text){utf8, text_utf8_put(0x4e00 + 2 * i, utf8)});
    }
    text_buf_add(&pattern, (struct text){"]", 2}); /* with its NUL */
    const enum status status = make(&automaton, pattern.data, (struct regex_options){0}, err);
    text_buf_deinit(&pattern);
    return status;
}

static void sizes_are_capped(void **state)
{
    struct error err;
    (void)state;
    assert_int_equal(make_of("", "(a)", 3 * REGEX_DEPTH_MAX, "", &err), OK);
    assert_int_equal(make_of("", "(", REGEX_DEPTH_MAX, "", &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "nest deeper"));
    assert_int_equal(make_of("", "ab", 2500, "", &err), OK);
    assert_int_equal(make_of("", "ab", 500000, "", &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "20000 parts"));
    assert_int_equal(make_of("[", "aa-cb", 5000, "]", &err), OK); /* one range of all */
    assert_int_equal(make_of_many(4096, &err), OK);
    assert_int_equal(make_of_many(4097, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "4096 ranges"));
}

static void what_is_not_supported_is_named(void **state)
{
    static const char *const cases[][2] = {
        {"(?=a)", "look-around"},   {"(a)\\1", "back-reference \\1"},
        {"\\bword", "\\b"},         {"\\p{Script=Greek}", "\\p{Script=Greek}"},
        {"[\\P{Lx}]", "\\p{Lx}"},   {"\\pL", "\\p without"},
        {"\\p{L", "\\p without"},   {"(a", "without its )"},
        {"a)", "without its ("},    {"[a", "without its ]"},
        {"*", "nothing to repeat"}, {"a{3,2}", "backwards"},
        {"[z-a]", "backwards"},     {"a{2000}", "1000 times"},
        {"\\", "backslash"},        {"(a{900}){900}", "nodes"},
        {"(?!a)", "look-around"},   {"(?<=a)", "look-around"},
        {"(?<!a)", "look-around"},  {"(?P<n>a)", "group of this kind"},
        {"\xff", "not UTF-8"},      {"\\ud83dx", "surrogate"},
        {"\\ude00", "surrogate"},   {"\\ud83d\\u0041", "surrogate"},
        {"\\x4g", "2 hex digits"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct automaton automaton;
        struct error err = {0};
        assert_int_not_equal(make(&automaton, cases[i][0], (struct regex_options){0}, &err),
                             OK);
        if (!strstr(err.text, cases[i][1]))
            fail_msg("%s: \"%s\" does not say %s", cases[i][0], err.text, cases[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_match_as_they_should),
        cmocka_unit_test(inside_a_json_string_characters_are_escaped),
        cmocka_unit_test(a_class_has_its_characters_and_no_others),
        cmocka_unit_test(letters_are_what_unicode_calls_so),
        cmocka_unit_test(sizes_are_capped),
        cmocka_unit_test(what_is_not_supported_is_named),
    };
    if (arena_init(&arena, (size_t)64 << 20, NULL) != OK)
        return 1;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_deinit(&arena);
    return failed;
}
