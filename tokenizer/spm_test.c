/* spm_test - merging by score, bytes for what no piece covers, and words
 * one by one against the text as a whole. */
#include "tokenizer/spm.h"

#include "tokenizer/testing.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct fixture {
    struct testing_vocab source;
    struct arena arena;
    struct vocab vocab;
    struct spm spm;
};

/* unknown, and the single bytes when with_bytes. */
static void begin(struct fixture *fixture, bool with_bytes)
{
    struct testing_vocab *source = &fixture->source;
    testing_vocab_bytes(source, "");
    source->source.model = TEXT("llama");
    source->source.scores = source->scores;
    source->source.piece_count = 0;
    source->source.unknown = testing_vocab_add(source, "<unk>", TOKENIZER_UNKNOWN);
    for (uint32_t byte = 0; with_bytes && byte < 256; byte++) {
        char spelling[8];
        (void)snprintf(spelling, sizeof spelling, "<0x%02X>", byte);
        (void)testing_vocab_add(source, spelling, TOKENIZER_BYTE);
    }
}

static void add(struct fixture *fixture, const char *piece, float score)
{
    fixture->source.scores[testing_vocab_add(&fixture->source, piece, TOKENIZER_NORMAL)] =
        score;
}

static void build(struct fixture *fixture)
{
    const struct tokenizer_source *source = &fixture->source.source;
    struct error err;
    assert_int_equal(arena_init(&fixture->arena, 16 << 20, &err), OK);
    assert_int_equal(vocab_init(&fixture->vocab, source, &fixture->arena, &err), OK);
    assert_int_equal(spm_init(&fixture->spm, &fixture->vocab, source->unknown, &err), OK);
}

/* The tokens' spellings with '|' between them. */
static void encode(const struct fixture *fixture, struct text text, bool space_before,
                   struct text_buf *out)
{
    struct spm_scratch scratch = {0};
    struct token_list list = {0};
    text_buf_clear(out);
    assert_true(spm_encode(&fixture->spm, text, space_before, &scratch, &list));
    for (size_t i = 0; i < list.count; i++) {
        if (i > 0)
            text_buf_byte(out, '|');
        text_buf_add(out, fixture->vocab.pieces[list.ids[i]]);
    }
    spm_scratch_deinit(&scratch);
    token_list_deinit(&list);
}

static void check(const struct fixture *fixture, const char *text, bool space_before,
                  const char *want)
{
    struct text_buf out = {0};
    encode(fixture, text_of(text), space_before, &out);
    if (!text_equal(text_buf_text(&out), text_of(want)))
        fail_msg("'%s' gives '%s', want '%s'", text, out.data ? out.data : "", want);
    text_buf_deinit(&out);
}

static void test_scores_decide(void **state)
{
    static struct fixture fixture;
    (void)state;
    begin(&fixture, true);
    add(&fixture, "\xe2\x96\x81", -10);
    add(&fixture, "a", -11);
    add(&fixture, "b", -12);
    add(&fixture, "c", -13);
    add(&fixture, "ab", -2);
    add(&fixture, "bc", -1);
    add(&fixture,
        "\xe2\x96\x81"
        "a",
        -3);
    build(&fixture);
    check(&fixture, "abc", false, "a|bc"); /* bc scores better than ab */
    check(&fixture, "abab", false, "ab|ab");
    check(&fixture, "ab", true, "\xe2\x96\x81|ab");
    check(&fixture, "a b", true,
          "\xe2\x96\x81"
          "a|\xe2\x96\x81|b");
    check(&fixture, "", true, "");
    check(&fixture,
          "\xc3\xa9"
          "a",
          false, "<0xC3>|<0xA9>|a");
    check(&fixture, "\xff", false, "<0xFF>");
    check(&fixture, "<unk>", false, "<0x3C>|<0x75>|<0x6E>|<0x6B>|<0x3E>");
    arena_deinit(&fixture.arena);
}

/* Merging never makes a control piece out of plain text. */
static void test_no_control_by_merging(void **state)
{
    static struct fixture fixture;
    (void)state;
    begin(&fixture, true);
    (void)testing_vocab_add(&fixture.source, "<s>", TOKENIZER_CONTROL);
    add(&fixture, "<", -10);
    add(&fixture, "s", -11);
    add(&fixture, ">", -12);
    add(&fixture, "<s", -1);
    add(&fixture, "longer", -20);
    build(&fixture);
    check(&fixture, "<s>", false, "<s|>");
    arena_deinit(&fixture.arena);
}

static void test_without_bytes(void **state)
{
    static struct fixture fixture;
    (void)state;
    begin(&fixture, false);
    add(&fixture, "a", -1);
    build(&fixture);
    check(&fixture,
          "a\xc3\xa9"
          "a",
          false, "a|<unk>|a");
    arena_deinit(&fixture.arena);
}

static void test_refused_scores(void **state)
{
    static struct fixture fixture;
    struct error err;
    (void)state;
    begin(&fixture, false);
    add(&fixture, "a", NAN);
    assert_int_equal(arena_init(&fixture.arena, 16 << 20, &err), OK);
    assert_int_equal(vocab_init(&fixture.vocab, &fixture.source.source, &fixture.arena, &err),
                     OK);
    assert_int_equal(spm_init(&fixture.spm, &fixture.vocab, 0, &err), ERR_FORMAT);
    fixture.vocab.scores = NULL;
    assert_int_equal(spm_init(&fixture.spm, &fixture.vocab, 0, &err), ERR_FORMAT);
    arena_deinit(&fixture.arena);
}

/* Random pieces over a, b, the space and the line end, some of which go on past a space or a
 * line end, give the same tokens word by word and as a whole, in texts that have characters
 * without a piece too. */
static void test_words_apart(void **state)
{
    static const char *const PARTS[] = {
        "a", "a", "b", "b", " ", " ", "\n", "\xc3\xa9", "\xe2\x96\x81", "!"};
    static struct fixture fixture, uncut;
    struct text_buf apart = {0}, whole = {0};
    uint64_t seed = 3;
    (void)state;
    begin(&fixture, true);
    add(&fixture, "\xe2\x96\x81", -100);
    add(&fixture, "a", -101);
    add(&fixture, "b", -102);
    add(&fixture, "\n", -103);
    add(&fixture, "a\n", -2);
    add(&fixture, "\n\xe2\x96\x81", -3);
    for (uint32_t i = 0; i < 60; i++) {
        char piece[TESTING_SPELLING_MAX];
        size_t size = 0;
        for (uint32_t marks = testing_random(&seed) % 3; marks > 0; marks--)
            size += (size_t)snprintf(piece + size, sizeof piece - size, "\xe2\x96\x81");
        for (uint32_t letters = testing_random(&seed) % 5; letters > 0; letters--)
            piece[size++] = (char)('a' + testing_random(&seed) % 2);
        if (testing_random(&seed) % 8 == 0)
            size += (size_t)snprintf(piece + size, sizeof piece - size, "b\xe2\x96\x81");
        piece[size] = '\0';
        if (size > 0)
            add(&fixture, piece, -(float)(testing_random(&seed) % 1000) / 16);
    }
    build(&fixture);
    assert_false(fixture.spm.words.cuts['b'][' '] || fixture.spm.words.cuts['a']['\n']);
    assert_true(fixture.spm.words.cuts['a'][' '] && fixture.spm.words.cuts['\n']['b']);
    assert_true(fixture.spm.words.cuts['a']['!'] && fixture.spm.words.cuts['!'][0xc3]);
    uncut = fixture;
    memset(uncut.spm.words.cuts, 0, sizeof uncut.spm.words.cuts);
    for (uint32_t round = 0; round < 3000; round++) {
        struct text_buf text = {0};
        for (uint32_t i = testing_random(&seed) % 64; i > 0; i--)
            text_buf_add(&text, text_of(PARTS[testing_random(&seed) % 10]));
        encode(&fixture, text_buf_text(&text), round & 1, &apart);
        encode(&uncut, text_buf_text(&text), round & 1, &whole);
        assert_true(text_equal(text_buf_text(&apart), text_buf_text(&whole)));
        text_buf_deinit(&text);
    }
    arena_deinit(&fixture.arena);
    text_buf_deinit(&apart);
    text_buf_deinit(&whole);
}

static void test_piece_past_a_space(void **state)
{
    static struct fixture fixture;
    (void)state;
    begin(&fixture, true);
    add(&fixture, "\xe2\x96\x81", -9);
    add(&fixture, "a", -9);
    add(&fixture, "a\xe2\x96\x81", -1);
    add(&fixture,
        "a\xe2\x96\x81"
        "a",
        -2);
    build(&fixture);
    assert_false(fixture.spm.words.cuts['a'][' '] || fixture.spm.words.cuts[' ']['a']);
    check(&fixture, "a a", false,
          "a\xe2\x96\x81"
          "a");
    arena_deinit(&fixture.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scores_decide), cmocka_unit_test(test_no_control_by_merging),
        cmocka_unit_test(test_without_bytes), cmocka_unit_test(test_refused_scores),
        cmocka_unit_test(test_words_apart),   cmocka_unit_test(test_piece_past_a_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
