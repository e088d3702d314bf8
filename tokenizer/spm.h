/*
 * spm - SentencePiece's byte-pair model as Llama 2 uses it: pieces with scores, merged best
 * score first, and single bytes for what no piece covers.
 *
 * Memory   spm_init allocates nothing; spm_encode works in the caller's scratch.
 * Thread   read-only after spm_init; a scratch belongs to one thread.
 */
#ifndef TOKENIZER_SPM_H
#define TOKENIZER_SPM_H

#include "tokenizer/merge_heap.h"
#include "tokenizer/word_cache.h"
#include "tokenizer/words.h"

struct spm {
    const struct vocab *vocab; /* keeps */
    token_id unknown;
    struct words words; /* where a text can be cut */
};

struct spm_symbol {
    uint32_t begin, size; /* bytes of the escaped text; size 0: merged into another */
    uint32_t previous, next;
};

struct spm_scratch {
    struct word_cache_slot *cache; /* the caller's, or NULL */
    struct text_buf escaped;
    struct spm_symbol *symbols; /* malloc'ed */
    size_t capacity;
    struct merge_heap heap;
};

/* More text than this without a place to cut is cut anyway. */
enum { SPM_PIECE_BYTES_MAX = 1 << 20 };

/* ERR_FORMAT a vocabulary without scores, or with one that is no number. */
MUST_USE enum status spm_init(struct spm *spm, const struct vocab *vocab, token_id unknown,
                              struct error *err);

/* Appends text's tokens; space_before: as if a space stood before it. False: no memory. */
MUST_USE bool spm_encode(const struct spm *spm, struct text text, bool space_before,
                         struct spm_scratch *scratch, struct token_list *list);
void spm_scratch_deinit(struct spm_scratch *scratch);

#endif
