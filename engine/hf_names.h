/*
 * hf_names - names of architectures and tensors: from Hugging Face's to those of GGUF files.
 *
 * Matrices are the same in both, rows and all, but for the order of query and key rows in
 * models whose GGUF files turn neighbours (llama, smollm3): Hugging Face's turn halves. Gemma's
 * norms are stored there as distances from 1.
 */
#ifndef ENGINE_HF_NAMES_H
#define ENGINE_HF_NAMES_H

#include "base/text.h"
#include "engine/gguf.h"

#include <stdbool.h>

/* What transformers takes where config.json lacks a member; 0: nothing, or what follows from
 * the other sizes. A member that is null is not lacking. */
struct hf_names_defaults {
    int64_t kv_heads, head_dim, window, full_first, original; /* full_first: layers */
    double theta, eps, scalar; /* scalar: query_pre_attn_scalar */
};

struct hf_names_family {
    const char *hf, *gguf;   /* "LlamaForCausalLM", "llama" */
    const char *activation;  /* what hidden_act must say */
    bool is_gemma;           /* norms after each branch; norms are distances from 1 */
    bool ties_unless_said;   /* tie_word_embeddings, where config.json does not say */
    bool window_unless_said; /* use_sliding_window, likewise */
    struct hf_names_defaults defaults;
};

/* NULL when the name is not known. Valid for ever. */
const struct hf_names_family *hf_names_find(struct text architecture);
const char *hf_names_known(void); /* with commas: for messages */

struct hf_names_tensor {
    char text[GGUF_NAME_BYTES_MAX];
};
/* False: no tensor of such a model is called so. */
MUST_USE bool hf_names_tensor(const struct hf_names_family *family, struct text name,
                              struct hf_names_tensor *out);
/* Buffers that old files have and that are computed here. */
bool hf_names_is_ignored(struct text name);

#endif
