/*
 * grammar_test - texts walked at random under the masks always parse, whatever the limit; each
 * mask says for each token what walking its bytes says; bad UTF-8 and bad escapes are out.
 */
#include "engine/grammar.h"

#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { VOCAB = 1200, TOKENS_MAX = 300 };

static struct arena arena;
static struct grammar_shape shape;
static struct grammar grammar;
static char pieces[VOCAB][12];
static struct text bytes[VOCAB];

/* All single bytes, two control tokens, some whole words, and random strings that the shape is
 * likely to be tested by. */
static void make_vocabulary(void)
{
    static const char *const words[] = {
        "{\"",  "explanation", "\":",   " \"", "citation", "answer", "\", \"",
        "null", "null, ",      "null}", "\"}", "\\u00",    "\\n",    "{\"explanation\": \"",
        " the"};
    static const char letters[] = "\"\\unabd089{}:, \xc3\xa9\xe0\xed\xf0\xf4\x80\xbf\x90";
    uint32_t count = 0;
    for (int b = 0; b < 256; b++) {
        pieces[count][0] = (char)b;
        bytes[count] = (struct text){.data = pieces[count], .size = 1};
        count++;
    }
    count += 2; /* no bytes: never allowed */
    for (size_t w = 0; w < sizeof words / sizeof *words; w++)
        bytes[count++] = text_of(words[w]);
    for (; count < VOCAB; count++) {
        bytes[count] = (struct text){.data = pieces[count], .size = 1 + (size_t)(rand() % 6)};
        for (size_t b = 0; b < bytes[count].size; b++)
            pieces[count][b] = letters[(size_t)rand() % (sizeof letters - 1)];
    }
}

static int make(void **state)
{
    (void)state;
    srand(4);
    make_vocabulary();
    assert_int_equal(arena_init(&arena, (size_t)64 << 20, NULL), OK);
    grammar_shape_job_output(&shape);
    assert_int_equal(grammar_init(&grammar, &shape, bytes, VOCAB, &arena, NULL), OK);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    arena_deinit(&arena);
    return 0;
}

static bool has(const uint32_t *mask, uint32_t token)
{
    return mask[token / 32] >> (token % 32) & 1;
}

static uint16_t walk(uint16_t state, struct text text)
{
    for (size_t i = 0; i < text.size && state != GRAMMAR_DEAD; i++)
        state = shape.next[state][(unsigned char)text.data[i]];
    return state;
}

static bool accepts(const char *text)
{
    return walk(shape.start, text_of(text)) == shape.end;
}

static void masks_say_what_walking_says(void **state)
{
    (void)state;
    for (uint16_t s = 1; s < shape.state_count; s++) {
        uint16_t worst = 0;
        for (uint32_t t = 0; t < VOCAB; t++) {
            const uint16_t to = bytes[t].size > 0 ? walk(s, bytes[t]) : GRAMMAR_DEAD;
            const size_t at = (size_t)s * grammar.words;
            assert_int_equal(has(grammar.allowed + at, t), to != GRAMMAR_DEAD);
            const bool nearer =
                to != GRAMMAR_DEAD && grammar.distance[to] < grammar.distance[s];
            assert_int_equal(has(grammar.closing + at, t), nearer);
            if (to != GRAMMAR_DEAD && grammar.distance[to] > worst)
                worst = grammar.distance[to];
        }
        assert_int_equal(grammar.worst[s], worst);
    }
}

static void shape_of_job_output(void **state)
{
    (void)state;
#define OUT(e, c, a) "{\"explanation\": " e ", \"citation\": " c ", \"answer\": " a "}"
    assert_true(accepts(OUT("\"\"", "null", "null")));
    assert_true(
        accepts(OUT("\"a \\\"b\\\" \\u00e9 \xc3\xa9 \xf0\x9f\x98\x80\"", "\"c\"", "\"d\"")));
    assert_false(accepts(OUT("null", "null", "null")));
    assert_false(accepts(OUT("\"\"", "1", "null")));
    assert_false(accepts(OUT("\"\n\"", "null", "null")));
    assert_false(accepts(OUT("\"\\x\"", "null", "null")));
    assert_false(accepts(OUT("\"\\u0000\"", "null", "null")));
    assert_true(accepts(OUT("\"\\u0001\\u1000\\ud7ff\\ue000\"", "null", "null")));
    assert_false(accepts(OUT("\"\\ud800\\udc00\"", "null", "null")));
    assert_false(accepts(OUT("\"\\uDfff\"", "null", "null")));
    assert_false(accepts(OUT("\"\xc0\x80\"", "null", "null")));     /* overlong */
    assert_false(accepts(OUT("\"\xe0\x80\x80\"", "null", "null"))); /* overlong */
    assert_false(accepts(OUT("\"\xed\xa0\x80\"", "null", "null"))); /* surrogate */
    assert_false(accepts(OUT("\"\xf4\x90\x80\x80\"", "null", "null")));
    assert_false(accepts(OUT("\"\xc3\"", "null", "null")));
    assert_false(accepts(OUT("\"\x80\"", "null", "null")));
    assert_false(accepts(OUT("\"\"", "null", "null") " "));
#undef OUT
}

static void check_text(const struct text_buf *text)
{
    struct json *root = NULL;
    struct error err;
    struct text out;
    if (json_parse(text_buf_text(text), 0, &root, &err) != OK)
        fail_msg("%s: %.*s", err.text, TEXT_ARG(text_buf_text(text)));
    assert_int_equal(json_count(root), 3);
    assert_true(json_text(json_get(root, "explanation"), &out));
    assert_non_null(json_get(root, "citation"));
    assert_non_null(json_get(root, "answer"));
    json_free(root);
}

static token_id pick(const uint32_t *mask)
{
    uint32_t t = (uint32_t)rand() % VOCAB;
    uint32_t tried = 0;
    while (!has(mask, t) && tried++ < VOCAB)
        t = (t + 1) % VOCAB;
    return tried > VOCAB ? TOKEN_NONE : (token_id)t;
}

static void always_parses_within_its_limit(void **state)
{
    (void)state;
    const uint32_t least = grammar_tokens_min(&grammar);
    assert_in_range(least, 5, 30);
    for (uint32_t limit = least; limit < TOKENS_MAX; limit += 1 + limit / 16)
        for (int round = 0; round < 60; round++) {
            struct grammar_cursor cursor;
            struct text_buf text = {0};
            grammar_start(&grammar, &cursor);
            uint32_t left = limit;
            for (; !grammar_is_complete(&grammar, &cursor); left--) {
                assert_true(left > 0);
                const token_id token = pick(grammar_allowed(&grammar, &cursor, left, limit));
                assert_int_not_equal(token, TOKEN_NONE);
                grammar_advance(&grammar, &cursor, token);
                text_buf_add(&text, bytes[token]);
            }
            check_text(&text);
            text_buf_deinit(&text);
        }
}

/* A first field that never ends of itself leaves the last its share. */
static void long_fields_are_closed(void **state)
{
    (void)state;
    struct grammar_cursor cursor;
    grammar_start(&grammar, &cursor);
    const struct text head = TEXT("{\"explanation\": \"");
    uint32_t left = 200;
    for (size_t i = 0; i < head.size; i++, left--)
        grammar_advance(&grammar, &cursor, (unsigned char)head.data[i]);
    while (shape.field[cursor.state] == 1 &&
           has(grammar_allowed(&grammar, &cursor, left, 200), 'a')) {
        grammar_advance(&grammar, &cursor, 'a');
        left--;
    }
    assert_int_equal(left, 100);
    for (int i = 0; i < 3 && shape.field[cursor.state] == 1; i++, left--)
        grammar_advance(&grammar, &cursor, pick(grammar_allowed(&grammar, &cursor, left, 200)));
    assert_int_not_equal(shape.field[cursor.state], 1);
}

static void a_vocabulary_without_quotes_cannot(void **state)
{
    (void)state;
    struct grammar poor;
    static struct text few[VOCAB];
    for (uint32_t t = 0; t < VOCAB; t++)
        few[t] = memchr(bytes[t].data ? bytes[t].data : "", '"', bytes[t].size)
                     ? (struct text){.size = 0}
                     : bytes[t];
    assert_int_equal(grammar_init(&poor, &shape, few, VOCAB, &arena, NULL), OK);
    assert_int_equal(grammar_tokens_min(&poor), UINT32_MAX);
    struct arena small = {.base = (uint8_t *)pieces, .size = 64};
    struct error err;
    assert_int_equal(grammar_init(&poor, &shape, few, VOCAB, &small, &err), ERR_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shape_of_job_output),
        cmocka_unit_test(masks_say_what_walking_says),
        cmocka_unit_test(always_parses_within_its_limit),
        cmocka_unit_test(long_fields_are_closed),
        cmocka_unit_test(a_vocabulary_without_quotes_cannot),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
