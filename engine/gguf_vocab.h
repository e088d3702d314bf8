/*
 * gguf_vocab - the vocabulary that a GGUF file has under tokenizer.ggml.*, as the plain struct
 * of which a tokenizer is made.
 *
 * Models are told apart by tokenizer.ggml.model: "gpt2" (byte-level BPE), "llama"
 * (SentencePiece, merged by score), "t5" (SentencePiece's unigram). Writers put "llama" for
 * every SentencePiece model, but scores tell: where pieces are merged they are ranks, whole
 * numbers; a unigram model's are logarithms of probabilities, and such a file is taken as one.
 */
#ifndef ENGINE_GGUF_VOCAB_H
#define ENGINE_GGUF_VOCAB_H

#include "engine/gguf.h"
#include "tokenizer/tokenizer_source.h"

/* source borrows the arrays here, and texts in the file. Zero it before first use. */
struct gguf_vocab {
    struct tokenizer_source source;
    struct text *pieces, *merges;
    float *scores;
    int32_t *kinds;
    struct tokenizer_change changes[2]; /* of a unigram model */
};

/* Whether the file has a vocabulary: source.piece_count is 0 where it has none. To be given to
 * gguf_vocab_deinit also after an error: ERR_FORMAT a key of another type, an array of another
 * length, an id past the pieces; ERR_LIMIT, ERR_MEMORY. */
MUST_USE enum status gguf_vocab_read(struct gguf_vocab *vocab, const struct gguf *gguf,
                                     struct error *err);
void gguf_vocab_deinit(struct gguf_vocab *vocab);

#endif
