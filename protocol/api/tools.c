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

/* What is told of a tool: where its name stands. */
static const struct json *function_of(const struct ask_tools *tools, const struct json *tool)
{
    return tools->is_bare ? tool : json_get(tool, "function");
}

static const struct json *parameters_of(const struct ask_tools *tools, const struct json *tool)
{
    return json_get(function_of(tools, tool), tools->is_bare ? "input_schema" : "parameters");
}

static enum status check_type(const struct ask_tools *tools, const struct json *tool,
                              struct error *err)
{
    const struct text want = tools->is_bare ? TEXT("custom") : TEXT("function");
    struct text type = tools->is_bare ? want : TEXT("");
    (void)json_text(json_get(tool, "type"), &type);
    if (!text_equal(type, want))
        FAIL(err, ERR_LIMIT, "tools: type \"%.*s\"; only %.*s is taken",
             TEXT_ARG(text_slice(type, 0, 40)), TEXT_ARG(want));
    return OK;
}

static enum status check_tool(const struct ask_tools *tools, const struct json *tool,
                              struct error *err)
{
    const struct json *parameters = parameters_of(tools, tool);
    struct text name = {0};
    TRY(check_type(tools, tool, err));
    if (!json_text(json_get(function_of(tools, tool), "name"), &name) || !name_is_sound(name))
        FAIL(err, ERR_FORMAT,
             "tools: a function's name is 1 to %d of a-z, A-Z, 0-9, _, - and .",
             TOOLS_NAME_MAX);
    if (json_type(parameters) != JSON_OBJECT &&
        (tools->is_bare || json_type(parameters) != JSON_NULL))
        FAIL(err, ERR_FORMAT, "tools: the parameters of %.*s are no schema", TEXT_ARG(name));
    return OK;
}

/* One of the tools must be called: the one of that name. */
static enum status require(struct ask_tools *tools, struct text name, struct error *err)
{
    tools->choice = ASK_TOOLS_REQUIRED;
    for (const struct json *tool = json_first(tools->list); tool; tool = json_next(tool)) {
        struct text other;
        if (json_text(json_get(function_of(tools, tool), "name"), &other) &&
            text_equal(name, other))
            tools->only = tool;
    }
    if (!tools->only)
        FAIL(err, ERR_FORMAT, "tool_choice: \"%.*s\" is none of the tools",
             TEXT_ARG(text_slice(name, 0, TOOLS_NAME_MAX)));
    return OK;
}

static enum status read_choice(const struct json *choice, struct ask_tools *tools,
                               struct error *err)
{
    struct text word;
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
    return require(tools, word, err);
}

static enum status read_bare_choice(const struct json *choice, struct ask_tools *tools,
                                    struct error *err)
{
    struct text type = {0}, name = {0};
    if (json_type(choice) == JSON_NULL)
        return OK;
    (void)json_bool(json_get(choice, "disable_parallel_tool_use"), &tools->is_single);
    (void)json_text(json_get(choice, "type"), &type);
    (void)json_text(json_get(choice, "name"), &name);
    if (text_equal(type, TEXT("tool")))
        return require(tools, name, err);
    tools->choice = text_equal(type, TEXT("none"))  ? ASK_TOOLS_NONE
                    : text_equal(type, TEXT("any")) ? ASK_TOOLS_REQUIRED
                                                    : ASK_TOOLS_AUTO;
    if (tools->choice == ASK_TOOLS_AUTO && !text_equal(type, TEXT("auto")))
        FAIL(err, ERR_FORMAT, "tool_choice: type \"%.*s\"; want none, auto, any or tool",
             TEXT_ARG(text_slice(type, 0, 40)));
    return OK;
}

static enum status read(const struct json *list, const struct json *choice,
                        struct ask_tools *tools, struct error *err)
{
    const size_t count = json_count(list);
    if (count > TOOLS_MAX)
        FAIL(err, ERR_LIMIT, "tools: %zu, at most %d are taken", count, TOOLS_MAX);
    for (const struct json *tool = json_first(list); tool; tool = json_next(tool))
        TRY(check_tool(tools, tool, err));
    tools->list = list;
    tools->choice = ASK_TOOLS_AUTO;
    TRY(tools->is_bare ? read_bare_choice(choice, tools, err)
                       : read_choice(choice, tools, err));
    if (count == 0 && tools->choice == ASK_TOOLS_REQUIRED)
        FAIL(err, ERR_FORMAT, "tool_choice: there are no tools to call");
    if (count == 0 || tools->choice == ASK_TOOLS_NONE)
        *tools = (struct ask_tools){0};
    return OK;
}

enum status tools_read(const struct json *list, const struct json *choice, struct ask *ask,
                       struct error *err)
{
    return read(list, choice, &ask->tools, err);
}

enum status tools_read_bare(const struct json *list, const struct json *choice, struct ask *ask,
                            struct error *err)
{
    ask->tools.is_bare = true;
    return read(list, choice, &ask->tools, err);
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

static void write_call(struct json_writer *w, const struct ask_tools *tools,
                       const struct json *tool, uint32_t index)
{
    const char *arguments = tools->format == TOKENIZER_TOOLS_LLAMA ? "parameters" : "arguments";
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
    json_write_value(w, json_get(function_of(tools, tool), "name"));
    json_write_object_end(w);
    json_write_key(w, arguments);
    write_parameters(w, parameters_of(tools, tool), index);
    json_write_object_end(w);
    json_write_object_end(w);
}

static void write_schema(struct json_writer *w, const struct ask_tools *tools)
{
    uint32_t index = 0;
    if (tools->only) {
        write_call(w, tools, tools->only, 0);
        return;
    }
    json_write_object(w);
    json_write_key(w, "anyOf");
    json_write_array(w);
    for (const struct json *tool = json_first(tools->list); tool; tool = json_next(tool))
        write_call(w, tools, tool, index++);
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

static void write_bare(struct json_writer *w, const struct json *tool)
{
    const struct json *description = json_get(tool, "description");
    json_write_object(w);
    json_write_key_text(w, "type", TEXT("function"));
    json_write_key(w, "function");
    json_write_object(w);
    json_write_key(w, "name");
    json_write_value(w, json_get(tool, "name"));
    if (description) {
        json_write_key(w, "description");
        json_write_value(w, description);
    }
    json_write_key(w, "parameters");
    json_write_value(w, json_get(tool, "input_schema"));
    json_write_object_end(w);
    json_write_object_end(w);
}

/* As templates want them: OpenAI's way. */
static void write_list(struct json_writer *w, const struct ask_tools *tools)
{
    if (!tools->is_bare) {
        json_write_value(w, tools->list);
        return;
    }
    json_write_array(w);
    for (const struct json *tool = json_first(tools->list); tool; tool = json_next(tool))
        write_bare(w, tool);
    json_write_array_end(w);
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

bool tools_are_taken(enum tokenizer_tools format)
{
    return format != TOKENIZER_TOOLS_NONE && format != TOKENIZER_TOOLS_OTHER;
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
        FAIL(err, ERR_LIMIT, "%s: not together with tools that may be called",
             ask->format_field);
    TRY(take_json(write_list, tools, arena, &tools->told, err));
    if (tools->choice != ASK_TOOLS_REQUIRED)
        return OK;
    ask->format_field = "tools";
    ask->job.format = ENGINE_FORMAT_SCHEMA;
    return take_json(write_schema, tools, arena, &ask->job.format_source, err);
}
