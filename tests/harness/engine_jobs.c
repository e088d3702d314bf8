/* engine_jobs - see engine_jobs.h. */
#include "tests/harness/engine_jobs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { EVENTS = 64 };

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

static void take(struct engine_jobs_outcome *outcome, const struct engine_event *event)
{
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

void engine_jobs_poll(struct engine *engine, struct engine_jobs_outcome *outcome)
{
    struct engine_event events[EVENTS];
    for (size_t count; (count = engine_poll(engine, events, EVENTS, -1)) > 0;)
        for (size_t i = 0; i < count; i++)
            take(outcome, &events[i]);
}

void engine_jobs_run(const struct engine_options *options, const struct engine_job *jobs,
                     uint32_t count, struct engine_jobs_outcome *outcome,
                     struct engine_stats *stats)
{
    struct engine *engine;
    struct error err;
    uint64_t id;
    if (engine_open(&engine, options, &err) != OK)
        fail_msg("%s", err.text);
    for (uint32_t i = 0; i < count; i++) {
        memset(outcome->samples[jobs[i].tag], 0, sizeof *outcome->samples);
        if (engine_submit(engine, &jobs[i], &id, &err) != OK)
            fail_msg("%s", err.text);
    }
    engine_jobs_poll(engine, outcome);
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
