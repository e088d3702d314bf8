/*
 * tiny_model - a small Llama of random weights as a GGUF file in memory, with a byte-level
 * vocabulary: so that the suite means something where no model is at hand. What it writes is
 * gibberish, but the same gibberish on every machine.
 */
#ifndef TESTS_HARNESS_TINY_MODEL_H
#define TESTS_HARNESS_TINY_MODEL_H

#include "base/text.h"

#include <stdint.h>

enum {
    TINY_MODEL_VOCAB = 264, /* 256 bytes, 5 merges, 3 control tokens */
    TINY_MODEL_END = 261,   /* <|end|>: the end of a text and of a turn */
    TINY_MODEL_BOS = 262,
    TINY_MODEL_ROLE = 263
};

/* Zero means: the default. */
struct tiny_model_options {
    uint32_t layers;   /* 2 */
    uint32_t hidden;   /* 64; a multiple of 32 */
    uint32_t heads;    /* 4 */
    uint32_t kv_heads; /* 2 */
    uint32_t ffn;      /* 96 */
    uint32_t context;  /* 512 */
    uint32_t seed;
};

/* Appends the file to out. */
void tiny_model_write(struct text_buf *out, const struct tiny_model_options *options);

/* Puts bytes in a file without a name; path, of 32 bytes or more, leads to it while the file
 * descriptor that is returned stays open. -1: the system refused. */
int tiny_model_file(struct text bytes, char *path, size_t path_size);

#endif
