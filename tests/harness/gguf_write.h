/*
 * gguf_write - small GGUF files for tests, right or wrong: each piece is appended as it is
 * told, and nothing is checked.
 */
#ifndef TESTS_HARNESS_GGUF_WRITE_H
#define TESTS_HARNESS_GGUF_WRITE_H

#include "base/text.h"
#include "engine/gguf.h"

static inline void gguf_write_u32(struct text_buf *out, uint32_t value)
{
    text_buf_add(out, (struct text){(const char *)&value, sizeof value});
}

static inline void gguf_write_u64(struct text_buf *out, uint64_t value)
{
    text_buf_add(out, (struct text){(const char *)&value, sizeof value});
}

static inline void gguf_write_string(struct text_buf *out, const char *string)
{
    const struct text text = text_of(string);
    gguf_write_u64(out, text.size);
    text_buf_add(out, text);
}

static inline void gguf_write_header(struct text_buf *out, uint64_t tensors, uint64_t keys)
{
    text_buf_add(out, TEXT("GGUF"));
    gguf_write_u32(out, 3);
    gguf_write_u64(out, tensors);
    gguf_write_u64(out, keys);
}

/* A key and its type; the value is to follow. */
static inline void gguf_write_key(struct text_buf *out, const char *key, uint32_t type)
{
    gguf_write_string(out, key);
    gguf_write_u32(out, type);
}

static inline void gguf_write_key_u32(struct text_buf *out, const char *key, uint32_t value)
{
    gguf_write_key(out, key, GGUF_U32);
    gguf_write_u32(out, value);
}

static inline void gguf_write_key_f32(struct text_buf *out, const char *key, float value)
{
    gguf_write_key(out, key, GGUF_F32);
    text_buf_add(out, (struct text){(const char *)&value, sizeof value});
}

static inline void gguf_write_key_string(struct text_buf *out, const char *key,
                                         const char *value)
{
    gguf_write_key(out, key, GGUF_STRING);
    gguf_write_string(out, value);
}

/* A key whose value is an array of count elements, which are to follow. */
static inline void gguf_write_key_array(struct text_buf *out, const char *key, uint32_t type,
                                        uint64_t count)
{
    gguf_write_key(out, key, GGUF_ARRAY);
    gguf_write_u32(out, type);
    gguf_write_u64(out, count);
}

struct gguf_write_tensor {
    const char *name;
    uint32_t type;
    uint64_t dims[GGUF_DIMS_MAX]; /* up to the first 0 */
    uint64_t offset;
};

static inline void gguf_write_tensor(struct text_buf *out,
                                     const struct gguf_write_tensor *tensor)
{
    uint32_t dim_count = 0;
    while (dim_count < GGUF_DIMS_MAX && tensor->dims[dim_count] != 0)
        dim_count++;
    gguf_write_string(out, tensor->name);
    gguf_write_u32(out, dim_count);
    for (uint32_t i = 0; i < dim_count; i++)
        gguf_write_u64(out, tensor->dims[i]);
    gguf_write_u32(out, tensor->type);
    gguf_write_u64(out, tensor->offset);
}

/* Zeros up to a multiple of align. */
static inline void gguf_write_pad(struct text_buf *out, size_t align)
{
    while (out->size % align != 0)
        text_buf_byte(out, 0);
}

static inline void gguf_write_zeros(struct text_buf *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        text_buf_byte(out, 0);
}

#endif
