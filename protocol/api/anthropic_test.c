/* anthropic_test - bodies of Anthropic's messages field by field, replies of the documented
 * shape, and the events of a stream. */
#include "protocol/api/anthropic.h"
#include "protocol/api/anthropic_reply.h"
#include "tests/harness/parsed.h"

static struct parsed parse(const char *body)
{
    return parsed_body(anthropic_messages_parse, body);
}

#define ASKED "\"messages\":[{\"role\":\"user\",\"content\":\"q\"}]"
#define LONG  "\"max_tokens\":1"
#define TOOL  "{\"name\":\"f\",\"description\":\"d\",\"input_schema\":{\"a\":1}}"

static void test_whole(void **state)
{
    (void)state;
    struct parsed p = parse(
        "{\"model\":\"claude\",\"max_tokens\":7,\"system\":[{\"type\":\"text\",\"text\":\"be "
        "\","
        "\"cache_control\":{\"type\":\"ephemeral\"}},{\"type\":\"text\",\"text\":\"brief\"}],"
        "\"messages\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\","
        "\"content\":[]},{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
        "{\"type\":\"text\",\"text\":\"b\"}]}],\"temperature\":0.5,\"top_p\":0.25,\"top_k\":9,"
        "\"stop_sequences\":[\"x\",\"y\"],\"stream\":true,\"metadata\":{\"user_id\":\"u\"},"
        "\"tools\":[],\"tool_choice\":{\"type\":\"none\"},\"thinking\":{\"type\":\"disabled\"},"
        "\"service_tier\":\"auto\",\"output_config\":{\"effort\":\"low\"}}");
    const struct ask_prompt *prompt = p.ask.prompts;
    assert_int_equal(p.status, OK);
    assert_true(p.ask.kind == ASK_CHAT && p.ask.has_one_choice && p.ask.stream);
    assert_int_equal(prompt->message_count, 4);
    assert_true(text_equal(prompt->messages[0].role, TEXT("system")));
    assert_true(text_equal(prompt->messages[0].content, TEXT("be brief")));
    assert_int_equal(prompt->messages[2].content.size, 0);
    assert_true(text_equal(prompt->messages[3].content, TEXT("ab")));
    assert_int_equal(p.ask.job.max_tokens, 7);
    assert_true(p.ask.job.temperature > 0.49F && p.ask.job.temperature < 0.51F);
    assert_true(p.ask.job.top_p > 0.24F && p.ask.job.top_p < 0.26F);
    assert_true(p.ask.job.top_k == 9 && p.ask.job.stop_count == 2);
    assert_int_equal(p.ask.job.format, ENGINE_FORMAT_TEXT);
    json_free(p.root);
}

static void test_formats(void **state)
{
    static const char *const fields[] = {
        "\"output_config\":{\"format\":{\"type\":\"json_schema\",\"schema\":{\"a\":1}}}",
        "\"output_format\":{\"type\":\"json_schema\",\"schema\":{\"a\":1}}"};
    (void)state;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        struct text_buf source = {0};
        text_buf_format(
            &source,
            "{\"max_tokens\":1,\"messages\":[{\"role\":\"user\",\"content\":\"q\"}],"
            "%s}",
            fields[i]);
        struct parsed p = parse(source.data);
        assert_int_equal(p.status, OK);
        assert_int_equal(p.ask.job.format, ENGINE_FORMAT_SCHEMA);
        assert_true(text_equal(p.ask.job.format_source, TEXT("{\"a\":1}")));
        json_free(p.root);
        text_buf_deinit(&source);
    }
}

/* A call and what came of it, as templates are told of them: messages of their own, what came
 * of a call before what the user says beside it. */
static void test_tools(void **state)
{
    (void)state;
    struct parsed p = parse(
        "{" LONG ",\"tools\":[" TOOL "],\"tool_choice\":{\"type\":\"tool\",\"name\":\"f\","
        "\"disable_parallel_tool_use\":true},\"messages\":["
        "{\"role\":\"user\",\"content\":\"q\"},"
        "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"well\"},"
        "{\"type\":\"tool_use\",\"id\":\"i1\",\"name\":\"f\",\"input\":{\"a\":[1]}},"
        "{\"type\":\"tool_use\",\"id\":\"i2\",\"name\":\"f\",\"input\":{}}]},"
        "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"so\"},"
        "{\"type\":\"tool_result\",\"tool_use_id\":\"i1\",\"content\":\"r1\"},"
        "{\"type\":\"tool_result\",\"tool_use_id\":\"i2\",\"content\":[{\"type\":\"text\","
        "\"text\":\"r2\"}]}]},"
        "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"i3\"}]}"
        "]}");
    static const struct {
        const char *role, *content, *id;
    } want[] = {{"user", "q", ""},    {"assistant", "well", ""}, {"tool", "r1", "i1"},
                {"tool", "r2", "i2"}, {"user", "so", ""},        {"tool", "", "i3"}};
    const struct tokenizer_message *messages = p.ask.prompts[0].messages;
    assert_int_equal(p.status, OK);
    assert_true(p.ask.tools.choice == ASK_TOOLS_REQUIRED && p.ask.tools.is_single);
    assert_true(p.ask.tools.only == json_first(p.ask.tools.list));
    assert_int_equal(p.ask.prompts[0].message_count, sizeof want / sizeof want[0]);
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        assert_true(text_equal(messages[i].role, text_of(want[i].role)));
        assert_true(text_equal(messages[i].content, text_of(want[i].content)));
        assert_true(text_equal(messages[i].tool_call_id, text_of(want[i].id)));
    }
    assert_true(
        text_equal(messages[1].tool_calls,
                   TEXT("[{\"id\":\"i1\",\"type\":\"function\",\"function\":{\"name\":\"f\","
                        "\"arguments\":{\"a\":[1]}}},{\"id\":\"i2\",\"type\":\"function\","
                        "\"function\":{\"name\":\"f\",\"arguments\":{}}}]")));
    json_free(p.root);
}

static const struct {
    const char *fields, *want;
    enum status status;
} REFUSALS[] = {
    {ASKED, "max_tokens: it is missing", ERR_FORMAT},
    {ASKED ",\"max_tokens\":null", "max_tokens: it is missing", ERR_FORMAT},
    {ASKED ",\"max_tokens\":0", "max_tokens: 0 is not in 1", ERR_LIMIT},
    {ASKED ",\"max_tokens\":\"1\"", "max_tokens: want", ERR_FORMAT},
    {LONG, "messages: want a list", ERR_FORMAT},
    {LONG ",\"messages\":[]", "messages: want a list", ERR_FORMAT},
    {LONG ",\"messages\":{}", "messages: want a list", ERR_FORMAT},
    {LONG ",\"messages\":[1]", "messages: a message without a role", ERR_FORMAT},
    {LONG ",\"messages\":[{\"role\":\"system\",\"content\":\"s\"}]",
     "messages: role \"system\"", ERR_LIMIT},
    {LONG ",\"messages\":[{\"role\":\"user\"}]", "messages: content is neither", ERR_FORMAT},
    {LONG ",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\"}]}]",
     "messages: a content block of type \"image\"", ERR_LIMIT},
    {LONG ",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}]",
     "messages: a content block of type", ERR_LIMIT},
    {LONG ",\"messages\":[{\"role\":\"assistant\",\"content\":\"a\"}]",
     "messages: the last is the assistant's", ERR_LIMIT},
    {LONG "," ASKED ",\"system\":1", "system: want a string or a list", ERR_FORMAT},
    {LONG "," ASKED ",\"system\":[{\"type\":\"image\"}]", "system: a content block", ERR_LIMIT},
    {LONG "," ASKED ",\"temperature\":1.5", "temperature: 1.5 is not in 0 to 1", ERR_LIMIT},
    {LONG "," ASKED ",\"top_p\":-1", "top_p: -1", ERR_LIMIT},
    {LONG "," ASKED ",\"top_k\":-1", "top_k: -1", ERR_LIMIT},
    {LONG "," ASKED ",\"stop_sequences\":\"x\"", "stop_sequences: want a list", ERR_FORMAT},
    {LONG "," ASKED ",\"stop_sequences\":[1]", "stop_sequences: want", ERR_FORMAT},
    {LONG "," ASKED ",\"stream\":\"yes\"", "stream: want true or false", ERR_FORMAT},
    {LONG "," ASKED ",\"tools\":{}", "tools: want a list", ERR_FORMAT},
    {LONG "," ASKED ",\"tools\":[{}]", "tools: a function's name", ERR_FORMAT},
    {LONG "," ASKED ",\"tools\":[{\"name\":\"f\"}]", "tools: the parameters of f", ERR_FORMAT},
    {LONG "," ASKED ",\"tools\":[{\"type\":\"web_search_20250305\",\"name\":\"f\"}]",
     "tools: type \"web_search_20250305\"; only custom", ERR_LIMIT},
    {LONG "," ASKED ",\"tool_choice\":{\"type\":\"any\"}", "tool_choice: there are no",
     ERR_FORMAT},
    {LONG "," ASKED ",\"tool_choice\":{\"type\":\"required\"}",
     "tool_choice: type \"required\"", ERR_FORMAT},
    {LONG "," ASKED ",\"tools\":[" TOOL "],\"tool_choice\":{\"type\":\"tool\","
          "\"name\":\"g\"}",
     "tool_choice: \"g\" is none of the tools", ERR_FORMAT},
    {LONG ",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\"}]}]",
     "messages: a tool_result without", ERR_FORMAT},
    {LONG ",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"tool_use\"}]}]",
     "messages: a content block of type \"tool_use\"", ERR_LIMIT},
    {LONG ",\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\","
          "\"name\":\"f\"}]}]",
     "messages: a tool_use without", ERR_FORMAT},
    {LONG ",\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\","
          "\"name\":\"f\",\"id\":\"i\",\"input\":\"{}\"}]}]",
     "messages: the input of a tool_use of f", ERR_FORMAT},
    {LONG "," ASKED ",\"mcp_servers\":[{}]", "mcp_servers: not supported", ERR_LIMIT},
    {LONG "," ASKED ",\"container\":\"c\"", "container: not supported", ERR_LIMIT},
    {LONG "," ASKED ",\"thinking\":{\"type\":\"enabled\"}", "thinking: not supported",
     ERR_LIMIT},
    {LONG "," ASKED ",\"output_config\":{\"format\":{\"type\":\"xml\"}}",
     "output_config: type \"xml\"", ERR_LIMIT},
    {LONG "," ASKED ",\"output_format\":{}", "output_format: want an object with a type",
     ERR_FORMAT},
    {LONG "," ASKED ",\"model\":1", "model: want a string", ERR_FORMAT},
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof REFUSALS / sizeof REFUSALS[0]; i++) {
        struct text_buf source = {0};
        text_buf_format(&source, "{%s}", REFUSALS[i].fields);
        parsed_expect(anthropic_messages_parse, source.data, REFUSALS[i].status,
                      REFUSALS[i].want);
        text_buf_deinit(&source);
    }
}

/* ---- replies ---- */

static struct reply reply_of(void)
{
    static const struct text stops[] = {{"x", 1}, {"y\n", 2}};
    struct reply reply;
    assert_int_equal(reply_init(&reply, 1, NULL), OK);
    assert_int_equal(reply_init_stops(&reply, stops, 2, NULL), OK);
    (void)strcpy(reply.id, "msg_1");
    reply.model = TEXT("m");
    reply.asked_tokens = reply.prompt_tokens = 5;
    reply.cached_tokens = 4;
    reply.completion_tokens = 3;
    return reply;
}

#define HEAD "{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\","
#define USAGE(output)                                                                          \
    "\"usage\":{\"input_tokens\":5,\"cache_creation_input_tokens\":0,"                         \
    "\"cache_read_input_tokens\":0,\"output_tokens\":" output "}"

static void test_message(void **state)
{
    struct text_buf out = {0};
    struct reply reply = reply_of();
    (void)state;
    text_buf_add(&reply.choices[0].text, TEXT("a\"b"));
    anthropic_reply_wire.whole(&reply, &out);
    assert_string_equal(out.data, HEAD
                        "\"content\":[{\"type\":\"text\",\"text\":\"a\\\"b\"}],"
                        "\"stop_reason\":\"end_turn\",\"stop_sequence\":null," USAGE("3") "}");
    text_buf_clear(&out);
    reply.choices[0].stop_string = 2;
    anthropic_reply_wire.whole(&reply, &out);
    assert_non_null(
        strstr(out.data, "\"stop_reason\":\"stop_sequence\",\"stop_sequence\":\"y\\n\","));
    text_buf_clear(&out);
    reply.choices[0].finish = ENGINE_LENGTH;
    reply.choices[0].stop_string = 0;
    anthropic_reply_wire.whole(&reply, &out);
    assert_non_null(strstr(out.data, "\"stop_reason\":\"max_tokens\",\"stop_sequence\":null"));
    text_buf_deinit(&out);
    reply_deinit(&reply);
}

/* An event as it is sent; rest is what follows its type. */
static void want_event(struct text_buf *want, const char *name, const char *rest)
{
    text_buf_format(want, "event: %s\ndata: {\"type\":\"%s\"%s}\n\n", name, name, rest);
}

static void test_stream(void **state)
{
    struct text_buf out = {0}, want = {0};
    struct reply reply = reply_of();
    const struct reply_piece piece = {.text = TEXT("hi")};
    (void)state;
    reply.prompt_tokens = 0; /* which is counted at the end */
    anthropic_reply_wire.begin(&reply, &out);
    reply.prompt_tokens = 5;
    anthropic_reply_wire.piece(&reply, &piece, &out);
    reply.piece_count++;
    anthropic_reply_wire.choice_end(&reply, 0, &out);
    anthropic_reply_wire.end(&reply, &out);
    want_event(&want, "message_start",
               ",\"message\":" HEAD
               "\"content\":[],\"stop_reason\":null,\"stop_sequence\":null," USAGE("0") "}");
    want_event(&want, "content_block_start",
               ",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}");
    want_event(&want, "content_block_delta",
               ",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"hi\"}");
    want_event(&want, "content_block_stop", ",\"index\":0");
    want_event(&want, "message_delta",
               ",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null}," USAGE("3"));
    want_event(&want, "message_stop", "");
    assert_string_equal(out.data, want.data);
    text_buf_deinit(&out);
    text_buf_deinit(&want);
    reply_deinit(&reply);
}

static void add_call(struct reply *reply)
{
    struct tool_calls *calls = &reply->choices[0].calls;
    const struct tool_calls_reader reader = {.format = TOKENIZER_TOOLS_HERMES};
    size_t content;
    assert_true(tool_calls_read(
        &reader, TEXT("<tool_call>{\"name\":\"f\",\"arguments\":{\"a\":\"b\"}}</tool_call>"),
        calls, &content));
}

#define CALL(input) "{\"type\":\"tool_use\",\"id\":\"%s\",\"name\":\"f\",\"input\":" input "}"

static void test_call(void **state)
{
    struct text_buf out = {0}, want = {0};
    struct reply reply = reply_of();
    char id[TOOL_CALLS_ID_SIZE + 1];
    (void)state;
    add_call(&reply);
    tool_calls_id(reply.id, 0, 0, id);
    anthropic_reply_wire.whole(&reply, &out);
    text_buf_format(
        &want,
        HEAD "\"content\":[" CALL(
            "{\"a\":\"b\"}") "],"
                             "\"stop_reason\":\"tool_use\",\"stop_sequence\":null," USAGE(
                                 "3") "}",
        id);
    assert_string_equal(out.data, want.data);
    text_buf_clear(&out);
    text_buf_add(&reply.choices[0].text, TEXT("so"));
    anthropic_reply_wire.whole(&reply, &out);
    assert_non_null(
        strstr(out.data, "[{\"type\":\"text\",\"text\":\"so\"},{\"type\":\"tool_use\""));
    text_buf_deinit(&out);
    text_buf_deinit(&want);
    reply_deinit(&reply);
}

/* Alone, the call is block 0; after a text, 1. */
static void test_call_stream(void **state)
{
    const struct reply_piece piece = {.text = TEXT("so")};
    (void)state;
    for (uint32_t pieces = 0; pieces < 2; pieces++) {
        struct text_buf out = {0}, want = {0}, rest = {0};
        struct reply reply = reply_of();
        char id[TOOL_CALLS_ID_SIZE + 1];
        tool_calls_id(reply.id, 0, 0, id);
        if (pieces == 1)
            anthropic_reply_wire.piece(&reply, &piece, &out);
        reply.piece_count = pieces;
        text_buf_clear(&out);
        add_call(&reply);
        anthropic_reply_wire.choice_end(&reply, 0, &out);
        if (pieces == 1)
            want_event(&want, "content_block_stop", ",\"index\":0");
        text_buf_format(&rest, ",\"index\":%u,\"content_block\":" CALL("{}"), pieces, id);
        want_event(&want, "content_block_start", rest.data);
        text_buf_clear(&rest);
        text_buf_format(&rest,
                        ",\"index\":%u,\"delta\":{\"type\":\"input_json_delta\","
                        "\"partial_json\":\"{\\\"a\\\":\\\"b\\\"}\"}",
                        pieces);
        want_event(&want, "content_block_delta", rest.data);
        text_buf_clear(&rest);
        text_buf_format(&rest, ",\"index\":%u", pieces);
        want_event(&want, "content_block_stop", rest.data);
        assert_string_equal(out.data, want.data);
        text_buf_deinit(&out);
        text_buf_deinit(&want);
        text_buf_deinit(&rest);
        reply_deinit(&reply);
    }
}

static void test_errors(void **state)
{
    static const struct {
        int status;
        const char *type;
    } cases[] = {
        {400, "invalid_request_error"}, {401, "authentication_error"},
        {403, "permission_error"},      {404, "not_found_error"},
        {405, "invalid_request_error"}, {413, "request_too_large"},
        {429, "rate_limit_error"},      {500, "api_error"},
        {503, "overloaded_error"},
    };
    struct text_buf out = {0}, want = {0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct reply_error error = {.status = cases[i].status, .text = TEXT("no")};
        text_buf_clear(&out);
        text_buf_clear(&want);
        anthropic_reply_wire.error(&error, &out);
        text_buf_format(&want,
                        "{\"type\":\"error\",\"error\":{\"type\":\"%s\",\"message\":\"no\"}}",
                        cases[i].type);
        assert_string_equal(out.data, want.data);
    }
    text_buf_clear(&out);
    text_buf_clear(&want);
    anthropic_reply_wire.stream_error(&(struct reply_error){.status = 500, .text = TEXT("no")},
                                      &out);
    want_event(&want, "error", ",\"error\":{\"type\":\"api_error\",\"message\":\"no\"}");
    assert_string_equal(out.data, want.data);
    text_buf_deinit(&out);
    text_buf_deinit(&want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),   cmocka_unit_test(test_formats),
        cmocka_unit_test(test_tools),   cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_message), cmocka_unit_test(test_stream),
        cmocka_unit_test(test_call),    cmocka_unit_test(test_call_stream),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
