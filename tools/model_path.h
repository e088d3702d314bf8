/*
 * model_path - which model file a command uses.
 *
 * In this order: the one given with -m, the one named by COHORT_MODEL, the demo model where
 * tools/scripts/setup puts it. The first two are a file, a folder of safetensors, or the name
 * of a model that cohort pull has put in the cache.
 */
#ifndef TOOLS_MODEL_PATH_H
#define TOOLS_MODEL_PATH_H

#include "base/error.h"
#include "tools/args.h"

#include <stddef.h>

enum { MODEL_PATH_BYTES = 4096 };

/* The option by which a command is given one, in its table. */
#define MODEL_PATH_OPTION(given)                                                               \
    {                                                                                          \
        .letter = 'm', .name = "model", .value = "MODEL", .kind = ARGS_TEXT,                   \
        .target = (given),                                                                     \
        .help = "a file, a folder or a pulled name (default: $COHORT_MODEL, else the demo's)"  \
    }

/* Writes the path to path[size], NUL-terminated; given may be NULL. ERR_IO when nothing
 * readable is there: the sentence says how to get one. ERR_LIMIT: it is longer than size. */
MUST_USE enum status model_path_find(const char *given, char *path, size_t size,
                                     struct error *err);

#endif
