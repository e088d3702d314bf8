/*
 * engine_jobs - jobs through the engine's door, and all that comes out of it, for tests that
 * hold one run against another.
 *
 * A failure of the engine fails the test (cmocka).
 */
#ifndef TESTS_HARNESS_ENGINE_JOBS_H
#define TESTS_HARNESS_ENGINE_JOBS_H

#include "engine/engine.h"

enum { ENGINE_JOBS_SAMPLES = 3, ENGINE_JOBS_TOKENS = 96, ENGINE_JOBS_TEXT_BYTES = 2048 };

/* One sample of a job: its tokens, each with the bits of its log-probability, and its end. */
struct engine_jobs_sample {
    uint32_t count;
    token_id tokens[ENGINE_JOBS_TOKENS];
    float logprobs[ENGINE_JOBS_TOKENS];
    struct engine_event done;
};

/* samples[job][sample]: jobs are told apart by their tag, 0 .. job_count - 1. */
struct engine_jobs_outcome {
    uint32_t job_count;
    struct engine_jobs_sample (*samples)[ENGINE_JOBS_SAMPLES];
};

/* The text of a job of one sample. */
struct engine_jobs_text {
    size_t size;
    char bytes[ENGINE_JOBS_TEXT_BYTES];
    struct engine_event done;
};

/* Two numbers as one that looks drawn: the same on every machine. */
uint32_t engine_jobs_mix(uint32_t a, uint32_t b);

struct engine *engine_jobs_open(const struct engine_options *options);
/* Returns the job's id. */
uint64_t engine_jobs_submit(struct engine *engine, const struct engine_job *job);

/* Gives take every event until nothing runs; an event is valid until take returns. */
void engine_jobs_each(struct engine *engine,
                      void (*take)(void *context, const struct engine_event *event),
                      void *context);

/* What each job says until nothing runs, appended to texts[its tag], of count. */
void engine_jobs_texts(struct engine *engine, struct engine_jobs_text *texts, uint32_t count);

void engine_jobs_init(struct engine_jobs_outcome *outcome, uint32_t job_count);
void engine_jobs_deinit(struct engine_jobs_outcome *outcome);

/* Opens an engine, runs these jobs side by side, closes it; demands that each ends by itself.
 * stats may be NULL. */
void engine_jobs_run(const struct engine_options *options, const struct engine_job *jobs,
                     uint32_t count, struct engine_jobs_outcome *outcome,
                     struct engine_stats *stats);

/* Fails the test unless job `index` has the same tokens, log-probabilities and score, bit for
 * bit; who says which runs are compared. Returns the tokens that were compared. */
uint32_t engine_jobs_same(const struct engine_jobs_outcome *a,
                          const struct engine_jobs_outcome *b, uint32_t index, const char *who);

#endif
