/* openai - see openai.h. Ranges are those of OpenAI's own description of the API. */
#include "protocol/api/openai.h"

#include <stdio.h>
#include <string.h>

/* A field that is there and not null. */
static const struct json *present(const struct json *object, const char *key)
{
    const struct json *value = json_get(object, key);
    return json_type(value) == JSON_NULL ? NULL : value;
}

static enum status read_real(const struct json *body, const char *key, double max, float *out,
                             struct error *err)
{
    const struct json *value = present(body, key);
    double number = 0;
    if (!value)
        return OK;
    if (!json_double(value, &number))
        FAIL(err, ERR_FORMAT, "%s: want a number", key);
    if (number < 0 || number > max)
        FAIL(err, ERR_LIMIT, "%s: %g is not in 0 to %g", key, number, max);
    *out = (float)number;
    return OK;
}

static enum status read_count(const struct json *body, const char *key, int64_t max,
                              uint32_t *out, struct error *err)
{
    const struct json *value = present(body, key);
    int64_t number = 0;
    if (!value)
        return OK;
    if (!json_i64(value, &number))
        FAIL(err, ERR_FORMAT, "%s: want a whole number", key);
    if (number < 1 || number > max)
        FAIL(err, ERR_LIMIT, "%s: %lld is not in 1 to %lld", key, (long long)number,
             (long long)max);
    *out = (uint32_t)number;
    return OK;
}

static enum status read_stops(const struct json *body, struct arena *arena,
                              struct openai_chat *chat, struct error *err)
{
    const struct json *stop = present(body, "stop");
    const bool is_list = json_type(stop) == JSON_ARRAY;
    const size_t count = !stop ? 0 : is_list ? json_count(stop) : 1;
    if (count > ENGINE_STOPS_MAX)
        FAIL(err, ERR_LIMIT, "stop: %zu strings, at most %d are taken", count,
             ENGINE_STOPS_MAX);
    struct text *stops = ARENA_NEW(arena, struct text, count);
    if (!stops)
        FAIL(err, ERR_MEMORY, "stop: no room for %zu strings", count);
    const struct json *value = is_list ? json_first(stop) : stop;
    for (size_t i = 0; i < count; i++, value = json_next(value)) {
        if (!json_text(value, &stops[i]))
            FAIL(err, ERR_FORMAT, "stop: want a string or a list of strings");
    }
    chat->job.stops = stops;
    chat->job.stop_count = (uint32_t)count;
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

static enum status read_message(const struct json *from, struct arena *arena,
                                struct tokenizer_message *to, struct error *err)
{
    const struct json *content = json_get(from, "content");
    if (!json_text(json_get(from, "role"), &to->role))
        FAIL(err, ERR_FORMAT, "messages: a message without a role");
    if (text_equal(to->role, TEXT("developer")))
        to->role = TEXT("system");
    if (!text_equal(to->role, TEXT("system")) && !text_equal(to->role, TEXT("user")) &&
        !text_equal(to->role, TEXT("assistant")))
        FAIL(err, ERR_LIMIT, "messages: role \"%.*s\"; system, user and assistant are taken",
             TEXT_ARG(text_slice(to->role, 0, 40)));
    if (json_text(content, &to->content))
        return OK;
    if (json_type(content) != JSON_ARRAY)
        FAIL(err, ERR_FORMAT, "messages: content is neither a string nor a list of parts");
    return join_parts(content, arena, &to->content, err);
}

static enum status read_messages(const struct json *body, struct arena *arena,
                                 struct openai_chat *chat, struct error *err)
{
    const struct json *list = json_get(body, "messages");
    const size_t count = json_count(list);
    if (json_type(list) != JSON_ARRAY || count == 0)
        FAIL(err, ERR_FORMAT, "messages: want a list with at least one message");
    if (count > OPENAI_MESSAGES_MAX)
        FAIL(err, ERR_LIMIT, "messages: %zu, at most %d are taken", count, OPENAI_MESSAGES_MAX);
    struct tokenizer_message *messages = ARENA_NEW(arena, struct tokenizer_message, count);
    if (!messages)
        FAIL(err, ERR_MEMORY, "messages: no room for %zu", count);
    const struct json *from = json_first(list);
    for (size_t i = 0; i < count; i++, from = json_next(from))
        TRY(read_message(from, arena, &messages[i], err));
    chat->messages = messages;
    chat->message_count = (uint32_t)count;
    return OK;
}

/* Whether a field says "nothing of that": null, false, 0, "none", or an empty container. */
static bool says_nothing(const struct json *value)
{
    bool flag = false;
    double number = 0;
    struct text word = {0};
    if (json_type(value) == JSON_NULL)
        return true;
    if (json_bool(value, &flag))
        return !flag;
    if (json_double(value, &number))
        return number >= 0 && number <= 0;
    if (json_text(value, &word))
        return text_equal(word, TEXT("none"));
    return !json_first(value);
}

static enum status refuse_unsupported(const struct json *body, struct error *err)
{
    static const char *const fields[] = {
        "tools",        "functions",        "tool_choice",       "function_call", "logprobs",
        "top_logprobs", "presence_penalty", "frequency_penalty", "logit_bias",    "audio",
    };
    struct text format = {0};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (!says_nothing(json_get(body, fields[i])))
            FAIL(err, ERR_LIMIT, "%s: not supported", fields[i]);
    }
    const struct json *response_format = present(body, "response_format");
    if (response_format && !(json_text(json_get(response_format, "type"), &format) &&
                             text_equal(format, TEXT("text"))))
        FAIL(err, ERR_LIMIT, "response_format: only type \"text\" is supported");
    return OK;
}

static enum status read_seed(const struct json *body, struct openai_chat *chat,
                             struct error *err)
{
    const struct json *value = present(body, "seed");
    int64_t seed = 0;
    if (value && !json_i64(value, &seed))
        FAIL(err, ERR_FORMAT, "seed: want a whole number of 64 bits");
    chat->has_seed = value != NULL;
    chat->job.seed = (uint64_t)seed;
    return OK;
}

static enum status read_sampling(const struct json *body, struct engine_job *job,
                                 struct error *err)
{
    float top_p = 1;
    uint32_t top_k = 0;
    job->temperature = 1; /* OpenAI's default */
    job->sample_count = 1;
    TRY(read_real(body, "temperature", 2, &job->temperature, err));
    TRY(read_real(body, "top_p", 1, &top_p, err));
    TRY(read_real(body, "min_p", 1, &job->min_p, err));
    TRY(read_count(body, "top_k", INT32_MAX, &top_k, err));
    TRY(read_count(body, "n", ENGINE_SAMPLES_MAX, &job->sample_count, err));
    TRY(read_count(body, "max_tokens", INT32_MAX, &job->max_tokens, err));
    TRY(read_count(body, "max_completion_tokens", INT32_MAX, &job->max_tokens, err));
    job->top_k = (int32_t)top_k;
    if (top_p > 0)
        job->top_p = top_p;
    else
        job->temperature = 0; /* none but the likeliest; the engine's 0 would mean "off" */
    return OK;
}

enum status openai_chat_parse(const struct json *body, struct arena *arena,
                              struct openai_chat *chat, struct error *err)
{
    *chat = (struct openai_chat){.job = {.kind = ENGINE_GENERATE}};
    if (json_type(body) != JSON_OBJECT)
        FAIL(err, ERR_FORMAT, "body: want an object");
    TRY(refuse_unsupported(body, err));
    TRY(read_messages(body, arena, chat, err));
    TRY(read_sampling(body, &chat->job, err));
    TRY(read_seed(body, chat, err));
    TRY(read_stops(body, arena, chat, err));
    (void)json_bool(json_get(body, "stream"), &chat->stream);
    return OK;
}

static void write_choice(struct json_writer *w, const struct openai_choice *choice,
                         uint32_t index)
{
    json_write_object(w);
    json_write_key(w, "index");
    json_write_i64(w, index);
    json_write_key(w, "message");
    json_write_object(w);
    json_write_key(w, "role");
    json_write_text(w, TEXT("assistant"));
    json_write_key(w, "content");
    json_write_text(w, choice->text);
    json_write_key(w, "refusal");
    json_write_null(w);
    json_write_object_end(w);
    json_write_key(w, "logprobs");
    json_write_null(w);
    json_write_key(w, "finish_reason");
    json_write_text(w, choice->finish == ENGINE_STOP ? TEXT("stop") : TEXT("length"));
    json_write_object_end(w);
}

static void write_usage(struct json_writer *w, const struct openai_completion *completion)
{
    json_write_key(w, "usage");
    json_write_object(w);
    json_write_key(w, "prompt_tokens");
    json_write_i64(w, completion->prompt_tokens);
    json_write_key(w, "completion_tokens");
    json_write_i64(w, completion->completion_tokens);
    json_write_key(w, "total_tokens");
    json_write_i64(w, (int64_t)completion->prompt_tokens + completion->completion_tokens);
    json_write_key(w, "prompt_tokens_details");
    json_write_object(w);
    json_write_key(w, "cached_tokens");
    json_write_i64(w, completion->cached_tokens);
    json_write_object_end(w);
    json_write_object_end(w);
}

void openai_completion_write(struct json_writer *w, const struct openai_completion *completion)
{
    json_write_object(w);
    json_write_key(w, "id");
    json_write_text(w, completion->id);
    json_write_key(w, "object");
    json_write_text(w, TEXT("chat.completion"));
    json_write_key(w, "created");
    json_write_i64(w, completion->created);
    json_write_key(w, "model");
    json_write_text(w, completion->model);
    json_write_key(w, "choices");
    json_write_array(w);
    for (uint32_t i = 0; i < completion->choice_count; i++)
        write_choice(w, &completion->choices[i], i);
    json_write_array_end(w);
    write_usage(w, completion);
    json_write_object_end(w);
}

void openai_error_write(struct json_writer *w, const char *type, struct text message)
{
    json_write_object(w);
    json_write_key(w, "error");
    json_write_object(w);
    json_write_key(w, "message");
    json_write_text(w, message);
    json_write_key(w, "type");
    json_write_text(w, text_of(type));
    json_write_key(w, "param");
    json_write_null(w);
    json_write_key(w, "code");
    json_write_null(w);
    json_write_object_end(w);
    json_write_object_end(w);
}
