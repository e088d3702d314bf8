/*
 * load_make - the loads that everybody quotes.
 *
 *     T1   one reader: prompts of `own` tokens, `out` tokens out, one after the other
 *     T3   chunks x jobs: `shared` tokens of a chunk and `own` of the job's, all submitted at
 *          once, chunk by chunk or task by task
 *     T4   recorded runs (a JSON file: runs[].jobs, local_prompt, local_completion, local_s):
 *          each round a wave. A job's prompt and output are the mean of its run.
 *
 * T4's record does not say which of a prompt's tokens are its chunk's, nor on how many chunks
 * a round's jobs were. Both come from other records of the same workload, by
 * bench/t4_assumed.py. In 2,617 jobs of four recorded conversations the tokens that are not
 * the chunk's (task, advice, rules) were 212 on the mean, 209 to 219 by conversation, while
 * whole prompts went from 862 to 1,332; and 84 recorded programs made 1.88 jobs per chunk,
 * quartiles 1, 2, 3. So `own` tokens are the job's, and at most half of the prompt; a round
 * has `per_chunk` jobs per chunk, unless the rounds of its run tell: the greatest common
 * divisor of their counts, where that gives this round at most 3 jobs per chunk and another
 * round more than one.
 *
 * Four runs of the record are 2,727 jobs of 824 to 2,527 prompt tokens: a GPU's load, and the
 * better part of an hour for a CPU. `every` takes one chunk of so many, with its jobs, out of
 * each round, and leaves the tokens of a job as they are.
 */
#ifndef BENCH_LOAD_MAKE_H
#define BENCH_LOAD_MAKE_H

#include "bench/load.h"

struct load_make_shape {
    uint32_t chunks, jobs, shared, own, out;
    bool by_task;
};

enum { LOAD_MAKE_OWN = 212, LOAD_MAKE_PER_CHUNK = 2, LOAD_MAKE_JOBS_MAX = 1 << 20 };

/* ERR_LIMIT: more than LOAD_MAKE_JOBS_MAX jobs; ERR_MEMORY. load_make_free takes a load. */
MUST_USE enum status load_make_t1(const struct load_make_shape *shape, struct load *load,
                                  struct error *err);
MUST_USE enum status load_make_t3(const struct load_make_shape *shape, struct load *load,
                                  struct error *err);
/* The first `runs` of the file, of each round one chunk in `every` (>= 1), at least one; all
 * tokens divided by `shrink` (>= 1) for machines that would take a day. load->assumed tells
 * own, per_chunk (>= 1) and every.
 * ERR_IO; ERR_FORMAT names the run. */
struct load_make_record {
    const char *path;
    uint32_t runs, every, shrink, own, per_chunk;
};
MUST_USE enum status load_make_t4(const struct load_make_record *record, struct load *load,
                                  struct error *err);
void load_make_free(struct load *load);

/* Chunks of a round of `jobs`, in a run whose rounds have counts[count] jobs; 1 .. jobs, and
 * 0 for 0. */
uint32_t load_make_chunks(const uint32_t *counts, uint32_t count, uint32_t jobs,
                          uint32_t per_chunk);

#endif
