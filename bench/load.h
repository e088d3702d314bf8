/*
 * load - a workload through the engine's door, and what came of it: the core of T1, T3 and T4.
 *
 * Prompts are random token ids, end-of-text is ignored and sampling is greedy, so that every
 * job writes exactly its output tokens and the work is the same for every engine. Jobs of one
 * group begin with the same tokens. Logical prompt tokens are those that the jobs have,
 * computed ones those that went through the model; ideal is each group's shared tokens once and
 * each job's own once.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "bench/load_roof.h"
#include "engine/engine.h"

enum { LOAD_ASSUMED = 400 };

struct load_job {
    uint32_t group;  /* whose shared tokens it begins with */
    uint32_t number; /* its own tokens are of this number */
    uint32_t shared, own, out;
    uint32_t wave; /* jobs of a wave are submitted together, when the wave before has ended */
};

struct load {
    const char *name;
    struct load_job *jobs; /* [count], in the order of submission; waves ascend */
    uint32_t count;
    uint32_t chunks; /* shared prefixes, each round's its own */
    double ideal_tokens;
    char assumed[LOAD_ASSUMED]; /* what of it is not in a record, as a sentence; or "" */
    double recorded_jobs_per_s; /* of whoever ran this load before; 0: nobody */
};

struct load_result {
    double took_s, open_s;
    double cpu_s; /* processor time of all threads in took_s */
    struct engine_info info;
    struct engine_stats stats;
    struct load_roof roof;
    double model_s;    /* the roofline MODEL of the same work; 0: no rates were measured */
    uint64_t *texts;   /* [count] a hash of each job's output tokens */
    uint64_t checksum; /* over texts by number: equal for equal outputs, whatever the order */
    uint32_t failed;
};

/* ERR_MEMORY. result is the caller's to deinit, whatever the outcome. */
MUST_USE enum status load_run(const struct load *load, const struct engine_options *options,
                              bool times_ops, struct load_result *result, struct error *err);
void load_result_deinit(struct load_result *result);

/* The least time for this load by result's roof, info and stats; 0 without rates. */
double load_model_s(const struct load *load, const struct load_result *result);

/* As text, or as one line of JSON. */
void load_print(const struct load *load, const struct load_result *result);
void load_print_json(const struct load *load, const struct load_result *result);

#endif
