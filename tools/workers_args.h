/*
 * workers_args - the options of every command that can send its jobs to servers elsewhere.
 *
 *     struct workers_args workers = {0};
 *     const struct args_option options[] = {
 *         WORKERS_ARGS(workers),
 *         {...},
 *     };
 */
#ifndef TOOLS_WORKERS_ARGS_H
#define TOOLS_WORKERS_ARGS_H

#include "protocol/minions/worker_fleet.h"
#include "tools/args.h"

struct workers_args {
    const char *urls;   /* NULL: the engine here */
    const char *model;  /* NULL: each server's first */
    uint32_t in_flight; /* 0: 8 */
    float timeout_s;    /* 0: 300 */
    float rest_s;       /* 0: 0.5 */
};

#define WORKERS_ARGS(args)                                                                     \
    {.name = "workers",                                                                        \
     .value = "URL[,URL...]",                                                                  \
     .kind = ARGS_TEXT,                                                                        \
     .target = &(args).urls,                                                                   \
     .help = "send the jobs to these OpenAI-compatible servers (key: COHORT_WORKERS_KEY)"},    \
        {.name = "worker-model",                                                               \
         .value = "NAME",                                                                      \
         .kind = ARGS_TEXT,                                                                    \
         .target = &(args).model,                                                              \
         .help = "their model (default: ask's, each server's first; batch's, the request's)"}, \
        {.name = "in-flight",                                                                  \
         .value = "N",                                                                         \
         .kind = ARGS_U32,                                                                     \
         .target = &(args).in_flight,                                                          \
         .min = 1,                                                                             \
         .max = 256,                                                                           \
         .help = "requests at once to each of them (default 8)"},                              \
        {.name = "worker-timeout",                                                             \
         .value = "SECONDS",                                                                   \
         .kind = ARGS_REAL,                                                                    \
         .target = &(args).timeout_s,                                                          \
         .min = 0.1,                                                                           \
         .max = 86400,                                                                         \
         .help = "a job unanswered for so long is given to another (default 300)"},            \
    {                                                                                          \
        .name = "worker-rest", .value = "SECONDS", .kind = ARGS_REAL,                          \
        .target = &(args).rest_s, .min = 0.001, .max = 30,                                     \
        .help = "a failing one is left alone so long, then twice that (default 0.5)"           \
    }

/* What a fleet is opened by; the key is the environment's. */
struct worker_fleet_options workers_args_options(const struct workers_args *args);

#endif
