/*
 * model_file - a model on disk, in whichever layout: a GGUF file, the first part of a split
 * one, or a folder of safetensors. All are seen as one struct gguf.
 *
 * Owner    the caller owns the struct; model_file_close unmaps what was mapped.
 */
#ifndef ENGINE_MODEL_FILE_H
#define ENGINE_MODEL_FILE_H

#include "engine/gguf_split.h"
#include "engine/hf_folder.h"

struct model_file {
    const struct gguf *gguf; /* of one of these */
    bool is_folder;
    uint64_t bytes; /* on disk, of what was mapped */
    struct gguf_split split;
    struct hf_folder folder;
};

/* On failure *file needs no model_file_close. Errors as gguf_split_open's, hf_folder_open's. */
MUST_USE enum status model_file_open(struct model_file *file, const char *path,
                                     struct error *err);
/* Whether path is a file that the model is read from. */
bool model_file_has(const struct model_file *file, const char *path);
void model_file_close(struct model_file *file); /* safe on a zeroed struct */

#endif
