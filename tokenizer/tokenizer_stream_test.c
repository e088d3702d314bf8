/* tokenizer_stream_test - a text shown token by token is the text shown at once, with U+FFFD
 * for what is no UTF-8, and no character is ever shown in part. */
#include "tokenizer/testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct testing_vocab VOCAB;

static struct tokenizer *open_bytes(void)
{
    struct tokenizer *tokenizer;
    testing_vocab_bytes(&VOCAB, "gpt-2");
    assert_int_equal(tokenizer_open(&VOCAB.source, &tokenizer, NULL), OK);
    return tokenizer;
}

/* Feeds bytes one by one; after each, what was shown must be whole characters. */
static void feed(const struct tokenizer *tokenizer, struct text text, struct text_buf *out)
{
    struct tokenizer_stream stream = {0};
    text_buf_clear(out);
    for (size_t i = 0; i < text.size; i++) {
        struct token_list list = {0};
        assert_int_equal(
            tokenizer_encode(tokenizer, text_slice(text, i, i + 1), 0, &list, NULL), OK);
        assert_int_equal(list.count, 1);
        tokenizer_stream_add(&stream, tokenizer, list.ids[0], out);
        assert_int_equal(text_utf8_valid(text_buf_text(out)), out->size);
        token_list_deinit(&list);
    }
    tokenizer_stream_end(&stream, out);
    assert_int_equal(text_utf8_valid(text_buf_text(out)), out->size);
    assert_int_equal(stream.held_count, 0);
}

#define BAD "\xef\xbf\xbd"

static void test_cases(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"", ""},
        {"plain", "plain"},
        {"a\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80z", "a\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80z"},
        {"\xff", BAD},
        {"\x80", BAD},
        {"\xc3", BAD},
        {"\xe4\xb8", BAD},
        {"\xf0\x9f\x98", BAD},
        {"\xe4\xb8z", BAD "z"},
        {"\xe4\xb8\xc3\xa9", BAD "\xc3\xa9"},
        {"\xc3\xff", BAD BAD},
        {"\xe0\x80\x80", BAD BAD BAD},         /* overlong */
        {"\xed\xa0\x80", BAD BAD BAD},         /* a surrogate */
        {"\xf4\x90\x80\x80", BAD BAD BAD BAD}, /* past U+10FFFF */
        {"\xc0\xaf", BAD BAD},
    };
    struct tokenizer *tokenizer = open_bytes();
    struct text_buf out = {0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        feed(tokenizer, text_of(cases[i].text), &out);
        if (!text_equal(text_buf_text(&out), text_of(cases[i].want)))
            fail_msg("case %zu gives '%s'", i, out.data ? out.data : "");
    }
    text_buf_deinit(&out);
    tokenizer_close(tokenizer);
}

static void test_random(void **state)
{
    static const char *const parts[] = {"a",    "\xc3\xa9", "\xe4\xb8\xad", "\xf0\x9f\x98\x80",
                                        "\xff", "\xe4",     "\x80"};
    struct tokenizer *tokenizer = open_bytes();
    struct text_buf text = {0}, out = {0};
    uint64_t seed = 5;
    (void)state;
    for (uint32_t round = 0; round < 500; round++) {
        const uint32_t known = round & 1 ? 4 : 7; /* every other text is valid */
        text_buf_clear(&text);
        for (uint32_t i = testing_random(&seed) % 20; i > 0; i--)
            text_buf_add(&text, text_of(parts[testing_random(&seed) % known]));
        feed(tokenizer, text_buf_text(&text), &out);
        if (known == 4)
            assert_true(text_equal(text_buf_text(&text), text_buf_text(&out)));
    }
    text_buf_deinit(&text);
    text_buf_deinit(&out);
    tokenizer_close(tokenizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
