/*
 * gguf - reading a GGUF model file (versions 2 and 3, little-endian), every number checked.
 *
 * gguf_init walks the whole header once. Each count is held against the bytes that are left,
 * each string and array against the end of the file, each tensor's size against its shape and
 * its place against its neighbours, before anything is used or allocated. What it leaves is
 * two sorted tables of views into the file. A refusal names the field, the value, the limit.
 *
 * Always true after gguf_init:
 *     keys and tensor names differ from one another, and are not empty
 *     an entry's data .. data + size lie in the file and hold exactly count elements
 *     a tensor's data .. data + size lie in the file, aligned, overlapping no other's
 *
 * Owner    the caller owns the struct and the file's bytes, which must outlive it.
 * Memory   the two tables: at most 5 bytes per byte of header, and GGUF_KEYS_MAX /
 *          GGUF_TENSORS_MAX entries.
 */
#ifndef ENGINE_GGUF_H
#define ENGINE_GGUF_H

#include "base/error.h"
#include "base/text.h"
#include "kernels/weight.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    GGUF_KEYS_MAX = 1 << 16,
    GGUF_TENSORS_MAX = 1 << 16,
    GGUF_KEY_BYTES_MAX = 256,
    GGUF_NAME_BYTES_MAX = 64,
    GGUF_DIMS_MAX = 4,
    GGUF_ALIGNMENT_MIN = 8, /* the format says: a multiple of 8 */
    GGUF_ALIGNMENT_DEFAULT = 32,
    GGUF_ALIGNMENT_MAX = 1 << 16
};

/* Kinds of value, by the format's numbers. */
enum gguf_type {
    GGUF_U8 = 0,
    GGUF_I8 = 1,
    GGUF_U16 = 2,
    GGUF_I16 = 3,
    GGUF_U32 = 4,
    GGUF_I32 = 5,
    GGUF_F32 = 6,
    GGUF_BOOL = 7,
    GGUF_STRING = 8,
    GGUF_ARRAY = 9,
    GGUF_U64 = 10,
    GGUF_I64 = 11,
    GGUF_F64 = 12
};

/* One key and its value. Read it through engine/gguf_get.h. */
struct gguf_entry {
    struct text key;
    enum gguf_type type; /* of the value, or of each element of an array; never GGUF_ARRAY */
    bool is_array;
    uint64_t count;      /* elements; 1 unless an array */
    const uint8_t *data; /* first element; not aligned */
    size_t size;         /* bytes of all elements */
};

struct gguf_tensor {
    struct text name;
    enum weight_type type;
    uint32_t dim_count;
    int64_t dims[GGUF_DIMS_MAX]; /* dims[0] is the one that is contiguous; each >= 1 */
    uint64_t offset;             /* from the start of the data section */
    const uint8_t *data;
    size_t size;
};

struct gguf {
    uint32_t version, alignment;
    uint32_t entry_count, tensor_count;
    struct gguf_entry *entries;  /* [entry_count], by key */
    struct gguf_tensor *tensors; /* [tensor_count], by name */
    size_t data_offset;          /* of the data section in the file */
};

/* Reads the file's bytes data[size], aligned to GGUF_ALIGNMENT_MIN.
 * ERR_FORMAT  not what the format says; ERR_LIMIT well formed, but past the limits above or of
 *             a version or tensor type that is not read here; ERR_MEMORY.
 * On failure *gguf needs no gguf_deinit. */
MUST_USE enum status gguf_init(struct gguf *gguf, const uint8_t *data, size_t size,
                               struct error *err);
void gguf_deinit(struct gguf *gguf); /* safe on a zeroed struct */

/* Brings the table of tensors in the order that gguf_find_tensor looks in, for who has made or
 * changed it. ERR_FORMAT: two have one name. */
MUST_USE enum status gguf_sort_tensors(struct gguf *gguf, struct error *err);

/* NULL when the file has no such key or tensor. */
const struct gguf_entry *gguf_find(const struct gguf *gguf, const char *key);
const struct gguf_tensor *gguf_find_tensor(const struct gguf *gguf, const char *name);

/* A name as it may be shown to people: cut, and without bytes that a terminal would obey. */
struct gguf_label {
    char text[GGUF_NAME_BYTES_MAX + 4];
};
struct gguf_label gguf_label(struct text name);

const char *gguf_type_name(enum gguf_type type);

#endif
