/* ollama_test - request bodies of Ollama's API, field by field. */
#include "protocol/api/ollama.h"
#include "tests/harness/parsed.h"

static bool is_near(float a, double b)
{
    return (double)a > b - 1e-6 && (double)a < b + 1e-6;
}

static void test_options(void **state)
{
    (void)state;
    struct parsed p = parsed_body(
        ollama_chat_parse,
        "{\"model\":\"llama3.2\",\"stream\":false,\"keep_alive\":\"5m\",\"think\":false,"
        "\"tools\":[],\"messages\":[{\"role\":\"system\",\"content\":\"be brief\"},"
        "{\"role\":\"user\",\"content\":\"q\",\"images\":[]}],\"logprobs\":true,"
        "\"top_logprobs\":3,\"options\":{\"num_predict\":7,\"num_ctx\":48000,\"seed\":42,"
        "\"temperature\":0.5,\"top_p\":0.25,\"top_k\":9,\"min_p\":0.125,\"typical_p\":0.75,"
        "\"stop\":[\"x\",\"y\"],\"repeat_penalty\":1.25,\"presence_penalty\":0.5,"
        "\"frequency_penalty\":-0.5,\"num_gpu\":99,\"mirostat\":0}}");
    const struct engine_job *job = &p.ask.job;
    assert_int_equal(p.status, OK);
    assert_int_equal(p.ask.kind, ASK_CHAT);
    assert_true(p.ask.has_one_choice && p.ask.has_seed && p.ask.logprobs);
    assert_false(p.ask.stream || p.ask.is_mute);
    assert_int_equal(p.ask.prompts[0].message_count, 2);
    assert_true(text_equal(p.ask.prompts[0].messages[1].content, TEXT("q")));
    assert_int_equal(job->max_tokens, 7);
    assert_int_equal(job->seed, 42);
    assert_true(job->top_k == 9 && job->stop_count == 2 && job->top_count == 3);
    assert_true(is_near(job->temperature, 0.5) && is_near(job->top_p, 0.25));
    assert_true(is_near(job->min_p, 0.125) && is_near(job->typical_p, 0.75));
    assert_true(is_near(job->repetition_penalty, 1.25));
    assert_true(is_near(job->presence_penalty, 0.5) && is_near(job->frequency_penalty, -0.5));
    json_free(p.root);
}

/* Calls and results without names are named by their order. */
static void test_tools(void **state)
{
    (void)state;
    struct parsed p = parsed_body(
        ollama_chat_parse,
        "{\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{}}}],"
        "\"messages\":[{\"role\":\"user\",\"content\":\"q\"},"
        "{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"name\":\"f\","
        "\"arguments\":{\"a\":1}}},{\"function\":{\"name\":\"g\",\"arguments\":{}}}]},"
        "{\"role\":\"tool\",\"tool_name\":\"f\",\"content\":\"r\"},"
        "{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"name\":\"f\","
        "\"arguments\":{}}}]},{\"role\":\"tool\",\"content\":\"s\"}]}");
    const struct tokenizer_message *messages = p.ask.prompts[0].messages;
    assert_int_equal(p.status, OK);
    assert_true(p.ask.tools.list && p.ask.tools.choice == ASK_TOOLS_AUTO);
    assert_true(text_equal(
        messages[1].tool_calls,
        TEXT("[{\"id\":\"call00001\",\"type\":\"function\",\"function\":{\"name\":\"f\","
             "\"arguments\":{\"a\":1}}},{\"id\":\"call00002\",\"type\":\"function\","
             "\"function\":{\"name\":\"g\",\"arguments\":{}}}]")));
    assert_true(text_equal(messages[2].tool_call_id, TEXT("call00001")));
    assert_true(text_equal(messages[2].name, TEXT("f")));
    assert_true(text_equal(messages[4].tool_call_id, TEXT("call00003")));
    json_free(p.root);
}

/* Ollama's own, where nothing is said. */
static void test_defaults(void **state)
{
    (void)state;
    struct parsed p = parsed_body(ollama_chat_parse,
                                  "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"}]}");
    const struct engine_job *job = &p.ask.job;
    assert_int_equal(p.status, OK);
    assert_true(p.ask.stream && !p.ask.has_seed && !p.ask.is_mute);
    assert_true(is_near(job->temperature, 0.8) && is_near(job->top_p, 0.9));
    assert_int_equal(job->top_k, 40);
    assert_int_equal(job->max_tokens, 0);
    assert_int_equal(job->format, ENGINE_FORMAT_TEXT);
    json_free(p.root);
}

/* How long an answer may be, and when none is wanted. */
static void test_lengths(void **state)
{
    static const struct {
        const char *rest;
        uint32_t max_tokens;
        bool is_mute;
    } cases[] = {
        {"\"messages\":[{\"role\":\"user\",\"content\":\"q\"}],\"options\":{\"num_ctx\":512}",
         512, false},
        {"\"messages\":[{\"role\":\"user\",\"content\":\"q\"}],\"options\":{\"num_predict\":-"
         "1}",
         0, false},
        {"\"messages\":[{\"role\":\"user\",\"content\":\"q\"}],\"options\":{\"num_predict\":-2,"
         "\"num_ctx\":100}",
         100, false},
        {"\"messages\":[{\"role\":\"system\",\"content\":\"test\"}]", OLLAMA_PROBE_TOKENS,
         false},
        {"\"messages\":[{\"role\":\"system\",\"content\":\"test\"}],\"options\":"
         "{\"num_predict\":300}",
         300, false},
        {"\"messages\":[{\"role\":\"user\",\"content\":\"q\"}],\"options\":{\"num_predict\":0}",
         0, true},
        {"\"messages\":[]", 0, true},
        {"\"model\":\"m\"", 0, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text_buf source = {0};
        text_buf_format(&source, "{%s}", cases[i].rest);
        struct parsed p = parsed_body(ollama_chat_parse, source.data);
        assert_int_equal(p.status, OK);
        if (p.ask.is_mute != cases[i].is_mute || p.ask.job.max_tokens != cases[i].max_tokens)
            fail_msg("%s: %u tokens", cases[i].rest, p.ask.job.max_tokens);
        assert_int_equal(p.ask.kind, p.ask.is_mute ? ASK_TEXT : ASK_CHAT);
        assert_int_equal(p.ask.prompt_count, 1);
        json_free(p.root);
        text_buf_deinit(&source);
    }
}

static void test_seeds_and_bounds(void **state)
{
    (void)state;
    struct parsed p = parsed_body(
        ollama_chat_parse, "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"}],\"options\":"
                           "{\"seed\":-1,\"top_k\":0,\"top_p\":0,\"stop\":\"s\"}}");
    assert_int_equal(p.status, OK);
    assert_false(p.ask.has_seed); /* a new one each time */
    assert_int_equal(p.ask.job.top_k, 0);
    assert_true(p.ask.job.temperature <= 0);
    assert_int_equal(p.ask.job.stop_count, 1);
    json_free(p.root);
}

static void test_formats(void **state)
{
    static const struct {
        const char *format, *source;
    } cases[] = {
        {"\"\"", NULL},
        {"null", NULL},
        {"\"json\"", "{\"type\":\"object\"}"},
        {"{\"type\": \"integer\", \"maximum\": 1.50}",
         "{\"type\":\"integer\",\"maximum\":1.50}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text_buf source = {0};
        text_buf_format(&source, "{\"prompt\":\"q\",\"format\":%s}", cases[i].format);
        struct parsed p = parsed_body(ollama_generate_parse, source.data);
        assert_int_equal(p.status, OK);
        assert_int_equal(p.ask.job.format,
                         cases[i].source ? ENGINE_FORMAT_SCHEMA : ENGINE_FORMAT_TEXT);
        if (cases[i].source)
            assert_true(text_equal(p.ask.job.format_source, text_of(cases[i].source)));
        json_free(p.root);
        text_buf_deinit(&source);
    }
}

static void test_generate(void **state)
{
    (void)state;
    struct parsed p =
        parsed_body(ollama_generate_parse,
                    "{\"prompt\":\"q\",\"system\":\"s\",\"context\":[],\"suffix\":null,"
                    "\"images\":null}");
    assert_int_equal(p.status, OK);
    assert_int_equal(p.ask.kind, ASK_CHAT);
    assert_int_equal(p.ask.prompts[0].message_count, 2);
    assert_true(text_equal(p.ask.prompts[0].messages[0].role, TEXT("system")));
    assert_true(text_equal(p.ask.prompts[0].messages[1].content, TEXT("q")));
    json_free(p.root);
    p = parsed_body(ollama_generate_parse, "{\"prompt\":\"q\",\"raw\":true}");
    assert_int_equal(p.status, OK);
    assert_int_equal(p.ask.kind, ASK_TEXT);
    assert_true(text_equal(p.ask.prompts[0].text, TEXT("q")));
    json_free(p.root);
    p = parsed_body(ollama_generate_parse, "{\"model\":\"m\"}");
    assert_int_equal(p.status, OK);
    assert_true(p.ask.is_mute);
    json_free(p.root);
}

static void test_embeddings(void **state)
{
    (void)state;
    struct parsed p =
        parsed_body(ollama_embed_parse, "{\"input\":[\"a\",\"b\"],\"truncate\":true,"
                                        "\"options\":{},\"keep_alive\":0}");
    assert_int_equal(p.status, OK);
    assert_int_equal(p.ask.kind, ASK_EMBED);
    assert_int_equal(p.ask.prompt_count, 2);
    assert_true(text_equal(p.ask.prompts[1].text, TEXT("b")));
    assert_false(p.ask.stream);
    json_free(p.root);
    p = parsed_body(ollama_embedding_parse, "{\"prompt\":\"a\"}");
    assert_int_equal(p.status, OK);
    assert_int_equal(p.ask.prompt_count, 1);
    json_free(p.root);
}

static const struct {
    parsed_by parse;
    const char *body, *want;
    enum status status;
} REFUSALS[] = {
    {ollama_chat_parse, "[]", "body: want an object", ERR_FORMAT},
    {ollama_chat_parse, "{\"messages\":{}}", "messages: want a list", ERR_FORMAT},
    {ollama_chat_parse, "{\"messages\":[{\"role\":\"user\"}]}", "messages: ", ERR_FORMAT},
    {ollama_chat_parse,
     "{\"messages\":[{\"role\":\"user\",\"content\":\"\",\"images\":[\"aGk=\"]}]}",
     "messages: images are not supported", ERR_LIMIT},
    {ollama_chat_parse, "{\"tools\":[{}]}", "tools: type \"\"; only function", ERR_LIMIT},
    {ollama_chat_parse, "{\"tools\":{}}", "tools: want a list", ERR_FORMAT},
    {ollama_chat_parse, "{\"think\":true}", "think: not supported", ERR_LIMIT},
    {ollama_chat_parse, "{\"think\":\"high\"}", "think: not supported", ERR_LIMIT},
    {ollama_chat_parse, "{\"stream\":1}", "stream: want true or false", ERR_FORMAT},
    {ollama_chat_parse, "{\"model\":1}", "model: want a string", ERR_FORMAT},
    {ollama_chat_parse, "{\"format\":\"xml\"}", "format: \"xml\"; json and", ERR_LIMIT},
    {ollama_chat_parse, "{\"format\":1}", "format: want a string or an object", ERR_FORMAT},
    {ollama_chat_parse, "{\"top_logprobs\":1}", "top_logprobs: 1, but", ERR_FORMAT},
    {ollama_chat_parse, "{\"options\":[]}", "options: want an object", ERR_FORMAT},
    {ollama_chat_parse, "{\"options\":{\"num_predict\":-3}}", "options.num_predict: -3",
     ERR_LIMIT},
    {ollama_chat_parse, "{\"options\":{\"num_predict\":1e308}}", "options.num_predict: want",
     ERR_FORMAT},
    {ollama_chat_parse, "{\"options\":{\"num_ctx\":-1}}", "options.num_ctx: -1", ERR_LIMIT},
    {ollama_chat_parse, "{\"options\":{\"temperature\":\"x\"}}",
     "options.temperature: want a number", ERR_FORMAT},
    {ollama_chat_parse, "{\"options\":{\"temperature\":101}}", "options.temperature: 101",
     ERR_LIMIT},
    {ollama_chat_parse, "{\"options\":{\"top_p\":1.5}}", "options.top_p: 1.5", ERR_LIMIT},
    {ollama_chat_parse, "{\"options\":{\"top_k\":-2}}", "options.top_k: -2", ERR_LIMIT},
    {ollama_chat_parse, "{\"options\":{\"min_p\":-1}}", "options.min_p: -1", ERR_LIMIT},
    {ollama_chat_parse, "{\"options\":{\"typical_p\":2}}", "options.typical_p: 2", ERR_LIMIT},
    {ollama_chat_parse, "{\"options\":{\"seed\":0.5}}", "options.seed: want", ERR_FORMAT},
    {ollama_chat_parse, "{\"options\":{\"stop\":[1]}}", "options.stop: want", ERR_FORMAT},
    {ollama_chat_parse, "{\"options\":{\"repeat_penalty\":0}}", "options.repeat_penalty: 0",
     ERR_LIMIT},
    {ollama_chat_parse, "{\"options\":{\"presence_penalty\":3}}", "options.presence_penalty: 3",
     ERR_LIMIT},
    {ollama_chat_parse, "{\"options\":{\"frequency_penalty\":-3}}",
     "options.frequency_penalty: -3", ERR_LIMIT},
    {ollama_chat_parse, "{\"options\":{\"mirostat\":1}}", "options.mirostat: not supported",
     ERR_LIMIT},
    {ollama_generate_parse, "{\"prompt\":[\"q\"]}", "prompt: want a string", ERR_FORMAT},
    {ollama_generate_parse, "{\"system\":1}", "system: want a string", ERR_FORMAT},
    {ollama_generate_parse, "{\"raw\":\"yes\"}", "raw: want true", ERR_FORMAT},
    {ollama_generate_parse, "{\"suffix\":\"s\"}", "suffix: not supported", ERR_LIMIT},
    {ollama_generate_parse, "{\"images\":[\"a\"]}", "images: not supported", ERR_LIMIT},
    {ollama_generate_parse, "{\"template\":\"{{}}\"}", "template: not", ERR_LIMIT},
    {ollama_generate_parse, "{\"context\":[1]}", "context: not supported", ERR_LIMIT},
    {ollama_embed_parse, "{}", "input: want a string", ERR_FORMAT},
    {ollama_embed_parse, "{\"input\":[]}", "input: want a string", ERR_FORMAT},
    {ollama_embed_parse, "{\"input\":{}}", "input: want", ERR_FORMAT},
    {ollama_embed_parse, "{\"input\":\"a\",\"dimensions\":8}", "dimensions: not", ERR_LIMIT},
    {ollama_embed_parse, "{\"input\":\"a\",\"truncate\":1}", "truncate: want", ERR_FORMAT},
    {ollama_embedding_parse, "{}", "prompt: want a string", ERR_FORMAT},
    {ollama_embedding_parse, "{\"prompt\":[\"a\"]}", "prompt: want a string", ERR_FORMAT},
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof REFUSALS / sizeof REFUSALS[0]; i++)
        parsed_expect(REFUSALS[i].parse, REFUSALS[i].body, REFUSALS[i].status,
                      REFUSALS[i].want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),          cmocka_unit_test(test_tools),
        cmocka_unit_test(test_defaults),         cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_seeds_and_bounds), cmocka_unit_test(test_formats),
        cmocka_unit_test(test_generate),         cmocka_unit_test(test_embeddings),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
