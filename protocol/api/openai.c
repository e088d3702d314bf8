/* openai - see openai.h. Ranges are those of OpenAI's own description of the API. */
#include "protocol/api/openai.h"

#include "protocol/api/messages.h"
#include "protocol/api/openai_body.h"
#include "protocol/api/response_format.h"
#include "protocol/api/tools.h"

struct body {
    struct openai_body common;
    const struct json *messages, *format, *schema, *tools, *tool_choice;
    bool is_parallel;
    uint32_t completion_tokens;
};

#define OWN(field) offsetof(struct body, field)

static const struct field chat_fields[] = {
    OPENAI_BODY_FIELDS,
    {"messages", FIELD_JSON, FIELD_IS_ARRAY, 0, 0, OWN(messages), "The conversation."},
    {"max_tokens", FIELD_COUNT, 0, 1, INT32_MAX, OPENAI_BODY_ASK(job.max_tokens),
     "Tokens of an answer."},
    {"max_completion_tokens", FIELD_COUNT, 0, 1, INT32_MAX, OWN(completion_tokens),
     "The same; it goes before max_tokens."},
    {"logprobs", FIELD_BOOL, 0, 0, 0, OPENAI_BODY_ASK(logprobs),
     "Tell each token's log-probability."},
    {"top_logprobs", FIELD_COUNT, 0, 0, ENGINE_TOPS_MAX, OPENAI_BODY_ASK(job.top_count),
     "And of the likeliest tokens at its place."},
    {"response_format", FIELD_JSON, 0, 0, 0, OWN(format),
     "{type: text, json_object or json_schema}."},
    {"json_schema", FIELD_JSON, FIELD_IS_OBJECT, 0, 0, OWN(schema),
     "A schema alone, where there is no response_format."},
    {"tools", FIELD_JSON, FIELD_IS_ARRAY, 0, 0, OWN(tools), "Functions that may be called."},
    {"functions", FIELD_REFUSED, 0, 0, 0, 0, "use tools"},
    {"tool_choice", FIELD_JSON, FIELD_IS_STRING | FIELD_IS_OBJECT, 0, 0, OWN(tool_choice),
     "none, auto, required, or a function that must be called."},
    {"parallel_tool_calls", FIELD_BOOL, 0, 0, 0, OWN(is_parallel),
     "False: one call at most. Default true."},
    {"function_call", FIELD_REFUSED, 0, 0, 0, 0, "use tool_choice"},
    {"audio", FIELD_REFUSED, 0, 0, 0, 0, NULL},
};

const struct field_list openai_chat_fields = FIELD_LIST(chat_fields);

static enum status check_logprobs(const struct ask *ask, struct error *err)
{
    if (ask->job.top_count > 0 && !ask->logprobs)
        FAIL(err, ERR_FORMAT, "top_logprobs: %u, but logprobs is not true", ask->job.top_count);
    return OK;
}

enum status openai_chat_parse(const struct json *from, struct arena *arena, struct ask *ask,
                              struct error *err)
{
    struct body body = {.common = openai_body_start(ASK_CHAT), .is_parallel = true};
    struct ask *read = &body.common.ask;
    *ask = *read;
    read->prompt_field = "messages";
    TRY(field_read(from, &openai_chat_fields, &body, err));
    TRY(openai_body_finish(&body.common, from, arena, err));
    TRY(check_logprobs(read, err));
    TRY(ask_take_prompts(read, 1, arena, err));
    TRY(messages_read(body.messages, MESSAGES_CALLS_BY_ID, arena, &read->prompts[0], err));
    TRY(response_format_read(body.format, "response_format", arena, read, err));
    if (body.schema && read->job.format == ENGINE_FORMAT_TEXT)
        TRY(response_format_schema(body.schema, "json_schema", arena, read, err));
    TRY(tools_read(body.tools, body.tool_choice, read, err));
    read->tools.is_single = !body.is_parallel;
    if (body.completion_tokens > 0)
        read->job.max_tokens = body.completion_tokens;
    *ask = *read;
    return OK;
}
