/*
 * gguf_split - a GGUF file, or one that was cut into parts.
 *
 * Parts are called NAME-00001-of-0000N.gguf and so on. Each is a GGUF file with the keys
 * split.no (from 0), split.count and, if its writer cared, split.tensors.count; the first has
 * all other keys. Opened by its first part, a model is what its parts have together.
 *
 * Owner    the caller owns the struct; gguf_split_close unmaps the parts.
 */
#ifndef ENGINE_GGUF_SPLIT_H
#define ENGINE_GGUF_SPLIT_H

#include "base/file_map.h"
#include "engine/gguf.h"

enum { GGUF_SPLIT_PARTS_MAX = 1024 };

struct gguf_split {
    struct gguf gguf;      /* keys of the first part, tensors of all */
    struct file_map *maps; /* [part_count] */
    uint32_t part_count;
};

/* path: a whole file, or the first part. ERR_IO a part cannot be read; ERR_FORMAT a part
 * that is not of this model, or not in its place: the sentence begins with its name; else what
 * gguf_init says. On failure *split needs no gguf_split_close. */
MUST_USE enum status gguf_split_open(struct gguf_split *split, const char *path,
                                     struct error *err);
void gguf_split_close(struct gguf_split *split); /* safe on a zeroed struct */

#endif
