/*
 * model_path - which model file a command uses.
 *
 * In this order: the one given with -m, the one named by COHORT_MODEL, the demo model where
 * tools/scripts/setup puts it. The first two are a file, or the name of a model that cohort
 * pull has put in the cache.
 */
#ifndef TOOLS_MODEL_PATH_H
#define TOOLS_MODEL_PATH_H

#include "base/error.h"

#include <stddef.h>

enum { MODEL_PATH_BYTES = 4096 };

/* Writes the path to path[size], NUL-terminated; given may be NULL. ERR_IO when there is no
 * readable file there: the sentence says how to get one. */
MUST_USE enum status model_path_find(const char *given, char *path, size_t size,
                                     struct error *err);

#endif
