/* word_cache_test - words of every size, told apart by each byte, at a guard page; and
 * a text long enough for the cache, which gives the tokens of its lines. */
#include "tokenizer/word_cache.h"

#include "tokenizer/testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void put(struct word_cache_slot *cache, struct text word, token_id id)
{
    struct token_list list = {0};
    assert_true(token_list_add(&list, -7) && token_list_add(&list, id) &&
                token_list_add(&list, id + 1));
    word_cache_put(cache, word, &list, 1);
    token_list_deinit(&list);
}

/* The first of the word's two tokens, TOKEN_NONE when it is not there. */
static token_id take(const struct word_cache_slot *cache, struct text word)
{
    struct token_list list = {0};
    token_id id = TOKEN_NONE;
    if (word_cache_take(cache, word, &list)) {
        assert_int_equal(list.count, 2);
        assert_int_equal(list.ids[1], list.ids[0] + 1);
        id = list.ids[0];
    }
    token_list_deinit(&list);
    return id;
}

static void test_words(void **state)
{
    const struct testing_guard guard = testing_guard_open();
    struct word_cache_slot *cache = word_cache_open();
    char bytes[17];
    (void)state;
    assert_non_null(cache);
    memset(bytes, 'a', sizeof bytes);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        const struct text word = testing_guard_copy(&guard, (struct text){bytes, size});
        assert_int_equal(take(cache, word), TOKEN_NONE);
        put(cache, word, (token_id)size);
        assert_int_equal(take(cache, word),
                         size > 0 && size <= 16 ? (token_id)size : TOKEN_NONE);
        for (size_t i = 0; i < size; i++) {
            bytes[i] = 'b';
            assert_int_equal(take(cache, (struct text){bytes, size}), TOKEN_NONE);
            bytes[i] = 'a';
        }
    }
    assert_int_equal(take(NULL, TEXT("a")), TOKEN_NONE);
    word_cache_put(NULL, TEXT("a"), &(struct token_list){0}, 0);
    word_cache_close(cache);
}

/* More tokens than a slot has room for are not kept. */
static void test_many_tokens(void **state)
{
    struct word_cache_slot *cache = word_cache_open();
    struct token_list list = {0};
    (void)state;
    for (token_id id = 0; id < 4; id++)
        assert_true(token_list_add(&list, id));
    word_cache_put(cache, TEXT("abcd"), &list, 0);
    assert_false(word_cache_take(cache, TEXT("abcd"), &list));
    word_cache_put(cache, TEXT("abcd"), &list, 1);
    assert_true(word_cache_take(cache, TEXT("abcd"), &list));
    assert_int_equal(list.count, 7);
    token_list_deinit(&list);
    word_cache_close(cache);
}

static void test_long_text(void **state)
{
    static struct testing_vocab vocab;
    struct tokenizer *tokenizer;
    struct token_list whole = {0}, lines = {0};
    struct text_buf text = {0};
    uint64_t seed = 9;
    (void)state;
    testing_vocab_bytes(&vocab, "gpt-2");
    testing_vocab_merge(&vocab, "a", "b");
    testing_vocab_merge(&vocab, "ab", "a");
    testing_vocab_merge(&vocab, "\xc4\xa0", "b");
    assert_int_equal(tokenizer_open(&vocab.source, &tokenizer, NULL), OK);
    while (text.size < WORD_CACHE_TEXT_MIN + 2000) {
        const size_t begin = text.size;
        for (uint32_t i = 1 + testing_random(&seed) % 40; i > 0; i--)
            text_buf_byte(&text, "aab b"[testing_random(&seed) % 5]);
        text_buf_add(&text, TEXT(".\n."));
        assert_int_equal(tokenizer_encode(tokenizer,
                                          (struct text){text.data + begin, text.size - begin},
                                          0, &lines, NULL),
                         OK);
    }
    assert_int_equal(tokenizer_encode(tokenizer, text_buf_text(&text), 0, &whole, NULL), OK);
    assert_int_equal(whole.count, lines.count);
    assert_memory_equal(whole.ids, lines.ids, whole.count * sizeof *whole.ids);
    token_list_deinit(&whole);
    token_list_deinit(&lines);
    text_buf_deinit(&text);
    tokenizer_close(tokenizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_many_tokens),
        cmocka_unit_test(test_long_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
