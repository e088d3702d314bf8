/*
 * spm - see spm.h.
 *
 * A space is spelled U+2581. Characters are merged pair by pair: of all neighbours whose joined
 * text is a piece, those with the highest score, leftmost first (SentencePiece, bpe_model.cc
 * describes the same order). What is left over and not a piece becomes its bytes.
 *
 * Text is merged word by word where no piece goes from one to the next (words.h). Most words
 * are short, and the best pair is found by looking at all of them; past SHORT_BYTES a heap over
 * a linked list takes over, so that time stays O(n log n) for any input.
 */
#include "tokenizer/spm.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SHORT_BYTES = 32 };
static const uint32_t NONE = UINT32_MAX;

/* A symbol of a short word, and what it is with the next one. */
struct short_symbol {
    uint32_t begin; /* in the word; where it ends, the next one begins */
    token_id id;    /* TOKEN_NONE: a character, not looked up */
    token_id joined;
    uint32_t order; /* of joined; NONE: the two are no piece */
};

enum status spm_init(struct spm *spm, const struct vocab *vocab, token_id unknown,
                     struct error *err)
{
    if (!vocab->scores)
        FAIL(err, ERR_FORMAT, "tokenizer: model llama needs tokenizer.ggml.scores");
    *spm = (struct spm){.vocab = vocab, .unknown = unknown};
    words_init(&spm->words, vocab, WORDS_ANYWHERE);
    for (uint32_t i = 0; i < vocab->count; i++) {
        if (isnan(vocab->scores[i]))
            FAIL(err, ERR_FORMAT, "tokenizer: the score of piece %u is not a number", i);
    }
    return OK;
}

/* Scores as numbers whose order is the other way round: the best is the smallest. */
static uint32_t score_order(float score)
{
    uint32_t bits;
    memcpy(&bits, &score, sizeof bits);
    const uint32_t ascending = bits & 0x80000000u ? ~bits : bits | 0x80000000u;
    return ~ascending;
}

static struct text symbol_text(const struct spm_scratch *scratch, struct text text, uint32_t i)
{
    const struct spm_symbol symbol = scratch->symbols[i];
    return text_slice(text, symbol.begin, symbol.begin + symbol.size);
}

static bool push_pair(const struct spm *spm, struct spm_scratch *scratch, struct text text,
                      uint32_t left)
{
    const uint32_t right = left == NONE ? NONE : scratch->symbols[left].next;
    if (right == NONE)
        return true;
    const uint32_t size = scratch->symbols[left].size + scratch->symbols[right].size;
    if (size > spm->vocab->plain_max)
        return true;
    const uint32_t begin = scratch->symbols[left].begin;
    const token_id id = vocab_find(&spm->vocab->plain, text_slice(text, begin, begin + size));
    if (id == TOKEN_NONE)
        return true;
    const uint64_t order = (uint64_t)score_order(spm->vocab->scores[id]) << 32 | left;
    return merge_heap_push(&scratch->heap, (struct merge_candidate){order, right, size});
}

static bool merge_pair(const struct spm *spm, struct spm_scratch *scratch, struct text text,
                       struct merge_candidate item)
{
    const uint32_t left = (uint32_t)item.order, right = item.first;
    struct spm_symbol *symbols = scratch->symbols;
    if (symbols[left].size == 0 || symbols[right].size == 0 ||
        symbols[left].size + symbols[right].size != item.second)
        return true; /* one of the two was merged meanwhile */
    symbols[left].size = item.second;
    symbols[left].next = symbols[right].next;
    symbols[right].size = 0;
    if (symbols[left].next != NONE)
        symbols[symbols[left].next].previous = left;
    return push_pair(spm, scratch, text, symbols[left].previous) &&
           push_pair(spm, scratch, text, left);
}

/* A symbol that merging left: its piece, or its bytes, or the unknown token. */
static bool emit(const struct spm *spm, struct text symbol, struct token_list *list)
{
    const token_id id = vocab_find(&spm->vocab->plain, symbol);
    if (id != TOKEN_NONE)
        return token_list_add(list, id);
    for (size_t i = 0; i < symbol.size; i++) {
        const token_id byte = spm->vocab->byte_ids[(uint8_t)symbol.data[i]];
        if (byte == TOKEN_NONE)
            return spm->unknown == TOKEN_NONE || token_list_add(list, spm->unknown);
        if (!token_list_add(list, byte))
            return false;
    }
    return true;
}

static void find_joined(const struct spm *spm, struct text word, struct short_symbol *symbol)
{
    const struct vocab *vocab = spm->vocab;
    const struct text both = {word.data + symbol[0].begin, symbol[2].begin - symbol[0].begin};
    symbol->joined =
        both.size > vocab->plain_max ? TOKEN_NONE : vocab_find(&vocab->plain, both);
    symbol->order =
        symbol->joined == TOKEN_NONE ? NONE : score_order(vocab->scores[symbol->joined]);
}

/* The first of the best pairs of count symbols; NONE where no two are a piece. */
static uint32_t find_best(const struct short_symbol *symbols, uint32_t count)
{
    uint32_t best = NONE, least = NONE;
    for (uint32_t i = 0; i + 1 < count; i++) {
        if (symbols[i].order < least) {
            best = i;
            least = symbols[i].order;
        }
    }
    return best;
}

/* Merges one escaped word of at most SHORT_BYTES. */
static bool encode_short(const struct spm *spm, struct text word, struct token_list *list)
{
    struct short_symbol symbols[SHORT_BYTES + 1]; /* and one that begins where the last ends */
    uint32_t count = 0, best;
    for (size_t at = 0; at < word.size; (void)text_utf8_next(word, &at))
        symbols[count++] = (struct short_symbol){(uint32_t)at, TOKEN_NONE, TOKEN_NONE, NONE};
    symbols[count] = (struct short_symbol){(uint32_t)word.size, TOKEN_NONE, TOKEN_NONE, NONE};
    for (uint32_t i = 0; i + 1 < count; i++)
        find_joined(spm, word, &symbols[i]);
    while ((best = find_best(symbols, count)) != NONE) {
        symbols[best].id = symbols[best].joined;
        for (uint32_t i = best + 1; i < count; i++)
            symbols[i] = symbols[i + 1];
        count--;
        if (best > 0)
            find_joined(spm, word, &symbols[best - 1]);
        symbols[best].order = NONE;
        if (best + 1 < count)
            find_joined(spm, word, &symbols[best]);
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct text text = text_slice(word, symbols[i].begin, symbols[i + 1].begin);
        if (symbols[i].id == TOKEN_NONE ? !emit(spm, text, list)
                                        : !token_list_add(list, symbols[i].id))
            return false;
    }
    return true;
}

static bool reserve_symbols(struct spm_scratch *scratch, size_t count)
{
    if (count <= scratch->capacity)
        return true;
    struct spm_symbol *symbols = reallocarray(scratch->symbols, count, sizeof *symbols);
    if (!symbols)
        return false;
    scratch->symbols = symbols;
    scratch->capacity = count;
    return true;
}

/* Merges one stretch of escaped text. */
static bool encode_stretch(const struct spm *spm, struct spm_scratch *scratch, struct text text,
                           struct token_list *list)
{
    assert(text.size <= SPM_PIECE_BYTES_MAX);
    if (text.size <= SHORT_BYTES)
        return encode_short(spm, text, list);
    if (!reserve_symbols(scratch, text.size))
        return false;
    uint32_t count = 0;
    for (size_t at = 0; at < text.size; count++) {
        const size_t begin = at;
        (void)text_utf8_next(text, &at);
        scratch->symbols[count] = (struct spm_symbol){(uint32_t)begin, (uint32_t)(at - begin),
                                                      count == 0 ? NONE : count - 1, count + 1};
    }
    if (count == 0)
        return true;
    scratch->symbols[count - 1].next = NONE;
    scratch->heap.count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!push_pair(spm, scratch, text, i))
            return false;
    }
    struct merge_candidate item;
    while (merge_heap_pull(&scratch->heap, &item)) {
        if (!merge_pair(spm, scratch, text, item))
            return false;
    }
    for (uint32_t i = 0; i != NONE; i = scratch->symbols[i].next) {
        if (!emit(spm, symbol_text(scratch, text, i), list))
            return false;
    }
    return true;
}

bool spm_encode(const struct spm *spm, struct text text, bool space_before,
                struct spm_scratch *scratch, struct token_list *list)
{
    const size_t most = SPM_PIECE_BYTES_MAX / 4; /* escaping triples at most */
    for (size_t begin = 0; begin < text.size; space_before = false) {
        const size_t end = words_end(&spm->words, text, begin, most), first = list->count;
        const struct text word = text_slice(text, begin, end);
        begin = end;
        if (!space_before && word_cache_take(scratch->cache, word, list))
            continue;
        if (!words_escape(word, space_before, &scratch->escaped) ||
            !encode_stretch(spm, scratch, text_buf_text(&scratch->escaped), list))
            return false;
        if (!space_before)
            word_cache_put(scratch->cache, word, list, first);
    }
    return true;
}

void spm_scratch_deinit(struct spm_scratch *scratch)
{
    text_buf_deinit(&scratch->escaped);
    free(scratch->symbols);
    merge_heap_deinit(&scratch->heap);
    *scratch = (struct spm_scratch){0};
}
