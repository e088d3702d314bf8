/*
 * bpe_words - text for vocabularies that spell a space as U+2581 and merge by rank: spaces are
 * spelled, and merging happens word by word where no piece goes on past the space between.
 */
#ifndef TOKENIZER_BPE_WORDS_H
#define TOKENIZER_BPE_WORDS_H

#include "tokenizer/bpe.h"
#include "tokenizer/word_cache.h"

struct bpe_words_scratch {
    struct word_cache_slot *cache; /* the caller's, or NULL */
    struct bpe_scratch bpe;
    struct text_buf escaped;
};

/* Appends text's tokens; space_before: as if a space stood before it. False: no memory. */
MUST_USE bool bpe_words_encode(const struct bpe *bpe, struct text text, bool space_before,
                               struct bpe_words_scratch *scratch, struct token_list *list);
void bpe_words_scratch_deinit(struct bpe_words_scratch *scratch);

#endif
