/* anthropic_talk - see anthropic_talk.h. */
#include "protocol/api/anthropic_talk.h"

#include "protocol/api/messages.h"

struct talk {
    struct arena *arena;
    struct tokenizer_message *messages;
    uint32_t count;
};

/* What a content may have. */
struct kind {
    const char *field;
    struct text other; /* blocks of this type are read elsewhere; empty: text alone */
};

static bool is_of(const struct json *block, struct text type)
{
    struct text own;
    return json_text(json_get(block, "type"), &own) && text_equal(own, type);
}

static uint32_t count_of(const struct json *content, struct text type)
{
    uint32_t count = 0;
    for (const struct json *at = json_first(content); at; at = json_next(at))
        count += is_of(at, type);
    return count;
}

/* A string, or blocks of type "text", joined. */
static enum status read_text(const struct json *content, const struct kind *kind,
                             struct arena *arena, struct text *to, struct error *err)
{
    struct text_buf all = {0};
    struct text type = TEXT("text");
    bool is_taken = true;
    if (json_text(content, to))
        return OK;
    if (json_type(content) != JSON_ARRAY)
        FAIL(err, ERR_FORMAT, "%s: content is neither a string nor a list of blocks",
             kind->field);
    for (const struct json *at = json_first(content); at && is_taken; at = json_next(at)) {
        struct text text = {0};
        type = TEXT("");
        (void)json_text(json_get(at, "type"), &type);
        const bool is_text =
            text_equal(type, TEXT("text")) && json_text(json_get(at, "text"), &text);
        is_taken = is_text || (type.size > 0 && text_equal(type, kind->other));
        text_buf_add(&all, text);
    }
    *to = text_copy(text_buf_text(&all), arena);
    const bool failed = all.failed || !to->data;
    text_buf_deinit(&all);
    if (!is_taken)
        FAIL(err, ERR_LIMIT, "%s: a content block of type \"%.*s\" is not taken here",
             kind->field, TEXT_ARG(text_slice(type, 0, 40)));
    if (failed)
        FAIL(err, ERR_MEMORY, "%s: no room", kind->field);
    return OK;
}

static enum status write_call(struct json_writer *w, const struct json *block,
                              struct error *err)
{
    struct messages_call call = {.arguments = json_get(block, "input")};
    if (!json_text(json_get(block, "id"), &call.id) ||
        !json_text(json_get(block, "name"), &call.name))
        FAIL(err, ERR_FORMAT, "messages: a tool_use without an id or a name");
    if (json_type(call.arguments) != JSON_OBJECT)
        FAIL(err, ERR_FORMAT, "messages: the input of a tool_use of %.*s is no object",
             TEXT_ARG(text_slice(call.name, 0, 64)));
    messages_write_call(w, &call);
    return OK;
}

static enum status read_assistant(struct talk *talk, const struct json *content,
                                  struct error *err)
{
    static const struct kind kind = {"messages", {"tool_use", 8}};
    struct tokenizer_message *to = &talk->messages[talk->count++];
    struct text_buf calls = {0};
    struct json_writer w = {.out = &calls};
    enum status status = OK;
    to->role = TEXT("assistant");
    TRY(read_text(content, &kind, talk->arena, &to->content, err));
    if (count_of(content, kind.other) == 0)
        return OK;
    json_write_array(&w);
    for (const struct json *at = json_first(content); at && status == OK; at = json_next(at))
        if (is_of(at, kind.other))
            status = write_call(&w, at, err);
    json_write_array_end(&w);
    to->tool_calls = text_copy(text_buf_text(&calls), talk->arena);
    if (status == OK && (calls.failed || !to->tool_calls.data))
        status = error_set(err, ERR_MEMORY, __FILE__, __LINE__, "messages: no room");
    text_buf_deinit(&calls);
    return status;
}

static enum status read_result(struct talk *talk, const struct json *block, struct error *err)
{
    static const struct kind kind = {"messages", {"", 0}};
    struct tokenizer_message *to = &talk->messages[talk->count++];
    const struct json *content = json_get(block, "content");
    to->role = TEXT("tool");
    to->content = TEXT("");
    if (!json_text(json_get(block, "tool_use_id"), &to->tool_call_id))
        FAIL(err, ERR_FORMAT, "messages: a tool_result without a tool_use_id");
    if (json_type(content) == JSON_NULL)
        return OK;
    return read_text(content, &kind, talk->arena, &to->content, err);
}

static enum status read_user(struct talk *talk, const struct json *content, struct error *err)
{
    static const struct kind kind = {"messages", {"tool_result", 11}};
    const uint32_t results = count_of(content, kind.other);
    for (const struct json *at = json_first(content); at; at = json_next(at))
        if (is_of(at, kind.other))
            TRY(read_result(talk, at, err));
    struct tokenizer_message *to = &talk->messages[talk->count];
    to->role = TEXT("user");
    TRY(read_text(content, &kind, talk->arena, &to->content, err));
    talk->count += results == 0 || to->content.size > 0;
    return OK;
}

static enum status read_message(struct talk *talk, const struct json *from, struct error *err)
{
    struct text role;
    if (!json_text(json_get(from, "role"), &role))
        FAIL(err, ERR_FORMAT, "messages: a message without a role");
    if (text_equal(role, TEXT("assistant")))
        return read_assistant(talk, json_get(from, "content"), err);
    if (text_equal(role, TEXT("user")))
        return read_user(talk, json_get(from, "content"), err);
    FAIL(err, ERR_LIMIT,
         "messages: role \"%.*s\"; user and assistant are taken, and system beside them",
         TEXT_ARG(text_slice(role, 0, 40)));
}

/* One for each, one more for each result of a tool, and the system's. */
static size_t messages_of(const struct json *list)
{
    size_t count = json_count(list) + 1;
    for (const struct json *at = json_first(list); at; at = json_next(at))
        count += count_of(json_get(at, "content"), TEXT("tool_result"));
    return count;
}

enum status anthropic_talk_read(const struct json *list, const struct json *system,
                                struct arena *arena, struct ask_prompt *prompt,
                                struct error *err)
{
    static const struct kind kind = {"system", {"", 0}};
    const size_t count = messages_of(list);
    struct talk talk = {.arena = arena};
    if (json_count(list) == 0)
        FAIL(err, ERR_FORMAT, "messages: want a list with at least one message");
    if (count > ASK_MESSAGES_MAX)
        FAIL(err, ERR_LIMIT, "messages: %zu, at most %d are taken", count - 1,
             ASK_MESSAGES_MAX - 1);
    talk.messages = ARENA_NEW(arena, struct tokenizer_message, count);
    if (!talk.messages)
        FAIL(err, ERR_MEMORY, "messages: no room for %zu", count);
    if (json_type(system) != JSON_NULL) {
        talk.messages[talk.count].role = TEXT("system");
        TRY(read_text(system, &kind, arena, &talk.messages[talk.count++].content, err));
    }
    for (const struct json *at = json_first(list); at; at = json_next(at))
        TRY(read_message(&talk, at, err));
    if (text_equal(talk.messages[talk.count - 1].role, TEXT("assistant")))
        FAIL(err, ERR_LIMIT,
             "messages: the last is the assistant's; an answer that is begun is not supported");
    prompt->messages = talk.messages;
    prompt->message_count = talk.count;
    return OK;
}
