/*
 * tokenizer_json_steps - what a tokenizer.json does to text before its model sees it: its
 * normalizer and pre_tokenizer, told as the changes and splits of a source.
 */
#ifndef TOKENIZER_TOKENIZER_JSON_STEPS_H
#define TOKENIZER_TOKENIZER_JSON_STEPS_H

#include "base/json.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/splitter.h"

struct tokenizer_json_steps {
    struct tokenizer_source *source; /* its model, splits, changes and prefixes are set */
    struct tokenizer_split splits[SPLITTER_STEPS_MAX];
    struct tokenizer_change changes[NORMALIZER_STEPS_MAX];
    struct text_buf maps[NORMALIZER_STEPS_MAX]; /* of those that have one, its bytes */
    bool has_bytes;                             /* a ByteLevel was among them */
    bool marks_space;                           /* spaces become U+2581 */
    bool is_unigram;
    bool keeps_marks; /* tokens are looked for in changed text: no change may be left out */
};

/* steps->source, is_unigram and keeps_marks are given. ERR_LIMIT what is not known, by name. */
MUST_USE enum status tokenizer_json_steps_read(struct tokenizer_json_steps *steps,
                                               const struct json *root, struct error *err);
/* What the read allocated, whatever it answered. */
void tokenizer_json_steps_deinit(struct tokenizer_json_steps *steps);

#endif
