/* tool_calls_test - what is a call in each format, what stays text, and what may be shown. */
#include "protocol/api/tool_calls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { HERMES = TOKENIZER_TOOLS_HERMES, LLAMA = TOKENIZER_TOOLS_LLAMA };
enum { MISTRAL = TOKENIZER_TOOLS_MISTRAL, FORCED = 100 };

static struct tool_calls_reader reader_of(int format)
{
    return (struct tool_calls_reader){(enum tokenizer_tools)(format % FORCED),
                                      format >= FORCED};
}

/* "content|name(arguments)name(arguments)", or "-" where there are no calls. */
static void tell(const struct tool_calls *calls, struct text content, struct text_buf *out)
{
    text_buf_add(out, content);
    text_buf_add(out, TEXT("|"));
    for (uint32_t i = 0; i < calls->count; i++)
        text_buf_format(out, "%s(%s)", calls->list[i].name.data, calls->list[i].arguments.data);
}

static void test_read(void **state)
{
    static const struct {
        int format;
        const char *text, *want;
    } cases[] = {
        {HERMES, "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": 1}}\n</tool_call>",
         "|f({\"a\":1})"},
        {HERMES,
         "Let me see.\n<tool_call>{\"name\":\"f\",\"arguments\":{}}</tool_call>\n<tool_call>\n"
         "{\"name\":\"g\",\"arguments\":\"{\\\"b\\\":\\\"}\\\"}\"}\n</tool_call>\n",
         "Let me see.\n|f({})g({\"b\":\"}\"})"},
        {HERMES, "<tool_call>{\"name\":\"f\",\"arguments\":{\"a\":\"\\\"</tool_call>{\"}}",
         "|f({\"a\":\"\\\"</tool_call>{\"})"},
        {HERMES, "no call", "-"},
        {HERMES, "<tool_call>{\"name\":\"f\",\"arguments\":{\"a\":", "-"},
        {HERMES, "<tool_call>{\"name\":\"f\",\"arguments\":[]}</tool_call>", "-"},
        {HERMES, "<tool_call>{\"name\":\"\",\"arguments\":{}}</tool_call>", "-"},
        {HERMES, "<tool_call>{\"arguments\":{}}</tool_call>", "-"},
        {HERMES, "<tool_call>{\"name\":\"f\"}</tool_call>", "-"},
        {HERMES, "<tool_call>{\"name\":\"f\",\"arguments\":{}}</tool_call> and more", "-"},
        {HERMES, "<tool_call>{\"name\":\"f\",\"arguments\":{},}</tool_call>", "-"},
        {HERMES, "<tool_call>", "-"},
        {HERMES, "<tool_call>]", "-"},
        {LLAMA, "\n{\"name\": \"f\", \"parameters\": {\"a\": [1, 2]}}", "|f({\"a\":[1,2]})"},
        {LLAMA,
         "<|python_tag|> {\"name\":\"f\",\"parameters\":{}}; {\"name\":\"g\","
         "\"parameters\":{}}",
         "|f({})g({})"},
        {LLAMA, "{\"answer\": 4}", "-"},
        {LLAMA, "It is {\"name\":\"f\",\"parameters\":{}}", "-"},
        {LLAMA, "", "-"},
        {LLAMA, "[{\"name\":\"f\",\"parameters\":{}}]", "-"},
        {MISTRAL,
         "[TOOL_CALLS][{\"name\":\"f\",\"arguments\":{}},{\"name\":\"g\","
         "\"arguments\":{\"x\":null}}]",
         "|f({})g({\"x\":null})"},
        {MISTRAL, "[TOOL_CALLS] [{\"name\":\"f\",\"arguments\":{}}]", "|f({})"},
        {MISTRAL, "[TOOL_CALLS][{\"name\":\"f\",\"arguments\":{}}", "-"},
        {MISTRAL, "[TOOL_CALLS][]", "-"},
        {MISTRAL, "[{\"name\":\"f\",\"arguments\":{}}]", "-"},
        {FORCED + HERMES, "{\"name\":\"f\",\"arguments\":{}}", "|f({})"},
        {FORCED + LLAMA, "{\"name\":\"f\",\"parameters\":{}}", "|f({})"},
        {FORCED + MISTRAL, " {\"name\":\"f\",\"arguments\":{}}", "|f({})"},
        {FORCED + HERMES, "{\"name\":\"f\",\"arguments\":{", "-"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct tool_calls_reader reader = reader_of(cases[i].format);
        const struct text text = text_of(cases[i].text);
        struct tool_calls calls = {0};
        struct text_buf told = {0};
        size_t content;
        if (tool_calls_read(&reader, text, &calls, &content))
            tell(&calls, text_slice(text, 0, content), &told);
        else
            text_buf_add(&told, TEXT("-"));
        if (!text_equal(text_buf_text(&told), text_of(cases[i].want)))
            fail_msg("%s: %s", cases[i].text, told.data);
        tool_calls_deinit(&calls);
        text_buf_deinit(&told);
    }
}

/* Text as it comes, byte by byte: what was shown never becomes part of a call, and text that is
 * none is held back only where a marker may begin. */
static void test_content(void **state)
{
    static const struct {
        int format;
        const char *text;
        size_t shown[32]; /* after each byte from the first on, up to a 0 after the text */
    } cases[] = {
        {HERMES, "a<tool_x", {1, 1, 1, 1, 1, 1, 1, 8}},
        {HERMES, "<<tool_call>{", {0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}},
        {MISTRAL, "b [TOO", {1, 2, 2, 2, 2, 2}},
        {LLAMA, " a{", {0, 2, 3}},
        {LLAMA, " {a", {0, 0, 0}},
        {FORCED + LLAMA, "a{", {0, 0}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct tool_calls_reader reader = reader_of(cases[i].format);
        size_t shown = 0;
        for (size_t end = 1; end <= strlen(cases[i].text); end++) {
            const struct text text = {cases[i].text, end};
            shown = tool_calls_content(&reader, text, shown);
            if (shown != cases[i].shown[end - 1])
                fail_msg("%s: %zu of %zu", cases[i].text, shown, end);
        }
    }
}

static void test_ids(void **state)
{
    char ids[4][TOOL_CALLS_ID_SIZE + 1];
    (void)state;
    tool_calls_id("chatcmpl-1", 0, 0, ids[0]);
    tool_calls_id("chatcmpl-1", 0, 1, ids[1]);
    tool_calls_id("chatcmpl-1", 1, 0, ids[2]);
    tool_calls_id("chatcmpl-2", 0, 0, ids[3]);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(strspn(ids[i], "abcdefghijklmnopqrstuvwxyz0123456789"), 9);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(ids[i], ids[j]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_content),
        cmocka_unit_test(test_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
