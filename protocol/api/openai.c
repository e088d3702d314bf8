/* openai - see openai.h. Ranges are those of OpenAI's own description of the API. */
#include "protocol/api/openai.h"

#include "protocol/api/response_format.h"

#include <stddef.h>

/* What the fields are read into: where they mean what the engine's do, at once into its job. */
struct body {
    struct ask ask;
    const struct json *messages, *stop, *biases, *format, *stream_options;
    float top_p, typical_p;
    uint32_t best_of, completion_tokens, top_k;
};

#define ASK(field) offsetof(struct body, ask.field)
#define OWN(field) offsetof(struct body, field)

static const struct field chat_fields[] = {
    {"model", FIELD_TEXT, 0, 0, 512, ASK(model), "The loaded model's name, or an alias of it."},
    {"messages", FIELD_JSON, FIELD_IS_ARRAY, 0, 0, OWN(messages), "The conversation."},
    {"temperature", FIELD_REAL, 0, 0, 2, ASK(job.temperature), "0: greedy. Default 1."},
    {"top_p", FIELD_REAL, 0, 0, 1, OWN(top_p), "Default 1."},
    {"top_k", FIELD_COUNT, 0, 1, INT32_MAX, OWN(top_k), "Only the k likeliest tokens."},
    {"min_p", FIELD_REAL, 0, 0, 1, ASK(job.min_p),
     "Tokens below this share of the likeliest's."},
    {"typical_p", FIELD_REAL, 0, 0, 1, OWN(typical_p), "Locally typical sampling."},
    {"n", FIELD_COUNT, 0, 1, ENGINE_SAMPLES_MAX, ASK(job.sample_count), "Answers. Default 1."},
    {"best_of", FIELD_COUNT, 0, 0, INT32_MAX, OWN(best_of), "1; more is not supported."},
    {"max_tokens", FIELD_COUNT, 0, 1, INT32_MAX, ASK(job.max_tokens), "Tokens of an answer."},
    {"max_completion_tokens", FIELD_COUNT, 0, 1, INT32_MAX, OWN(completion_tokens),
     "The same; it goes before max_tokens."},
    {"seed", FIELD_SEED, 0, 0, 0, ASK(job.seed), "Same request and seed: same text."},
    {"stop", FIELD_JSON, FIELD_IS_STRING | FIELD_IS_ARRAY, 0, 0, OWN(stop),
     "Up to 16 strings that end an answer."},
    {"frequency_penalty", FIELD_REAL, 0, -2, 2, ASK(job.frequency_penalty), "Default 0."},
    {"presence_penalty", FIELD_REAL, 0, -2, 2, ASK(job.presence_penalty), "Default 0."},
    {"repetition_penalty", FIELD_REAL, 0, 0.01, 100, ASK(job.repetition_penalty), "Default 1."},
    {"logit_bias", FIELD_JSON, FIELD_IS_OBJECT, 0, 0, OWN(biases),
     "Token ids and -100 to 100."},
    {"logprobs", FIELD_BOOL, 0, 0, 0, ASK(logprobs), "Tell each token's log-probability."},
    {"top_logprobs", FIELD_COUNT, 0, 0, ENGINE_TOPS_MAX, ASK(job.top_count),
     "And of the likeliest tokens at its place."},
    {"response_format", FIELD_JSON, 0, 0, 0, OWN(format),
     "{type: text, json_object or json_schema}."},
    {"chunk", FIELD_TEXT, 0, 0, 1 << 20, ASK(job.chunk),
     "What a schema's strings with x-copied-from: chunk are copied from."},
    {"stream", FIELD_BOOL, 0, 0, 0, ASK(stream), "Send the answer as it is written."},
    {"stream_options", FIELD_JSON, FIELD_IS_OBJECT, 0, 0, OWN(stream_options),
     "{include_usage: true}."},
    {"priority", FIELD_INT, 0, -ENGINE_PRIORITY_MAX, ENGINE_PRIORITY_MAX, ASK(job.priority),
     "The greater goes first."},
    {"deadline_ms", FIELD_COUNT, 0, 1, UINT32_MAX, ASK(job.deadline_ms),
     "The answer ends after this time, with finish_reason deadline."},
    {"ignore_eos", FIELD_BOOL, 0, 0, 0, ASK(job.ignore_end), "Go on to max_tokens."},
    {"tools", FIELD_REFUSED, 0, 0, 0, 0, NULL},
    {"functions", FIELD_REFUSED, 0, 0, 0, 0, NULL},
    {"tool_choice", FIELD_REFUSED, 0, 0, 0, 0, NULL},
    {"function_call", FIELD_REFUSED, 0, 0, 0, 0, NULL},
    {"audio", FIELD_REFUSED, 0, 0, 0, 0, NULL},
    {"user", FIELD_IGNORED, 0, 0, 0, 0, NULL},
    {"metadata", FIELD_IGNORED, 0, 0, 0, 0, NULL},
    {"store", FIELD_IGNORED, 0, 0, 0, 0, NULL},
    {"service_tier", FIELD_IGNORED, 0, 0, 0, 0, NULL},
};

const struct field_list openai_chat_fields = FIELD_LIST(chat_fields);

static enum status check_logprobs(const struct ask *ask, struct error *err)
{
    if (ask->job.top_count > 0 && !ask->logprobs)
        FAIL(err, ERR_FORMAT, "top_logprobs: %u, but logprobs is not true", ask->job.top_count);
    return OK;
}

/* What the table alone cannot say of how an answer is drawn. */
static enum status finish_sampling(struct body *body, const struct json *from,
                                   struct error *err)
{
    struct engine_job *job = &body->ask.job;
    if (json_type(json_get(from, "typical_p")) != JSON_NULL && !(body->typical_p > 0))
        FAIL(err, ERR_LIMIT, "typical_p: 0, want above 0, 1 at most");
    if (body->best_of != 1) /* of several the likeliest: we would throw the others away */
        FAIL(err, ERR_LIMIT, "best_of: not supported; ask for n and choose by logprobs");
    job->typical_p = body->typical_p;
    job->top_k = (int32_t)body->top_k;
    ask_set_top_p(job, body->top_p);
    if (body->completion_tokens > 0)
        job->max_tokens = body->completion_tokens;
    return OK;
}

enum status openai_chat_parse(const struct json *from, struct arena *arena, struct ask *ask,
                              struct error *err)
{
    struct body body = {.ask = {.kind = ASK_CHAT,
                                .job = {.temperature = 1, /* OpenAI's default */
                                        .sample_count = 1}},
                        .top_p = 1,
                        .best_of = 1};
    *ask = body.ask;
    TRY(field_read(from, &openai_chat_fields, &body, err));
    TRY(finish_sampling(&body, from, err));
    TRY(check_logprobs(&body.ask, err));
    TRY(ask_take_prompts(&body.ask, 1, arena, err));
    TRY(ask_read_messages(body.messages, arena, &body.ask.prompts[0], err));
    TRY(ask_read_stops(body.stop, "stop", arena, &body.ask.job, err));
    TRY(ask_read_biases(body.biases, "logit_bias", arena, &body.ask.job, err));
    TRY(response_format_read(body.format, arena, &body.ask.job, err));
    body.ask.has_seed = json_type(json_get(from, "seed")) != JSON_NULL;
    (void)json_bool(json_get(body.stream_options, "include_usage"), &body.ask.has_usage);
    *ask = body.ask;
    return OK;
}
