/*
 * tiny_model - a small model of random weights as a GGUF file in memory, a Llama or one of any
 * other family that is supported, with a byte-level vocabulary: so that the suite means
 * something where no model is at hand. What it writes is gibberish, but the same gibberish on
 * every machine.
 */
#ifndef TESTS_HARNESS_TINY_MODEL_H
#define TESTS_HARNESS_TINY_MODEL_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    TINY_MODEL_VOCAB = 264, /* 256 bytes, 5 merges, 3 control tokens */
    TINY_MODEL_END = 261,   /* <|end|>: the end of a text and of a turn */
    TINY_MODEL_BOS = 262,
    TINY_MODEL_ROLE = 263
};

enum tiny_model_family {
    TINY_MODEL_LLAMA,
    TINY_MODEL_QWEN2,
    TINY_MODEL_QWEN3,
    TINY_MODEL_GEMMA2,
    TINY_MODEL_GEMMA3,
    TINY_MODEL_PHI3,
    TINY_MODEL_SMOLLM3
};

/* How the file says that positions are scaled. */
enum tiny_model_rope {
    TINY_MODEL_ROPE_PLAIN,
    TINY_MODEL_ROPE_LINEAR,
    TINY_MODEL_ROPE_YARN,
    TINY_MODEL_ROPE_FACTORS, /* a tensor of them: Llama 3 */
    TINY_MODEL_ROPE_LONG     /* two: LongRoPE */
};

/* Where a file has keys of these, they say so. */
#define TINY_MODEL_THETA         10000.0F
#define TINY_MODEL_GEMMA3_THETA  200000.0F /* of layers that see all */
#define TINY_MODEL_FACTOR        4.0F
#define TINY_MODEL_MAGNITUDE     1.19F
#define TINY_MODEL_ATTENTION_CAP 1.5F
#define TINY_MODEL_LOGIT_CAP     2.5F
enum { TINY_MODEL_ORIGINAL = 64 }; /* positions before the scaling */

/* Zero means: the default. */
struct tiny_model_options {
    enum tiny_model_family family;
    enum tiny_model_rope rope;
    uint32_t layers;   /* 2 */
    uint32_t hidden;   /* 64; a multiple of 32 */
    uint32_t heads;    /* 4 */
    uint32_t kv_heads; /* 2 */
    uint32_t ffn;      /* 96 */
    uint32_t context;  /* 512 */
    uint32_t seed;
    uint32_t head_dim; /* hidden / heads */
    uint32_t rope_dim; /* head_dim */
    uint32_t window;   /* no key: what the family does then */
    bool has_own_head; /* tied to the embedding */
    bool is_up_half;   /* ffn_up in F16; all in F32 */
};

/* The same with every default in place. */
struct tiny_model_options tiny_model_resolved(const struct tiny_model_options *options);

/* Appends the file to out. */
void tiny_model_write(struct text_buf *out, const struct tiny_model_options *options);

/* Puts bytes in a file without a name; path, of 32 bytes or more, leads to it while the file
 * descriptor that is returned stays open. -1: the system refused. */
int tiny_model_file(struct text bytes, char *path, size_t path_size);
/* The same with what tiny_model_write makes. */
int tiny_model_open(const struct tiny_model_options *options, char *path, size_t path_size);

#endif
