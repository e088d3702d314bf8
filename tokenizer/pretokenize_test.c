/* pretokenize_test - cuts worked out by hand from the expressions in pretokenize.c, random
 * bytes, and a guard page behind every prefix. */
#include "tokenizer/pretokenize.h"

#include "tokenizer/testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* The pieces with '|' between them. */
static void cut(const char *name, struct text text, struct text_buf *out)
{
    const struct pretokenize *splitter = pretokenize_find(text_of(name));
    assert_non_null(splitter);
    text_buf_clear(out);
    for (size_t begin = 0; begin < text.size;) {
        const size_t end = pretokenize_next(splitter, text, begin);
        assert_true(end > begin && end <= text.size);
        if (begin > 0)
            text_buf_byte(out, '|');
        text_buf_add(out, text_slice(text, begin, end));
        begin = end;
    }
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
        {"falcon", "x!? $5", "x|!?| |$|5"},
        {"falcon", "a 1234 12 x", "a| |123|4| 12| x"},
        {"falcon", "don't  a (b)", "don|'|t| | a| |(|b|)"},
    };
    struct text_buf out = {0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cut(cases[i].splitter, text_of(cases[i].text), &out);
        if (!text_equal(text_buf_text(&out), text_of(cases[i].want)))
            fail_msg("%s: '%s' is cut as '%s', want '%s'", cases[i].splitter, cases[i].text,
                     out.data, cases[i].want);
    }
    text_buf_deinit(&out);
}

static void test_names(void **state)
{
    (void)state;
    assert_null(pretokenize_find(TEXT("no-such")));
    assert_null(pretokenize_find(TEXT("")));
    assert_true(text_find(text_of(pretokenize_names()), TEXT("smollm"), 0) != SIZE_MAX);
}

/* Every prefix of a text full of edges, and random bytes: no byte is lost, none is read past
 * the end. */
static void test_guard_page(void **state)
{
    static const char *const names[] = {"gpt-2", "smollm", "llama-bpe", "qwen2", "tekken"};
    static const char text[] = "'s 're 'l 'Ll '\xc5\xbf \n\n x\t 12\xe4\xb8\xad\xcc\x81\xf0\x9f"
                               "\x98\x80 \xff\xfe\xe4\xb8 .../\r\n \xc2\xa0 \xe2\x80\x83";
    const struct testing_guard guard = testing_guard_open();
    struct text_buf out = {0};
    char bytes[256];
    uint64_t seed = 7;
    (void)state;
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        for (size_t size = 0; size <= sizeof text; size++)
            cut(names[n], testing_guard_copy(&guard, (struct text){text, size}), &out);
        for (uint32_t round = 0; round < 2000; round++) {
            const size_t size = testing_random(&seed) % sizeof bytes;
            for (size_t i = 0; i < size; i++) {
                const uint32_t random = testing_random(&seed);
                bytes[i] = random & 1 ? text[(random >> 8) % sizeof text] : (char)(random >> 8);
            }
            cut(names[n], testing_guard_copy(&guard, (struct text){bytes, size}), &out);
        }
    }
    text_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_guard_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
