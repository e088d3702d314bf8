/*
 * tokenize - text to token ids and back, as vLLM's and llama.cpp's servers do it:
 *
 *     POST /tokenize    {"prompt": "..."} or {"content": "..."}, add_special_tokens (true)
 *                       -> {"count", "max_model_len", "tokens": [...]}
 *     POST /detokenize  {"tokens": [...]} -> {"prompt": "...", "content": "..."}
 */
#ifndef API_TOKENIZE_H
#define API_TOKENIZE_H

#include "base/error.h"
#include "base/json.h"
#include "engine/engine.h"
#include "protocol/api/field.h"

extern const struct field_list tokenize_fields, tokenize_back_fields;

/* Write the reply. ERR_FORMAT, ERR_LIMIT: what is wrong with the body; ERR_MEMORY. */
MUST_USE enum status tokenize_text(const struct engine *engine, const struct json *body,
                                   struct text_buf *out, struct error *err);
MUST_USE enum status tokenize_back(const struct engine *engine, const struct json *body,
                                   struct text_buf *out, struct error *err);

#endif
