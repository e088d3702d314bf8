/*
 * copied_text_test - how a chunk is spelled, and where its words begin and end: '<' stands
 * before what begins, '>' behind what ends, '|' where the text breaks.
 */
#include "engine/copied_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static struct text show(struct text source)
{
    static char out[3 * COPIED_TEXT_WORD_MAX + 64];
    struct copied_text made;
    size_t size = 0;
    arena_rewind(&arena, 0);
    assert_int_equal(copied_text_make(&made, source, &arena, NULL), OK);
    for (uint32_t i = 0; i < made.size; i++) {
        assert_true(size + 3 < sizeof out);
        if (made.marks[i] & COPIED_TEXT_BEGINS)
            out[size++] = '<';
        out[size++] = made.bytes[i] ? (char)made.bytes[i] : '|';
        if (made.marks[i] & COPIED_TEXT_ENDS)
            out[size++] = '>';
    }
    return (struct text){.data = out, .size = size};
}

static void text_is_spelled_and_words_are_found(void **state)
{
    static const struct {
        struct text source;
        const char *want;
    } cases[] = {
        {{"", 0}, "|"},
        {{" \n\t", 3}, "|"},
        {{"a", 1}, "<a>|"},
        {{" ab\r\n\v \fcd \n", 12}, "<ab> <cd>|"},
        {{"\"a\\b\"", 5}, "<\\\"<a>\\\\<b>\\\">|"},
        {{"a\b\x01"
          "b\x1f\0",
          6},
         "<a>\\b><\\u0001<b>\\u001f><\\u0000>|"},
        {{"\x7f", 1}, "<\x7f>|"},
        /* points, commas and apostrophes within words and at their ends */
        {{"$3.5 3. 5", 9}, "<$<3.5> <3>.> <5>|"},
        {{"1,000,000,", 10}, "<1,000,000>,>|"},
        {{"don't 'tis' x", 13}, "<don't> <'<tis>'> <x>|"},
        {{"don\xe2\x80\x99t", 7}, "<don\xe2\x80\x99t>|"},
        {{".5 a.b e.g.", 11}, "<.<5> <a>.<b> <e>.<g>.>|"},
        {{"well-known (s) x_1", 18}, "<well>-<known> <(<s>)> <x_1>|"},
        {{"a.\" \"b", 6}, "<a>.><\\\"> <\\\"<b>|"},
        /* marks cling; an em dash; a space that is not ASCII's; scripts without spaces */
        {{"e\xcc\x81x e\xcc\x81.", 9}, "<e\xcc\x81x> <e\xcc\x81>.>|"},
        {{"a\xe2\x80\x94"
          "b",
          5},
         "<a>\xe2\x80\x94<b>|"},
        {{"a\xc2\xa0"
          "b",
          4},
         "<a>\xc2\xa0<b>|"},
        {{"\xe4\xb8\xad\xe6\x96\x87"
          "a",
          7},
         "<\xe4\xb8\xad><\xe6\x96\x87><a>|"},
        /* what is not UTF-8 */
        {{"a\xff\xfe b \xc3", 7}, "<a>|<b>||"},
        {{"\xff", 1}, "|"},
        {{"\xed\xa0\x80", 3}, "|"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct text shown = show(cases[i].source);
        if (!text_equal(shown, text_of(cases[i].want)))
            fail_msg("case %zu: %.*s, want %s", i, TEXT_ARG(shown), cases[i].want);
    }
}

static void a_word_without_an_end_is_left_out(void **state)
{
    enum { LONG = COPIED_TEXT_WORD_MAX };
    char source[LONG + 8];
    (void)state;
    memset(source, 'x', sizeof source);
    memcpy(source, "a ", 2);
    memcpy(source + 2 + LONG - 1, " b", 2);
    struct text shown = show((struct text){source, LONG + 3});
    assert_true(text_ends(shown, TEXT("x> <b>|"))); /* with its space, just short enough */
    memcpy(source + 2 + LONG - 1, "x b", 3);
    shown = show((struct text){source, LONG + 4});
    assert_true(text_starts(shown, TEXT("<a>|||")));
    assert_true(text_ends(shown, TEXT("||| <b>|")));
    assert_int_equal(text_find(shown, TEXT("x"), 0), SIZE_MAX);
}

static void what_is_too_long_is_refused(void **state)
{
    const size_t most = COPIED_TEXT_SOURCE_MAX;
    char *source = calloc(1, most + 1);
    struct copied_text made;
    struct error err = {0};
    (void)state;
    assert_non_null(source);
    arena_rewind(&arena, 0);
    assert_int_equal(copied_text_make(&made, (struct text){source, most}, &arena, &err),
                     ERR_LIMIT);
    assert_non_null(strstr(err.text, "6291457 bytes in JSON, the limit is 2097152"));
    memset(source, '"', most + 1);
    assert_int_equal(copied_text_make(&made, (struct text){source, most}, &arena, &err),
                     ERR_LIMIT); /* with the byte that ends it, one more */
    assert_int_equal(copied_text_make(&made, (struct text){source, most + 1}, &arena, &err),
                     ERR_LIMIT);
    assert_non_null(strstr(err.text, "1048577 bytes, the limit is 1048576"));
    source[0] = 'a';
    assert_int_equal(copied_text_make(&made, (struct text){source, most}, &arena, &err), OK);
    for (size_t size = 0; size < 8; size++) {
        uint8_t room[8];
        struct arena small = {.base = room, .size = size};
        assert_int_equal(copied_text_make(&made, TEXT("abc"), &small, NULL), ERR_MEMORY);
    }
    free(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_spelled_and_words_are_found),
        cmocka_unit_test(a_word_without_an_end_is_left_out),
        cmocka_unit_test(what_is_too_long_is_refused),
    };
    if (arena_init(&arena, (size_t)16 << 20, NULL) != OK)
        return 1;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_deinit(&arena);
    return failed;
}
