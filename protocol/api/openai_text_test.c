/* openai_text_test - prompts in each of their forms, refusals, a reply with its prompt. */
#include "protocol/api/openai_text.h"

#include "protocol/api/openai_embed.h"
#include "tests/harness/parsed.h"

#include <math.h>

static struct parsed parse(const char *body)
{
    return parsed_body(openai_text_parse, body);
}

static void test_prompts(void **state)
{
    static const struct {
        const char *prompt;
        uint32_t count, first_ids;
    } cases[] = {{"\"a\"", 1, 0},           {"[\"a\",\"b\"]", 2, 0}, {"[5,6,7]", 1, 3},
                 {"[[5],[6,7],[8]]", 3, 1}, {"[[5,6],\"b\"]", 2, 2}, {"\"\"", 1, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text_buf body = {0};
        text_buf_format(&body, "{\"prompt\":%s}", cases[i].prompt);
        struct parsed p = parse(body.data);
        assert_int_equal(p.status, OK);
        assert_int_equal(p.ask.kind, ASK_TEXT);
        assert_int_equal(p.ask.prompt_count, cases[i].count);
        assert_int_equal(p.ask.prompts[0].id_count, cases[i].first_ids);
        assert_int_equal(p.ask.job.max_tokens, 16);
        assert_false(p.ask.logprobs || p.ask.echo || p.ask.is_mute);
        json_free(p.root);
        text_buf_deinit(&body);
    }
}

static void test_fields(void **state)
{
    (void)state;
    struct parsed p = parse("{\"prompt\":\"a\",\"max_tokens\":0,\"logprobs\":0,\"echo\":true,"
                            "\"n\":2,\"best_of\":2}");
    assert_int_equal(p.status, OK);
    assert_true(p.ask.is_mute && p.ask.logprobs && p.ask.echo);
    assert_int_equal(p.ask.job.top_count, 0);
    assert_int_equal(p.ask.job.sample_count, 2);
    json_free(p.root);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *body, *name;
    } cases[] = {
        {"{}", "prompt"},
        {"{\"prompt\":[]}", "prompt"},
        {"{\"prompt\":[[]]}", "prompt"},
        {"{\"prompt\":[1.5]}", "prompt"},
        {"{\"prompt\":[-1]}", "prompt"},
        {"{\"prompt\":[2147483648]}", "prompt"},
        {"{\"prompt\":[1,\"a\"]}", "prompt"},
        {"{\"prompt\":[\"a\",1]}", "prompt"},
        {"{\"prompt\":[{}]}", "prompt"},
        {"{\"prompt\":{}}", "prompt"},
        {"{\"prompt\":\"a\",\"suffix\":\"b\"}", "suffix"},
        {"{\"prompt\":\"a\",\"logprobs\":21}", "logprobs"},
        {"{\"prompt\":\"a\",\"logprobs\":true}", "logprobs"},
        {"{\"prompt\":\"a\",\"best_of\":2}", "best_of"},
        {"{\"prompt\":\"a\",\"max_tokens\":-1}", "max_tokens"},
        {"{\"prompt\":\"a\",\"logprobs\":1,\"echo\":true,\"stream\":true}", "logprobs"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        parsed_blames(openai_text_parse, cases[i].body, &openai_text_fields, cases[i].name);
}

/* A prompt of two tokens, of one character in three bytes and two in three, and a token after
 * it that is half a character. */
static void test_echo(void **state)
{
    struct logprob_top tops[] = {{TEXT("x"), -0.25f}};
    struct logprob_token prompt[] = {{TEXT("\xe2\x82\xac"), NAN, 0, 0, 0},
                                     {TEXT(" \xc3\xa9"), -0.5f, 0, 1, 1}};
    struct logprob_token own[] = {{TEXT("\xc3"), -1.5f, 0, 0, 0}};
    struct reply_prompt back = {.text = {.data = "P", .size = 1},
                                .logprobs = {.tokens = prompt, .tops = tops, .count = 2}};
    struct reply_choice choices[2] = {{.text = {.data = "A", .size = 1}},
                                      {.text = {.data = "B", .size = 1},
                                       .logprobs = {.tokens = own, .count = 1},
                                       .finish = ENGINE_LENGTH}};
    const struct reply reply = {.id = "cmpl-1",
                                .choices = choices,
                                .choice_count = 2,
                                .prompts = &back,
                                .prompt_count = 1,
                                .has_logprobs = true};
    struct text_buf out = {0};
    (void)state;
    openai_text_wire.whole(&reply, &out);
    assert_non_null(strstr(
        out.data,
        "{\"index\":1,\"text\":\"PB\",\"logprobs\":{\"tokens\":[\"\xe2\x82\xac\",\" \xc3\xa9\","
        "\"bytes:\\\\xc3\"],\"token_logprobs\":[null,-0.5,-1.5],\"top_logprobs\":[null,"
        "{\"x\":-0.25},null],\"text_offset\":[0,1,3]},\"finish_reason\":\"length\"}"));
    text_buf_deinit(&out);
}

static void test_base64(void **state)
{
    float four[] = {1, 0, 0, -2};
    struct reply_choice choice = {.vector = four, .vector_size = 4};
    const struct reply reply = {.choices = &choice, .choice_count = 1, .is_base64 = true};
    struct text_buf out = {0};
    (void)state;
    openai_embed_wire.whole(&reply, &out);
    assert_non_null(strstr(out.data, "\"embedding\":\"AACAPwAAAAAAAAAAAAAAwA==\""));
    text_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prompts),  cmocka_unit_test(test_fields),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_echo),
        cmocka_unit_test(test_base64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
