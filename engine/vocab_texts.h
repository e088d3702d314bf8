/*
 * vocab_texts - what of a vocabulary a text that keeps to a shape may be made of.
 *
 * Tokens that steer the model (control tokens) and those that end a text stand for no bytes
 * here, whatever their spelling: an end token may come where a text is complete, and nowhere as
 * a piece of it.
 */
#ifndef ENGINE_VOCAB_TEXTS_H
#define ENGINE_VOCAB_TEXTS_H

#include "base/arena.h"
#include "tokenizer/tokenizer.h"

struct vocab_texts {
    struct text *bytes; /* [vocab] valid as long as the tokenizer */
    uint32_t *ends;     /* [ceil(vocab / 32)] bit t: token t ends a text */
    uint32_t vocab;     /* the model's, which may have more tokens than the tokenizer */
};

MUST_USE enum status vocab_texts_init(struct vocab_texts *texts,
                                      const struct tokenizer *tokenizer, uint32_t vocab,
                                      struct arena *arena, struct error *err);

#endif
