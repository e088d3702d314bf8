/*
 * word_cache - tokens of short words seen before in the same text. Most words of a text are
 * among few, and what they become depends on nothing else.
 *
 * Each word has one slot, and the last one that asked for it has it: no order, no list, and
 * 256 KiB, which a core's own cache holds.
 *
 * Owner    word_cache_open gives; word_cache_close takes. One thread.
 */
#ifndef TOKENIZER_WORD_CACHE_H
#define TOKENIZER_WORD_CACHE_H

#include "base/text.h"
#include "tokenizer/tokenizer.h"

/* Shorter texts than WORD_CACHE_TEXT_MIN do not earn what the cache costs. */
enum { WORD_CACHE_SLOTS = 1 << 13, WORD_CACHE_IDS_MAX = 3, WORD_CACHE_TEXT_MIN = 8192 };

/* Up to 16 bytes, in low and high, which overlap; size 0: free. */
struct word_cache_slot {
    uint64_t low, high;
    token_id ids[WORD_CACHE_IDS_MAX];
    uint16_t size, count;
};

/* NULL where there is no memory, which every call takes for an empty cache. */
struct word_cache_slot *word_cache_open(void);
void word_cache_close(struct word_cache_slot *cache);

/* Appends the word's tokens when they are known; false: they are not, or there is no memory,
 * which the caller will find out. */
bool word_cache_take(const struct word_cache_slot *cache, struct text word,
                     struct token_list *list);
/* Notes that the word's tokens are those of the list from first on. */
void word_cache_put(struct word_cache_slot *cache, struct text word,
                    const struct token_list *list, size_t first);

#endif
