/* hf_tokenizer - the tokenizer of a Hugging Face folder: tokenizer.json, tokenizer_config.json,
 * chat_template.jinja; and the ends of texts from generation_config.json, or config.json where
 * there is none. Its defaults of sampling are not taken: a job does what it asks for. */
#ifndef ENGINE_HF_TOKENIZER_H
#define ENGINE_HF_TOKENIZER_H

#include "tokenizer/tokenizer.h"

/* rows: of the embedding; ids past the file's pieces are unused ones. A folder without
 * tokenizer.json gives OK and NULL. Errors as tokenizer_json_open's, and ERR_FORMAT for more
 * pieces than rows. */
MUST_USE enum status hf_tokenizer_open(const char *folder, uint32_t rows,
                                       struct tokenizer **tokenizer, struct error *err);

#endif
