/* tools_test - tools and tool_choice read and refused; the schema of a call that must come. */
#include "protocol/api/anthropic.h"
#include "protocol/api/openai.h"
#include "protocol/api/tools.h"
#include "tests/harness/parsed.h"

#define USER       "\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]"
#define TOOL(name) "{\"type\":\"function\",\"function\":{\"name\":\"" name "\"}}"

static void parse(struct parsed *p, const char *body)
{
    *p = parsed_body(openai_chat_parse, body);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *fields, *name;
    } cases[] = {
        {"\"tools\":[{}]", "tools"},
        {"\"tools\":[{\"type\":\"custom\"}]", "tools"},
        {"\"tools\":[{\"type\":\"function\",\"function\":{}}]", "tools"},
        {"\"tools\":[" TOOL("a b") "]", "tools"},
        {"\"tools\":[" TOOL("") "]", "tools"},
        {"\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":[]}}]",
         "tools"},
        {"\"tools\":{}", "tools"},
        {"\"tool_choice\":\"required\"", "tool_choice"},
        {"\"tools\":[" TOOL("f") "],\"tool_choice\":\"any\"", "tool_choice"},
        {"\"tools\":[" TOOL("f") "],\"tool_choice\":" TOOL("g"), "tool_choice"},
        {"\"tools\":[" TOOL("f") "],\"tool_choice\":{\"type\":\"allowed_tools\"}",
         "tool_choice"},
        {"\"functions\":[{\"name\":\"f\"}]", "functions"},
        {"\"parallel_tool_calls\":1", "parallel_tool_calls"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text_buf body = {0};
        text_buf_format(&body, "{" USER ",%s}", cases[i].fields);
        parsed_blames(openai_chat_parse, body.data, &openai_chat_fields, cases[i].name);
        text_buf_deinit(&body);
    }
}

static void test_choices(void **state)
{
    struct parsed p;
    (void)state;
    parse(&p, "{" USER ",\"tools\":[],\"tool_choice\":\"auto\"}");
    assert_true(p.status == OK && !p.ask.tools.list);
    json_free(p.root);
    parse(&p, "{" USER ",\"tools\":[" TOOL("f") "],\"tool_choice\":\"none\"}");
    assert_true(p.status == OK && !p.ask.tools.list);
    json_free(p.root);
    parse(&p, "{" USER ",\"tools\":[" TOOL("f") "],\"parallel_tool_calls\":false}");
    assert_true(p.status == OK && p.ask.tools.choice == ASK_TOOLS_AUTO);
    assert_true(p.ask.tools.list && p.ask.tools.is_single);
    json_free(p.root);
}

static void test_messages(void **state)
{
    struct parsed p;
    (void)state;
    parse(&p, "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"},{\"role\":\"assistant\","
              "\"content\":null,\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\","
              "\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\": 1}\"}}]},"
              "{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"21\"}]}");
    assert_int_equal(p.status, OK);
    const struct tokenizer_message *messages = p.ask.prompts[0].messages;
    assert_true(text_equal(messages[1].tool_calls,
                           TEXT("[{\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":"
                                "\"f\",\"arguments\":{\"a\":1}}}]")));
    assert_true(text_equal(messages[2].tool_call_id, TEXT("c1")));
    json_free(p.root);
    parse(&p, "{\"messages\":[{\"role\":\"tool\",\"content\":\"21\"}]}");
    assert_non_null(strstr(p.err.text, "messages: a tool's message without"));
    json_free(p.root);
    parse(&p, "{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"name\":"
              "\"f\",\"arguments\":\"[1]\"}}]}]}");
    assert_non_null(strstr(p.err.text, "messages: the arguments of a call of f"));
    json_free(p.root);
}

/* A vocabulary of bytes, and the chat template. */
static struct tokenizer *open_tokenizer(const char *template)
{
    static struct text pieces[256];
    static char bytes[256];
    struct tokenizer_source source = {.model = TEXT("gpt2"), .pre = TEXT("gpt-2")};
    struct tokenizer *tokenizer;
    struct error err;
    for (int i = 0; i < 256; i++) {
        bytes[i] = (char)('!' + i % 90);
        pieces[i] = (struct text){&bytes[i], 1};
    }
    source.pieces = pieces;
    source.piece_count = 90;
    source.bos = source.eos = source.eot = source.unknown = TOKEN_NONE;
    source.chat_template = text_of(template);
    if (tokenizer_open(&source, &tokenizer, &err) != OK)
        fail_msg("%s", err.text);
    return tokenizer;
}

#define TOLD      "{% if tools %}{{ tools | tojson }}{% endif %}"
#define CALLS     "{% for m in messages %}{% for c in m.tool_calls or [] %}"
#define CALLS_END "{% endfor %}{% endfor %}"

static enum status settle(struct parsed *p, const char *template, const char *fields,
                          bool is_batch)
{
    struct tokenizer *tokenizer = open_tokenizer(template);
    struct text_buf body = {0};
    text_buf_format(&body, "{%s}", fields);
    parse(p, body.data);
    assert_int_equal(p->status, OK);
    p->status = ask_settle(&p->ask, tokenizer, is_batch, &p->arena, &p->err);
    text_buf_deinit(&body);
    tokenizer_close(tokenizer);
    return p->status;
}

static void test_settle(void **state)
{
    static const char hermes[] = TOLD CALLS "<tool_call>\n{{ c.function | tojson }}" CALLS_END;
    struct parsed p;
    (void)state;
    assert_int_equal(settle(&p, "x", USER ",\"tools\":[" TOOL("f") "]", false), ERR_LIMIT);
    assert_true(strncmp(p.err.text, "tools: ", 7) == 0);
    json_free(p.root);
    assert_int_equal(settle(&p, TOLD, USER ",\"tools\":[" TOOL("f") "]", false), ERR_LIMIT);
    assert_true(strncmp(p.err.text, "tools: ", 7) == 0);
    json_free(p.root);
    assert_int_equal(settle(&p, hermes, USER ",\"tools\":[" TOOL("f") "]", false), OK);
    assert_true(text_equal(p.ask.tools.told, TEXT("[" TOOL("f") "]")));
    assert_int_equal(p.ask.job.format, ENGINE_FORMAT_TEXT);
    json_free(p.root);
    assert_int_equal(settle(&p, hermes,
                            USER
                            ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"g\","
                            "\"parameters\":{\"type\":\"object\",\"properties\":{}}}}," TOOL(
                                "f") "],\"tool_choice\":\"required\"",
                            false),
                     OK);
    assert_int_equal(p.ask.job.format, ENGINE_FORMAT_SCHEMA);
    assert_non_null(strstr(p.ask.job.format_source.data,
                           "{\"anyOf\":[{\"type\":\"object\",\"x-in-order\":true,"));
    assert_non_null(strstr(p.ask.job.format_source.data,
                           "\"properties\":{\"name\":{\"const\":\"g\"},\"arguments\":{\"$id\":"
                           "\"tool:0\",\"type\":\"object\",\"properties\":{},"
                           "\"additionalProperties\":false}}}"));
    assert_non_null(strstr(p.ask.job.format_source.data,
                           "\"properties\":{\"name\":{\"const\":\"f\"},\"arguments\":{\"type\":"
                           "\"object\",\"maxProperties\":0}}}"));
    json_free(p.root);
}

/* Anthropic's tools are told to templates, and become schemas, as OpenAI's do. */
static void test_bare(void **state)
{
    static const char hermes[] = TOLD CALLS "<tool_call>\n{{ c.function | tojson }}" CALLS_END;
    static const char told[] = "[{\"type\":\"function\",\"function\":{\"name\":\"f\","
                               "\"description\":\"d\",\"parameters\":{\"type\":\"object\"}}}]";
    struct tokenizer *tokenizer = open_tokenizer(hermes);
    static uint8_t own_room[1 << 16];
    struct parsed bare = {.arena = {.base = own_room, .size = sizeof own_room}}, p;
    (void)state;
    assert_int_equal(
        json_parse(TEXT("{\"max_tokens\":1," USER
                        ",\"tools\":[{\"name\":\"f\",\"description\":\"d\",\"input_schema\":"
                        "{\"type\":\"object\"}}],\"tool_choice\":{\"type\":\"any\"}}"),
                   0, &bare.root, NULL),
        OK);
    assert_int_equal(anthropic_messages_parse(bare.root, &bare.arena, &bare.ask, &bare.err),
                     OK);
    assert_int_equal(ask_settle(&bare.ask, tokenizer, false, &bare.arena, &bare.err), OK);
    assert_true(text_equal(bare.ask.tools.told, text_of(told)));
    struct text_buf schema = {0}, fields = {0};
    text_buf_add(&schema, bare.ask.job.format_source);
    text_buf_format(&fields, USER ",\"tools\":%s,\"tool_choice\":\"required\"", told);
    assert_int_equal(settle(&p, hermes, fields.data, false), OK);
    assert_true(text_equal(p.ask.job.format_source, text_buf_text(&schema)));
    text_buf_deinit(&schema);
    text_buf_deinit(&fields);
    json_free(bare.root);
    json_free(p.root);
    tokenizer_close(tokenizer);
}

/* A format that the engine refuses is said of the field that it came from. */
static void test_refused(void **state)
{
    static const char *const cases[][2] = {
        {"\"response_format\":{\"type\":\"json_object\"}", "response_format: it is bad"},
        {"\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"schema\":{}}}",
         "response_format: it is bad"},
        {"\"json_schema\":{}", "json_schema: it is bad"},
        {"\"model\":\"m:joboutput\"", "model: it is bad"},
        {"\"n\":2", "format: it is bad"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parsed p;
        struct text_buf fields = {0};
        text_buf_format(&fields, USER ",%s", cases[i][0]);
        assert_int_equal(settle(&p, "x", fields.data, false), OK);
        (void)error_set(&p.err, ERR_LIMIT, "", 0, "format: it is bad");
        assert_int_equal(ask_refused(&p.ask, &p.err), ERR_LIMIT);
        assert_string_equal(p.err.text, cases[i][1]);
        (void)error_set(&p.err, ERR_FORMAT, "", 0, "prompt: it is long");
        assert_int_equal(ask_refused(&p.ask, &p.err), ERR_FORMAT);
        assert_string_equal(p.err.text, "messages: it is long");
        (void)error_set(&p.err, ERR_FORMAT, "", 0, "stop: it is long");
        assert_int_equal(ask_refused(&p.ask, &p.err), ERR_FORMAT);
        assert_string_equal(p.err.text, "stop: it is long");
        text_buf_deinit(&fields);
        json_free(p.root);
    }
}

#define TWO                                                                                    \
    "\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"user\",\"content\":"      \
    "\"b\"}]"

static void test_batch(void **state)
{
    struct parsed p;
    (void)state;
    assert_int_equal(settle(&p, "x", TWO, false), OK);
    assert_int_equal(p.ask.prompt_count, 1);
    json_free(p.root);
    assert_int_equal(settle(&p, "x", TWO, true), OK);
    assert_int_equal(p.ask.prompt_count, 2);
    assert_int_equal(p.ask.prompts[1].message_count, 1);
    assert_true(text_equal(p.ask.prompts[1].messages[0].content, TEXT("b")));
    json_free(p.root);
    assert_int_equal(settle(&p, "x", USER, true), OK);
    assert_int_equal(p.ask.prompt_count, 1);
    json_free(p.root);
    assert_int_equal(settle(&p, "x",
                            "\"messages\":[{\"role\":\"system\",\"content\":\"a\"},{\"role\":"
                            "\"user\",\"content\":\"b\"}]",
                            true),
                     OK);
    assert_int_equal(p.ask.prompt_count, 1);
    json_free(p.root);
}

static void test_job_output(void **state)
{
    struct parsed p;
    (void)state;
    assert_int_equal(settle(&p, "x", "\"model\":\"any:joboutput\"," TWO, true), OK);
    assert_int_equal(p.ask.job.format, ENGINE_FORMAT_SCHEMA);
    assert_true(text_equal(p.ask.job.format_source, text_of(engine_job_output_schema)));
    assert_true(text_equal(p.ask.prompts[0].chunk, TEXT("a")));
    assert_true(text_equal(p.ask.prompts[1].chunk, TEXT("b")));
    json_free(p.root);
    assert_int_equal(settle(&p, "x", "\"model\":\"any:joboutput\",\"chunk\":\"c\"," TWO, false),
                     OK);
    assert_true(!p.ask.prompts[0].chunk.data && text_equal(p.ask.job.chunk, TEXT("c")));
    json_free(p.root);
    assert_int_equal(settle(&p, "x", "\"model\":\"joboutput\"," TWO, false), OK);
    assert_int_equal(p.ask.job.format, ENGINE_FORMAT_TEXT);
    json_free(p.root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_choices),
        cmocka_unit_test(test_messages), cmocka_unit_test(test_settle),
        cmocka_unit_test(test_bare),     cmocka_unit_test(test_refused),
        cmocka_unit_test(test_batch),    cmocka_unit_test(test_job_output),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
