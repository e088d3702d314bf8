/*
 * model_synthetic - models of known shape with random weights, made from a seed without a file:
 * for benches on machines that have no model, and for tests.
 *
 *     model_open(&model, "synthetic:llama-3.1-8b", MODEL_INT8, ...)
 *
 * What is made is a struct gguf whose tensors all lie in one pool of random Q8_0 blocks, each
 * from another place on, so that weights.c loads it as it loads a file. The same name gives the
 * same weights on every machine. There is no tokenizer, and the text is gibberish.
 *
 * Owner    model_synthetic_make fills the caller's struct, which must outlive the model.
 */
#ifndef ENGINE_MODEL_SYNTHETIC_H
#define ENGINE_MODEL_SYNTHETIC_H

#include "engine/gguf.h"
#include "engine/model.h"

#define MODEL_SYNTHETIC_PREFIX "synthetic:"

struct model_synthetic_shape {
    struct model_config config; /* config.name is how the shape is asked for */
    bool has_own_head;          /* output.weight; else the head is the embedding */
    bool has_bias;              /* of q, k and v */
};

struct model_synthetic {
    struct gguf gguf;  /* tensors alone, no keys */
    char *names;       /* [tensor_count][GGUF_NAME_BYTES_MAX] */
    uint8_t *pool;     /* Q8_0 blocks */
    float *vectors;    /* norms near 1, then biases near 0 */
    size_t pool_bytes; /* of the blocks */
};

/* Shape number index of those known; NULL past the last. */
const struct model_synthetic_shape *model_synthetic_at(size_t index);
/* The shape of that name, without the prefix; NULL when none is known by it. */
const struct model_synthetic_shape *model_synthetic_find(struct text name);

/* ERR_MEMORY: *made then needs no deinit. */
MUST_USE enum status model_synthetic_make(struct model_synthetic *made,
                                          const struct model_synthetic_shape *shape,
                                          struct error *err);
void model_synthetic_deinit(struct model_synthetic *made); /* safe on a zeroed struct */

#endif
