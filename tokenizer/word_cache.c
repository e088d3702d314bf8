/* word_cache - see word_cache.h. */
#include "tokenizer/word_cache.h"

#include <stdlib.h>
#include <string.h>

enum { WORD_BYTES_MAX = 16 };

static uint64_t load(const char *bytes, size_t size)
{
    uint64_t word = 0;
    uint32_t half;
    if (size == sizeof word) {
        memcpy(&word, bytes, sizeof word);
        return word;
    }
    memcpy(&half, bytes, sizeof half);
    return half;
}

/* The word as two numbers which, with its size, tell it from all others. */
static void read_word(struct text word, uint64_t *low, uint64_t *high)
{
    if (word.size >= 4) {
        const size_t part = word.size >= 8 ? 8 : 4;
        *low = load(word.data, part);
        *high = load(word.data + word.size - part, part);
        return;
    }
    *low = (uint8_t)word.data[0];
    *high =
        (uint64_t)(uint8_t)word.data[word.size / 2] << 8 | (uint8_t)word.data[word.size - 1];
}

static size_t slot_of(uint64_t low, uint64_t high, size_t size)
{
    const uint64_t prime = 0x9fb21c651e98df25u;
    uint64_t hash = (low ^ size) * prime;
    hash = (hash ^ hash >> 32 ^ high) * prime;
    return (hash >> 40) % WORD_CACHE_SLOTS;
}

struct word_cache_slot *word_cache_open(void)
{
    return calloc(WORD_CACHE_SLOTS, sizeof(struct word_cache_slot));
}

void word_cache_close(struct word_cache_slot *cache)
{
    free(cache);
}

bool word_cache_take(const struct word_cache_slot *cache, struct text word,
                     struct token_list *list)
{
    uint64_t low, high;
    if (!cache || word.size == 0 || word.size > WORD_BYTES_MAX)
        return false;
    read_word(word, &low, &high);
    const struct word_cache_slot *slot = &cache[slot_of(low, high, word.size)];
    if (slot->low != low || slot->high != high || slot->size != word.size)
        return false;
    const size_t count = list->count;
    for (uint32_t i = 0; i < slot->count; i++) {
        if (!token_list_add(list, slot->ids[i])) {
            list->count = count;
            return false;
        }
    }
    return true;
}

void word_cache_put(struct word_cache_slot *cache, struct text word,
                    const struct token_list *list, size_t first)
{
    uint64_t low, high;
    const size_t count = list->count - first;
    if (!cache || word.size == 0 || word.size > WORD_BYTES_MAX || count > WORD_CACHE_IDS_MAX)
        return;
    read_word(word, &low, &high);
    struct word_cache_slot *slot = &cache[slot_of(low, high, word.size)];
    *slot = (struct word_cache_slot){
        .low = low, .high = high, .size = (uint16_t)word.size, .count = (uint16_t)count};
    for (size_t i = 0; i < count; i++)
        slot->ids[i] = list->ids[first + i];
}
