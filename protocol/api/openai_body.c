/* openai_body - see openai_body.h. */
#include "protocol/api/openai_body.h"

struct openai_body openai_body_start(enum ask_kind kind)
{
    return (struct openai_body){
        .ask = {.kind = kind, .job = {.temperature = 1, .sample_count = 1}},
        .top_p = 1,
        .best_of = 1};
}

enum status openai_body_finish(struct openai_body *body, const struct json *from,
                               struct arena *arena, struct error *err)
{
    struct engine_job *job = &body->ask.job;
    /* Of several the likeliest: we would throw the others away. */
    if (body->best_of != 1 && body->best_of != job->sample_count)
        FAIL(err, ERR_LIMIT, "best_of: not supported; ask for n and choose by logprobs");
    job->typical_p = body->typical_p;
    job->top_k = (int32_t)body->top_k;
    ask_set_top_p(job, body->top_p);
    TRY(ask_read_stops(body->stop, "stop", arena, job, err));
    TRY(ask_read_biases(body->biases, "logit_bias", arena, job, err));
    body->ask.has_seed = json_type(json_get(from, "seed")) != JSON_NULL;
    (void)json_bool(json_get(body->stream_options, "include_usage"), &body->ask.has_usage);
    return OK;
}
