/* tools - see tools.h. */
#include "protocol/api/tools.h"

#include <stdio.h>

static bool name_is_sound(struct text name)
{
    for (size_t i = 0; i < name.size; i++) {
        const char c = name.data[i];
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !(c >= '0' && c <= '9') && c != '_' && c != '-' && c != '.')
            return false;
    }
    return name.size > 0 && name.size <= TOOLS_NAME_MAX;
}

static enum status check_tool(const struct json *tool, struct error *err)
{
    const struct json *function = json_get(tool, "function");
    const struct json *parameters = json_get(function, "parameters");
    struct text type = {0}, name = {0};
    (void)json_text(json_get(tool, "type"), &type);
    if (!text_equal(type, TEXT("function")))
        FAIL(err, ERR_LIMIT, "tools: type \"%.*s\"; only function is taken",
             TEXT_ARG(text_slice(type, 0, 40)));
    if (!json_text(json_get(function, "name"), &name) || !name_is_sound(name))
        FAIL(err, ERR_FORMAT,
             "tools: a function's name is 1 to %d of a-z, A-Z, 0-9, _, - and .",
             TOOLS_NAME_MAX);
    if (parameters && json_type(parameters) != JSON_NULL &&
        json_type(parameters) != JSON_OBJECT)
        FAIL(err, ERR_FORMAT, "tools: the parameters of %.*s are no schema", TEXT_ARG(name));
    return OK;
}

/* The function of that name, from 0; its place past the end: there is none. */
static const struct json *find_tool(const struct json *tools, struct text name)
{
    for (const struct json *tool = json_first(tools); tool; tool = json_next(tool)) {
        struct text other;
        if (json_text(json_get(json_get(tool, "function"), "name"), &other) &&
            text_equal(name, other))
            return tool;
    }
    return NULL;
}

static enum status read_choice(const struct json *choice, struct ask_tools *tools,
                               struct error *err)
{
    struct text word;
    tools->choice = ASK_TOOLS_AUTO;
    if (json_type(choice) == JSON_NULL)
        return OK;
    if (json_text(choice, &word)) {
        tools->choice = text_equal(word, TEXT("none"))       ? ASK_TOOLS_NONE
                        : text_equal(word, TEXT("required")) ? ASK_TOOLS_REQUIRED
                                                             : ASK_TOOLS_AUTO;
        if (tools->choice == ASK_TOOLS_AUTO && !text_equal(word, TEXT("auto")))
            FAIL(err, ERR_FORMAT,
                 "tool_choice: \"%.*s\"; want none, auto, required or a function",
                 TEXT_ARG(text_slice(word, 0, 40)));
        return OK;
    }
    if (!json_text(json_get(choice, "type"), &word) || !text_equal(word, TEXT("function")) ||
        !json_text(json_get(json_get(choice, "function"), "name"), &word))
        FAIL(err, ERR_FORMAT, "tool_choice: want none, auto, required or a function");
    tools->choice = ASK_TOOLS_REQUIRED;
    tools->only = find_tool(tools->list, word);
    if (!tools->only)
        FAIL(err, ERR_FORMAT, "tool_choice: \"%.*s\" is none of the tools",
             TEXT_ARG(text_slice(word, 0, TOOLS_NAME_MAX)));
    return OK;
}

enum status tools_read(const struct json *list, const struct json *choice, struct ask *ask,
                       struct error *err)
{
    struct ask_tools *tools = &ask->tools;
    const size_t count = json_count(list);
    if (count > TOOLS_MAX)
        FAIL(err, ERR_LIMIT, "tools: %zu, at most %d are taken", count, TOOLS_MAX);
    for (const struct json *tool = json_first(list); tool; tool = json_next(tool))
        TRY(check_tool(tool, err));
    tools->list = list;
    TRY(read_choice(choice, tools, err));
    if (count == 0 && tools->choice == ASK_TOOLS_REQUIRED)
        FAIL(err, ERR_FORMAT, "tool_choice: there are no tools to call");
    if (count == 0 || tools->choice == ASK_TOOLS_NONE)
        *tools = (struct ask_tools){0};
    return OK;
}

/* ---- a call that must come ---- */

/* Whether nothing beside the properties can make other names valid, or wanted: then others may
 * be left out, which a model that fills arguments in without end would not. */
static bool names_are_all(const struct json *schema)
{
    static const char *const others[] = {"additionalProperties",
                                         "patternProperties",
                                         "propertyNames",
                                         "minProperties",
                                         "allOf",
                                         "anyOf",
                                         "oneOf",
                                         "not",
                                         "if",
                                         "$ref",
                                         "$dynamicRef",
                                         "unevaluatedProperties",
                                         "dependentSchemas",
                                         "dependencies",
                                         "dependentRequired"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (json_get(schema, others[i]))
            return false;
    return true;
}

static void write_members(struct json_writer *w, const struct json *object)
{
    for (const struct json *at = json_first(object); at; at = json_next(at)) {
        struct text_buf key = {0};
        text_buf_add(&key, json_key(at));
        text_buf_byte(&key, 0);
        if (key.failed) {
            w->out->failed = true;
            return;
        }
        json_write_key(w, key.data);
        json_write_value(w, at);
        text_buf_deinit(&key);
    }
}

/* A function's parameters as a schema within ours: with an $id of its own its references stay
 * its own. */
static void write_parameters(struct json_writer *w, const struct json *parameters,
                             uint32_t index)
{
    char id[32];
    json_write_object(w);
    if (json_type(parameters) != JSON_OBJECT) { /* OpenAI: none then */
        json_write_key_text(w, "type", TEXT("object"));
        json_write_key_i64(w, "maxProperties", 0);
        json_write_object_end(w);
        return;
    }
    if (!json_get(parameters, "$id")) {
        (void)snprintf(id, sizeof id, "tool:%u", index);
        json_write_key_text(w, "$id", text_of(id));
    }
    if (!json_get(parameters, "type"))
        json_write_key_text(w, "type", TEXT("object"));
    write_members(w, parameters);
    if (names_are_all(parameters))
        json_write_key_bool(w, "additionalProperties", false);
    json_write_object_end(w);
}

static void write_call(struct json_writer *w, const struct json *tool, const char *arguments,
                       uint32_t index)
{
    const struct json *function = json_get(tool, "function");
    json_write_object(w);
    json_write_key_text(w, "type", TEXT("object"));
    json_write_key_bool(w, "x-in-order", true);
    json_write_key_bool(w, "additionalProperties", false);
    json_write_key(w, "required");
    json_write_array(w);
    json_write_text(w, TEXT("name"));
    json_write_text(w, text_of(arguments));
    json_write_array_end(w);
    json_write_key(w, "properties");
    json_write_object(w);
    json_write_key(w, "name");
    json_write_object(w);
    json_write_key(w, "const");
    json_write_value(w, json_get(function, "name"));
    json_write_object_end(w);
    json_write_key(w, arguments);
    write_parameters(w, json_get(function, "parameters"), index);
    json_write_object_end(w);
    json_write_object_end(w);
}

static void write_schema(struct json_writer *w, const struct ask_tools *tools)
{
    const char *arguments = tools->format == TOKENIZER_TOOLS_LLAMA ? "parameters" : "arguments";
    uint32_t index = 0;
    if (tools->only) {
        write_call(w, tools->only, arguments, 0);
        return;
    }
    json_write_object(w);
    json_write_key(w, "anyOf");
    json_write_array(w);
    for (const struct json *tool = json_first(tools->list); tool; tool = json_next(tool))
        write_call(w, tool, arguments, index++);
    json_write_array_end(w);
    json_write_object_end(w);
}

/* What write writes of the tools, in the arena. */
static enum status take_json(void (*write)(struct json_writer *w, const struct ask_tools *),
                             const struct ask_tools *tools, struct arena *arena,
                             struct text *out, struct error *err)
{
    struct text_buf text = {0};
    struct json_writer w = {.out = &text};
    write(&w, tools);
    *out = text_copy(text_buf_text(&text), arena);
    const bool failed = text.failed || !out->data;
    text_buf_deinit(&text);
    if (failed)
        FAIL(err, ERR_MEMORY, "tools: no room for their schemas");
    return OK;
}

static void write_list(struct json_writer *w, const struct ask_tools *tools)
{
    json_write_value(w, tools->list);
}

struct text tools_opening(enum tokenizer_tools format)
{
    return format == TOKENIZER_TOOLS_HERMES    ? TEXT("<tool_call>\n")
           : format == TOKENIZER_TOOLS_MISTRAL ? TEXT("[TOOL_CALLS][")
                                               : TEXT("");
}

/* Whether the conversation has calls or what came of them. */
static bool speaks_of_tools(const struct ask *ask)
{
    for (uint32_t p = 0; ask->kind == ASK_CHAT && p < ask->prompt_count; p++)
        for (uint32_t m = 0; m < ask->prompts[p].message_count; m++)
            if (ask->prompts[p].messages[m].tool_calls.size > 0 ||
                text_equal(ask->prompts[p].messages[m].role, TEXT("tool")))
                return true;
    return false;
}

enum status tools_settle(struct ask *ask, const struct tokenizer *tokenizer,
                         struct arena *arena, struct error *err)
{
    struct ask_tools *tools = &ask->tools;
    tools->format = tokenizer_tools(tokenizer);
    if (speaks_of_tools(ask) && tools->format == TOKENIZER_TOOLS_NONE)
        FAIL(err, ERR_LIMIT,
             "messages: calls of tools, which the model's chat template does not "
             "take");
    if (!tools->list)
        return OK;
    if (tools->format == TOKENIZER_TOOLS_NONE)
        FAIL(err, ERR_LIMIT, "tools: the model's chat template does not take any");
    if (tools->format == TOKENIZER_TOOLS_OTHER)
        FAIL(err, ERR_LIMIT,
             "tools: the model's chat template writes calls in a way that is not "
             "known here");
    if (ask->job.format != ENGINE_FORMAT_TEXT)
        FAIL(err, ERR_LIMIT, "response_format: not together with tools that may be called");
    TRY(take_json(write_list, tools, arena, &tools->told, err));
    if (tools->choice != ASK_TOOLS_REQUIRED)
        return OK;
    ask->job.format = ENGINE_FORMAT_SCHEMA;
    return take_json(write_schema, tools, arena, &ask->job.format_source, err);
}
