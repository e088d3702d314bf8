/* engine_check - see engine_check.h. */
#include "engine/engine_check.h"

#include <math.h>

static enum status check_prompt(const struct engine_job *job,
                                const struct engine_check_limits *limits, struct error *err)
{
    if (job->prompt_tokens == 0 || !job->prompt)
        FAIL(err, ERR_FORMAT, "prompt: it is empty, want at least 1 token");
    const uint32_t most = limits->tokens_max - (job->kind == ENGINE_GENERATE);
    if (job->prompt_tokens > most)
        FAIL(err, ERR_LIMIT, "prompt: %u tokens, the context has room for %u",
             job->prompt_tokens, most);
    for (uint32_t i = 0; i < job->prompt_tokens; i++)
        if (job->prompt[i] < 0 || (uint32_t)job->prompt[i] >= limits->vocab)
            FAIL(err, ERR_FORMAT, "prompt: token %u is %d, the vocabulary ends at %u", i,
                 (int)job->prompt[i], limits->vocab - 1);
    return OK;
}

/* Comparisons are written so that a NaN fails them. */
static enum status check_sampling(const struct engine_job *job, struct error *err)
{
    if (!(job->temperature >= 0 && job->temperature <= 100))
        FAIL(err, ERR_LIMIT, "temperature: %g, want 0 to 100", (double)job->temperature);
    if (job->top_k < 0)
        FAIL(err, ERR_LIMIT, "top_k: %d, want 0 or more", (int)job->top_k);
    if (!(job->top_p >= 0 && job->top_p <= 1))
        FAIL(err, ERR_LIMIT, "top_p: %g, want 0 to 1", (double)job->top_p);
    if (!(job->min_p >= 0 && job->min_p <= 1))
        FAIL(err, ERR_LIMIT, "min_p: %g, want 0 to 1", (double)job->min_p);
    if (!(job->typical_p >= 0 && job->typical_p <= 1))
        FAIL(err, ERR_LIMIT, "typical_p: %g, want above 0, 1 at most", (double)job->typical_p);
    return OK;
}

static enum status check_biases(const struct engine_job *job,
                                const struct engine_check_limits *limits, struct error *err)
{
    if (job->bias_count > ENGINE_BIASES_MAX)
        FAIL(err, ERR_LIMIT, "logit_bias: %u tokens, the limit is %d", job->bias_count,
             ENGINE_BIASES_MAX);
    for (uint32_t i = 0; i < job->bias_count; i++) {
        const struct engine_bias *bias = &job->biases[i];
        if (bias->token < 0 || (uint32_t)bias->token >= limits->vocab)
            FAIL(err, ERR_LIMIT, "logit_bias: token %d, the vocabulary ends at %u",
                 (int)bias->token, limits->vocab - 1);
        if (!(bias->bias >= -100 && bias->bias <= 100))
            FAIL(err, ERR_LIMIT, "logit_bias: %g for token %d, want -100 to 100",
                 (double)bias->bias, (int)bias->token);
        for (uint32_t j = 0; j < i; j++)
            if (job->biases[j].token == bias->token)
                FAIL(err, ERR_FORMAT, "logit_bias: token %d comes twice", (int)bias->token);
    }
    return OK;
}

static enum status check_penalties(const struct engine_job *job, struct error *err)
{
    const float repetition = job->repetition_penalty;
    if (!((repetition >= 0.01F && repetition <= 100) || (repetition >= 0 && repetition <= 0)))
        FAIL(err, ERR_LIMIT, "repetition_penalty: %g, want 0.01 to 100, or 0 for none",
             (double)repetition);
    if (!(job->presence_penalty >= -2 && job->presence_penalty <= 2))
        FAIL(err, ERR_LIMIT, "presence_penalty: %g, want -2 to 2",
             (double)job->presence_penalty);
    if (!(job->frequency_penalty >= -2 && job->frequency_penalty <= 2))
        FAIL(err, ERR_LIMIT, "frequency_penalty: %g, want -2 to 2",
             (double)job->frequency_penalty);
    return OK;
}

static enum status check_tops(const struct engine_job *job, struct error *err)
{
    if (job->top_count > ENGINE_TOPS_MAX)
        FAIL(err, ERR_LIMIT, "top_logprobs: %u, the limit is %d", job->top_count,
             ENGINE_TOPS_MAX);
    return OK;
}

static enum status check_stops(const struct engine_job *job,
                               const struct engine_check_limits *limits, struct error *err)
{
    if (job->stop_count > ENGINE_STOPS_MAX)
        FAIL(err, ERR_LIMIT, "stop: %u strings, the limit is %d", job->stop_count,
             ENGINE_STOPS_MAX);
    if (job->stop_count > 0 && !limits->has_tokenizer)
        FAIL(err, ERR_LIMIT, "stop: %u strings, but the model has no tokenizer",
             job->stop_count);
    for (uint32_t i = 0; i < job->stop_count; i++) {
        const struct text stop = job->stops[i];
        if (stop.size == 0 || stop.size > ENGINE_STOP_BYTES_MAX)
            FAIL(err, ERR_LIMIT, "stop: string %u has %zu bytes, want 1 to %d", i, stop.size,
                 ENGINE_STOP_BYTES_MAX);
        if (text_utf8_valid(stop) != stop.size)
            FAIL(err, ERR_FORMAT, "stop: string %u is not UTF-8 at byte %zu", i,
                 text_utf8_valid(stop));
    }
    return OK;
}

static enum status check_score(const struct engine_job *job, struct error *err)
{
    if (job->score_tokens == 0 || job->score_tokens >= job->prompt_tokens)
        FAIL(err, ERR_LIMIT, "score_tokens: %u of a prompt of %u, want 1 to %u",
             job->score_tokens, job->prompt_tokens, job->prompt_tokens - 1);
    return job->tells_scores ? check_tops(job, err) : OK;
}

static enum status check_format(const struct engine_job *job,
                                const struct engine_check_limits *limits, struct error *err)
{
    switch (job->format) {
    case ENGINE_FORMAT_TEXT:
        return OK;
    case ENGINE_FORMAT_SCHEMA:
    case ENGINE_FORMAT_REGEX:
        break;
    default:
        FAIL(err, ERR_FORMAT, "format: %d is none that we know", (int)job->format);
    }
    if (!limits->has_tokenizer)
        FAIL(err, ERR_LIMIT,
             "format: a schema or a regular expression, but the model has no "
             "tokenizer");
    if (job->ignore_end)
        FAIL(err, ERR_FORMAT, "ignore_end: a text of a schema or a regular expression ends");
    return OK;
}

static enum status check_output(const struct engine_job *job,
                                const struct engine_check_limits *limits, struct error *err)
{
    if (job->sample_count > ENGINE_SAMPLES_MAX)
        FAIL(err, ERR_LIMIT, "sample_count: %u, the limit is %d", job->sample_count,
             ENGINE_SAMPLES_MAX);
    if (job->max_tokens == 0)
        FAIL(err, ERR_LIMIT, "max_tokens: 0, want at least 1");
    TRY(check_sampling(job, err));
    TRY(check_penalties(job, err));
    TRY(check_tops(job, err));
    TRY(check_biases(job, limits, err));
    TRY(check_stops(job, limits, err));
    return check_format(job, limits, err);
}

static enum status check_pooling(const struct engine_job *job, struct error *err)
{
    if (job->pooling != ENGINE_POOL_MEAN && job->pooling != ENGINE_POOL_LAST)
        FAIL(err, ERR_FORMAT, "pooling: %d is none that we know", (int)job->pooling);
    return OK;
}

/* Nothing is said, so what concerns that is nothing too. */
static void forget_output(struct engine_job *job)
{
    job->sample_count = 1;
    job->max_tokens = 1;
    job->format = ENGINE_FORMAT_TEXT;
    job->format_source = TEXT("");
    job->stops = NULL;
    job->stop_count = 0;
    job->repetition_penalty = 0;
    job->presence_penalty = job->frequency_penalty = 0;
    job->biases = NULL;
    job->bias_count = 0;
    if (job->kind != ENGINE_SCORE || !job->tells_scores)
        job->top_count = 0;
}

enum status engine_check_job(const struct engine_job *job,
                             const struct engine_check_limits *limits,
                             struct engine_job *checked, struct error *err)
{
    if (job->kind != ENGINE_GENERATE && job->kind != ENGINE_SCORE && job->kind != ENGINE_EMBED)
        FAIL(err, ERR_FORMAT, "kind: %d is none that we know", (int)job->kind);
    if (job->priority < -ENGINE_PRIORITY_MAX || job->priority > ENGINE_PRIORITY_MAX)
        FAIL(err, ERR_LIMIT, "priority: %d, want %d to %d", (int)job->priority,
             -ENGINE_PRIORITY_MAX, ENGINE_PRIORITY_MAX);
    TRY(check_prompt(job, limits, err));
    *checked = *job;
    if (job->kind != ENGINE_GENERATE) {
        TRY(job->kind == ENGINE_SCORE ? check_score(job, err) : check_pooling(job, err));
        forget_output(checked);
        return OK;
    }
    TRY(check_output(job, limits, err));
    const uint32_t room = limits->tokens_max - job->prompt_tokens;
    if (checked->max_tokens > room)
        checked->max_tokens = room;
    if (checked->sample_count == 0)
        checked->sample_count = 1;
    if (!(checked->top_p > 0))
        checked->top_p = 1;
    return OK;
}
