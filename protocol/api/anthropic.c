/* anthropic - see anthropic.h. */
#include "protocol/api/anthropic.h"

#include "protocol/api/anthropic_talk.h"
#include "protocol/api/response_format.h"
#include "protocol/api/tools.h"

#include <stddef.h>

struct body {
    struct ask ask;
    const struct json *messages, *system, *tools, *tool_choice, *stop, *thinking;
    const struct json *output_config, *output_format;
    float top_p;
    uint32_t top_k;
};

#define ASK(field) offsetof(struct body, ask.field)
#define OWN(field) offsetof(struct body, field)

/* clang-format off */
#define COMMON_FIELDS                                                                          \
    {"model", FIELD_TEXT, 0, 0, 512, ASK(model),                                               \
     "Any name: the loaded model answers. NAME:joboutput: with a JobOutput."},                 \
    {"messages", FIELD_JSON, FIELD_IS_ARRAY, 0, 0, OWN(messages),                              \
     "The conversation: of the roles user and assistant, the last of the user."},              \
    {"system", FIELD_JSON, FIELD_IS_STRING | FIELD_IS_ARRAY, 0, 0, OWN(system),                \
     "A system message before it, as a string or as blocks of text."},                         \
    {"thinking", FIELD_JSON, FIELD_IS_OBJECT, 0, 0, OWN(thinking), "{type: disabled}."},       \
    {"output_config", FIELD_JSON, FIELD_IS_OBJECT, 0, 0, OWN(output_config),                   \
     "{format: {type: json_schema, schema}}."},                                                \
    {"output_format", FIELD_JSON, FIELD_IS_OBJECT, 0, 0, OWN(output_format),                   \
     "The format alone, as it once was."},                                                     \
    {"tools", FIELD_JSON, FIELD_IS_ARRAY, 0, 0, OWN(tools), "Functions that may be called."},  \
    {"tool_choice", FIELD_JSON, FIELD_IS_OBJECT, 0, 0, OWN(tool_choice),                       \
     "{type: none, auto, any, or tool with a name that must be called}."},                     \
    {"mcp_servers", FIELD_REFUSED, 0, 0, 0, 0, NULL},                                          \
    {"cache_control", FIELD_IGNORED, 0, 0, 0, 0, NULL}
/* clang-format on */

static const struct field messages_fields[] = {
    COMMON_FIELDS,
    {"max_tokens", FIELD_COUNT, 0, 1, INT32_MAX, ASK(job.max_tokens),
     "Tokens of the answer; it must be there."},
    {"temperature", FIELD_REAL, 0, 0, 1, ASK(job.temperature), "0: greedy. Default 1."},
    {"top_p", FIELD_REAL, 0, 0, 1, OWN(top_p), "Default 1."},
    {"top_k", FIELD_COUNT, 0, 0, INT32_MAX, OWN(top_k), "Only the k likeliest tokens."},
    {"stop_sequences", FIELD_JSON, FIELD_IS_ARRAY, 0, 0, OWN(stop),
     "Up to 16 strings that end the answer."},
    {"stream", FIELD_BOOL, 0, 0, 0, ASK(stream), "Send the answer as it is written."},
    {"container", FIELD_REFUSED, 0, 0, 0, 0, NULL},
    {"context_management", FIELD_IGNORED, 0, 0, 0, 0, NULL},
    {"metadata", FIELD_IGNORED, 0, 0, 0, 0, NULL},
    {"service_tier", FIELD_IGNORED, 0, 0, 0, 0, NULL},
};

static const struct field count_fields[] = {COMMON_FIELDS};

const struct field_list anthropic_messages_fields = FIELD_LIST(messages_fields);
const struct field_list anthropic_count_fields = FIELD_LIST(count_fields);

static enum status check_thinking(const struct json *thinking, struct error *err)
{
    struct text type = {0};
    if (!thinking)
        return OK;
    (void)json_text(json_get(thinking, "type"), &type);
    if (!text_equal(type, TEXT("disabled")))
        FAIL(err, ERR_LIMIT, "thinking: not supported; what a model thinks is in its answer");
    return OK;
}

static struct body body_start(void)
{
    return (struct body){.ask = {.kind = ASK_CHAT,
                                 .prompt_field = "messages",
                                 .stop_field = "stop_sequences",
                                 .has_one_choice = true,
                                 .job = {.temperature = 1, .sample_count = 1}},
                         .top_p = 1};
}

/* What both bodies have. */
static enum status read_common(struct body *body, struct arena *arena, struct error *err)
{
    const struct json *format = json_get(body->output_config, "format");
    TRY(check_thinking(body->thinking, err));
    if (json_type(format) != JSON_NULL)
        TRY(response_format_read(format, "output_config", arena, &body->ask, err));
    if (body->output_format)
        TRY(response_format_read(body->output_format, "output_format", arena, &body->ask, err));
    TRY(ask_take_prompts(&body->ask, 1, arena, err));
    TRY(anthropic_talk_read(body->messages, body->system, arena, &body->ask.prompts[0], err));
    return tools_read_bare(body->tools, body->tool_choice, &body->ask, err);
}

enum status anthropic_messages_parse(const struct json *from, struct arena *arena,
                                     struct ask *ask, struct error *err)
{
    struct body body = body_start();
    *ask = body.ask;
    TRY(field_read(from, &anthropic_messages_fields, &body, err));
    if (body.ask.job.max_tokens == 0)
        FAIL(err, ERR_FORMAT, "max_tokens: it is missing; how long may the answer be?");
    TRY(read_common(&body, arena, err));
    TRY(ask_read_stops(body.stop, "stop_sequences", arena, &body.ask.job, err));
    body.ask.job.top_k = (int32_t)body.top_k;
    ask_set_top_p(&body.ask.job, body.top_p);
    *ask = body.ask;
    return OK;
}

enum status anthropic_count(const struct tokenizer *tokenizer, const struct json *from,
                            struct arena *arena, struct text_buf *out, struct error *err)
{
    struct body body = body_start();
    struct token_list ids = {0};
    struct json_writer w = {.out = out};
    TRY(field_read(from, &anthropic_count_fields, &body, err));
    TRY(read_common(&body, arena, err));
    TRY(ask_settle(&body.ask, tokenizer, false, arena, err));
    const enum status status = ask_encode_chat(&body.ask, 0, tokenizer, &ids, err);
    if (status == OK) {
        json_write_object(&w);
        json_write_key_i64(&w, "input_tokens", (int64_t)ids.count);
        json_write_object_end(&w);
    }
    token_list_deinit(&ids);
    return status;
}
