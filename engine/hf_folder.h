/*
 * hf_folder - a model as Hugging Face lays it out in a folder, seen as a struct gguf.
 *
 *     config.json, and model.safetensors, or model.safetensors.index.json and its shards; and
 *     the tokenizer's files, if there are any
 *
 * The keys are made from config.json (hf_config) and the tokenizer's files (hf_tokenizer), the
 * tensors are views into the mapped files under GGUF's names (hf_names), so that model.c loads
 * a folder as it loads a file. Copied are only the tokenizer's files and what is not used as it
 * is: Gemma's norms, and what lies at an odd place in its file.
 *
 * Owner    the caller owns the struct; what hf_folder_open mapped, hf_folder_close unmaps.
 */
#ifndef ENGINE_HF_FOLDER_H
#define ENGINE_HF_FOLDER_H

#include "base/arena.h"
#include "base/file_map.h"
#include "engine/gguf.h"
#include "engine/safetensors.h"

enum { HF_FOLDER_SHARDS_MAX = 1024, HF_FOLDER_JSON_BYTES_MAX = 64 << 20 };

struct hf_folder_shard {
    struct text name; /* valid as long as the index */
    struct file_map map;
    struct safetensors file;
};

struct hf_folder {
    struct gguf gguf;
    struct text_buf keys;           /* gguf's entries point into it */
    struct json *index;             /* NULL: one file alone */
    struct hf_folder_shard *shards; /* [shard_count] */
    uint32_t shard_count;
    struct arena arena; /* names, and copies */
};

/* True when path is a folder. */
bool hf_folder_is(const char *path);

/* ERR_IO a file that cannot be read; ERR_FORMAT, ERR_LIMIT what is wrong in which file;
 * ERR_MEMORY. On failure *folder needs no hf_folder_close. */
MUST_USE enum status hf_folder_open(struct hf_folder *folder, const char *path,
                                    struct error *err);
void hf_folder_close(struct hf_folder *folder); /* safe on a zeroed struct */

#endif
