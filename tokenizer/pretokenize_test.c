/* pretokenize_test - cuts worked out by hand from the expressions in splitter.c, what each
 * behavior does, random bytes, and a guard page behind every prefix. */
#include "tokenizer/pretokenize.h"

#include "tokenizer/testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct arena arena;

/* The pieces with '|' between them. */
static void cut(const struct pretokenize *splitter, struct text text, struct text_buf *out)
{
    struct pretokenize_cursor cursor;
    struct text piece;
    const char *at = text.data;
    text_buf_clear(out);
    pretokenize_begin(&cursor, splitter, text);
    while (pretokenize_next(&cursor, &piece)) {
        assert_true(piece.data == at && piece.size > 0);
        if (at > text.data)
            text_buf_byte(out, '|');
        text_buf_add(out, piece);
        at += piece.size;
    }
    assert_ptr_equal(at, text.data + text.size);
}

static void open_named(struct pretokenize *splitter, const char *name)
{
    struct error err;
    arena.used = 0;
    const struct splitter *named = splitter_find(text_of(name));
    assert_non_null(named);
    if (pretokenize_init(splitter, named->steps, named->step_count, &arena, &err) != OK)
        fail_msg("%s: %s", name, err.text);
}

static void test_cuts(void **state)
{
    static const struct {
        const char *splitter, *text, *want;
    } cases[] = {
        {"gpt-2", "Hello world", "Hello| world"},
        {"gpt-2", "I'll we've 's 'S don't", "I|'ll| we|'ve| '|s| '|S| don|'t"},
        {"gpt-2", "a  b   c\n\nd ", "a| | b|  | c|\n|\n|d| "},
        {"gpt-2", "x1234 56!? ...", "x|1234| 56|!?| ..."},
        {"gpt-2", "\t\tx \n", "\t|\t|x| \n"},
        {"gpt-2", "é ü中文 ½", "é| ü中文| ½"},
        {"smollm", "x1234 56", "x|1|2|3|4| |5|6"},
        {"smollm", "a   7", "a|   |7"},
        {"smollm", "a   b", "a|  | b"},
        {"smollm", "'s 1's", "'s| |1|'s"},
        {"llama-bpe", "1234567 89", "123|456|7| |89"},
        {"llama-bpe", "I'LL DON'T", "I|'LL| DON|'T"},
        {"llama-bpe", "x'ſ", "x|'ſ"},
        {"llama-bpe", "(word) \"quoted\"!!\r\n\r\nnext",
         "(word|)| \"|quoted|\"!!\r\n\r\n|next"},
        {"llama-bpe", "a \n \n  b", "a| \n \n| | b"},
        {"llama-bpe", "\tx\n\ty", "\tx|\n|\ty"},
        {"qwen2", "1234 5", "1|2|3|4| |5"},
        {"tekken", "helloWorld ABCdef XML a/b//\n", "hello|World| ABCdef| XML| a|/b|//\n"},
        {"tekken", "A中B", "A中|B"},
        {"tekken", "it's 12", "it|'s| |1|2"},
        {"gpt-4o", "it's IT'LL 12345 a/b//\n", "it's| IT'LL| |123|45| a|/b|//\n"},
        {"gpt-4o", "helloWorld's 'tis", "hello|World's| '|tis"},
        {"deepseek-llm", "ab  12\n  \nx\xe4\xb8\x80", "ab|  |1|2|\n|  |\n|x|\xe4\xb8\x80"},
        {"deepseek-coder", "a, b_1", "a|,| b|_|1"},
        {"deepseek-v3", "x12345 (abc", "x|123|45| (|abc"},
        {"bloom", "a b, c(d|e", "a| b|,| c|(|d|||e"},
        {"viking", "a12 b", "a|1|2| b"},
        {"kimi-k2",
         "A\xe4\xb8\xad"
         "b1234",
         "A|\xe4\xb8\xad|b|123|4"},
        {"qwen35",
         "e\xcc\x81"
         "a\xcc\x81. 12",
         "e\xcc\x81"
         "a\xcc\x81|.| |1|2"},
        {"bailingmoe", "'S  \n\nx", "'S|  \n\n|x"},
        {"seed-coder", "a!!\n\n", "a|!!|\n\n"},
        {"jais-2", "a       b", "a|    |  | b"},
        {"minicpm5", "12345", "123|45"},
        {"laguna", "a \n\n b", "a| |\n\n| b"},
        {"youtu",
         "\xed\x95\x9c"
         "aB",
         "\xed\x95\x9c|a|B"},
        {"olmo", "a 1", "a| 1"},
        {"falcon", "x!? $5", "x|!?| |$|5"},
        {"falcon", "a 1234 12 x", "a| |123|4| 12| x"},
        {"falcon", "don't  a (b)", "don|'|t| | a| |(|b|)"},
    };
    struct pretokenize splitter;
    struct text_buf out = {0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        open_named(&splitter, cases[i].splitter);
        cut(&splitter, text_of(cases[i].text), &out);
        if (!text_equal(text_buf_text(&out), text_of(cases[i].want)))
            fail_msg("%s: '%s' is cut as '%s', want '%s'", cases[i].splitter, cases[i].text,
                     out.data, cases[i].want);
    }
    text_buf_deinit(&out);
}

/* Pieces with '|' between them; what is removed is not there. */
static void test_behaviors(void **state)
{
    static const struct {
        const char *regex;
        struct tokenizer_split split;
        const char *text, *want;
    } CASES[] = {
        {"x", {.behavior = TOKENIZER_ISOLATED}, "axxb", "a|x|x|b"},
        {"x", {.behavior = TOKENIZER_REMOVED}, "axxb", "a|b"},
        {"x", {.behavior = TOKENIZER_MERGED_PREVIOUS}, "axxb", "ax|x|b"},
        {"x", {.behavior = TOKENIZER_MERGED_NEXT}, "axxb", "a|x|xb"},
        {"x", {.behavior = TOKENIZER_CONTIGUOUS}, "axxb", "a|xx|b"},
        {"x", {.behavior = TOKENIZER_REMOVED, .is_inverted = true}, "axxb", "x|x"},
        {"x", {.behavior = TOKENIZER_CONTIGUOUS, .is_inverted = true}, "axxb", "a|xx|b"},
        {"x", {.behavior = TOKENIZER_MERGED_NEXT, .is_inverted = true}, "axxb", "ax|x|b"},
        {".", {.behavior = TOKENIZER_ISOLATED, .is_literal = true}, "a.b", "a|.|b"},
        {"x*", {.behavior = TOKENIZER_ISOLATED}, "abxc", "a|b|x|c"},
        {"(?=[A-Z])", {.behavior = TOKENIZER_CONTIGUOUS}, "aBcD", "a|Bc|D"},
        {"\\p{N}",
         {.behavior = TOKENIZER_ISOLATED, .by_byte = true},
         "a\xc2\xbd"
         "1",
         "a\xc2|\xbd|1"},
        {"\\xa0", {.behavior = TOKENIZER_ISOLATED, .by_byte = true}, "\xc2\xa0", "\xc2\xa0"},
        {"\\x{120}", {.behavior = TOKENIZER_ISOLATED, .by_byte = true}, "a b", "a| |b"},
    };
    struct text_buf out = {0};
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct pretokenize pretokenize;
        struct pretokenize_cursor cursor;
        struct tokenizer_split split = CASES[i].split;
        struct text piece;
        struct error err;
        arena.used = 0;
        split.pattern = text_of(CASES[i].regex);
        assert_int_equal(pretokenize_init(&pretokenize, &split, 1, &arena, &err), OK);
        text_buf_clear(&out);
        pretokenize_begin(&cursor, &pretokenize, text_of(CASES[i].text));
        while (pretokenize_next(&cursor, &piece)) {
            if (out.size > 0)
                text_buf_byte(&out, '|');
            text_buf_add(&out, piece);
        }
        if (!text_equal(text_buf_text(&out), text_of(CASES[i].want)))
            fail_msg("case %zu, %s: %.*s", i, CASES[i].regex, TEXT_ARG(text_buf_text(&out)));
    }
    text_buf_deinit(&out);
}

enum { LISTED = 4 };

/* The pieces that steps make of text, each step alone over the pieces before it. */
static void cut_singly(const struct pretokenize *steps, uint32_t count, struct text text,
                       struct text_buf *out)
{
    struct pretokenize_cursor cursor;
    struct text piece;
    if (count == 0) {
        text_buf_byte(out, '|');
        text_buf_add(out, text);
        return;
    }
    pretokenize_begin(&cursor, steps, text);
    while (pretokenize_next(&cursor, &piece))
        cut_singly(steps + 1, count - 1, piece, out);
}

/* Steps in a list, of which those are passed over that bytes tell to do nothing, cut as each
 * does alone. */
static void test_passing_over(void **state)
{
    static const char *const REGEXES[] = {"\\s+",    "\\p{N}",     "\\s?\\p{P}+",  "\\s+$",
                                          "x*",      "(?!a)",      "[^a-z]",       " ?the",
                                          "\\p{L}$", "\\s?[a-z]+", "[a-z]+7|[hx]", " ?[.-z]+"};
    static const char *const PARTS[] = {"the", " x",       "7", "  ", "\n",
                                        ".",   "\xc3\xa9", "a", ",x"};
    enum { REGEX_COUNT = sizeof REGEXES / sizeof REGEXES[0], PART_COUNT = 9 };
    struct pretokenize list, steps[LISTED];
    struct text_buf got = {0}, want = {0}, text = {0};
    struct error err;
    uint64_t seed = 11;
    (void)state;
    for (uint32_t round = 0; round < 3000; round++) {
        struct tokenizer_split splits[LISTED] = {0};
        struct pretokenize_cursor cursor;
        struct text piece;
        arena.used = 0;
        text_buf_clear(&text);
        text_buf_clear(&got);
        text_buf_clear(&want);
        for (uint32_t i = 0; i < LISTED; i++) {
            splits[i].pattern = text_of(REGEXES[testing_random(&seed) % REGEX_COUNT]);
            splits[i].behavior = (enum tokenizer_behavior)(testing_random(&seed) % 5);
            splits[i].is_inverted = testing_random(&seed) % 4 == 0;
            assert_int_equal(pretokenize_init(&steps[i], &splits[i], 1, &arena, &err), OK);
        }
        assert_int_equal(pretokenize_init(&list, splits, LISTED, &arena, &err), OK);
        for (uint32_t i = testing_random(&seed) % 12; i > 0; i--)
            text_buf_add(&text, text_of(PARTS[testing_random(&seed) % PART_COUNT]));
        if (text.size == 0)
            continue;
        cut_singly(steps, LISTED, text_buf_text(&text), &want);
        pretokenize_begin(&cursor, &list, text_buf_text(&text));
        while (pretokenize_next(&cursor, &piece)) {
            text_buf_byte(&got, '|');
            text_buf_add(&got, piece);
        }
        if (!text_equal(text_buf_text(&got), text_buf_text(&want)))
            fail_msg("round %u: got %.*s, want %.*s", round, TEXT_ARG(text_buf_text(&got)),
                     TEXT_ARG(text_buf_text(&want)));
    }
    text_buf_deinit(&got);
    text_buf_deinit(&want);
    text_buf_deinit(&text);
}

/* No step: a text is one piece. */
static void test_no_step(void **state)
{
    struct pretokenize pretokenize;
    struct pretokenize_cursor cursor;
    struct text piece;
    struct error err;
    (void)state;
    assert_int_equal(pretokenize_init(&pretokenize, NULL, 0, &arena, &err), OK);
    pretokenize_begin(&cursor, &pretokenize, TEXT("a b"));
    assert_true(pretokenize_next(&cursor, &piece));
    assert_true(text_equal(piece, TEXT("a b")));
    assert_false(pretokenize_next(&cursor, &piece));
    assert_int_equal(pretokenize_init(&pretokenize, NULL, 9, &arena, &err), ERR_LIMIT);
}

static void test_names(void **state)
{
    (void)state;
    assert_null(splitter_find(TEXT("no-such")));
    assert_null(splitter_find(TEXT("")));
    assert_true(splitter_adds_bos(TEXT("llama-bpe")) && splitter_adds_bos(TEXT("tekken")));
    assert_false(splitter_adds_bos(TEXT("gpt-2")) || splitter_adds_bos(TEXT("")));
    assert_true(text_find(text_of(splitter_names()), TEXT("qwen2"), 0) != SIZE_MAX);
}

/* Every prefix of a text full of edges, and random bytes: no byte is lost, none is read past
 * the end. */
static void test_guard_page(void **state)
{
    static const char *const names[] = {"gpt-2",   "smollm", "llama-bpe",
                                        "qwen2",   "tekken", "deepseek-llm",
                                        "kimi-k2", "bloom",  "jais-2"};
    static const char text[] = "'s 're 'l 'Ll '\xc5\xbf \n\n x\t 12\xe4\xb8\xad\xcc\x81\xf0\x9f"
                               "\x98\x80 \xff\xfe\xe4\xb8 .../\r\n \xc2\xa0 \xe2\x80\x83";
    const struct testing_guard guard = testing_guard_open();
    struct pretokenize splitter;
    struct text_buf out = {0};
    char bytes[256];
    uint64_t seed = 7;
    (void)state;
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        open_named(&splitter, names[n]);
        for (size_t size = 0; size <= sizeof text; size++)
            cut(&splitter, testing_guard_copy(&guard, (struct text){text, size}), &out);
        for (uint32_t round = 0; round < 2000; round++) {
            const size_t size = testing_random(&seed) % sizeof bytes;
            for (size_t i = 0; i < size; i++) {
                const uint32_t random = testing_random(&seed);
                bytes[i] = random & 1 ? text[(random >> 8) % sizeof text] : (char)(random >> 8);
            }
            cut(&splitter, testing_guard_copy(&guard, (struct text){bytes, size}), &out);
        }
    }
    text_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cuts),       cmocka_unit_test(test_behaviors),
        cmocka_unit_test(test_no_step),    cmocka_unit_test(test_names),
        cmocka_unit_test(test_guard_page), cmocka_unit_test(test_passing_over),
    };
    struct error err;
    if (arena_init(&arena, 64 << 20, &err) != OK)
        return 1;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_deinit(&arena);
    return failed;
}
