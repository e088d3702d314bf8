/*
 * model_config - from a GGUF file's keys to the sizes and constants of the model.
 *
 * Each number is held against a limit, and the embedding's shape gives the vocabulary, so that
 * what is sized from a config is bounded. What would change the arithmetic and is not done
 * here (experts, other rope scalings, another architecture) is refused by name.
 */
#ifndef ENGINE_MODEL_CONFIG_H
#define ENGINE_MODEL_CONFIG_H

#include "engine/gguf.h"
#include "engine/model.h"
#include "kernels/kv_layout.h"

enum {
    MODEL_CONFIG_HIDDEN_MAX = 1 << 16,
    MODEL_CONFIG_FFN_MAX = 1 << 17,
    MODEL_CONFIG_HEADS_MAX = 1024,
    MODEL_CONFIG_HEAD_DIM_MAX = KV_LAYOUT_HEAD_DIM_MAX,
    MODEL_CONFIG_VOCAB_MAX = 1 << 21,
    MODEL_CONFIG_CONTEXT_MAX = 1 << 24
};

/* path: for the name of a model that the file leaves unnamed.
 * ERR_FORMAT a key or the embedding is missing or contradicts another; ERR_LIMIT past what is
 * taken on. */
MUST_USE enum status model_config_read(const struct gguf *gguf, const char *path,
                                       struct model_config *config, struct error *err);

#endif
