/*
 * gguf_write - a GGUF file made from another one: its keys, and its tensors in other forms.
 *
 * Every key of the source is copied as it is, but for those that are set or left out. Tensors
 * come from a list; the bytes of those that are not the source's own are made by the caller,
 * one tensor after the other, so that a model of any size passes through little memory.
 */
#ifndef ENGINE_GGUF_WRITE_H
#define ENGINE_GGUF_WRITE_H

#include "engine/gguf.h"

/* A u32 key to be set; GGUF_WRITE_NO_KEY: left out. */
struct gguf_write_key {
    const char *name;
    uint32_t value;
};
#define GGUF_WRITE_NO_KEY UINT32_MAX

/* A tensor to be written. */
struct gguf_write_piece {
    char name[GGUF_NAME_BYTES_MAX + 1];
    uint32_t type, dim_count;
    int64_t dims[GGUF_DIMS_MAX];
    uint64_t size;
    const struct gguf_tensor *from;
    int content;     /* 0: from's bytes; else they are made, and this is the maker's own word */
    uint64_t offset; /* set by gguf_write_file */
};

struct gguf_write; /* a file being written */

typedef enum status gguf_write_make(void *context, const struct gguf_write_piece *piece,
                                    struct gguf_write *to, struct error *err);

struct gguf_write_plan {
    const char *path;
    const struct gguf *source;
    struct gguf_write_piece *pieces; /* [piece_count] */
    uint32_t piece_count;
    const struct gguf_write_key *keys; /* [key_count] */
    uint32_t key_count;
    gguf_write_make *make; /* puts piece->size bytes; pieces come in their order */
    void *context;
};

/* A piece that is the tensor as it is. */
struct gguf_write_piece gguf_write_copy(const struct gguf_tensor *tensor);

/* Writes the file beside path, then gives it the name: a file of that name is replaced at the
 * end, or not at all. ERR_IO cannot be written; ERR_LIMIT a path too long; ERR_MEMORY; what
 * make answers. */
MUST_USE enum status gguf_write_file(const struct gguf_write_plan *plan, struct error *err);

/* For make: the next bytes of its piece. */
MUST_USE enum status gguf_write_bytes(struct gguf_write *to, const void *bytes, uint64_t size,
                                      struct error *err);

#endif
