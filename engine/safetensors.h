/*
 * safetensors - reading one safetensors file, every number checked.
 *
 * safetensors_init walks the whole header. What it leaves is a sorted table of views into the
 * file. A refusal names the tensor, the value and the limit.
 *
 * Always true after safetensors_init:
 *     names differ from one another
 *     a tensor's size is what its shape and type say, and data .. data + size lie in the file
 *     the tensors cover the data section: no two overlap, and no byte is nobody's
 *
 * Owner    the caller owns the struct and the file's bytes, which must outlive it. Names and
 *          metadata are valid until safetensors_deinit.
 * Memory   the header as JSON values, and the table.
 */
#ifndef ENGINE_SAFETENSORS_H
#define ENGINE_SAFETENSORS_H

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

#include <stdint.h>

enum {
    SAFETENSORS_HEADER_BYTES_MAX = 100000000,
    SAFETENSORS_TENSORS_MAX = 1 << 16,
    SAFETENSORS_DIMS_MAX = 8
};

struct safetensors_tensor {
    struct text name;
    const char *dtype; /* as the format spells it, such as "BF16"; valid for ever */
    uint32_t dim_count;
    int64_t dims[SAFETENSORS_DIMS_MAX]; /* as in the file: the last is the contiguous one */
    const uint8_t *data;                /* not aligned */
    size_t begin, size;                 /* in the data section */
};

struct safetensors {
    struct json *root;
    const struct json *metadata;        /* strings by name; NULL when the file has none */
    struct safetensors_tensor *tensors; /* [tensor_count], by name */
    uint32_t tensor_count;
};

/* Reads the file's bytes. ERR_FORMAT not what the format says; ERR_LIMIT past the limits above,
 * or of a type that is not known; ERR_MEMORY. On failure *file needs no safetensors_deinit. */
MUST_USE enum status safetensors_init(struct safetensors *file, struct text bytes,
                                      struct error *err);
void safetensors_deinit(struct safetensors *file); /* safe on a zeroed struct */

/* NULL when the file has no such tensor. */
const struct safetensors_tensor *safetensors_find(const struct safetensors *file,
                                                  struct text name);

#endif
