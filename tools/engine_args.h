/*
 * engine_args - the options that every command with an engine shares, and opening one by them.
 *
 *     struct engine_args engine = {0};
 *     const struct args_option options[] = {
 *         ENGINE_ARGS(engine),
 *         {...},
 *     };
 */
#ifndef TOOLS_ENGINE_ARGS_H
#define TOOLS_ENGINE_ARGS_H

#include "base/error.h"
#include "engine/engine.h"
#include "tools/args.h"
#include "tools/model_path.h"

struct engine_args {
    const char *model; /* NULL: see model_path.h */
    int device;        /* enum engine_device */
    int precision;     /* enum engine_precision */
    uint32_t threads;  /* 0: one per core */
    uint32_t context;  /* 0: the model's */
};

#define ENGINE_ARGS(args)                                                                      \
    MODEL_PATH_OPTION(&(args).model),                                                          \
        {.name = "device",                                                                     \
         .value = "auto|cpu|cuda|emu",                                                         \
         .kind = ARGS_CHOICE,                                                                  \
         .target = &(args).device,                                                             \
         .help = "where to compute (default: a GPU if there is one); emu is for tests"},       \
        {.name = "precision",                                                                  \
         .value = "exact|int8",                                                                \
         .kind = ARGS_CHOICE,                                                                  \
         .target = &(args).precision,                                                          \
         .help = "float activations, or 8-bit integers, which is faster (default: exact)"},    \
        {.name = "context",                                                                    \
         .value = "N",                                                                         \
         .kind = ARGS_U32,                                                                     \
         .target = &(args).context,                                                            \
         .max = 1 << 24,                                                                       \
         .help =                                                                               \
             "tokens of a sequence (default: the model's; Phi-3's without its long rope)"},    \
    {                                                                                          \
        .name = "threads", .value = "N", .kind = ARGS_U32, .target = &(args).threads,          \
        .max = 1024, .help = "worker threads (default: one per core)"                          \
    }

/* options with what args say in place, but for the model's path. */
void engine_args_apply(const struct engine_args *args, struct engine_options *options);

/* Finds the model and opens an engine on it. more: further options, or NULL. ERR_IO when the
 * model is missing. The engine is the caller's to close. */
MUST_USE enum status engine_args_open(const struct engine_args *args,
                                      const struct engine_options *more, struct engine **engine,
                                      struct error *err);

#endif
