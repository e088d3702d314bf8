/* openai_responses - see openai_responses.h. */
#include "protocol/api/openai_responses.h"

#include "protocol/api/response_format.h"

#include <stddef.h>

struct body {
    struct ask ask;
    const struct json *input, *text;
    struct text instructions;
    float top_p;
};

#define ASK(field) offsetof(struct body, ask.field)
#define OWN(field) offsetof(struct body, field)

static const struct field responses_fields[] = {
    {"model", FIELD_TEXT, 0, 0, 512, ASK(model),
     "Any name: the loaded model answers. NAME:joboutput: with a JobOutput."},
    {"input", FIELD_JSON, FIELD_IS_STRING | FIELD_IS_ARRAY, 0, 0, OWN(input),
     "What the user says, or a list of messages."},
    {"instructions", FIELD_TEXT, 0, 0, 0, OWN(instructions), "A system message before it."},
    {"max_output_tokens", FIELD_COUNT, 0, 1, INT32_MAX, ASK(job.max_tokens),
     "Tokens of the answer."},
    {"temperature", FIELD_REAL, 0, 0, 2, ASK(job.temperature), "0: greedy. Default 1."},
    {"top_p", FIELD_REAL, 0, 0, 1, OWN(top_p), "Default 1."},
    {"seed", FIELD_SEED, 0, 0, 0, ASK(job.seed), "Same request and seed: same text."},
    {"stream", FIELD_BOOL, 0, 0, 0, ASK(stream), "Send the answer as it is written."},
    {"text", FIELD_JSON, FIELD_IS_OBJECT, 0, 0, OWN(text),
     "{format: {type: text, json_object or json_schema}}."},
    {"chunk", FIELD_TEXT, 0, 0, 1 << 20, ASK(job.chunk),
     "What a schema's strings with x-copied-from: chunk are copied from."},
    {"priority", FIELD_INT, 0, -ENGINE_PRIORITY_MAX, ENGINE_PRIORITY_MAX, ASK(job.priority),
     "The greater goes first."},
    {"deadline_ms", FIELD_COUNT, 0, 1, UINT32_MAX, ASK(job.deadline_ms),
     "The answer ends after this time, incomplete."},
    {"previous_response_id", FIELD_REFUSED, 0, 0, 0, 0, "nothing is kept; send all messages"},
    {"tools", FIELD_REFUSED, 0, 0, 0, 0, "/v1/chat/completions takes functions"},
    {"top_logprobs", FIELD_REFUSED, 0, 0, 0, 0, "/v1/chat/completions has them"},
    {"background", FIELD_REFUSED, 0, 0, 0, 0, NULL},
    {"prompt", FIELD_REFUSED, 0, 0, 0, 0, "send its messages"},
    {"tool_choice", FIELD_IGNORED, 0, 0, 0, 0, NULL},
    {"parallel_tool_calls", FIELD_IGNORED, 0, 0, 0, 0, NULL},
    {"max_tool_calls", FIELD_IGNORED, 0, 0, 0, 0, NULL},
    {"conversation", FIELD_IGNORED, 0, 0, 0, 0, NULL},
    {"store", FIELD_IGNORED, 0, 0, 0, 0, NULL},
    {"reasoning", FIELD_IGNORED, 0, 0, 0, 0, NULL},
    {"include", FIELD_IGNORED, 0, 0, 0, 0, NULL},
    {"truncation", FIELD_IGNORED, 0, 0, 0, 0, NULL},
    {"context_management", FIELD_IGNORED, 0, 0, 0, 0, NULL},
    {"prompt_cache_key", FIELD_IGNORED, 0, 0, 0, 0, NULL},
    {"stream_options", FIELD_IGNORED, 0, 0, 0, 0, NULL},
    {"user", FIELD_IGNORED, 0, 0, 0, 0, NULL},
    {"metadata", FIELD_IGNORED, 0, 0, 0, 0, NULL},
    {"service_tier", FIELD_IGNORED, 0, 0, 0, 0, NULL},
};

const struct field_list openai_responses_fields = FIELD_LIST(responses_fields);

/* The parts of a content, joined. */
static enum status join_parts(const struct json *parts, struct arena *arena, struct text *out,
                              struct error *err)
{
    struct text_buf all = {0};
    struct text type = {0};
    bool is_text = true;
    for (const struct json *part = json_first(parts); part && is_text; part = json_next(part)) {
        struct text text = {0};
        type = TEXT("");
        (void)json_text(json_get(part, "type"), &type);
        is_text = json_text(json_get(part, "text"), &text) &&
                  (text_equal(type, TEXT("input_text")) || text_equal(type, TEXT("text")) ||
                   text_equal(type, TEXT("output_text")));
        text_buf_add(&all, text);
    }
    *out = text_copy(text_buf_text(&all), arena);
    const bool failed = all.failed || !out->data;
    text_buf_deinit(&all);
    if (!is_text)
        FAIL(err, ERR_LIMIT, "input: a content part of type \"%.*s\"; only text is taken",
             TEXT_ARG(text_slice(type, 0, 40)));
    if (failed)
        FAIL(err, ERR_MEMORY, "input: no room");
    return OK;
}

static enum status read_item(const struct json *item, struct arena *arena,
                             struct tokenizer_message *to, struct error *err)
{
    const struct json *content = json_get(item, "content");
    struct text type = TEXT("message");
    (void)json_text(json_get(item, "type"), &type);
    if (!text_equal(type, TEXT("message")))
        FAIL(err, ERR_LIMIT, "input: an item of type \"%.*s\"; only messages are taken",
             TEXT_ARG(text_slice(type, 0, 40)));
    if (!json_text(json_get(item, "role"), &to->role))
        FAIL(err, ERR_FORMAT, "input: a message without a role");
    if (text_equal(to->role, TEXT("developer")))
        to->role = TEXT("system");
    if (!text_equal(to->role, TEXT("system")) && !text_equal(to->role, TEXT("user")) &&
        !text_equal(to->role, TEXT("assistant")))
        FAIL(err, ERR_LIMIT,
             "input: role \"%.*s\"; system, developer, user and assistant are taken",
             TEXT_ARG(text_slice(to->role, 0, 40)));
    if (json_text(content, &to->content))
        return OK;
    if (json_type(content) != JSON_ARRAY)
        FAIL(err, ERR_FORMAT, "input: content is neither a string nor a list of parts");
    return join_parts(content, arena, &to->content, err);
}

static enum status read_input(const struct body *body, struct arena *arena,
                              struct ask_prompt *prompt, struct error *err)
{
    const bool is_list = json_type(body->input) == JSON_ARRAY;
    const size_t count = is_list ? json_count(body->input) : body->input ? 1 : 0;
    if (count == 0)
        FAIL(err, ERR_FORMAT, "input: want a string, or a list with at least one message");
    if (count >= ASK_MESSAGES_MAX)
        FAIL(err, ERR_LIMIT, "input: %zu messages, at most %d are taken", count,
             ASK_MESSAGES_MAX - 1);
    struct tokenizer_message *messages = ARENA_NEW(arena, struct tokenizer_message, count + 1);
    if (!messages)
        FAIL(err, ERR_MEMORY, "input: no room for %zu messages", count);
    prompt->messages = messages;
    if (body->instructions.size > 0)
        messages[prompt->message_count++] =
            (struct tokenizer_message){.role = TEXT("system"), .content = body->instructions};
    if (!is_list) {
        struct tokenizer_message *message = &messages[prompt->message_count++];
        message->role = TEXT("user");
        (void)json_text(body->input, &message->content);
        return OK;
    }
    for (const struct json *item = json_first(body->input); item; item = json_next(item))
        TRY(read_item(item, arena, &messages[prompt->message_count++], err));
    return OK;
}

enum status openai_responses_parse(const struct json *from, struct arena *arena,
                                   struct ask *ask, struct error *err)
{
    struct body body = {.ask = {.kind = ASK_CHAT,
                                .prompt_field = "input",
                                .job = {.temperature = 1, .sample_count = 1}},
                        .top_p = 1};
    *ask = body.ask;
    TRY(field_read(from, &openai_responses_fields, &body, err));
    ask_set_top_p(&body.ask.job, body.top_p);
    TRY(ask_take_prompts(&body.ask, 1, arena, err));
    TRY(read_input(&body, arena, &body.ask.prompts[0], err));
    TRY(response_format_read(json_get(body.text, "format"), "text", arena, &body.ask, err));
    body.ask.has_seed = json_type(json_get(from, "seed")) != JSON_NULL;
    *ask = body.ask;
    return OK;
}
