/* openai - see openai.h. Ranges are those of OpenAI's own description of the API. */
#include "protocol/api/openai.h"

#include "protocol/api/response_format.h"

#include <stdio.h>
#include <string.h>

/* A field that is there and not null. */
static const struct json *present(const struct json *object, const char *key)
{
    const struct json *value = json_get(object, key);
    return json_type(value) == JSON_NULL ? NULL : value;
}

/* A field's name and the numbers that it may be. */
struct real_field {
    const char *key;
    double min, max;
};

static enum status read_real(const struct json *body, struct real_field field, float *out,
                             struct error *err)
{
    const struct json *value = present(body, field.key);
    double number = 0;
    if (!value)
        return OK;
    if (!json_double(value, &number))
        FAIL(err, ERR_FORMAT, "%s: want a number", field.key);
    if (number < field.min || number > field.max)
        FAIL(err, ERR_LIMIT, "%s: %g is not in %g to %g", field.key, number, field.min,
             field.max);
    *out = (float)number;
    return OK;
}

struct whole_field {
    const char *key;
    int64_t min, max;
};

static enum status read_whole(const struct json *body, struct whole_field field, int64_t *out,
                              struct error *err)
{
    const struct json *value = present(body, field.key);
    if (!value)
        return OK;
    if (!json_i64(value, out))
        FAIL(err, ERR_FORMAT, "%s: want a whole number", field.key);
    if (*out < field.min || *out > field.max)
        FAIL(err, ERR_LIMIT, "%s: %lld is not in %lld to %lld", field.key, (long long)*out,
             (long long)field.min, (long long)field.max);
    return OK;
}

static enum status read_count(const struct json *body, const char *key, int64_t max,
                              uint32_t *out, struct error *err)
{
    int64_t number = *out;
    TRY(read_whole(body, (struct whole_field){key, 1, max}, &number, err));
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
        "tools", "functions", "tool_choice", "function_call", "audio",
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (!says_nothing(json_get(body, fields[i])))
            FAIL(err, ERR_LIMIT, "%s: not supported", fields[i]);
    }
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

/* Of several texts the likeliest: we would have to throw the others away. */
static enum status refuse_best_of(const struct json *body, struct error *err)
{
    int64_t best_of = 1;
    const struct json *value = present(body, "best_of");
    if (value && (!json_i64(value, &best_of) || best_of != 1))
        FAIL(err, ERR_LIMIT, "best_of: not supported; ask for n and choose by logprobs");
    return OK;
}

/* {"token id": bias, ...} */
static enum status read_biases(const struct json *body, struct arena *arena,
                               struct engine_job *job, struct error *err)
{
    const struct json *map = present(body, "logit_bias");
    const size_t count = json_count(map);
    if (map && json_type(map) != JSON_OBJECT)
        FAIL(err, ERR_FORMAT, "logit_bias: want an object of token ids and numbers");
    if (count > ENGINE_BIASES_MAX)
        FAIL(err, ERR_LIMIT, "logit_bias: %zu tokens, at most %d are taken", count,
             ENGINE_BIASES_MAX);
    struct engine_bias *biases = ARENA_NEW(arena, struct engine_bias, count);
    if (!biases)
        FAIL(err, ERR_MEMORY, "logit_bias: no room for %zu tokens", count);
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
            FAIL(err, ERR_FORMAT, "logit_bias: \"%.*s\" is no token id",
                 TEXT_ARG(text_slice(key, 0, 40)));
        if (!json_double(value, &bias))
            FAIL(err, ERR_FORMAT, "logit_bias: want a number for token %lld", (long long)token);
        if (bias < -100 || bias > 100)
            FAIL(err, ERR_LIMIT, "logit_bias: %g for token %lld is not in -100 to 100", bias,
                 (long long)token);
        biases[i] = (struct engine_bias){(token_id)token, (float)bias};
    }
    job->biases = biases;
    job->bias_count = (uint32_t)count;
    return OK;
}

static enum status read_logprobs(const struct json *body, struct openai_chat *chat,
                                 struct error *err)
{
    const struct json *wanted = present(body, "logprobs");
    int64_t tops = 0;
    if (wanted && !json_bool(wanted, &chat->logprobs))
        FAIL(err, ERR_FORMAT, "logprobs: want true or false");
    TRY(read_whole(body, (struct whole_field){"top_logprobs", 0, ENGINE_TOPS_MAX}, &tops, err));
    if (tops > 0 && !chat->logprobs)
        FAIL(err, ERR_FORMAT, "top_logprobs: %lld, but logprobs is not true", (long long)tops);
    chat->job.top_count = (uint32_t)tops;
    return OK;
}

static enum status read_service(const struct json *body, struct engine_job *job,
                                struct error *err)
{
    int64_t priority = 0;
    TRY(read_whole(body,
                   (struct whole_field){"priority", -ENGINE_PRIORITY_MAX, ENGINE_PRIORITY_MAX},
                   &priority, err));
    TRY(read_count(body, "deadline_ms", UINT32_MAX, &job->deadline_ms, err));
    job->priority = (int32_t)priority;
    return OK;
}

static enum status read_penalties(const struct json *body, struct engine_job *job,
                                  struct error *err)
{
    TRY(read_real(body, (struct real_field){"frequency_penalty", -2, 2},
                  &job->frequency_penalty, err));
    TRY(read_real(body, (struct real_field){"presence_penalty", -2, 2}, &job->presence_penalty,
                  err));
    return read_real(body, (struct real_field){"repetition_penalty", 0.01, 100},
                     &job->repetition_penalty, err);
}

/* Above 0: the engine's 0 would mean "off". */
static enum status read_typical(const struct json *body, struct engine_job *job,
                                struct error *err)
{
    TRY(read_real(body, (struct real_field){"typical_p", 0, 1}, &job->typical_p, err));
    if (present(body, "typical_p") && !(job->typical_p > 0))
        FAIL(err, ERR_LIMIT, "typical_p: 0, want above 0, 1 at most");
    return OK;
}

static enum status read_sampling(const struct json *body, struct engine_job *job,
                                 struct error *err)
{
    float top_p = 1;
    uint32_t top_k = 0;
    job->temperature = 1; /* OpenAI's default */
    job->sample_count = 1;
    TRY(read_real(body, (struct real_field){"temperature", 0, 2}, &job->temperature, err));
    TRY(read_real(body, (struct real_field){"top_p", 0, 1}, &top_p, err));
    TRY(read_real(body, (struct real_field){"min_p", 0, 1}, &job->min_p, err));
    TRY(read_typical(body, job, err));
    TRY(read_count(body, "top_k", INT32_MAX, &top_k, err));
    TRY(refuse_best_of(body, err));
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
    TRY(read_penalties(body, &chat->job, err));
    TRY(read_biases(body, arena, &chat->job, err));
    TRY(read_logprobs(body, chat, err));
    TRY(read_service(body, &chat->job, err));
    TRY(response_format_read(present(body, "response_format"), arena, &chat->job, err));
    const struct json *chunk = present(body, "chunk");
    if (chunk && !json_text(chunk, &chat->job.chunk))
        FAIL(err, ERR_FORMAT, "chunk: want a string");
    (void)json_bool(json_get(body, "stream"), &chat->stream);
    return OK;
}

/* A token, its log-probability and its bytes; what is not UTF-8 of its own is shown as U+FFFD.
 * */
static void write_token(struct json_writer *w, const struct openai_token *token)
{
    struct text_buf shown = {0};
    char character[4];
    for (size_t at = 0; at < token->bytes.size;) {
        const uint32_t next = text_utf8_next(token->bytes, &at);
        const size_t size = text_utf8_put(next == UINT32_MAX ? 0xfffd : next, character);
        text_buf_add(&shown, (struct text){character, size});
    }
    json_write_key_text(w, "token", text_buf_text(&shown));
    json_write_key_double(w, "logprob",
                          token->logprob > OPENAI_LOGPROB_MIN ? (double)token->logprob
                                                              : (double)OPENAI_LOGPROB_MIN);
    json_write_key(w, "bytes");
    json_write_array(w);
    for (size_t i = 0; i < token->bytes.size; i++)
        json_write_i64(w, (unsigned char)token->bytes.data[i]);
    json_write_array_end(w);
    text_buf_deinit(&shown);
}

void openai_logprob_write(struct text_buf *content, const struct openai_token *token,
                          const struct openai_token *tops, uint32_t top_count)
{
    struct json_writer w = {.out = content};
    text_buf_add(content, content->size == 0 ? TEXT("[") : TEXT(","));
    json_write_object(&w);
    write_token(&w, token);
    json_write_key(&w, "top_logprobs");
    json_write_array(&w);
    for (uint32_t i = 0; i < top_count; i++) {
        json_write_object(&w);
        write_token(&w, &tops[i]);
        json_write_object_end(&w);
    }
    json_write_array_end(&w);
    json_write_object_end(&w);
}

static void write_logprobs(struct json_writer *w, const struct openai_choice *choice)
{
    struct text_buf content = {0};
    json_write_key(w, "logprobs");
    if (!choice->has_logprobs) {
        json_write_null(w);
        return;
    }
    text_buf_add(&content, choice->logprobs.size == 0 ? TEXT("[") : choice->logprobs);
    text_buf_add(&content, TEXT("]"));
    json_write_object(w);
    json_write_key(w, "content");
    json_write_raw(w, content.failed ? TEXT("null") : text_buf_text(&content));
    json_write_key(w, "refusal");
    json_write_null(w);
    json_write_object_end(w);
    text_buf_deinit(&content);
}

static void write_choice(struct json_writer *w, const struct openai_choice *choice,
                         uint32_t index)
{
    json_write_object(w);
    json_write_key_i64(w, "index", index);
    json_write_key(w, "message");
    json_write_object(w);
    json_write_key_text(w, "role", TEXT("assistant"));
    json_write_key_text(w, "content", choice->text);
    json_write_key(w, "refusal");
    json_write_null(w);
    json_write_object_end(w);
    write_logprobs(w, choice);
    json_write_key_text(w, "finish_reason",
                        choice->finish == ENGINE_STOP       ? TEXT("stop")
                        : choice->finish == ENGINE_DEADLINE ? TEXT("deadline")
                                                            : TEXT("length"));
    json_write_object_end(w);
}

static void write_usage(struct json_writer *w, const struct openai_completion *completion)
{
    json_write_key(w, "usage");
    json_write_object(w);
    json_write_key_i64(w, "prompt_tokens", completion->prompt_tokens);
    json_write_key_i64(w, "completion_tokens", completion->completion_tokens);
    json_write_key_i64(w, "total_tokens",
                       (int64_t)completion->prompt_tokens + completion->completion_tokens);
    json_write_key(w, "prompt_tokens_details");
    json_write_object(w);
    json_write_key_i64(w, "cached_tokens", completion->cached_tokens);
    json_write_object_end(w);
    json_write_object_end(w);
}

void openai_completion_write(struct json_writer *w, const struct openai_completion *completion)
{
    json_write_object(w);
    json_write_key_text(w, "id", completion->id);
    json_write_key_text(w, "object", TEXT("chat.completion"));
    json_write_key_i64(w, "created", completion->created);
    json_write_key_text(w, "model", completion->model);
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
    json_write_key_text(w, "message", message);
    json_write_key_text(w, "type", text_of(type));
    json_write_key(w, "param");
    json_write_null(w);
    json_write_key(w, "code");
    json_write_null(w);
    json_write_object_end(w);
    json_write_object_end(w);
}
