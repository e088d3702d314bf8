/* stop_test - against a plain search over the whole text, with the text cut anywhere. */
#include "engine/stop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Feeds text in pieces of piece bytes; out gets what is shown, flushed when it never stops. */
static bool feed(const struct text *strings, uint32_t count, struct text text, size_t piece,
                 struct text_buf *out)
{
    uint16_t tables[ENGINE_STOPS_MAX * ENGINE_STOP_BYTES_MAX];
    struct stop_rules rules;
    struct stop_state state = {0};
    stop_rules_init(&rules, strings, count, tables);
    for (size_t at = 0; at < text.size; at += piece)
        if (stop_feed(&rules, &state, text_slice(text, at, at + piece), out))
            return true;
    stop_flush(&rules, &state, out);
    return false;
}

/* Where the text ends: before the string that is completed first, the longest of several. */
static size_t plain_search(const struct text *strings, uint32_t count, struct text text)
{
    for (size_t end = 1; end <= text.size; end++) {
        size_t longest = 0;
        for (uint32_t i = 0; i < count; i++)
            if (strings[i].size > longest && text_ends(text_slice(text, 0, end), strings[i]))
                longest = strings[i].size;
        if (longest > 0)
            return end - longest;
    }
    return SIZE_MAX;
}

static void same_as_plain_search(void **state)
{
    (void)state;
    srand(3);
    for (int round = 0; round < 4000; round++) {
        char bytes[40];
        char stops[4][6];
        struct text strings[4];
        const uint32_t count = (uint32_t)rand() % 5;
        for (uint32_t i = 0; i < count; i++) {
            strings[i] = (struct text){.data = stops[i], .size = 1 + (size_t)(rand() % 6)};
            for (size_t b = 0; b < strings[i].size; b++)
                stops[i][b] = (char)('a' + rand() % 2);
        }
        for (size_t b = 0; b < sizeof bytes; b++)
            bytes[b] = (char)('a' + rand() % (2 + round % 3));
        const struct text text = {.data = bytes, .size = (size_t)(rand() % 40)};
        const size_t end = plain_search(strings, count, text);
        const struct text expected = text_slice(text, 0, end);
        struct text_buf out = {0};
        const bool stopped = feed(strings, count, text, 1 + (size_t)(rand() % 7), &out);
        assert_int_equal(stopped, end != SIZE_MAX);
        assert_true(text_equal(text_buf_text(&out), expected));
        text_buf_deinit(&out);
    }
}

static void holds_back_only_beginnings(void **state)
{
    (void)state;
    const struct text strings[] = {TEXT("\n\nUser:"), TEXT("END")};
    uint16_t tables[16];
    struct stop_rules rules;
    struct stop_state held = {0};
    struct text_buf out = {0};
    assert_int_equal(stop_rules_size(strings, 2), 10);
    stop_rules_init(&rules, strings, 2, tables);
    assert_false(stop_feed(&rules, &held, TEXT("one\n"), &out));
    assert_true(text_equal(text_buf_text(&out), TEXT("one")));
    assert_false(stop_feed(&rules, &held, TEXT("\nU two"), &out));
    assert_true(text_equal(text_buf_text(&out), TEXT("one\n\nU two")));
    assert_false(stop_feed(&rules, &held, TEXT(" \n\n\nUse"), &out));
    assert_true(text_equal(text_buf_text(&out), TEXT("one\n\nU two \n")));
    assert_int_equal(stop_string(&rules, &held), 0);
    assert_true(stop_feed(&rules, &held, TEXT("r: three"), &out));
    assert_int_equal(stop_string(&rules, &held), 1);
    assert_true(text_equal(text_buf_text(&out), TEXT("one\n\nU two \n")));
    held = (struct stop_state){0};
    assert_true(stop_feed(&rules, &held, TEXT("the END"), &out));
    assert_int_equal(stop_string(&rules, &held), 2);
    stop_flush(&rules, &held, &out);
    assert_int_equal(stop_string(&rules, &held), 0);
    text_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_plain_search),
        cmocka_unit_test(holds_back_only_beginnings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
