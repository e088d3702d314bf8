/*
 * hf_config - a Hugging Face config.json, told in the keys of GGUF files.
 *
 * model_config then reads them as it reads a file's: there is one place that holds numbers
 * against limits and refuses what is not computed. What config.json can say beyond those keys
 * and would change the arithmetic is refused here.
 *
 * Owner    borrows the JSON, which must outlive the struct.
 */
#ifndef ENGINE_HF_CONFIG_H
#define ENGINE_HF_CONFIG_H

#include "base/json.h"
#include "engine/hf_names.h"
#include "engine/hf_tokenizer.h"

/* Of query and key rows: a bool that overrules what the architecture says. */
#define HF_CONFIG_INTERLEAVED_KEY "cohort.rope_interleaved"

enum { HF_CONFIG_PAIRS_MAX = 512, HF_CONFIG_KEYS_BYTES_MAX = 1 << 20 };

enum hf_config_factors { HF_CONFIG_LLAMA3, HF_CONFIG_SHORT, HF_CONFIG_LONG };

struct hf_config {
    const struct json *root, *rope; /* rope: its scaling, or NULL */
    const struct hf_names_family *family;
    struct text name, scaling; /* the model's; kind of scaling, "default" without */
    int64_t layers, head_dim, rope_dim;
    bool is_tied, says_tied; /* whether the head is the embedding, and whether that is said */
};

/* ERR_FORMAT a member that is missing or of another type; ERR_LIMIT an architecture or a part
 * that is not supported, by its name. */
MUST_USE enum status hf_config_read(struct hf_config *config, const struct json *root,
                                    struct error *err);

/* Appends a GGUF file of keys alone: the config's, and those of the tokenizer's texts that are
 * not empty. Errors as above; ERR_MEMORY. */
MUST_USE enum status hf_config_write(const struct hf_config *config,
                                     const struct hf_tokenizer_texts *tokenizer,
                                     struct text_buf *out, struct error *err);

/* The numbers that divide the rope frequencies: *count = rope_dim / 2 of them, or 0 where the
 * config has none of that kind. */
MUST_USE enum status hf_config_factors(const struct hf_config *config,
                                       enum hf_config_factors kind,
                                       float factors[HF_CONFIG_PAIRS_MAX], uint32_t *count,
                                       struct error *err);

#endif
