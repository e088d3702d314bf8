/* unigram_test - ways worked out by hand, and random texts against all ways there are. */
#include "tokenizer/tokenizer.h"

#include "tokenizer/testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MARK "\xe2\x96\x81"

static struct testing_vocab vocab;

static void add(const char *piece, int32_t kind, float score)
{
    const token_id id = testing_vocab_add(&vocab, piece, kind);
    vocab.scores[id] = score;
}

/* Ids: 0 unknown, 1 space, 2 a, 3 b, 4 ab, 5 ba, 6 space and a, 7 aa; then perhaps bytes. */
static struct tokenizer *open_vocab(bool has_bytes)
{
    struct tokenizer *tokenizer;
    struct error err;
    memset(&vocab, 0, sizeof vocab);
    vocab.source = (struct tokenizer_source){.model = TEXT("unigram"),
                                             .pieces = vocab.pieces,
                                             .kinds = vocab.kinds,
                                             .scores = vocab.scores,
                                             .bos = TOKEN_NONE,
                                             .eos = TOKEN_NONE,
                                             .eot = TOKEN_NONE};
    add("<unk>", TOKENIZER_UNKNOWN, 0.0f);
    add(MARK, TOKENIZER_NORMAL, -2.0f);
    add("a", TOKENIZER_NORMAL, -3.0f);
    add("b", TOKENIZER_NORMAL, -3.5f);
    add("ab", TOKENIZER_NORMAL, -4.0f);
    add("ba", TOKENIZER_NORMAL, -4.25f);
    add(MARK "a", TOKENIZER_NORMAL, -4.5f);
    add("aa", TOKENIZER_NORMAL, -6.0f);
    for (uint32_t byte = 0; has_bytes && byte < 256; byte++) {
        char piece[8];
        (void)snprintf(piece, sizeof piece, "<0x%02X>", byte);
        add(piece, TOKENIZER_BYTE, 0.0f);
    }
    if (tokenizer_open(&vocab.source, &tokenizer, &err) != OK)
        fail_msg("%s", err.text);
    return tokenizer;
}

static void check(const struct tokenizer *tokenizer, const char *text, const char *want)
{
    struct token_list list = {0};
    struct text_buf ids = {0};
    struct error err;
    assert_int_equal(tokenizer_encode(tokenizer, text_of(text), 0, &list, &err), OK);
    for (size_t i = 0; i < list.count; i++)
        text_buf_format(&ids, "%s%d", i > 0 ? " " : "", list.ids[i]);
    if (!text_equal(text_buf_text(&ids), text_of(want)))
        fail_msg("'%s' gives %s, want %s", text, ids.data, want);
    token_list_deinit(&list);
    text_buf_deinit(&ids);
}

static void test_ways(void **state)
{
    struct tokenizer *tokenizer = open_vocab(false);
    (void)state;
    check(tokenizer, "", "");
    check(tokenizer, "ab", "4");
    check(tokenizer, "aba", "4 2"); /* ab a: -7, a ba: -7.25, a b a: -9.5 */
    check(tokenizer, "a a", "2 6"); /* a piece with its space */
    check(tokenizer, "a  a", "2 1 6");
    check(tokenizer, "aa", "7");       /* as good as a a: the first that was found */
    check(tokenizer, "axyb", "2 0 3"); /* unknown ones in a row are one */
    check(tokenizer, "x x", "0 1 0");
    check(tokenizer, "<unk>a", "0 2");
    check(tokenizer, "\xff", "0");
    tokenizer_close(tokenizer);
}

static void test_bytes(void **state)
{
    struct tokenizer *tokenizer = open_vocab(true);
    (void)state;
    check(tokenizer, "ax\n", "2 128 18");
    check(tokenizer, "\xc3\xa9", "203 177");
    check(tokenizer, "<0x0A>", "68 56 128 56 73 70"); /* its spelling is no byte */
    tokenizer_close(tokenizer);
}

/* The score of the best of all ways to cut text. */
static double best_of_all(struct text text)
{
    double best = text.size == 0 ? 0.0 : -1e9;
    for (uint32_t i = 1; i < vocab.source.piece_count; i++) {
        if (vocab.kinds[i] != TOKENIZER_NORMAL || !text_starts(text, vocab.pieces[i]))
            continue;
        const double rest = best_of_all(text_slice(text, vocab.pieces[i].size, text.size));
        best = (double)vocab.scores[i] + rest > best ? (double)vocab.scores[i] + rest : best;
    }
    return best;
}

static void test_against_all_ways(void **state)
{
    struct tokenizer *tokenizer = open_vocab(false);
    struct token_list list = {0};
    struct error err;
    uint64_t seed = 5;
    (void)state;
    for (uint32_t round = 0; round < 2000; round++) {
        char text[16], marked[48];
        size_t size = testing_random(&seed) % 12, marked_size = 0;
        for (size_t i = 0; i < size; i++) {
            text[i] = "aab "[testing_random(&seed) % 4];
            const struct text part = text[i] == ' ' ? TEXT(MARK) : (struct text){&text[i], 1};
            memcpy(marked + marked_size, part.data, part.size);
            marked_size += part.size;
        }
        list.count = 0;
        assert_int_equal(tokenizer_encode(tokenizer, (struct text){text, size}, 0, &list, &err),
                         OK);
        double score = 0.0;
        struct text rest = {marked, marked_size};
        for (size_t i = 0; i < list.count; i++) {
            const struct text piece = vocab.pieces[list.ids[i]];
            assert_true(text_starts(rest, piece));
            rest = text_slice(rest, piece.size, rest.size);
            score += (double)vocab.scores[list.ids[i]];
        }
        assert_int_equal(rest.size, 0);
        assert_true(score >= best_of_all((struct text){marked, marked_size}));
    }
    token_list_deinit(&list);
    tokenizer_close(tokenizer);
}

static void test_refusals(void **state)
{
    struct tokenizer *tokenizer = open_vocab(false);
    struct error err;
    (void)state;
    tokenizer_close(tokenizer);
    vocab.scores[3] = 1.0f / 0.0f;
    assert_int_equal(tokenizer_open(&vocab.source, &tokenizer, &err), ERR_FORMAT);
    assert_non_null(strstr(err.text, "piece 3"));
    vocab.source.scores = NULL;
    assert_int_equal(tokenizer_open(&vocab.source, &tokenizer, &err), ERR_FORMAT);
    assert_non_null(strstr(err.text, "needs scores"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ways),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_against_all_ways),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
