/*
 * step_bench - one engine/step without a thread or a model, for its tests: jobs in, what came
 * out kept by job and sample, and held against the definition.
 */
#ifndef TESTS_HARNESS_STEP_BENCH_H
#define TESTS_HARNESS_STEP_BENCH_H

#include "tests/harness/step_fake.h"

enum { STEP_BENCH_OUTPUT = 80, STEP_BENCH_SAMPLES = 16, STEP_BENCH_JOBS = 256 };

extern uint64_t
    step_bench_random; /* the state behind step_bench_below: set it, and all repeats */
extern bool step_bench_is_ahead; /* whether steps are planned before results are known */

/* One engine without a thread, and what came out of it. */
struct step_bench {
    struct queue outbox; /* kept with outputs from bench to bench: their pages are there */
    token_id outputs[STEP_BENCH_JOBS][STEP_BENCH_SAMPLES][STEP_BENCH_OUTPUT];
    struct arena arena; /* zeroed, with all below */
    struct step_fake fake;
    struct step step;
    uint32_t output_counts[STEP_BENCH_JOBS][STEP_BENCH_SAMPLES];
    struct engine_event done[STEP_BENCH_JOBS][STEP_BENCH_SAMPLES];
    float vectors[STEP_BENCH_JOBS][STEP_FAKE_HIDDEN];
    uint32_t done_count, jobs_given, next_id;
};

/* Prompts that share beginnings of odd lengths with each other. */
struct step_bench_family {
    token_id shared[4][300];
    token_id prompts[STEP_BENCH_JOBS][400];
    struct engine_job asks[STEP_BENCH_JOBS];
};

extern double step_bench_now_s; /* what the steps take for the time */

uint32_t step_bench_below(uint32_t limit);
void step_bench_fill(token_id *tokens, uint32_t count); /* with random tokens */

/* partials 0: room enough. What fails ends the test. */
struct step_bench *step_bench_open_tight(uint32_t pages, uint32_t sequences, uint32_t rows,
                                         uint32_t partials);
struct step_bench *step_bench_open(uint32_t pages, uint32_t sequences, uint32_t rows);
/* Of sizes that step_bench_random says. */
struct step_bench *step_bench_open_drawn(void);
/* All jobs must have ended; every page must be free again once the tree is emptied. */
void step_bench_close(struct step_bench *bench);

uint64_t step_bench_submit(struct step_bench *bench, const struct engine_job *ask);
/* Submits jobs with up to two steps between them. */
void step_bench_trickle(struct step_bench *bench, const struct engine_job *asks,
                        uint32_t count);
void step_bench_drain(struct step_bench *bench);
void step_bench_run(struct step_bench *bench); /* until nothing is left to do */

/* The job has said what it must, from the definition. */
void step_bench_expect(const struct step_bench *bench, const struct engine_job *ask,
                       uint32_t sample);

void step_bench_family_make(struct step_bench_family *family, uint32_t count,
                            uint32_t shared_max, uint32_t own_max);
void step_bench_family_expect(const struct step_bench *bench,
                              const struct step_bench_family *family, uint32_t count);

#endif
