/*
 * tokenizer_json_output - what a tokenizer.json does after its model: the tokens that its
 * post_processor puts around a text, and how its decoder makes text of tokens.
 */
#ifndef TOKENIZER_TOKENIZER_JSON_OUTPUT_H
#define TOKENIZER_TOKENIZER_JSON_OUTPUT_H

#include "base/json.h"
#include "tokenizer/tokenizer.h"

/* The piece of source that is spelled so; TOKEN_NONE. */
token_id tokenizer_json_output_find(const struct tokenizer_source *source, struct text piece);

/* The model, pieces and kinds of source are given; its bounds and decode_lead are set.
 * ERR_LIMIT what is not known, by name; ERR_FORMAT a token that is no piece. */
MUST_USE enum status tokenizer_json_output_read(struct tokenizer_source *source,
                                                const struct json *root, struct error *err);

#endif
