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
    ask->format_field = "model";
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

enum status ask_encode_chat(const struct ask *ask, uint32_t index,
                            const struct tokenizer *tokenizer, struct token_list *ids,
                            struct error *err)
{
    const struct tokenizer_conversation conversation = {
        .messages = ask->prompts[index].messages,
        .count = ask->prompts[index].message_count,
        .add_generation_prompt = true,
        .tools = ask->tools.told};
    TRY(tokenizer_encode_conversation(tokenizer, &conversation, ids, err));
    if (ask->tools.choice != ASK_TOOLS_REQUIRED)
        return OK;
    return tokenizer_encode(tokenizer, tools_opening(ask->tools.format), TOKENIZER_SPECIAL, ids,
                            err);
}

enum status ask_refused(const struct ask *ask, struct error *err)
{
    const struct {
        struct text prefix;
        const char *field;
    } names[] = {{TEXT("format: "), ask->format_field},
                 {TEXT("prompt: "), ask->prompt_field},
                 {TEXT("stop: "), ask->stop_field}};
    const struct error why = *err;
    const struct text sentence = text_of(why.text);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].field && text_starts(sentence, names[i].prefix))
            return error_set(
                err, why.status, why.file, why.line, "%s: %.*s", names[i].field,
                TEXT_ARG(text_slice(sentence, names[i].prefix.size, sentence.size)));
    return why.status;
}
