/*
 * tool_format_test - how templates write calls: small ones of each kind, and the real ones,
 * which conversations with tools are rendered by as the reference does.
 */
#include "tokenizer/tool_format.h"

#include "base/file_map.h"
#include "base/json.h"
#include "tests/harness/test_data.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { SOURCE_MAX = 1 << 20 };

static enum tokenizer_tools format_of(struct text source)
{
    struct chat_template *chat;
    struct error err;
    if (chat_template_open(source, &chat, &err) != OK)
        fail_msg("%s", err.text);
    const enum tokenizer_tools format = tool_format_of(chat);
    chat_template_close(chat);
    return format;
}

#define CALLS     "{% for m in messages %}{% for c in m.tool_calls or [] %}"
#define CALLS_END "{% endfor %}{% endfor %}"

static void test_small(void **state)
{
    static const struct {
        const char *source;
        enum tokenizer_tools format;
    } cases[] = {
        {"{{ messages[0].content }}", TOKENIZER_TOOLS_NONE},
        {"tools are none{{ tools | length }}", TOKENIZER_TOOLS_NONE},
        {"{{ tools.no.member }}", TOKENIZER_TOOLS_NONE},
        {"{{ tools | tojson }}", TOKENIZER_TOOLS_OTHER},
        {"{{ tools | tojson }}{% if messages | length > 1 %}{{ raise_exception('x') }}"
         "{% endif %}",
         TOKENIZER_TOOLS_OTHER},
        {"{{ tools | tojson }}" CALLS "<tool_call>\n{{ c.function | tojson }}" CALLS_END,
         TOKENIZER_TOOLS_HERMES},
        {"{{ tools | tojson }}" CALLS "<tool_call>{{ c.function.name }}" CALLS_END,
         TOKENIZER_TOOLS_OTHER},
        {"{{ tools | tojson }}" CALLS "{\"name\": \"{{ c.function.name }}\", \"parameters\": "
         "{{ c.function.arguments | tojson }}}" CALLS_END,
         TOKENIZER_TOOLS_LLAMA},
        {"{{ tools | tojson }}" CALLS "[TOOL_CALLS][{{ c.function | tojson }}]" CALLS_END,
         TOKENIZER_TOOLS_MISTRAL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (format_of(text_of(cases[i].source)) != cases[i].format)
            fail_msg("%s: %d", cases[i].source, (int)format_of(text_of(cases[i].source)));
}

static bool read_file(const char *name, struct text_buf *buf)
{
    const struct test_data_path path = test_data("chat/%s", name);
    if (!test_data_is_there(&path))
        return false;
    text_buf_clear(buf);
    assert_int_equal(file_map_read(buf, path.text, SOURCE_MAX, NULL), OK);
    return true;
}

static void test_real(void **state)
{
    static const struct {
        const char *name;
        enum tokenizer_tools format;
    } cases[] = {
        {"templates/cfg-qwen2.5.jinja", TOKENIZER_TOOLS_HERMES},
        {"templates/Qwen-Qwen3-0.6B.jinja", TOKENIZER_TOOLS_HERMES},
        {"templates/Qwen3-Coder.jinja", TOKENIZER_TOOLS_OTHER},
        {"templates/ibm-granite-granite-3.3-2B-Instruct.jinja", TOKENIZER_TOOLS_OTHER},
        {"templates/meta-llama-Llama-3.1-8B-Instruct.jinja", TOKENIZER_TOOLS_LLAMA},
        {"templates/cfg-mistral-nemo.jinja", TOKENIZER_TOOLS_MISTRAL},
        {"templates/mistralai-Mistral-Nemo-Instruct-2407.jinja", TOKENIZER_TOOLS_MISTRAL},
        {"templates/cfg-deepseek-v3.jinja", TOKENIZER_TOOLS_NONE},
        {"templates/microsoft-Phi-3.5-mini-instruct.jinja", TOKENIZER_TOOLS_NONE},
        {"templates/cz-chatml.jinja", TOKENIZER_TOOLS_NONE},
    };
    struct text_buf buf = {0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (!read_file(cases[i].name, &buf))
            skip();
        if (format_of(text_buf_text(&buf)) != cases[i].format)
            fail_msg("%s: %d", cases[i].name, (int)format_of(text_buf_text(&buf)));
    }
    text_buf_deinit(&buf);
}

/* A context of the test data, as a conversation; texts lie in spare. */
static struct tokenizer_conversation read_context(const struct json *context,
                                                  struct tokenizer_message *messages,
                                                  struct text_buf spare[2])
{
    struct tokenizer_conversation conversation = {.messages = messages};
    struct json_writer w = {.out = &spare[0]};
    json_write_value(&w, json_get(context, "tools"));
    conversation.tools = text_buf_text(&spare[0]);
    assert_true(json_bool(json_get(context, "add_generation_prompt"),
                          &conversation.add_generation_prompt));
    for (const struct json *at = json_first(json_get(context, "messages")); at;
         at = json_next(at)) {
        struct tokenizer_message *message = &messages[conversation.count++];
        struct json_writer calls = {.out = &spare[1]};
        *message = (struct tokenizer_message){0};
        assert_true(json_text(json_get(at, "role"), &message->role));
        assert_true(json_text(json_get(at, "content"), &message->content));
        (void)json_text(json_get(at, "tool_call_id"), &message->tool_call_id);
        (void)json_text(json_get(at, "name"), &message->name);
        if (!json_get(at, "tool_calls"))
            continue;
        json_write_value(&calls, json_get(at, "tool_calls"));
        message->tool_calls = text_buf_text(&spare[1]);
    }
    return conversation;
}

static bool check_rendering(const struct chat_template *chat, const struct json *context,
                            const struct json *result, const char *what)
{
    struct tokenizer_message messages[8];
    struct text_buf spare[2] = {0};
    struct chat_template_text out;
    struct text want;
    const bool is_told = json_text(json_get(result, "text"), &want);
    const struct chat_template_input input = {.conversation =
                                                  read_context(context, messages, spare),
                                              .bos = TEXT("<s>"),
                                              .eos = TEXT("</s>"),
                                              .now_s = 1721995200};
    const enum status status = chat_template_render(chat, &input, &out, NULL);
    if ((status == OK) != is_told || (is_told && !text_equal(out.text, want)))
        fail_msg("%s: another text", what);
    chat_template_text_deinit(&out);
    text_buf_deinit(&spare[0]);
    text_buf_deinit(&spare[1]);
    return is_told;
}

/* The templates that take tools render conversations with them as the reference does. */
static void test_conversations(void **state)
{
    static const char *const names[] = {"tools_gen", "tools_result_gen"};
    struct text_buf bufs[3] = {0};
    struct json *contexts, *expected;
    uint32_t count = 0;
    (void)state;
    if (!read_file("contexts.json", &bufs[0]) || !read_file("expected.json", &bufs[1]))
        skip();
    assert_int_equal(json_parse(text_buf_text(&bufs[0]), 0, &contexts, NULL), OK);
    assert_int_equal(json_parse(text_buf_text(&bufs[1]), 0, &expected, NULL), OK);
    for (const struct json *at = json_first(json_get(expected, "results")); at;
         at = json_next(at)) {
        struct chat_template *chat;
        char name[128];
        assert_true(snprintf(name, sizeof name, "templates/%.*s", TEXT_ARG(json_key(at))) > 0);
        assert_true(read_file(name, &bufs[2]));
        assert_int_equal(chat_template_open(text_buf_text(&bufs[2]), &chat, NULL), OK);
        for (size_t i = 0; i < 2; i++)
            count += check_rendering(chat, json_get(contexts, names[i]), json_get(at, names[i]),
                                     name);
        chat_template_close(chat);
    }
    assert_int_equal(count, 30);
    json_free(contexts);
    json_free(expected);
    for (size_t i = 0; i < 3; i++)
        text_buf_deinit(&bufs[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small),
        cmocka_unit_test(test_real),
        cmocka_unit_test(test_conversations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
