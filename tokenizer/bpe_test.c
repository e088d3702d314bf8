/* bpe_test - merging against a plain twin that looks for the best pair anew each time, on
 * random merges and random pieces on both sides of where the heap takes over. */
#include "tokenizer/bpe_words.h"

#include "tokenizer/testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct fixture {
    struct testing_vocab source;
    struct arena arena;
    struct vocab vocab;
    struct bpe bpe;
};

static void build(struct fixture *fixture)
{
    struct error err;
    assert_int_equal(arena_init(&fixture->arena, 64 << 20, &err), OK);
    assert_int_equal(
        vocab_init(&fixture->vocab, &fixture->source.source, &fixture->arena, &err), OK);
    assert_int_equal(bpe_init(&fixture->bpe, &fixture->vocab, &fixture->source.source,
                              &fixture->arena, &err),
                     OK);
}

/* The rank of a pair: the first merge that names it. */
static uint32_t rank_of(const struct testing_vocab *vocab, struct text left, struct text right)
{
    for (uint32_t rank = 0; rank < vocab->source.merge_count; rank++) {
        const struct text merge = vocab->merges[rank];
        if (merge.size == left.size + right.size + 1 && text_starts(merge, left) &&
            text_ends(merge, right) && merge.data[left.size] == ' ')
            return rank;
    }
    return UINT32_MAX;
}

/* The plain twin: of all pairs the one of lowest rank, leftmost, until there is none. Letters
 * only, so that spelling and bytes are the same. */
static uint32_t merge_plainly(const struct testing_vocab *vocab, struct text piece,
                              struct text *parts)
{
    uint32_t count = 0;
    for (size_t i = 0; i < piece.size; i++)
        parts[count++] = text_slice(piece, i, i + 1);
    for (;;) {
        uint32_t best = UINT32_MAX, at = 0;
        for (uint32_t i = 0; i + 1 < count; i++) {
            const uint32_t rank = rank_of(vocab, parts[i], parts[i + 1]);
            if (rank < best) {
                best = rank;
                at = i;
            }
        }
        if (best == UINT32_MAX)
            return count;
        parts[at].size += parts[at + 1].size;
        memmove(&parts[at + 1], &parts[at + 2], (count - at - 2) * sizeof *parts);
        count--;
    }
}

static void check_piece(const struct fixture *fixture, struct text piece,
                        struct bpe_scratch *scratch, struct token_list *list)
{
    struct text parts[200];
    list->count = 0;
    assert_true(bpe_encode(&fixture->bpe, piece, scratch, list));
    const uint32_t count = merge_plainly(&fixture->source, piece, parts);
    assert_int_equal(list->count, count);
    for (uint32_t i = 0; i < count; i++)
        assert_true(text_equal(fixture->vocab.bytes[list->ids[i]], parts[i]));
}

/* Random merges over three letters, so that pairs overlap and compete. */
static void random_merges(struct testing_vocab *vocab, uint64_t *seed)
{
    testing_vocab_bytes(vocab, "gpt-2");
    for (uint32_t i = 0; i < 60; i++) {
        char parts[2][TESTING_SPELLING_MAX];
        for (uint32_t side = 0; side < 2; side++) {
            const uint32_t made = vocab->source.piece_count - 256;
            const uint32_t pick = testing_random(seed) % (made + 3);
            const char *spelling =
                pick < 3 ? (const char *[]){"a", "b", "c"}[pick] : vocab->spellings[253 + pick];
            (void)snprintf(parts[side], sizeof parts[side], "%s", spelling);
        }
        if (strlen(parts[0]) + strlen(parts[1]) < TESTING_SPELLING_MAX)
            testing_vocab_merge(vocab, parts[0], parts[1]);
    }
}

static void test_against_plain_twin(void **state)
{
    static struct fixture fixture;
    struct bpe_scratch scratch = {0};
    struct token_list list = {0};
    uint64_t seed = 42;
    (void)state;
    for (uint32_t round = 0; round < 20; round++) {
        random_merges(&fixture.source, &seed);
        build(&fixture);
        for (uint32_t i = 0; i < 60; i++) {
            char piece[200];
            const size_t size = testing_random(&seed) % sizeof piece;
            for (size_t at = 0; at < size; at++)
                piece[at] = (char)('a' + testing_random(&seed) % 3);
            check_piece(&fixture, (struct text){piece, size}, &scratch, &list);
        }
        arena_deinit(&fixture.arena);
    }
    bpe_scratch_deinit(&scratch);
    token_list_deinit(&list);
}

/* A piece that is a token, which merging does not come to, stays apart unless merges are to be
 * ignored for whole pieces. */
static void test_ignore_merges(void **state)
{
    static struct fixture fixture;
    struct bpe_scratch scratch = {0};
    struct token_list list = {0};
    (void)state;
    testing_vocab_bytes(&fixture.source, "gpt-2");
    const token_id whole = testing_vocab_add(&fixture.source, "abc", TOKENIZER_NORMAL);
    testing_vocab_merge(&fixture.source, "b", "c");
    build(&fixture);
    assert_true(bpe_encode(&fixture.bpe, TEXT("abc"), &scratch, &list));
    assert_int_equal(list.count, 2);
    bpe_ignore_merges(&fixture.bpe);
    list.count = 0;
    assert_true(bpe_encode(&fixture.bpe, TEXT("abc"), &scratch, &list));
    assert_int_equal(list.count, 1);
    assert_int_equal(list.ids[0], whole);
    arena_deinit(&fixture.arena);
    bpe_scratch_deinit(&scratch);
    token_list_deinit(&list);
}

/* Past the longest piece it is cut, and nothing is lost. */
static void test_longest_piece(void **state)
{
    static struct fixture fixture;
    struct bpe_scratch scratch = {0};
    struct token_list list = {0};
    const size_t size = BPE_PIECE_BYTES_MAX + 100;
    char *piece = malloc(size);
    (void)state;
    assert_non_null(piece);
    memset(piece, 'a', size);
    testing_vocab_bytes(&fixture.source, "gpt-2");
    testing_vocab_merge(&fixture.source, "a", "a");
    testing_vocab_merge(&fixture.source, "aa", "aa");
    build(&fixture);
    assert_true(bpe_encode(&fixture.bpe, (struct text){piece, size}, &scratch, &list));
    assert_int_equal(list.count, size / 4);
    arena_deinit(&fixture.arena);
    bpe_scratch_deinit(&scratch);
    token_list_deinit(&list);
    free(piece);
}

/* A vocabulary over characters: the bytes, the space's mark and two letters. */
static void begin_words(struct testing_vocab *vocab)
{
    testing_vocab_bytes(vocab, "");
    vocab->source.model = TEXT("bpe");
    vocab->source.piece_count = 0;
    for (uint32_t byte = 0; byte < 256; byte++) {
        char spelling[8];
        (void)snprintf(spelling, sizeof spelling, "<0x%02X>", byte);
        (void)testing_vocab_add(vocab, spelling, TOKENIZER_BYTE);
    }
    for (uint32_t i = 0; i < 3; i++)
        (void)testing_vocab_add(vocab, (const char *[]){"\xe2\x96\x81", "a", "b"}[i],
                                TOKENIZER_NORMAL);
}

static void encode_words(const struct fixture *fixture, struct text text,
                         struct token_list *list)
{
    struct bpe_words_scratch scratch = {0};
    list->count = 0;
    assert_true(bpe_words_encode(&fixture->bpe, text, false, &scratch, list));
    bpe_words_scratch_deinit(&scratch);
}

/* Words one by one give what the text as a whole gives. */
static void test_words_apart(void **state)
{
    static const char *const PARTS[] = {"a", "b", " ", "\n", "\xc3\xa9", "\xe2\x96\x81", "!"};
    static struct fixture fixture, uncut;
    struct token_list apart = {0}, whole = {0};
    struct testing_vocab *vocab = &fixture.source;
    uint64_t seed = 7;
    (void)state;
    begin_words(vocab);
    for (uint32_t i = 0; i < 60; i++) {
        char parts[2][TESTING_SPELLING_MAX];
        for (uint32_t side = 0; side < 2; side++)
            memcpy(parts[side],
                   vocab->spellings[256 +
                                    testing_random(&seed) % (vocab->source.piece_count - 256)],
                   sizeof parts[side]);
        if (strlen(parts[0]) + strlen(parts[1]) < 12)
            testing_vocab_merge(vocab, parts[0], parts[1]);
    }
    build(&fixture);
    assert_true(fixture.bpe.words.cuts['a']['!'] && fixture.bpe.words.cuts['!'][0xc3]);
    uncut = fixture;
    memset(uncut.bpe.words.cuts, 0, sizeof uncut.bpe.words.cuts);
    for (uint32_t round = 0; round < 2000; round++) {
        struct text_buf text = {0};
        for (uint32_t i = 1 + testing_random(&seed) % 64; i > 0; i--)
            text_buf_add(&text, text_of(PARTS[testing_random(&seed) % 7]));
        encode_words(&fixture, text_buf_text(&text), &apart);
        encode_words(&uncut, text_buf_text(&text), &whole);
        assert_int_equal(apart.count, whole.count);
        assert_memory_equal(apart.ids, whole.ids, whole.count * sizeof *whole.ids);
        text_buf_deinit(&text);
    }
    arena_deinit(&fixture.arena);
    token_list_deinit(&apart);
    token_list_deinit(&whole);
}

/* Merges of byte pieces join characters that no piece has side by side. */
static void test_merged_bytes(void **state)
{
    static struct fixture fixture;
    struct token_list list = {0};
    (void)state;
    begin_words(&fixture.source);
    testing_vocab_merge(&fixture.source, "<0x21>", "<0x3F>");
    build(&fixture);
    encode_words(&fixture, TEXT("!?"), &list);
    assert_int_equal(list.count, 1);
    arena_deinit(&fixture.arena);
    token_list_deinit(&list);
}

/* Merges that make no sense are refused by number. */
static void test_refused_merges(void **state)
{
    static const char *const merges[] = {"ab", "a", "", " ", "a zz", "zz a", "a b", "a  b"};
    static struct fixture fixture;
    (void)state;
    for (size_t i = 0; i < sizeof merges / sizeof merges[0]; i++) {
        struct error err = {0};
        testing_vocab_bytes(&fixture.source, "gpt-2");
        fixture.source.merges[0] = text_of(merges[i]);
        fixture.source.source.merge_count = 1;
        assert_int_equal(arena_init(&fixture.arena, 16 << 20, &err), OK);
        assert_int_equal(
            vocab_init(&fixture.vocab, &fixture.source.source, &fixture.arena, &err), OK);
        assert_int_equal(bpe_init(&fixture.bpe, &fixture.vocab, &fixture.source.source,
                                  &fixture.arena, &err),
                         ERR_FORMAT);
        assert_non_null(strstr(err.text, "merge 0"));
        arena_deinit(&fixture.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_plain_twin), cmocka_unit_test(test_ignore_merges),
        cmocka_unit_test(test_longest_piece),      cmocka_unit_test(test_words_apart),
        cmocka_unit_test(test_merged_bytes),       cmocka_unit_test(test_refused_merges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
