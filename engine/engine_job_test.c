/*
 * engine_job_test - texts of a JobOutput's schema: which are of it and which are not, bad UTF-8
 * and bad escapes among these; and drawn at random from a vocabulary of bytes and pieces, each
 * is whole within its tokens, from the fewest on, and parses.
 */
#include "base/json.h"
#include "engine/engine_job.h"
#include "engine/masks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { VOCAB = 1200, TOKENS_MAX = 300, ROUNDS = 12 };

static struct arena arena;
static struct masks masks;
static struct constraint *output, *chunk;
static char pieces[VOCAB][12];
static struct text bytes[VOCAB];
static uint32_t ends[(VOCAB + 31) / 32];

/* All single bytes, two control tokens, some whole words, and random strings that the schema is
 * likely to be tested by. */
static void make_vocabulary(void)
{
    static const char *const words[] = {
        "{\"",  "explanation", "\":",   " \"", "citation", "answer", "\", \"",
        "null", "null, ",      "null}", "\"}", "\\u00",    "\\n",    "{\"explanation\": \"",
        " the"};
    static const char letters[] = "\"\\unabd089{}:, \xc3\xa9\xe0\xed\xf0\xf4\x80\xbf\x90";
    uint32_t count = 0;
    for (; count < 256; count++) {
        pieces[count][0] = (char)count;
        bytes[count] = (struct text){pieces[count], 1};
    }
    count += 2; /* no bytes: never allowed */
    for (size_t w = 0; w < sizeof words / sizeof *words; w++)
        bytes[count++] = text_of(words[w]);
    for (; count < VOCAB; count++) {
        bytes[count] = (struct text){pieces[count], 1 + (size_t)(rand() % 6)};
        for (size_t b = 0; b < bytes[count].size; b++)
            pieces[count][b] = letters[(size_t)rand() % (sizeof letters - 1)];
    }
}

static int make(void **state)
{
    const struct masks_options options = {bytes, ends, VOCAB, 1};
    (void)state;
    srand(4);
    make_vocabulary();
    assert_int_equal(arena_init(&arena, masks_bytes(&options), NULL), OK);
    assert_int_equal(masks_init(&masks, &options, &arena, NULL), OK);
    assert_int_equal(
        constraint_new(&output, CONSTRAINT_SCHEMA, text_of(engine_job_output_schema), NULL),
        OK);
    assert_int_equal(
        constraint_new(&chunk, CONSTRAINT_CHUNK, TEXT("Net sales were 5 million."), NULL), OK);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    constraint_free(chunk);
    constraint_free(output);
    arena_deinit(&arena);
    return 0;
}

static bool accepts(const char *text)
{
    static struct constraint_text at;
    constraint_start_copying(output, chunk, &masks.walk.matcher, &at);
    return constraint_advance(output, &masks.walk.matcher, &at, text_of(text)) &&
           constraint_is_over(output, &at);
}

static void texts_of_a_job_output(void **state)
{
    (void)state;
#define OUT(e, c, a) "{\"explanation\": " e ", \"citation\": " c ", \"answer\": " a "}"
    assert_true(accepts(OUT("\"\"", "null", "null")));
    assert_true(accepts(
        OUT("\"a \\\"b\\\" \\u00e9 \xc3\xa9 \xf0\x9f\x98\x80\"", "\"sales were 5\"", "\"d\"")));
    assert_false(accepts(OUT("\"\"", "\"sales were 6\"", "null")));
    assert_false(accepts(OUT("null", "null", "null")));
    assert_false(accepts(OUT("\"\"", "1", "null")));
    assert_false(accepts(OUT("\"\n\"", "null", "null")));
    assert_false(accepts(OUT("\"\\x\"", "null", "null")));
    assert_true(accepts(OUT("\"\\u0001\\u1000\\ud7ff\\ue000\"", "null", "null")));
    assert_false(accepts(OUT("\"\\ud800\"", "null", "null")));
    assert_false(accepts(OUT("\"\\uDfff\"", "null", "null")));
    assert_false(accepts(OUT("\"\xc0\x80\"", "null", "null")));     /* overlong */
    assert_false(accepts(OUT("\"\xe0\x80\x80\"", "null", "null"))); /* overlong */
    assert_false(accepts(OUT("\"\xed\xa0\x80\"", "null", "null"))); /* surrogate */
    assert_false(accepts(OUT("\"\xf4\x90\x80\x80\"", "null", "null")));
    assert_false(accepts(OUT("\"\xc3\"", "null", "null")));
    assert_false(accepts(OUT("\"\x80\"", "null", "null")));
    assert_false(accepts("{\"citation\": null, \"explanation\": \"\", \"answer\": null}"));
    assert_false(accepts("{\"explanation\": \"\", \"answer\": null}"));
#undef OUT
}

static void check_text(struct text text)
{
    struct json *root = NULL;
    struct error err;
    struct text out;
    if (json_parse(text, 0, &root, &err) != OK)
        fail_msg("%s: %.*s", err.text, TEXT_ARG(text));
    assert_int_equal(json_count(root), 3);
    assert_true(json_text(json_get(root, "explanation"), &out));
    assert_non_null(json_get(root, "citation"));
    assert_non_null(json_get(root, "answer"));
    json_free(root);
}

static uint32_t pick(const uint32_t *mask)
{
    uint32_t token = (uint32_t)rand() % VOCAB;
    for (uint32_t tried = 0; tried < VOCAB; tried++, token = (token + 1) % VOCAB)
        if (mask[token / 32] >> token % 32 & 1)
            return token;
    fail_msg("no token may come");
    return 0;
}

/* One text of that many tokens at most. */
static void draw_text(uint32_t limit)
{
    static struct constraint_text at;
    struct text_buf text = {0};
    uint32_t left = limit;
    constraint_start_copying(output, chunk, &masks.walk.matcher, &at);
    for (; !constraint_is_over(output, &at); left--) {
        assert_true(left > 0);
        masks_begin(&masks);
        const uint32_t token = pick(masks_of(&masks, output, &at, left));
        assert_true(constraint_advance(output, &masks.walk.matcher, &at, bytes[token]));
        text_buf_add(&text, bytes[token]);
    }
    check_text(text_buf_text(&text));
    text_buf_deinit(&text);
}

static void whole_within_its_tokens(void **state)
{
    static struct constraint_text at;
    (void)state;
    constraint_start_copying(output, chunk, &masks.walk.matcher, &at);
    const uint32_t least = mask_walk_fewest(&masks.walk, output, &at);
    assert_int_equal(least,
                     sizeof "{\"explanation\":\"\",\"citation\":\"\",\"answer\":\"\"}" - 1);
    for (uint32_t limit = least; limit < TOKENS_MAX; limit += 1 + limit / 16)
        for (int round = 0; round < ROUNDS; round++)
            draw_text(limit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_of_a_job_output),
        cmocka_unit_test(whole_within_its_tokens),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
