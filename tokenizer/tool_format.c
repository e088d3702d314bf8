/* tool_format - see tool_format.h. */
#include "tokenizer/tool_format.h"

#define PROBE "probe_of_tools"

static const char TOOLS[] =
    "[{\"type\": \"function\", \"function\": {\"name\": \"" PROBE
    "\", \"description\": \"none\", \"parameters\": {\"type\": \"object\", \"properties\": "
    "{\"a\": {\"type\": \"string\", \"description\": \"none\"}}, \"required\": [\"a\"]}}}]";
/* Some templates demand ids of nine letters or digits. */
static const char CALLS[] = "[{\"id\": \"call00001\", \"type\": \"function\", \"function\": "
                            "{\"name\": \"" PROBE "\", \"arguments\": {\"a\": \"b\"}}}]";

/* What of a rendering with a call tells its format. */
static const struct {
    const char *sign;
    enum tokenizer_tools format;
} SIGNS[] = {
    {"[TOOL_CALLS]", TOKENIZER_TOOLS_MISTRAL},
    {"<tool_call>\n{\"name\": \"" PROBE "\", \"arguments\": {", TOKENIZER_TOOLS_HERMES},
    {"{\"name\": \"" PROBE "\", \"parameters\": {", TOKENIZER_TOOLS_LLAMA},
};

/* Renders the first count messages of a talk about a tool. False: the template cannot. */
static bool render(const struct chat_template *chat, uint32_t count,
                   struct chat_template_text *out)
{
    const struct tokenizer_message messages[] = {
        {.role = TEXT("user"), .content = TEXT("a?")},
        {.role = TEXT("assistant"), .content = TEXT(""), .tool_calls = text_of(CALLS)},
    };
    const struct chat_template_input input = {
        .conversation = {.messages = messages,
                         .count = count,
                         .add_generation_prompt = count == 1,
                         .tools = text_of(TOOLS)}};
    return chat_template_render(chat, &input, out, NULL) == OK;
}

enum tokenizer_tools tool_format_of(const struct chat_template *chat)
{
    struct chat_template_text out;
    enum tokenizer_tools format = TOKENIZER_TOOLS_NONE;
    if (render(chat, 1, &out) && text_find(out.text, TEXT(PROBE), 0) != SIZE_MAX)
        format = TOKENIZER_TOOLS_OTHER;
    chat_template_text_deinit(&out);
    if (format == TOKENIZER_TOOLS_NONE)
        return format;
    const bool is_whole = render(chat, 2, &out);
    for (size_t i = 0; is_whole && i < sizeof SIGNS / sizeof SIGNS[0]; i++) {
        if (text_find(out.text, text_of(SIGNS[i].sign), 0) != SIZE_MAX) {
            format = SIGNS[i].format;
            break;
        }
    }
    chat_template_text_deinit(&out);
    return format;
}
