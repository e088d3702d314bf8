/*
 * model_store - the models that cohort pull has put in the cache: $COHORT_CACHE/models, else
 * ~/.cache/cohort/models. Beside FILE lies FILE.json: where it came from, and its SHA-256.
 *
 * A name from outside (an address, a hub, the command line) becomes a file's name here only by
 * model_store_file: letters, digits, dot, dash and underscore, not beginning with a dot.
 */
#ifndef TOOLS_MODEL_STORE_H
#define TOOLS_MODEL_STORE_H

#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MODEL_STORE_NAME_BYTES = 160,
    MODEL_STORE_PATH_BYTES = 4096,
    MODEL_STORE_SOURCE_BYTES = 2048,
    MODEL_STORE_MODELS_MAX = 4096
};

/* A model that has a name of its own (the table in model_store.c). */
struct model_store_known {
    const char *name, *repo, *file;
};

struct model_store_entry {
    char name[MODEL_STORE_NAME_BYTES]; /* of the file, without .gguf */
    char path[MODEL_STORE_PATH_BYTES];
    char source[MODEL_STORE_SOURCE_BYTES]; /* "": not known */
    char sha256[65];                       /* "": not known */
    uint64_t bytes;
};

/* NULL: no such name. index past the last gives NULL too. */
const struct model_store_known *model_store_find(const char *name);
const struct model_store_known *model_store_known_at(size_t index);

/* The file's name that a path or address ends with, made harmless, and with ".gguf" at its end.
 * ERR_FORMAT: nothing of it is left. */
MUST_USE enum status model_store_file(struct text from, char file[MODEL_STORE_NAME_BYTES],
                                      struct error *err);

/* Writes the path of a file in the store; of the store itself with file "". ERR_LIMIT. */
MUST_USE enum status model_store_path(const char *file, char *path, size_t size,
                                      struct error *err);

/* Makes the store where there is none. ERR_IO. */
MUST_USE enum status model_store_make(struct error *err);

/* Whether name means a model in the store: a file's name, with or without .gguf, or one of the
 * table. Fills path then. */
MUST_USE bool model_store_has(const char *name, char *path, size_t size);

/* Notes where a file of the store came from. ERR_IO, ERR_MEMORY. */
MUST_USE enum status model_store_note(const char *path, const char *source, const char *sha256,
                                      struct error *err);

/* All models in the store by name: *entries is malloc'd, for free() whatever the outcome. None
 * where there is no store. ERR_IO, ERR_MEMORY. */
MUST_USE enum status model_store_list(struct model_store_entry **entries, size_t *count,
                                      struct error *err);

/* Removes the model at path, and what lies beside it. ERR_IO. */
MUST_USE enum status model_store_remove(const char *path, struct error *err);

#endif
