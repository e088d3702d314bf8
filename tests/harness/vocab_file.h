/*
 * vocab_file - a tokenizer alone, from a GGUF file (which may hold nothing but a vocabulary) or
 * from a tokenizer.json, compressed or not.
 *
 * Owner    vocab_file_open gives the tokenizer; it needs nothing of the file afterwards.
 */
#ifndef TESTS_HARNESS_VOCAB_FILE_H
#define TESTS_HARNESS_VOCAB_FILE_H

#include "tokenizer/tokenizer.h"

/* ERR_IO no such file; else what gguf_init and tokenizer_open say. */
MUST_USE enum status vocab_file_open_gguf(const char *path, struct tokenizer **tokenizer,
                                          struct error *err);

/* A tokenizer.json, as it is or packed by xz. */
MUST_USE enum status vocab_file_open_json(const char *path, struct tokenizer **tokenizer,
                                          struct error *err);

#endif
