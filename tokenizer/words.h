/*
 * words - where a text over characters can be cut so that no piece is cut: beside a space or a
 * line end, where no piece has the two characters next to each other. What lies between is then
 * encoded by itself, in less time and memory, to the same tokens.
 *
 * Text comes as it is, with spaces; pieces have U+2581 for them. Text may have it too.
 */
#ifndef TOKENIZER_WORDS_H
#define TOKENIZER_WORDS_H

#include "tokenizer/vocab.h"

struct words {
    bool touches[256][256]; /* [a][b]: in some piece byte b follows byte a */
    bool cuts_spaces, cuts_lines;
};

/* Of all pieces that are text. drops_unknown: characters without a token are left out before
 * merging, if there are such. */
void words_init(struct words *words, const struct vocab *vocab, bool drops_unknown);
/* Where the word that begins at begin ends, at most bytes_max later. */
size_t words_end(const struct words *words, struct text text, size_t begin, size_t bytes_max);
/* The word with U+2581 for its spaces, and for one more before it. False: no memory. */
MUST_USE bool words_escape(struct text word, bool space_before, struct text_buf *out);

#endif
