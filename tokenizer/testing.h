/*
 * testing - what the tests of this room share: text that ends where memory does, random bytes,
 * and a byte-level vocabulary in which every byte has a token.
 */
#ifndef TOKENIZER_TESTING_H
#define TOKENIZER_TESTING_H

#include "base/text.h"
#include "tokenizer/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { TESTING_GUARD_BYTES = 1 << 16, TESTING_PIECES_MAX = 512, TESTING_SPELLING_MAX = 32 };

/* A page after which reading is a fault. */
struct testing_guard {
    char *end;
};

static inline struct testing_guard testing_guard_open(void)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *base = mmap(NULL, TESTING_GUARD_BYTES + page, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED || mprotect(base + TESTING_GUARD_BYTES, page, PROT_NONE) != 0)
        abort();
    return (struct testing_guard){base + TESTING_GUARD_BYTES};
}

/* A copy of text whose last byte is the last that may be read. */
static inline struct text testing_guard_copy(const struct testing_guard *guard,
                                             struct text text)
{
    if (text.size > TESTING_GUARD_BYTES)
        abort();
    char *begin = guard->end - text.size;
    if (text.size > 0)
        memcpy(begin, text.data, text.size);
    return (struct text){begin, text.size};
}

/* xorshift64*; state must not be 0. */
static inline uint32_t testing_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)(*state * 0x2545f4914f6cdd1du >> 32);
}

/* Pieces under construction, and the source that borrows them. */
struct testing_vocab {
    char spellings[TESTING_PIECES_MAX][TESTING_SPELLING_MAX];
    struct text pieces[TESTING_PIECES_MAX];
    int32_t kinds[TESTING_PIECES_MAX];
    float scores[TESTING_PIECES_MAX];
    char merge_spellings[TESTING_PIECES_MAX][2 * TESTING_SPELLING_MAX];
    struct text merges[TESTING_PIECES_MAX];
    struct tokenizer_source source;
};

static inline token_id testing_vocab_add(struct testing_vocab *vocab, const char *piece,
                                         int32_t kind)
{
    const uint32_t id = vocab->source.piece_count++;
    if (id >= TESTING_PIECES_MAX || strlen(piece) >= TESTING_SPELLING_MAX)
        abort();
    memcpy(vocab->spellings[id], piece, strlen(piece) + 1);
    vocab->pieces[id] = text_of(vocab->spellings[id]);
    vocab->kinds[id] = kind;
    return (token_id)id;
}

/* The joined piece is added when it is new. */
static inline void testing_vocab_merge(struct testing_vocab *vocab, const char *left,
                                       const char *right)
{
    char joined[2 * TESTING_SPELLING_MAX];
    const uint32_t rank = vocab->source.merge_count++;
    if (rank >= TESTING_PIECES_MAX)
        abort();
    (void)snprintf(vocab->merge_spellings[rank], sizeof vocab->merge_spellings[rank], "%s %s",
                   left, right);
    vocab->merges[rank] = text_of(vocab->merge_spellings[rank]);
    (void)snprintf(joined, sizeof joined, "%s%s", left, right);
    for (uint32_t i = 0; i < vocab->source.piece_count; i++) {
        if (text_equal(vocab->pieces[i], text_of(joined)))
            return;
    }
    (void)testing_vocab_add(vocab, joined, TOKENIZER_NORMAL);
}

/* Ids 0 to 255 are the bytes, spelled as GPT-2 does. */
static inline void testing_vocab_bytes(struct testing_vocab *vocab, const char *splitter)
{
    uint32_t moved = 0x100;
    memset(vocab, 0, sizeof *vocab);
    vocab->source = (struct tokenizer_source){.model = TEXT("gpt2"),
                                              .pre = text_of(splitter),
                                              .pieces = vocab->pieces,
                                              .kinds = vocab->kinds,
                                              .merges = vocab->merges,
                                              .bos = TOKEN_NONE,
                                              .eos = TOKEN_NONE,
                                              .eot = TOKEN_NONE,
                                              .unknown = TOKEN_NONE};
    for (uint32_t byte = 0; byte < 256; byte++) {
        char spelling[5] = {0};
        const bool printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte != 0xad);
        (void)text_utf8_put(printable ? byte : moved++, spelling);
        (void)testing_vocab_add(vocab, spelling, TOKENIZER_NORMAL);
    }
}

#endif
