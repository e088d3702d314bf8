/*
 * hf_tokenizer - the tokenizer of a Hugging Face folder, told in keys of GGUF files: the texts
 * of tokenizer.json, tokenizer_config.json and chat_template.jinja, and of
 * generation_config.json (config.json where there is none) for the ends of texts. Its defaults
 * of sampling are not taken: a job does what it asks for.
 *
 * The files themselves are kept, not what they say: a tokenizer.json can cut text in ways that
 * tokenizer.ggml.* has no words for, and so a GGUF file made from a folder (cohort quantize)
 * has the folder's tokenizer by construction.
 */
#ifndef ENGINE_HF_TOKENIZER_H
#define ENGINE_HF_TOKENIZER_H

#include "engine/gguf.h"
#include "tokenizer/tokenizer.h"

enum { HF_TOKENIZER_TEXTS = 4 };

struct hf_tokenizer_texts {
    struct text_buf texts[HF_TOKENIZER_TEXTS];
};

/* The key of a text. */
const char *hf_tokenizer_key(uint32_t index);

/* Reads the folder's files; texts of those that are absent are empty, and all are where there
 * is no tokenizer.json. ERR_IO, ERR_LIMIT, ERR_MEMORY. Either way hf_tokenizer_texts_deinit
 * takes them. */
MUST_USE enum status hf_tokenizer_read(struct hf_tokenizer_texts *texts, const char *folder,
                                       struct error *err);
void hf_tokenizer_texts_deinit(struct hf_tokenizer_texts *texts);

/* Opens the tokenizer that the keys tell. rows: of the embedding; ids past the file's pieces
 * are unused ones. Without such keys OK and NULL. Errors as tokenizer_json_open's, and
 * ERR_FORMAT for a key that is no text and for more pieces than rows. */
MUST_USE enum status hf_tokenizer_open(const struct gguf *gguf, uint32_t rows,
                                       struct tokenizer **tokenizer, struct error *err);

#endif
