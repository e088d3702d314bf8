/* ollama - see ollama.h. */
#include "protocol/api/ollama.h"

#include "protocol/api/messages.h"
#include "protocol/api/response_format.h"
#include "protocol/api/tools.h"

#include <stddef.h>

struct body {
    struct ask ask;
    const struct json *messages, *tools, *input, *format, *options, *stop;
    struct text prompt, system;
    float top_p;
    int32_t top_k, num_predict;
    uint32_t num_ctx;
    bool is_raw;
};

#define ASK(field) offsetof(struct body, ask.field)
#define OWN(field) offsetof(struct body, field)

/* clang-format off */
#define MODEL_FIELDS                                                                           \
    {"model", FIELD_TEXT, 0, 0, 512, ASK(model), "Any name: the loaded model answers."},       \
    {"keep_alive", FIELD_IGNORED, 0, 0, 0, 0, "The model stays loaded."}
#define ANSWER_FIELDS                                                                          \
    MODEL_FIELDS,                                                                              \
    {"options", FIELD_JSON, FIELD_IS_OBJECT, 0, 0, OWN(options),                               \
     "num_predict, num_ctx, temperature, top_p, top_k, min_p, typical_p, seed, stop, "         \
     "repeat_penalty, presence_penalty, frequency_penalty."},                                  \
    {"format", FIELD_JSON, FIELD_IS_STRING | FIELD_IS_OBJECT, 0, 0, OWN(format),               \
     "json, or a schema that the answer is valid against."},                                   \
    {"stream", FIELD_BOOL, 0, 0, 0, ASK(stream),                                               \
     "Send the answer as it is written, an object a line. Default true."},                     \
    {"logprobs", FIELD_BOOL, 0, 0, 0, ASK(logprobs), "Tell each token's log-probability."},    \
    {"top_logprobs", FIELD_COUNT, 0, 0, ENGINE_TOPS_MAX, ASK(job.top_count),                   \
     "And of the likeliest tokens at its place."},                                             \
    {"think", FIELD_REFUSED, 0, 0, 0, 0, "what a model thinks is part of its answer"}
/* clang-format on */

static const struct field chat_fields[] = {
    ANSWER_FIELDS,
    {"messages", FIELD_JSON, FIELD_IS_ARRAY, 0, 0, OWN(messages), "The conversation."},
    {"tools", FIELD_JSON, FIELD_IS_ARRAY, 0, 0, OWN(tools), "Functions that may be called."},
};

static const struct field generate_fields[] = {
    ANSWER_FIELDS,
    {"prompt", FIELD_TEXT, 0, 0, 0, OWN(prompt), "What the user says."},
    {"system", FIELD_TEXT, 0, 0, 0, OWN(system), "A system message before it."},
    {"raw", FIELD_BOOL, 0, 0, 0, OWN(is_raw),
     "The prompt as it stands, without the model's template."},
    {"suffix", FIELD_REFUSED, 0, 0, 0, 0, NULL},
    {"images", FIELD_REFUSED, 0, 0, 0, 0, "only text is taken"},
    {"template", FIELD_REFUSED, 0, 0, 0, 0, "use raw"},
    {"context", FIELD_REFUSED, 0, 0, 0, 0, "use /api/chat with all messages"},
};

static const struct field embed_fields[] = {
    MODEL_FIELDS,
    {"input", FIELD_JSON, FIELD_IS_STRING | FIELD_IS_ARRAY, 0, 0, OWN(input),
     "A string or a list of strings."},
    {"truncate", FIELD_IGNORED, FIELD_IS_BOOL, 0, 0, 0,
     "A text that is longer than the context is always refused."},
    {"dimensions", FIELD_REFUSED, 0, 0, 0, 0, "vectors are as long as the model's"},
    {"options", FIELD_IGNORED, FIELD_IS_OBJECT, 0, 0, 0, NULL},
};

static const struct field embedding_fields[] = {
    MODEL_FIELDS,
    {"prompt", FIELD_JSON, FIELD_IS_STRING, 0, 0, OWN(input), "The text."},
    {"options", FIELD_IGNORED, FIELD_IS_OBJECT, 0, 0, 0, NULL},
};

/* What is of the runner (num_gpu, num_thread, use_mmap ...) means nothing here. */
static const struct field option_fields[] = {
    {"num_predict", FIELD_INT, 0, -2, INT32_MAX, OWN(num_predict), NULL},
    {"num_ctx", FIELD_COUNT, 0, 0, INT32_MAX, OWN(num_ctx), NULL},
    {"temperature", FIELD_REAL, 0, 0, 100, ASK(job.temperature), NULL},
    {"top_p", FIELD_REAL, 0, 0, 1, OWN(top_p), NULL},
    {"top_k", FIELD_INT, 0, -1, INT32_MAX, OWN(top_k), NULL},
    {"min_p", FIELD_REAL, 0, 0, 1, ASK(job.min_p), NULL},
    {"typical_p", FIELD_REAL, 0, 0, 1, ASK(job.typical_p), NULL},
    {"seed", FIELD_SEED, 0, 0, 0, ASK(job.seed), NULL},
    {"stop", FIELD_JSON, FIELD_IS_STRING | FIELD_IS_ARRAY, 0, 0, OWN(stop), NULL},
    {"repeat_penalty", FIELD_REAL, 0, 0.01, 100, ASK(job.repetition_penalty), NULL},
    {"presence_penalty", FIELD_REAL, 0, -2, 2, ASK(job.presence_penalty), NULL},
    {"frequency_penalty", FIELD_REAL, 0, -2, 2, ASK(job.frequency_penalty), NULL},
    {"mirostat", FIELD_REFUSED, 0, 0, 0, 0, "use top_p or min_p"},
};

const struct field_list ollama_embed_fields = FIELD_LIST(embed_fields);
const struct field_list ollama_embedding_fields = FIELD_LIST(embedding_fields);
static const struct field_list option_list = FIELD_LIST(option_fields);
const struct field_list ollama_chat_fields =
    FIELD_LIST_WITH(chat_fields, "options", &option_list);
const struct field_list ollama_generate_fields =
    FIELD_LIST_WITH(generate_fields, "options", &option_list);

static struct body body_start(enum ask_kind kind)
{
    return (struct body){
        .ask = {.kind = kind,
                .stop_field = "options.stop",
                .has_one_choice = true,
                .stream = kind != ASK_EMBED,
                .job = {.temperature = 0.8F, .sample_count = 1, .pooling = ENGINE_POOL_MEAN}},
        .top_p = 0.9F,
        .top_k = 40,
        .num_predict = -1};
}

static enum status read_format(const struct json *format, struct arena *arena, struct ask *ask,
                               struct error *err)
{
    struct text word;
    if (json_type(format) == JSON_OBJECT)
        return response_format_schema(format, "format", arena, ask, err);
    if (!json_text(format, &word) || word.size == 0)
        return OK;
    if (!text_equal(word, TEXT("json")))
        FAIL(err, ERR_LIMIT, "format: \"%.*s\"; json and a schema are taken",
             TEXT_ARG(text_slice(word, 0, 40)));
    ask->format_field = "format";
    ask->job.format = ENGINE_FORMAT_SCHEMA;
    ask->job.format_source = TEXT("{\"type\":\"object\"}");
    return OK;
}

/* What stands under "options"; a refusal names the option with its place in the body. */
static enum status read_options(struct body *body, struct arena *arena, struct error *err)
{
    struct error inner = {0};
    enum status status = OK;
    if (body->options)
        status = field_read(body->options, &option_list, body, &inner);
    if (status == OK)
        status = ask_read_stops(body->stop, "stop", arena, &body->ask.job, &inner);
    if (status != OK)
        FAIL(err, status, "options.%s", inner.text);
    return OK;
}

static enum status read_settings(struct body *body, struct arena *arena, struct error *err)
{
    struct engine_job *job = &body->ask.job;
    int64_t seed = -1;
    TRY(read_options(body, arena, err));
    TRY(read_format(body->format, arena, &body->ask, err));
    if (job->top_count > 0 && !body->ask.logprobs)
        FAIL(err, ERR_FORMAT, "top_logprobs: %u, but logprobs is not true", job->top_count);
    job->top_k = body->top_k > 0 ? body->top_k : 0;
    ask_set_top_p(job, body->top_p);
    body->ask.has_seed = json_i64(json_get(body->options, "seed"), &seed) && seed >= 0;
    job->max_tokens = body->num_predict > 0 ? (uint32_t)body->num_predict : body->num_ctx;
    body->ask.is_mute = body->num_predict == 0;
    return OK;
}

/* Nothing is to be written: that is known of texts only. */
static void make_mute(struct ask *ask)
{
    static const struct ask_prompt nothing = {.text = {"", 0}};
    ask->kind = ASK_TEXT;
    ask->is_mute = true;
    ask->tools = (struct ask_tools){0};
    ask->prompts[0] = nothing;
}

static void bound_probe(struct body *body)
{
    const struct ask_prompt *prompt = &body->ask.prompts[0];
    for (uint32_t i = 0; i < prompt->message_count; i++)
        if (!text_equal(prompt->messages[i].role, TEXT("system")))
            return;
    if (body->num_predict < 0)
        body->ask.job.max_tokens = OLLAMA_PROBE_TOKENS;
}

static enum status refuse_images(const struct json *messages, struct error *err)
{
    for (const struct json *at = json_first(messages); at; at = json_next(at))
        if (json_type(json_get(at, "images")) != JSON_NULL &&
            json_count(json_get(at, "images")) > 0)
            FAIL(err, ERR_LIMIT, "messages: images are not supported; only text is taken");
    return OK;
}

enum status ollama_chat_parse(const struct json *from, struct arena *arena, struct ask *ask,
                              struct error *err)
{
    struct body body = body_start(ASK_CHAT);
    *ask = body.ask;
    TRY(field_read(from, &ollama_chat_fields, &body, err));
    TRY(read_settings(&body, arena, err));
    TRY(tools_read(body.tools, NULL, &body.ask, err));
    TRY(ask_take_prompts(&body.ask, 1, arena, err));
    if (json_count(body.messages) > 0) {
        TRY(refuse_images(body.messages, err));
        TRY(messages_read(body.messages, MESSAGES_CALLS_IN_ORDER, arena, &body.ask.prompts[0],
                          err));
        body.ask.prompt_field = "messages";
        bound_probe(&body);
    }
    if (json_count(body.messages) == 0 || body.ask.is_mute)
        make_mute(&body.ask);
    *ask = body.ask;
    return OK;
}

/* The system's and the user's message of a prompt. */
static enum status take_messages(const struct body *body, struct arena *arena,
                                 struct error *err)
{
    struct ask_prompt *prompt = &body->ask.prompts[0];
    struct tokenizer_message *messages = ARENA_NEW(arena, struct tokenizer_message, 2);
    if (!messages)
        FAIL(err, ERR_MEMORY, "prompt: no room for two messages");
    prompt->messages = messages;
    if (body->system.size > 0)
        messages[prompt->message_count++] =
            (struct tokenizer_message){.role = TEXT("system"), .content = body->system};
    messages[prompt->message_count++] =
        (struct tokenizer_message){.role = TEXT("user"), .content = body->prompt};
    return OK;
}

enum status ollama_generate_parse(const struct json *from, struct arena *arena, struct ask *ask,
                                  struct error *err)
{
    struct body body = body_start(ASK_CHAT);
    *ask = body.ask;
    TRY(field_read(from, &ollama_generate_fields, &body, err));
    TRY(read_settings(&body, arena, err));
    TRY(ask_take_prompts(&body.ask, 1, arena, err));
    if (body.prompt.size == 0 || body.ask.is_mute) {
        make_mute(&body.ask);
    } else if (body.is_raw) {
        body.ask.kind = ASK_TEXT;
        body.ask.prompts[0].text = body.prompt;
    } else {
        TRY(take_messages(&body, arena, err));
    }
    *ask = body.ask;
    return OK;
}

static enum status parse_embed(const struct json *from, const struct field_list *fields,
                               struct arena *arena, struct ask *ask, struct error *err)
{
    struct body body = body_start(ASK_EMBED);
    *ask = body.ask;
    TRY(field_read(from, fields, &body, err));
    body.ask.prompt_field = fields == &ollama_embed_fields ? "input" : "prompt";
    TRY(ask_read_prompts(body.input, body.ask.prompt_field, arena, &body.ask, err));
    *ask = body.ask;
    return OK;
}

enum status ollama_embed_parse(const struct json *from, struct arena *arena, struct ask *ask,
                               struct error *err)
{
    return parse_embed(from, &ollama_embed_fields, arena, ask, err);
}

enum status ollama_embedding_parse(const struct json *from, struct arena *arena,
                                   struct ask *ask, struct error *err)
{
    return parse_embed(from, &ollama_embedding_fields, arena, ask, err);
}
