/* engine_jobs - see engine_jobs.h. */
#include "tests/harness/engine_jobs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { EVENTS = 64 };

uint32_t engine_jobs_mix(uint32_t a, uint32_t b)
{
    uint64_t z = ((uint64_t)a << 32 | b) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 29)) * 0xbf58476d1ce4e5b9u;
    return (uint32_t)(z >> 32);
}

struct engine *engine_jobs_open(const struct engine_options *options)
{
    struct engine *engine;
    struct error err;
    if (engine_open(&engine, options, &err) != OK)
        fail_msg("%s", err.text);
    return engine;
}

uint64_t engine_jobs_submit(struct engine *engine, const struct engine_job *job)
{
    struct error err;
    uint64_t id = 0;
    if (engine_submit(engine, job, &id, &err) != OK)
        fail_msg("job %u: %s", (unsigned)job->tag, err.text);
    return id;
}

void engine_jobs_each(struct engine *engine,
                      void (*take)(void *context, const struct engine_event *event),
                      void *context)
{
    struct engine_event events[EVENTS];
    for (size_t count; (count = engine_poll(engine, events, EVENTS, -1)) > 0;)
        for (size_t i = 0; i < count; i++)
            take(context, &events[i]);
}

struct texts {
    struct engine_jobs_text *texts;
    uint32_t count;
};

static void take_text(void *context, const struct engine_event *event)
{
    const struct texts *texts = context;
    assert_true(event->tag < texts->count && event->sample == 0);
    struct engine_jobs_text *text = &texts->texts[event->tag];
    if (event->kind == ENGINE_DONE) {
        text->done = *event;
        return;
    }
    assert_true(event->text.size <= sizeof text->bytes - text->size);
    memcpy(text->bytes + text->size, event->text.data, event->text.size);
    text->size += event->text.size;
}

void engine_jobs_texts(struct engine *engine, struct engine_jobs_text *texts, uint32_t count)
{
    engine_jobs_each(engine, take_text, &(struct texts){texts, count});
}

void engine_jobs_init(struct engine_jobs_outcome *outcome, uint32_t job_count)
{
    outcome->job_count = job_count;
    outcome->samples = calloc(job_count, sizeof *outcome->samples);
    assert_non_null(outcome->samples);
}

void engine_jobs_deinit(struct engine_jobs_outcome *outcome)
{
    free(outcome->samples);
    *outcome = (struct engine_jobs_outcome){0};
}

static void take_tokens(void *context, const struct engine_event *event)
{
    const struct engine_jobs_outcome *outcome = context;
    assert_true(event->tag < outcome->job_count && event->sample < ENGINE_JOBS_SAMPLES);
    struct engine_jobs_sample *sample = &outcome->samples[event->tag][event->sample];
    if (event->kind == ENGINE_DONE)
        sample->done = *event;
    if (event->kind == ENGINE_DONE || event->token == TOKEN_NONE)
        return;
    assert_true(sample->count < ENGINE_JOBS_TOKENS);
    sample->tokens[sample->count] = event->token;
    sample->logprobs[sample->count++] = event->logprob;
}

void engine_jobs_run(const struct engine_options *options, const struct engine_job *jobs,
                     uint32_t count, struct engine_jobs_outcome *outcome,
                     struct engine_stats *stats)
{
    struct engine *engine = engine_jobs_open(options);
    struct error err;
    for (uint32_t i = 0; i < count; i++) {
        memset(outcome->samples[jobs[i].tag], 0, sizeof *outcome->samples);
        engine_jobs_submit(engine, &jobs[i]);
    }
    engine_jobs_each(engine, take_tokens, outcome);
    if (engine_failure(engine, &err) != OK)
        fail_msg("%s", err.text);
    if (stats)
        engine_stats(engine, stats);
    engine_close(engine);
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t s = 0; s < jobs[i].sample_count; s++) {
            const struct engine_event *done = &outcome->samples[jobs[i].tag][s].done;
            assert_int_equal(done->kind, ENGINE_DONE);
            assert_true(done->finish == ENGINE_LENGTH || done->finish == ENGINE_STOP);
        }
}

uint32_t engine_jobs_same(const struct engine_jobs_outcome *a,
                          const struct engine_jobs_outcome *b, uint32_t index, const char *who)
{
    uint32_t tokens = 0;
    for (uint32_t s = 0; s < ENGINE_JOBS_SAMPLES; s++) {
        const struct engine_jobs_sample *x = &a->samples[index][s], *y = &b->samples[index][s];
        if (x->count != y->count ||
            memcmp(x->tokens, y->tokens, x->count * sizeof *x->tokens) != 0)
            fail_msg("%s: job %u, sample %u: other tokens", who, index, s);
        if (memcmp(x->logprobs, y->logprobs, x->count * sizeof *x->logprobs) != 0)
            fail_msg("%s: job %u, sample %u: other log-probabilities", who, index, s);
        if (memcmp(&x->done.score, &y->done.score, sizeof x->done.score) != 0)
            fail_msg("%s: job %u, sample %u: another score", who, index, s);
        tokens += x->count;
    }
    return tokens;
}
