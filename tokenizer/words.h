/*
 * words - where a text over characters can be cut so that no piece is cut: between two
 * characters that no piece has next to each other, beside a space or a line end or anywhere.
 * What lies between is then encoded by itself, in less time and memory, to the same tokens; and
 * the smaller it is, the sooner it was seen before.
 *
 * Text comes as it is, with spaces; pieces have U+2581 for them. Text may have it too.
 */
#ifndef TOKENIZER_WORDS_H
#define TOKENIZER_WORDS_H

#include "tokenizer/vocab.h"

struct words {
    bool cuts[256][256]; /* [a][b]: a text is cut where byte b follows byte a */
};

enum words_rule {
    WORDS_DROP_UNKNOWN = 1, /* characters without a token are left out before merging */
    WORDS_ANYWHERE = 2      /* also inside what people call a word, if all bytes are tokens */
};

/* Of all pieces that are text. rules: bits of enum words_rule. */
void words_init(struct words *words, const struct vocab *vocab, uint32_t rules);
/* Where the word that begins at begin ends, at most bytes_max later. */
size_t words_end(const struct words *words, struct text text, size_t begin, size_t bytes_max);
/* The word with U+2581 for its spaces, and for one more before it. False: no memory. */
MUST_USE bool words_escape(struct text word, bool space_before, struct text_buf *out);

#endif
