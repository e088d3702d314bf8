/*
 * tiny_folder - a tiny model's GGUF file written anew as transformers lays a model out:
 * config.json, and model.safetensors with that library's names, its order of query and key rows
 * and its norms that are distances from 1.
 */
#ifndef TESTS_HARNESS_TINY_FOLDER_H
#define TESTS_HARNESS_TINY_FOLDER_H

#include "tests/harness/tiny_model.h"

#include "base/error.h"

enum { TINY_FOLDER_PATH_BYTES = 64 };

/* Whether a config.json can say what the options do: not random factors of Llama 3's kind. */
bool tiny_folder_can(const struct tiny_model_options *options);
/* A new folder below /tmp, its path in path. file: what tiny_model_write made of options. */
MUST_USE enum status tiny_folder_write(struct text file,
                                       const struct tiny_model_options *options,
                                       char path[TINY_FOLDER_PATH_BYTES], struct error *err);
/* Takes it away again. */
void tiny_folder_remove(const char *path);

#endif
