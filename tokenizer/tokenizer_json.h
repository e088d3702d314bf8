/*
 * tokenizer_json - a tokenizer from the tokenizer.json of a Hugging Face folder.
 *
 * The file is a pipeline: added tokens, normalizer, pre_tokenizer, model, post_processor,
 * decoder. Read are BPE over bytes, BPE over characters and Unigram with U+2581 for a space,
 * the normalizers and splits of tokenizer_json_steps.c. What else a file asks for is refused by
 * its name, never guessed. Added tokens are found before the normalizer runs, and those that
 * are "normalized" after it, spelled as it makes them.
 *
 * Owner    tokenizer_json_open gives; it needs nothing of the input afterwards.
 */
#ifndef TOKENIZER_TOKENIZER_JSON_H
#define TOKENIZER_TOKENIZER_JSON_H

#include "tokenizer/tokenizer.h"

enum { TOKENIZER_JSON_BYTES_MAX = 128 << 20 };

struct tokenizer_json_input {
    struct text tokenizer;     /* tokenizer.json */
    struct text config;        /* tokenizer_config.json, or empty */
    struct text chat_template; /* chat_template.jinja; empty: what config has */
    struct text generation; /* a config whose eos_token_id, one or more, end texts; or empty */
    uint32_t pieces_least;  /* rows of the embedding; missing ids are unused */
};

/* ERR_FORMAT what is wrong in the file; ERR_LIMIT what is not known, by name; ERR_MEMORY. */
MUST_USE enum status tokenizer_json_open(const struct tokenizer_json_input *input,
                                         struct tokenizer **tokenizer, struct error *err);

#endif
