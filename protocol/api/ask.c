/* ask - see ask.h. */
#include "protocol/api/ask.h"

#include "protocol/api/tools.h"

enum status ask_take_prompts(struct ask *ask, uint32_t count, struct arena *arena,
                             struct error *err)
{
    ask->prompts = ARENA_NEW(arena, struct ask_prompt, count);
    if (!ask->prompts)
        FAIL(err, ERR_MEMORY, "no room for %u prompts", count);
    ask->prompt_count = count;
    return OK;
}

void ask_set_top_p(struct engine_job *job, float top_p)
{
    if (top_p > 0)
        job->top_p = top_p;
    else
        job->temperature = 0;
}

enum status ask_read_stops(const struct json *stop, const char *name, struct arena *arena,
                           struct engine_job *job, struct error *err)
{
    const bool is_list = json_type(stop) == JSON_ARRAY;
    const size_t count = !stop ? 0 : is_list ? json_count(stop) : 1;
    if (count > ENGINE_STOPS_MAX)
        FAIL(err, ERR_LIMIT, "%s: %zu strings, at most %d are taken", name, count,
             ENGINE_STOPS_MAX);
    struct text *stops = ARENA_NEW(arena, struct text, count);
    if (!stops)
        FAIL(err, ERR_MEMORY, "%s: no room for %zu strings", name, count);
    const struct json *value = is_list ? json_first(stop) : stop;
    for (size_t i = 0; i < count; i++, value = json_next(value)) {
        if (!json_text(value, &stops[i]))
            FAIL(err, ERR_FORMAT, "%s: want a string or a list of strings", name);
    }
    job->stops = stops;
    job->stop_count = (uint32_t)count;
    return OK;
}

/* {"token id": bias, ...} */
enum status ask_read_biases(const struct json *map, const char *name, struct arena *arena,
                            struct engine_job *job, struct error *err)
{
    const size_t count = json_count(map);
    if (count > ENGINE_BIASES_MAX)
        FAIL(err, ERR_LIMIT, "%s: %zu tokens, at most %d are taken", name, count,
             ENGINE_BIASES_MAX);
    struct engine_bias *biases = ARENA_NEW(arena, struct engine_bias, count);
    if (!biases)
        FAIL(err, ERR_MEMORY, "%s: no room for %zu tokens", name, count);
    const struct json *value = json_first(map);
    for (size_t i = 0; i < count; i++, value = json_next(value)) {
        const struct text key = json_key(value);
        double bias = 0;
        int64_t token = 0;
        for (size_t d = 0; d < key.size && token >= 0; d++)
            token = key.data[d] < '0' || key.data[d] > '9' || token > INT32_MAX / 10 - 1
                        ? -1
                        : token * 10 + (key.data[d] - '0');
        if (key.size == 0 || token < 0)
            FAIL(err, ERR_FORMAT, "%s: \"%.*s\" is no token id", name,
                 TEXT_ARG(text_slice(key, 0, 40)));
        if (!json_double(value, &bias))
            FAIL(err, ERR_FORMAT, "%s: want a number for token %lld", name, (long long)token);
        if (bias < -100 || bias > 100)
            FAIL(err, ERR_LIMIT, "%s: %g for token %lld is not in -100 to 100", name, bias,
                 (long long)token);
        biases[i] = (struct engine_bias){(token_id)token, (float)bias};
    }
    job->biases = biases;
    job->bias_count = (uint32_t)count;
    return OK;
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

/* One call of an assistant's message, with its arguments as the object that templates take. */
static enum status write_call(struct json_writer *w, const struct json *call, struct error *err)
{
    const struct json *function = json_get(call, "function");
    const struct json *arguments = json_get(function, "arguments");
    struct json *read = NULL;
    struct text id = {0}, name, spelled;
    (void)json_text(json_get(call, "id"), &id);
    if (!json_text(json_get(function, "name"), &name))
        FAIL(err, ERR_FORMAT, "messages: a call of a tool without a function's name");
    if (json_text(arguments, &spelled) &&
        json_parse(spelled.size > 0 ? spelled : TEXT("{}"), 0, &read, NULL) != OK)
        read = NULL;
    const bool is_object = json_type(read ? read : arguments) == JSON_OBJECT;
    if (is_object) {
        json_write_object(w);
        json_write_key_text(w, "id", id);
        json_write_key_text(w, "type", TEXT("function"));
        json_write_key(w, "function");
        json_write_object(w);
        json_write_key_text(w, "name", name);
        json_write_key(w, "arguments");
        json_write_value(w, read ? read : arguments);
        json_write_object_end(w);
        json_write_object_end(w);
    }
    json_free(read);
    if (!is_object)
        FAIL(err, ERR_FORMAT, "messages: the arguments of a call of %.*s are no JSON object",
             TEXT_ARG(text_slice(name, 0, 64)));
    return OK;
}

static enum status read_calls(const struct json *calls, struct arena *arena, struct text *to,
                              struct error *err)
{
    struct text_buf text = {0};
    struct json_writer w = {.out = &text};
    enum status status = OK;
    json_write_array(&w);
    for (const struct json *at = json_first(calls); at && status == OK; at = json_next(at))
        status = write_call(&w, at, err);
    json_write_array_end(&w);
    *to = text_copy(text_buf_text(&text), arena);
    if (status == OK && (text.failed || !to->data))
        status = error_set(err, ERR_MEMORY, __FILE__, __LINE__, "messages: no room");
    text_buf_deinit(&text);
    return status;
}

static bool role_is_known(struct text role)
{
    return text_equal(role, TEXT("system")) || text_equal(role, TEXT("user")) ||
           text_equal(role, TEXT("assistant")) || text_equal(role, TEXT("tool"));
}

static enum status read_message(const struct json *from, struct arena *arena,
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
    const bool is_tool = text_equal(to->role, TEXT("tool"));
    if (is_tool && !json_text(json_get(from, "tool_call_id"), &to->tool_call_id))
        FAIL(err, ERR_FORMAT, "messages: a tool's message without a tool_call_id");
    if (is_tool)
        (void)json_text(json_get(from, "name"), &to->name);
    if (json_count(calls) > 0 && text_equal(to->role, TEXT("assistant")))
        TRY(read_calls(calls, arena, &to->tool_calls, err));
    to->content = TEXT("");
    if (json_text(content, &to->content))
        return OK;
    if (json_type(content) == JSON_NULL && to->tool_calls.size > 0)
        return OK;
    if (json_type(content) != JSON_ARRAY)
        FAIL(err, ERR_FORMAT, "messages: content is neither a string nor a list of parts");
    return join_parts(content, arena, &to->content, err);
}

enum status ask_read_messages(const struct json *list, struct arena *arena,
                              struct ask_prompt *prompt, struct error *err)
{
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
        TRY(read_message(from, arena, &messages[i], err));
    prompt->messages = messages;
    prompt->message_count = (uint32_t)count;
    return OK;
}

/* A prompt that came as tokens; what the vocabulary has is for the engine to say. */
static enum status read_tokens(const struct json *list, const char *name, struct arena *arena,
                               struct ask_prompt *prompt, struct error *err)
{
    const size_t count = json_count(list);
    token_id *ids = ARENA_NEW(arena, token_id, count);
    const struct json *value = json_first(list);
    if (!ids)
        FAIL(err, ERR_MEMORY, "%s: no room for %zu tokens", name, count);
    for (size_t i = 0; i < count; i++, value = json_next(value)) {
        int64_t token;
        if (!json_i64(value, &token) || token < 0 || token > INT32_MAX)
            FAIL(err, ERR_FORMAT, "%s: item %zu of a list of tokens is no token id", name, i);
        ids[i] = (token_id)token;
    }
    if (count == 0)
        FAIL(err, ERR_FORMAT, "%s: an empty list of tokens", name);
    prompt->ids = ids;
    prompt->id_count = (uint32_t)count;
    return OK;
}

static enum status read_prompt(const struct json *value, const char *name, struct arena *arena,
                               struct ask_prompt *prompt, struct error *err)
{
    if (json_text(value, &prompt->text))
        return OK;
    if (json_type(value) == JSON_ARRAY)
        return read_tokens(value, name, arena, prompt, err);
    FAIL(err, ERR_FORMAT, "%s: want a string, a list of strings, or tokens", name);
}

enum status ask_read_prompts(const struct json *value, const char *name, struct arena *arena,
                             struct ask *ask, struct error *err)
{
    const bool is_list = json_type(value) == JSON_ARRAY;
    const struct json *first = is_list ? json_first(value) : NULL;
    const bool is_one = !is_list || json_type(first) == JSON_NUMBER;
    const size_t count = is_one ? 1 : json_count(value);
    if (!value || count == 0)
        FAIL(err, ERR_FORMAT, "%s: want a string, a list of strings, or tokens", name);
    if (count > ASK_PROMPTS_MAX)
        FAIL(err, ERR_LIMIT, "%s: %zu prompts, at most %d are taken", name, count,
             ASK_PROMPTS_MAX);
    TRY(ask_take_prompts(ask, (uint32_t)count, arena, err));
    if (is_one)
        return read_prompt(value, name, arena, &ask->prompts[0], err);
    for (size_t i = 0; i < count; i++, first = json_next(first))
        TRY(read_prompt(first, name, arena, &ask->prompts[i], err));
    return OK;
}

/* ---- settling ---- */

static bool are_all_of_users(const struct ask_prompt *prompt)
{
    for (uint32_t i = 0; i < prompt->message_count; i++)
        if (!text_equal(prompt->messages[i].role, TEXT("user")))
            return false;
    return true;
}

/* Each message a conversation of its own. */
static enum status split(struct ask *ask, struct arena *arena, struct error *err)
{
    const struct ask_prompt whole = ask->prompts[0];
    if (whole.message_count > ASK_PROMPTS_MAX)
        FAIL(err, ERR_LIMIT, "messages: %u, at most %d are taken as a batch",
             whole.message_count, ASK_PROMPTS_MAX);
    TRY(ask_take_prompts(ask, whole.message_count, arena, err));
    for (uint32_t i = 0; i < whole.message_count; i++) {
        ask->prompts[i].messages = &whole.messages[i];
        ask->prompts[i].message_count = 1;
    }
    return OK;
}

static void set_job_output(struct ask *ask)
{
    ask->job.format = ENGINE_FORMAT_SCHEMA;
    ask->job.format_source = text_of(engine_job_output_schema);
    for (uint32_t p = 0; !ask->job.chunk.data && p < ask->prompt_count; p++) {
        struct ask_prompt *prompt = &ask->prompts[p];
        prompt->chunk = TEXT("");
        for (uint32_t m = 0; m < prompt->message_count; m++)
            if (text_equal(prompt->messages[m].role, TEXT("user")))
                prompt->chunk = prompt->messages[m].content;
    }
}

enum status ask_settle(struct ask *ask, const struct tokenizer *tokenizer, bool is_batch,
                       struct arena *arena, struct error *err)
{
    if (is_batch && ask->kind == ASK_CHAT && !ask->has_one_choice && ask->prompt_count == 1 &&
        ask->prompts[0].message_count > 1 && are_all_of_users(&ask->prompts[0]))
        TRY(split(ask, arena, err));
    if (ask->kind == ASK_CHAT && text_ends(ask->model, TEXT(ASK_JOB_OUTPUT)))
        set_job_output(ask);
    return tools_settle(ask, tokenizer, arena, err);
}
