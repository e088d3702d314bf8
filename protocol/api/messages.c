/* messages - see messages.h. */
#include "protocol/api/messages.h"

#include <stdio.h>

struct reading {
    struct arena *arena;
    enum messages_calls calls;
    uint32_t made, answered; /* calls; answered counts on from the last message with any */
};

enum { NUMBER_SIZE = 24 };

/* The strictest templates want nine letters and digits: these are, for many a call. */
static struct text number(uint32_t count, char id[NUMBER_SIZE])
{
    const int size = snprintf(id, NUMBER_SIZE, "call%05u", (unsigned)count);
    return (struct text){id, (size_t)size};
}

/* The text of a message whose content is a list of parts, joined. */
static enum status join_parts(const struct json *parts, struct arena *arena, struct text *out,
                              struct error *err)
{
    struct text_buf all = {0};
    enum status status = OK;
    for (const struct json *part = json_first(parts); part && status == OK;
         part = json_next(part)) {
        struct text text = {0}, type = {0};
        (void)json_text(json_get(part, "type"), &type);
        if (text_equal(type, TEXT("text")) && json_text(json_get(part, "text"), &text))
            text_buf_add(&all, text);
        else
            status = error_set(err, ERR_LIMIT, __FILE__, __LINE__,
                               "messages: a content part of type \"%.*s\"; only text is taken",
                               TEXT_ARG(text_slice(type, 0, 40)));
    }
    *out = text_copy(text_buf_text(&all), arena);
    if (status == OK && (all.failed || !out->data))
        status = error_set(err, ERR_MEMORY, __FILE__, __LINE__, "messages: no room");
    text_buf_deinit(&all);
    return status;
}

void messages_write_call(struct json_writer *w, const struct messages_call *call)
{
    json_write_object(w);
    json_write_key_text(w, "id", call->id);
    json_write_key_text(w, "type", TEXT("function"));
    json_write_key(w, "function");
    json_write_object(w);
    json_write_key_text(w, "name", call->name);
    json_write_key(w, "arguments");
    json_write_value(w, call->arguments);
    json_write_object_end(w);
    json_write_object_end(w);
}

/* One call of an assistant's message, with its arguments as the object that templates take. */
static enum status read_call(struct reading *reading, const struct json *from,
                             struct json_writer *w, struct error *err)
{
    const struct json *function = json_get(from, "function");
    struct messages_call call = {.arguments = json_get(function, "arguments")};
    struct json *read = NULL;
    struct text spelled;
    char id[NUMBER_SIZE];
    if (!json_text(json_get(function, "name"), &call.name))
        FAIL(err, ERR_FORMAT, "messages: a call of a tool without a function's name");
    reading->made++;
    if (!json_text(json_get(from, "id"), &call.id) && reading->calls == MESSAGES_CALLS_IN_ORDER)
        call.id = number(reading->made, id);
    if (json_text(call.arguments, &spelled) &&
        json_parse(spelled.size > 0 ? spelled : TEXT("{}"), 0, &read, NULL) == OK)
        call.arguments = read;
    const bool is_object = json_type(call.arguments) == JSON_OBJECT;
    if (is_object)
        messages_write_call(w, &call);
    json_free(read);
    if (!is_object)
        FAIL(err, ERR_FORMAT, "messages: the arguments of a call of %.*s are no JSON object",
             TEXT_ARG(text_slice(call.name, 0, 64)));
    return OK;
}

static enum status read_calls(struct reading *reading, const struct json *calls,
                              struct text *to, struct error *err)
{
    struct text_buf text = {0};
    struct json_writer w = {.out = &text};
    enum status status = OK;
    reading->answered = reading->made;
    json_write_array(&w);
    for (const struct json *at = json_first(calls); at && status == OK; at = json_next(at))
        status = read_call(reading, at, &w, err);
    json_write_array_end(&w);
    *to = text_copy(text_buf_text(&text), reading->arena);
    if (status == OK && (text.failed || !to->data))
        status = error_set(err, ERR_MEMORY, __FILE__, __LINE__, "messages: no room");
    text_buf_deinit(&text);
    return status;
}

/* Whose call it answers, and of which tool. */
static enum status read_result(struct reading *reading, const struct json *from,
                               struct tokenizer_message *to, struct error *err)
{
    char id[NUMBER_SIZE];
    const bool has_id = json_text(json_get(from, "tool_call_id"), &to->tool_call_id);
    reading->answered++;
    if (reading->calls == MESSAGES_CALLS_BY_ID) {
        if (!has_id)
            FAIL(err, ERR_FORMAT, "messages: a tool's message without a tool_call_id");
        (void)json_text(json_get(from, "name"), &to->name);
        return OK;
    }
    (void)json_text(json_get(from, "tool_name"), &to->name);
    if (!has_id)
        to->tool_call_id = text_copy(number(reading->answered, id), reading->arena);
    if (!to->tool_call_id.data)
        FAIL(err, ERR_MEMORY, "messages: no room");
    return OK;
}

static bool role_is_known(struct text role)
{
    return text_equal(role, TEXT("system")) || text_equal(role, TEXT("user")) ||
           text_equal(role, TEXT("assistant")) || text_equal(role, TEXT("tool"));
}

static enum status read_message(struct reading *reading, const struct json *from,
                                struct tokenizer_message *to, struct error *err)
{
    const struct json *content = json_get(from, "content");
    const struct json *calls = json_get(from, "tool_calls");
    if (!json_text(json_get(from, "role"), &to->role))
        FAIL(err, ERR_FORMAT, "messages: a message without a role");
    if (text_equal(to->role, TEXT("developer")))
        to->role = TEXT("system");
    if (!role_is_known(to->role))
        FAIL(err, ERR_LIMIT,
             "messages: role \"%.*s\"; system, user, assistant and tool are taken",
             TEXT_ARG(text_slice(to->role, 0, 40)));
    if (text_equal(to->role, TEXT("tool")))
        TRY(read_result(reading, from, to, err));
    if (json_count(calls) > 0 && text_equal(to->role, TEXT("assistant")))
        TRY(read_calls(reading, calls, &to->tool_calls, err));
    to->content = TEXT("");
    if (json_text(content, &to->content))
        return OK;
    if (json_type(content) == JSON_NULL && to->tool_calls.size > 0)
        return OK;
    if (json_type(content) != JSON_ARRAY)
        FAIL(err, ERR_FORMAT, "messages: content is neither a string nor a list of parts");
    return join_parts(content, reading->arena, &to->content, err);
}

enum status messages_read(const struct json *list, enum messages_calls calls,
                          struct arena *arena, struct ask_prompt *prompt, struct error *err)
{
    struct reading reading = {.arena = arena, .calls = calls};
    const size_t count = json_count(list);
    if (json_type(list) != JSON_ARRAY || count == 0)
        FAIL(err, ERR_FORMAT, "messages: want a list with at least one message");
    if (count > ASK_MESSAGES_MAX)
        FAIL(err, ERR_LIMIT, "messages: %zu, at most %d are taken", count, ASK_MESSAGES_MAX);
    struct tokenizer_message *messages = ARENA_NEW(arena, struct tokenizer_message, count);
    if (!messages)
        FAIL(err, ERR_MEMORY, "messages: no room for %zu", count);
    const struct json *from = json_first(list);
    for (size_t i = 0; i < count; i++, from = json_next(from))
        TRY(read_message(&reading, from, &messages[i], err));
    prompt->messages = messages;
    prompt->message_count = (uint32_t)count;
    return OK;
}
