/*
 * charsmap_test - a map made here, against its rules tried one by one; maps that contradict
 * themselves; and maps of random bytes, which may say anything but must not be read past.
 */
#include "tokenizer/charsmap.h"

#include "tests/harness/charsmap_write.h"
#include "tokenizer/testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define REPLACEMENT "\xef\xbf\xbd"

static const struct charsmap_write_rule RULES[] = {
    {"\xef\xac\x81", "fi"}, /* U+FB01 */
    {"\t", " "},
    {"e\xcc\x81", "\xc3\xa9"},
    {"e\xcc\x81\xcc\x80", "X"},
    {"\xc2\xad", ""}, /* U+00AD goes */
    {"ab", "c"},
    {"abcd", "dd"},
    {"\r", "_"},
    {"\xcc\x82", "^"},
    {"\xe3\x81\x8b\xe3\x82\x99", "ga"}, /* U+304B U+3099 */
};
enum { RULE_COUNT = sizeof RULES / sizeof RULES[0] };

static struct arena arena;

static int set_up(void **state)
{
    struct error err;
    (void)state;
    return arena_init(&arena, 64 << 20, &err) == OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    arena_deinit(&arena);
    return 0;
}

static void open_rules(struct charsmap *map)
{
    struct text_buf bytes = {0};
    struct error err;
    arena.used = 0;
    charsmap_write(&bytes, RULES, RULE_COUNT);
    if (charsmap_init(map, text_buf_text(&bytes), &arena, &err) != OK)
        fail_msg("%s", err.text);
    text_buf_deinit(&bytes);
}

/* Each text and what apply makes of it, read from before a guard page. */
static void check_cases(const char *const (*cases)[2], size_t count,
                        void (*apply)(const struct charsmap *map, struct text text,
                                      struct text_buf *out))
{
    struct testing_guard guard = testing_guard_open();
    struct text_buf out = {0};
    struct charsmap map;
    open_rules(&map);
    for (size_t i = 0; i < count; i++) {
        text_buf_clear(&out);
        apply(&map, testing_guard_copy(&guard, text_of(cases[i][0])), &out);
        if (!text_equal(text_buf_text(&out), text_of(cases[i][1])))
            fail_msg("'%s' becomes '%.*s', want '%s'", cases[i][0],
                     TEXT_ARG(text_buf_text(&out)), cases[i][1]);
    }
    text_buf_deinit(&out);
}

static void test_rules(void **state)
{
    static const char *const CASES[][2] = {
        {"", ""},
        {"plain", "plain"},
        {"\xef\xac\x81x\t", "fix "},
        {"e", "e"},
        {"e\xcc\x81", "\xc3\xa9"},
        {"e\xcc\x81\xcc\x80", "X"}, /* the longest */
        {"abc", "cc"},              /* the longest that is whole */
        {"abcdab", "ddc"},
        {"a\xc2\xad\x62", "ab"}, /* what is left is not looked at again */
        {"\xff\xef\xac", REPLACEMENT REPLACEMENT REPLACEMENT},
        {"\xe6\x97\xa5", "\xe6\x97\xa5"},
    };
    (void)state;
    check_cases(CASES, sizeof CASES / sizeof CASES[0], charsmap_apply);
}

/* What the rules say of text, by trying each at each place. */
static void apply_rules(struct text text, struct text_buf *out)
{
    for (size_t at = 0; at < text.size;) {
        const struct text rest = text_slice(text, at, text.size);
        struct text content = TEXT("");
        size_t end = at;
        for (uint32_t i = 0; i < RULE_COUNT; i++) {
            const struct text spelling = text_of(RULES[i].spelling);
            if (!text_starts(rest, spelling) || at + spelling.size <= end)
                continue;
            content = text_of(RULES[i].content);
            end = at + spelling.size;
        }
        if (end == at && text_utf8_next(text, &end) == UINT32_MAX)
            content = TEXT(REPLACEMENT);
        else if (content.size == 0 && end > at && text.data[at] != '\xc2')
            content = text_slice(text, at, end);
        text_buf_add(out, content);
        at = end;
    }
}

static void test_random_texts(void **state)
{
    static const char *const PARTS[] = {"a",        "b",        "cd",   "e",  "\xcc\x81",
                                        "\xcc\x80", "\xef\xac", "\x81", "\t", "\xc2\xad"};
    struct text_buf text = {0}, want = {0}, got = {0};
    struct charsmap map;
    uint64_t seed = 3;
    (void)state;
    open_rules(&map);
    for (uint32_t round = 0; round < 5000; round++) {
        text_buf_clear(&text);
        text_buf_clear(&want);
        text_buf_clear(&got);
        for (uint32_t i = testing_random(&seed) % 12; i > 0; i--)
            text_buf_add(&text, text_of(PARTS[testing_random(&seed) % 10]));
        apply_rules(text_buf_text(&text), &want);
        charsmap_apply(&map, text_buf_text(&text), &got);
        if (!text_equal(text_buf_text(&want), text_buf_text(&got)))
            fail_msg("'%.*s' becomes '%.*s', want '%.*s'", TEXT_ARG(text_buf_text(&text)),
                     TEXT_ARG(text_buf_text(&got)), TEXT_ARG(text_buf_text(&want)));
    }
    text_buf_deinit(&text);
    text_buf_deinit(&want);
    text_buf_deinit(&got);
}

static void test_clusters(void **state)
{
    static const char *const CASES[][2] = {
        {"", ""},
        {"plain", "plain"},
        {"\xef\xac\x81x\t", "fix "},
        {"xe\xcc\x81x", "x\xc3\xa9x"},
        {"e\xcc\x81\xcc\x80", "\xc3\xa9"}, /* the shortest, and no rest */
        {"e\xcc\x81\xcc\x80\xcc\x80", "e\xcc\x81\xcc\x80\xcc\x80"}, /* of seven bytes */
        {"\xef\xac\x81\xcc\x81", "fi"},
        {"\xef\xac\x81\xe2\x80\x8d", "fi\xe2\x80\x8d"}, /* of six */
        {"z\xcc\x82\xcc\x80", "z^\xcc\x80"},            /* begins with none */
        {"\xcc\x82\xcc\x80", "^"},
        {"ab", "ab"}, /* in no cluster */
        {"\r\n\r\r", "___"},
        {"\xe3\x81\x8b\xe3\x82\x99", "\xe3\x81\x8b\xe3\x82\x99"},
        {"a\xc2\xad\x62", "ab"},
        {"\xff\xef\xac\xcc\x81", REPLACEMENT REPLACEMENT REPLACEMENT "\xcc\x81"},
    };
    (void)state;
    check_cases(CASES, sizeof CASES / sizeof CASES[0], charsmap_apply_clusters);
}

static void refuse(struct text bytes, enum status status, const char *reason)
{
    struct charsmap map;
    struct error err = {0};
    arena.used = 0;
    assert_int_equal(charsmap_init(&map, bytes, &arena, &err), status);
    if (!strstr(err.text, reason))
        fail_msg("said \"%s\", not \"%s\"", err.text, reason);
}

static void test_refusals(void **state)
{
    static char large[CHARSMAP_BYTES_MAX + 1];
    (void)state;
    refuse(TEXT(""), ERR_FORMAT, "a tree of 0 bytes, in 0");
    refuse((struct text){"\4\0\0", 3}, ERR_FORMAT, "in 3");
    refuse((struct text){"\0\0\0\0a", 6}, ERR_FORMAT, "a tree of 0 bytes, in 6");
    refuse((struct text){"\6\0\0\0abcdef", 11}, ERR_FORMAT, "a tree of 6 bytes");
    refuse((struct text){"\xfc\xff\xff\xff\0\0\0\0", 9}, ERR_FORMAT, "4294967292 bytes, in 9");
    refuse((struct text){"\4\0\0\0abcd", 8}, ERR_FORMAT, "does not end with NUL");
    refuse((struct text){"\4\0\0\0abcdx", 9}, ERR_FORMAT, "does not end with NUL");
    refuse((struct text){large, sizeof large}, ERR_LIMIT,
           "4194305 bytes, the limit is 4194304");
    large[0] = 4;
    memset(large + 8, 'x', CHARSMAP_CONTENT_MAX + 1);
    refuse((struct text){large, 8 + CHARSMAP_CONTENT_MAX + 2}, ERR_LIMIT,
           "at byte 0 has 1025 bytes, the limit is 1024");
}

/* Trees of random units, small ones so that their offsets often lie inside. */
static void test_random_trees(void **state)
{
    struct text_buf out = {0};
    uint64_t seed = 11;
    (void)state;
    for (uint32_t round = 0; round < 2000; round++) {
        uint32_t units[1 + 64 + 1], count = 1 + testing_random(&seed) % 64;
        char text[32];
        struct charsmap map;
        struct error err;
        units[0] = count * 4;
        for (uint32_t i = 1; i <= count; i++)
            units[i] = testing_random(&seed) & (round % 2 ? 0xffffffff : 0x0000fd3f);
        units[count + 1] = 0;
        for (size_t i = 0; i < sizeof text; i++)
            text[i] = (char)(testing_random(&seed) % 64);
        arena.used = 0;
        assert_int_equal(
            charsmap_init(&map, (struct text){(char *)units, 4 * (count + 2)}, &arena, &err),
            OK);
        text_buf_clear(&out);
        charsmap_apply(&map, (struct text){text, sizeof text}, &out);
        charsmap_apply_clusters(&map, (struct text){text, sizeof text}, &out);
        assert_false(out.failed);
    }
    text_buf_deinit(&out);
}

/* A content that begins where contents end is none. */
static void test_content_outside(void **state)
{
    struct text_buf bytes = {0}, out = {0};
    struct charsmap map;
    struct error err;
    (void)state;
    arena.used = 0;
    charsmap_write(&bytes, &(struct charsmap_write_rule){"a", "b"}, 1);
    for (size_t at = 4; at + 4 < bytes.size; at += 4) {
        uint32_t unit;
        memcpy(&unit, bytes.data + at, sizeof unit);
        unit = unit & 0x80000000 ? 0x80000002 : unit;
        memcpy(bytes.data + at, &unit, sizeof unit);
    }
    assert_int_equal(charsmap_init(&map, text_buf_text(&bytes), &arena, &err), OK);
    charsmap_apply(&map, TEXT("cac"), &out);
    charsmap_apply_clusters(&map, TEXT("cac"), &out);
    assert_true(text_equal(text_buf_text(&out), TEXT("caccac")));
    text_buf_deinit(&bytes);
    text_buf_deinit(&out);
}

static void test_merge_spaces(void **state)
{
    static const char *const CASES[][2] = {{"", ""},   {" ", ""},           {"   ", ""},
                                           {"a", "a"}, {"  a   b ", "a b"}, {"a\t b", "a\t b"}};
    struct text_buf out = {0};
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        text_buf_clear(&out);
        charsmap_merge_spaces(text_of(CASES[i][0]), &out);
        assert_true(text_equal(text_buf_text(&out), text_of(CASES[i][1])));
    }
    text_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),        cmocka_unit_test(test_random_texts),
        cmocka_unit_test(test_clusters),     cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_random_trees), cmocka_unit_test(test_content_outside),
        cmocka_unit_test(test_merge_spaces),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
