/*
 * load_make - the loads that everybody quotes.
 *
 *     T1   one reader: prompts of `own` tokens, `out` tokens out, one after the other
 *     T3   chunks x jobs: `shared` tokens of a chunk and `own` of the job's, all submitted at
 *          once, chunk by chunk or task by task
 *     T4   recorded runs (a JSON file: runs[].jobs, local_prompt, local_completion, local_s):
 *          each round a wave. Of a job's prompt, the mean of its run, SHARED_PERCENT are its
 *          chunk's. The record says how many jobs a round had, not on how many chunks: those
 *          are the smallest count of the run's rounds that divides this round's.
 */
#ifndef BENCH_LOAD_MAKE_H
#define BENCH_LOAD_MAKE_H

#include "bench/load.h"

struct load_make_shape {
    uint32_t chunks, jobs, shared, own, out;
    bool by_task;
};

enum { LOAD_MAKE_SHARED_PERCENT = 75, LOAD_MAKE_JOBS_MAX = 1 << 20 };

/* ERR_LIMIT: more than LOAD_MAKE_JOBS_MAX jobs; ERR_MEMORY. load_make_free takes a load. */
MUST_USE enum status load_make_t1(const struct load_make_shape *shape, struct load *load,
                                  struct error *err);
MUST_USE enum status load_make_t3(const struct load_make_shape *shape, struct load *load,
                                  struct error *err);
/* The first `runs` of the file; tokens of prompts and outputs divided by `shrink` (>= 1) for
 * machines that would take a day. ERR_IO, ERR_FORMAT names the run. */
MUST_USE enum status load_make_t4(const char *path, uint32_t runs, uint32_t shrink,
                                  struct load *load, struct error *err);
void load_make_free(struct load *load);

/* Chunks of a round of `jobs`, in a run whose rounds have counts[count] jobs; 1 .. jobs. */
uint32_t load_make_chunks(const uint32_t *counts, uint32_t count, uint32_t jobs);

#endif
