/* openai_test - request bodies read and refused by field, replies of the documented shape. */
#include "protocol/api/openai.h"
#include "tests/harness/parsed.h"

static struct parsed parse(const char *body)
{
    return parsed_body(openai_chat_parse, body);
}

static void test_whole(void **state)
{
    (void)state;
    struct parsed p = parse(
        "{\"model\":\"m\",\"messages\":[{\"role\":\"developer\",\"content\":\"be brief\"},"
        "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
        "{\"type\":\"text\",\"text\":\"b\"}]}],\"temperature\":0.5,\"top_p\":0.25,\"n\":3,"
        "\"max_tokens\":7,\"max_completion_tokens\":9,\"seed\":-1,\"stop\":[\"x\",\"y\"],"
        "\"stream\":true,\"logit_bias\":{},\"tools\":[],\"logprobs\":false,\"user\":\"u\","
        "\"presence_penalty\":0,\"tool_choice\":\"none\",\"response_format\":{\"type\":"
        "\"text\"},\"chunk\":\"a\\nb\"}");
    assert_int_equal(p.status, OK);
    assert_int_equal(p.ask.prompts[0].message_count, 2);
    assert_true(text_equal(p.ask.prompts[0].messages[0].role, TEXT("system")));
    assert_true(text_equal(p.ask.prompts[0].messages[1].content, TEXT("ab")));
    assert_true(p.ask.job.temperature > 0.49f && p.ask.job.temperature < 0.51f);
    assert_true(p.ask.job.top_p > 0.24f && p.ask.job.top_p < 0.26f);
    assert_int_equal(p.ask.job.sample_count, 3);
    assert_int_equal(p.ask.job.max_tokens, 9);
    assert_true(p.ask.has_seed && p.ask.job.seed == UINT64_MAX);
    assert_int_equal(p.ask.job.stop_count, 2);
    assert_true(text_equal(p.ask.job.stops[1], TEXT("y")));
    assert_true(p.ask.stream);
    assert_true(text_equal(p.ask.job.chunk, TEXT("a\nb")));
    json_free(p.root);
}

static void test_sampling(void **state)
{
    (void)state;
    struct parsed p =
        parse("{\"messages\":[{\"role\":\"user\",\"content\":\"\"}],\"frequency_penalty\":-0.5,"
              "\"presence_penalty\":1.5,\"repetition_penalty\":1.25,\"logit_bias\":{\"7\":-100,"
              "\"49151\":2.5},\"logprobs\":true,\"top_logprobs\":4,\"min_p\":0.25,\"top_k\":9,"
              "\"priority\":-3,\"deadline_ms\":250,\"best_of\":1,\"typical_p\":0.75}");
    const struct engine_job *job = &p.ask.job;
    assert_int_equal(p.status, OK);
    assert_true(job->frequency_penalty == -0.5f && job->presence_penalty == 1.5f);
    assert_true(job->repetition_penalty == 1.25f && job->min_p == 0.25f);
    assert_int_equal(job->top_k, 9);
    assert_true(job->typical_p == 0.75f);
    assert_int_equal(job->bias_count, 2);
    assert_true(job->biases[0].token == 7 && job->biases[0].bias == -100.0f);
    assert_true(job->biases[1].token == 49151 && job->biases[1].bias == 2.5f);
    assert_true(p.ask.logprobs);
    assert_int_equal(job->top_count, 4);
    assert_int_equal(job->priority, -3);
    assert_int_equal(job->deadline_ms, 250);
    json_free(p.root);
}

static void test_defaults(void **state)
{
    (void)state;
    struct parsed p =
        parse("{\"messages\":[{\"role\":\"user\",\"content\":\"\"}],\"stop\":null,"
              "\"top_p\":null,\"seed\":null}");
    assert_int_equal(p.status, OK);
    assert_true(p.ask.job.temperature > 0.99f && p.ask.job.temperature < 1.01f);
    assert_int_equal(p.ask.job.sample_count, 1);
    assert_int_equal(p.ask.job.max_tokens, 0);
    assert_false(p.ask.has_seed || p.ask.stream || p.ask.job.stop_count);
    json_free(p.root);
    p = parse(
        "{\"messages\":[{\"role\":\"user\",\"content\":\"\"}],\"top_p\":0,\"stop\":\"s\"}");
    assert_int_equal(p.status, OK);
    assert_true(p.ask.job.temperature <= 0);
    assert_int_equal(p.ask.job.stop_count, 1);
    json_free(p.root);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *fields, *want;
        enum status status;
    } cases[] = {
        {"\"temperature\":2.5", "temperature: 2.5 is not in 0 to 2", ERR_LIMIT},
        {"\"temperature\":\"hot\"", "temperature: want a number", ERR_FORMAT},
        {"\"temperature\":1e999", "temperature: want a number", ERR_FORMAT},
        {"\"top_p\":-0.1", "top_p: -0.1", ERR_LIMIT},
        {"\"n\":0", "n: 0 is not in 1 to 128", ERR_LIMIT},
        {"\"n\":129", "n: 129", ERR_LIMIT},
        {"\"n\":1.5", "n: want a whole", ERR_FORMAT},
        {"\"max_tokens\":0", "max_tokens: 0", ERR_LIMIT},
        {"\"max_tokens\":9223372036854775807", "max_tokens: 9223372036854775807", ERR_LIMIT},
        {"\"max_tokens\":99999999999999999999", "max_tokens: want", ERR_FORMAT},
        {"\"seed\":1.5", "seed: want", ERR_FORMAT},
        {"\"stop\":[\"a\",1]", "stop: want", ERR_FORMAT},
        {"\"stop\":{}", "stop: want", ERR_FORMAT},
        {"\"tools\":[{}]", "tools: type", ERR_LIMIT},
        {"\"logprobs\":1", "logprobs: want true or false", ERR_FORMAT},
        {"\"top_logprobs\":3", "top_logprobs: 3, but logprobs is not true", ERR_FORMAT},
        {"\"logprobs\":true,\"top_logprobs\":21", "top_logprobs: 21 is not in 0 to 20",
         ERR_LIMIT},
        {"\"frequency_penalty\":2.5", "frequency_penalty: 2.5 is not in -2 to 2", ERR_LIMIT},
        {"\"presence_penalty\":-3", "presence_penalty: -3 is not in -2 to 2", ERR_LIMIT},
        {"\"repetition_penalty\":0", "repetition_penalty: 0 is not in 0.01 to 100", ERR_LIMIT},
        {"\"best_of\":2", "best_of: not supported", ERR_LIMIT},
        {"\"typical_p\":1.5", "typical_p: 1.5 is not in 1e-06 to 1", ERR_LIMIT},
        {"\"typical_p\":0", "typical_p: 0 is not in 1e-06 to 1", ERR_LIMIT},
        {"\"typical_p\":\"most\"", "typical_p: want a number", ERR_FORMAT},
        {"\"logit_bias\":[1]", "logit_bias: want an object", ERR_FORMAT},
        {"\"logit_bias\":{\"the\":1}", "logit_bias: \"the\" is no token id", ERR_FORMAT},
        {"\"logit_bias\":{\"-1\":1}", "logit_bias: \"-1\" is no token id", ERR_FORMAT},
        {"\"logit_bias\":{\"99999999999\":1}", "logit_bias: \"99999999999\" is no token id",
         ERR_FORMAT},
        {"\"logit_bias\":{\"5\":true}", "logit_bias: want a number for token 5", ERR_FORMAT},
        {"\"logit_bias\":{\"5\":-101}", "logit_bias: -101 for token 5", ERR_LIMIT},
        {"\"priority\":101", "priority: 101 is not in -100 to 100", ERR_LIMIT},
        {"\"deadline_ms\":0", "deadline_ms: 0 is not in 1 to 4294967295", ERR_LIMIT},
        {"\"response_format\":{\"type\":\"grammar\"}", "response_format: type \"grammar\"",
         ERR_LIMIT},
        {"\"response_format\":\"json_object\"", "response_format: want an object with a type",
         ERR_FORMAT},
        {"\"response_format\":{\"type\":\"json_schema\"}",
         "response_format: json_schema: want an object", ERR_FORMAT},
        {"\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"x\"}}",
         "response_format: json_schema: it has no schema", ERR_FORMAT},
        {"\"chunk\":7", "chunk: want a string", ERR_FORMAT},
        {"\"messages\":[]", "", OK}, /* the first of two counts */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text_buf source = {0};
        text_buf_format(&source, "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"}],%s}",
                        cases[i].fields);
        parsed_expect(openai_chat_parse, source.data, cases[i].status, cases[i].want);
        text_buf_deinit(&source);
    }
}

/* A schema comes through as it was written, numbers and all. */
static void test_response_format(void **state)
{
    static const struct {
        const char *format, *source;
    } cases[] = {
        {"{\"type\":\"text\"}", NULL},
        {"null", NULL},
        {"{\"type\":\"json_object\"}", "{\"type\":\"object\"}"},
        {"{\"type\":\"json_object\",\"schema\":{\"type\":\"null\"}}", "{\"type\":\"null\"}"},
        {"{\"type\":\"json_schema\",\"schema\":{}}", "{}"},
        {"null,\"json_schema\":{\"type\":\"null\"}", "{\"type\":\"null\"}"},
        {"{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\",\"strict\":true,\"schema\":"
         "{\"type\": \"integer\", \"maximum\": 9007199254740993, \"enum\": [1.50, -1e2, "
         "\"\\u00e9\\n\","
         " [null, true], {}]}}}",
         "{\"type\":\"integer\",\"maximum\":9007199254740993,\"enum\":[1.50,-1e2,"
         "\"\xc3\xa9\\n\","
         "[null,true],{}]}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text_buf source = {0};
        text_buf_format(&source,
                        "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"}],"
                        "\"response_format\":%s}",
                        cases[i].format);
        struct parsed p = parse(source.data);
        assert_int_equal(p.status, OK);
        assert_int_equal(p.ask.job.format,
                         cases[i].source ? ENGINE_FORMAT_SCHEMA : ENGINE_FORMAT_TEXT);
        if (cases[i].source && !text_equal(p.ask.job.format_source, text_of(cases[i].source)))
            fail_msg("%.*s", TEXT_ARG(p.ask.job.format_source));
        json_free(p.root);
        text_buf_deinit(&source);
    }
}

static void test_wrong_messages(void **state)
{
    static const char *const bodies[] = {
        "[]",
        "{}",
        "{\"messages\":{}}",
        "{\"messages\":[]}",
        "{\"messages\":[1]}",
        "{\"messages\":[{\"role\":\"user\"}]}",
        "{\"messages\":[{\"role\":\"user\",\"content\":null}]}",
        "{\"messages\":[{\"role\":\"tool\",\"content\":\"x\"}]}",
        "{\"messages\":[{\"role\":1,\"content\":\"x\"}]}",
        "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]}",
        "{\"messages\":[{\"role\":\"user\",\"content\":[\"x\"]}]}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct parsed p = parse(bodies[i]);
        if (p.status != ERR_FORMAT && p.status != ERR_LIMIT)
            fail_msg("%s is taken", bodies[i]);
        json_free(p.root);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),    cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_wrong_messages),
        cmocka_unit_test(test_sampling), cmocka_unit_test(test_response_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
