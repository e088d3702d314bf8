/* vocab_test - pieces of every size are found by their bytes, at a guard page, and what differs
 * from them in one byte, or in size, is not. */
#include "tokenizer/vocab.h"

#include "tokenizer/testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { SIZE_LARGEST = TESTING_SPELLING_MAX - 1 };

static token_id find(const struct vocab *vocab, const struct testing_guard *guard,
                     const char *bytes, size_t size)
{
    const struct text key = testing_guard_copy(guard, (struct text){bytes, size});
    return vocab_find(&vocab->plain, key);
}

static void test_every_size(void **state)
{
    static struct testing_vocab source;
    const struct testing_guard guard = testing_guard_open();
    struct arena arena;
    struct vocab vocab;
    struct error err;
    char bytes[SIZE_LARGEST + 2] = {0};
    (void)state;
    testing_vocab_bytes(&source, "");
    source.source.model = TEXT("llama");
    source.source.piece_count = 0;
    for (size_t size = 1; size <= SIZE_LARGEST; size += size == 11 ? 2 : 1) {
        memset(bytes, 'a', size);
        (void)testing_vocab_add(&source, bytes, TOKENIZER_NORMAL);
    }
    assert_int_equal(arena_init(&arena, 16 << 20, &err), OK);
    assert_int_equal(vocab_init(&vocab, &source.source, &arena, &err), OK);
    assert_int_equal(find(&vocab, &guard, bytes, 0), TOKEN_NONE);
    assert_int_equal(find(&vocab, &guard, bytes, 12), TOKEN_NONE);
    for (uint32_t id = 0; id < source.source.piece_count; id++) {
        const size_t size = source.pieces[id].size;
        assert_int_equal(find(&vocab, &guard, bytes, size), id);
        for (size_t i = 0; i < size; i++) {
            bytes[i] = 'b';
            assert_int_equal(find(&vocab, &guard, bytes, size), TOKEN_NONE);
            bytes[i] = 'a';
        }
    }
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_size)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
