/*
 * bpe - see bpe.h.
 *
 * Most pieces of real text are tokens themselves: one look-up finds them, once bpe_init has
 * noted for which tokens merging would come to the same. The others are short, and the best
 * pair is found by looking at all of them; past SHORT_BYTES a heap over a linked list takes
 * over, so that time stays O(n log n) for any input.
 */
#include "tokenizer/bpe.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SHORT_BYTES = 48, CHARACTER_BYTES = 4 };
static const uint32_t NONE = UINT32_MAX;

struct symbol_list {
    token_id *ids;
    uint32_t count;
};

static const struct pair_map_entry *merge_of(const struct bpe *bpe, token_id left,
                                             token_id right)
{
    return pair_map_get(&bpe->merges, (uint64_t)(uint32_t)left << 32 | (uint32_t)right);
}

/* Where merging begins: appends the tokens of the byte, or of the character, at *at. Never more
 * than one for a byte of the text. */
static void add_symbols(const struct bpe *bpe, struct text piece, size_t *at,
                        struct symbol_list *list)
{
    const struct vocab *vocab = bpe->vocab;
    const size_t begin = *at;
    if (!bpe->by_character) {
        const token_id id = vocab->byte_ids[(uint8_t)piece.data[(*at)++]];
        if (id != TOKEN_NONE)
            list->ids[list->count++] = id;
        return;
    }
    (void)text_utf8_next(piece, at);
    const token_id id = vocab_find(&vocab->plain, text_slice(piece, begin, *at));
    if (id != TOKEN_NONE) {
        list->ids[list->count++] = id;
        return;
    }
    bool has_bytes = true;
    for (size_t i = begin; i < *at; i++)
        has_bytes = has_bytes && vocab->byte_ids[(uint8_t)piece.data[i]] != TOKEN_NONE;
    for (size_t i = begin; i < *at && has_bytes; i++)
        list->ids[list->count++] = vocab->byte_ids[(uint8_t)piece.data[i]];
    if (has_bytes || bpe->unknown == TOKEN_NONE)
        return;
    const bool is_next = list->count > 0 && list->ids[list->count - 1] == bpe->unknown;
    if (!is_next || !bpe->fuse_unknown)
        list->ids[list->count++] = bpe->unknown;
}

/* Tokens of a piece of at most SHORT_BYTES, into ids; the count. */
static uint32_t encode_short(const struct bpe *bpe, struct text piece,
                             token_id ids[SHORT_BYTES])
{
    const struct pair_map_entry *merge[SHORT_BYTES]; /* [i]: of ids[i] and ids[i + 1] */
    struct symbol_list list = {ids, 0};
    for (size_t at = 0; at < piece.size;)
        add_symbols(bpe, piece, &at, &list);
    uint32_t count = list.count;
    for (uint32_t i = 0; i + 1 < count; i++)
        merge[i] = merge_of(bpe, ids[i], ids[i + 1]);
    for (;;) {
        uint32_t best = NONE, best_rank = NONE;
        for (uint32_t i = 0; i + 1 < count; i++) {
            if (merge[i] && merge[i]->first < best_rank) {
                best = i;
                best_rank = merge[i]->first;
            }
        }
        if (best == NONE)
            return count;
        ids[best] = (token_id)merge[best]->second;
        count--;
        for (uint32_t i = best + 1; i < count; i++) {
            ids[i] = ids[i + 1];
            merge[i - 1] = merge[i];
        }
        if (best > 0)
            merge[best - 1] = merge_of(bpe, ids[best - 1], ids[best]);
        if (best + 1 < count)
            merge[best] = merge_of(bpe, ids[best], ids[best + 1]);
    }
}

static bool push_pair(const struct bpe *bpe, struct bpe_scratch *scratch, uint32_t left)
{
    const struct bpe_symbol *symbols = scratch->symbols;
    if (left == NONE || symbols[left].next == NONE)
        return true;
    const token_id a = symbols[left].id, b = symbols[symbols[left].next].id;
    const struct pair_map_entry *merge = merge_of(bpe, a, b);
    if (!merge)
        return true;
    const struct merge_candidate item = {(uint64_t)merge->first << 32 | left, (uint32_t)a,
                                         (uint32_t)b};
    return merge_heap_push(&scratch->heap, item);
}

/* Merges a candidate that came out of the heap, unless its pair is no longer there. */
static bool merge_pair(const struct bpe *bpe, struct bpe_scratch *scratch,
                       struct merge_candidate item)
{
    const uint32_t left = (uint32_t)item.order;
    struct bpe_symbol *symbols = scratch->symbols;
    const uint32_t right = symbols[left].next;
    if (symbols[left].id != (token_id)item.first || right == NONE ||
        symbols[right].id != (token_id)item.second)
        return true;
    symbols[left].id = (token_id)merge_of(bpe, symbols[left].id, symbols[right].id)->second;
    symbols[left].next = symbols[right].next;
    symbols[right].id = TOKEN_NONE;
    if (symbols[left].next != NONE)
        symbols[symbols[left].next].previous = left;
    return push_pair(bpe, scratch, symbols[left].previous) && push_pair(bpe, scratch, left);
}

static bool reserve_symbols(struct bpe_scratch *scratch, size_t count)
{
    if (count <= scratch->capacity)
        return true;
    struct bpe_symbol *symbols = reallocarray(scratch->symbols, count, sizeof *symbols);
    if (!symbols)
        return false;
    scratch->symbols = symbols;
    scratch->capacity = count;
    return true;
}

static bool encode_long(const struct bpe *bpe, struct text piece, struct bpe_scratch *scratch,
                        struct token_list *list)
{
    assert(piece.size <= BPE_PIECE_BYTES_MAX);
    if (!reserve_symbols(scratch, piece.size))
        return false;
    struct bpe_symbol *symbols = scratch->symbols;
    uint32_t count = 0;
    for (size_t at = 0; at < piece.size;) {
        token_id ids[1 + CHARACTER_BYTES];
        struct symbol_list found = {ids, 0};
        if (count > 0) /* for unknown ones in a row */
            ids[found.count++] = symbols[count - 1].id;
        const uint32_t known = found.count;
        add_symbols(bpe, piece, &at, &found);
        for (uint32_t i = known; i < found.count; i++, count++)
            symbols[count] =
                (struct bpe_symbol){ids[i], count == 0 ? NONE : count - 1, count + 1};
    }
    if (count == 0)
        return true;
    symbols[count - 1].next = NONE;
    scratch->heap.count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!push_pair(bpe, scratch, i))
            return false;
    }
    struct merge_candidate item;
    while (merge_heap_pull(&scratch->heap, &item)) {
        if (!merge_pair(bpe, scratch, item))
            return false;
    }
    for (uint32_t i = 0; i != NONE; i = symbols[i].next) {
        if (!token_list_add(list, symbols[i].id))
            return false;
    }
    return true;
}

/* Finds the three pieces that a merge, "left right", speaks of. */
static bool merge_pieces(const struct vocab *vocab, struct text merge, token_id ids[3])
{
    char joined[2 * VOCAB_PIECE_BYTES_MAX];
    const size_t space = text_find(merge, TEXT(" "), 1);
    if (space == SIZE_MAX || merge.size > sizeof joined)
        return false;
    const struct text left = text_slice(merge, 0, space);
    const struct text right = text_slice(merge, space + 1, merge.size);
    memcpy(joined, left.data, left.size);
    memcpy(joined + left.size, right.data, right.size);
    ids[0] = vocab_find(&vocab->spelled, left);
    ids[1] = vocab_find(&vocab->spelled, right);
    ids[2] = vocab_find(&vocab->spelled, (struct text){joined, left.size + right.size});
    return ids[0] != TOKEN_NONE && ids[1] != TOKEN_NONE && ids[2] != TOKEN_NONE;
}

enum status bpe_init(struct bpe *bpe, const struct vocab *vocab,
                     const struct tokenizer_source *source, struct arena *arena,
                     struct error *err)
{
    if (source->merge_count > TOKENIZER_PIECES_MAX)
        FAIL(err, ERR_LIMIT, "tokenizer: %u merges, the limit is %d", source->merge_count,
             TOKENIZER_PIECES_MAX);
    *bpe = (struct bpe){.vocab = vocab,
                        .whole = ARENA_NEW(arena, atomic_uchar, vocab->count),
                        .by_character = !vocab->byte_level,
                        .fuse_unknown = source->fuse_unknown,
                        .unknown = source->unknown};
    if (!bpe->whole)
        FAIL(err, ERR_MEMORY, "tokenizer: no room for %u marks", vocab->count);
    bool merges_bytes = false; /* of two characters, maybe, that no piece has side by side */
    TRY(pair_map_init(&bpe->merges, source->merge_count, arena, err));
    for (uint32_t rank = 0; rank < source->merge_count; rank++) {
        token_id ids[3];
        if (!merge_pieces(vocab, source->merges[rank], ids))
            FAIL(err, ERR_FORMAT, "tokenizer: merge %u, %.*s, is not of three pieces", rank,
                 TEXT_ARG(source->merges[rank]));
        for (uint32_t i = 0; i < 3; i++)
            merges_bytes = merges_bytes || vocab->kinds[ids[i]] == TOKENIZER_BYTE;
        /* Plain text must not merge into a control token. */
        if (vocab->kinds[ids[2]] == TOKENIZER_CONTROL)
            continue;
        bool is_new;
        struct pair_map_entry *entry = pair_map_put(
            &bpe->merges, (uint64_t)(uint32_t)ids[0] << 32 | (uint32_t)ids[1], &is_new);
        if (is_new) {
            entry->first = rank;
            entry->second = (uint32_t)ids[2];
        }
    }
    if (bpe->by_character)
        words_init(&bpe->words, vocab,
                   (source->unknown == TOKEN_NONE ? WORDS_DROP_UNKNOWN : 0) |
                       (merges_bytes ? 0 : WORDS_ANYWHERE));
    return OK;
}

void bpe_ignore_merges(struct bpe *bpe)
{
    bpe->takes_whole = bpe->by_character;
    if (bpe->by_character) /* a word is not a piece: bpe_words.c */
        return;
    for (uint32_t i = 0; i < bpe->vocab->count; i++)
        atomic_init(&bpe->whole[i], BPE_WHOLE);
}

static bool merge(const struct bpe *bpe, struct text piece, struct bpe_scratch *scratch,
                  struct token_list *list)
{
    while (piece.size > SHORT_BYTES) {
        const struct text head = text_slice(piece, 0, BPE_PIECE_BYTES_MAX);
        if (!encode_long(bpe, head, scratch, list))
            return false;
        piece = text_slice(piece, head.size, piece.size);
    }
    token_id ids[SHORT_BYTES];
    const uint32_t count = encode_short(bpe, piece, ids);
    for (uint32_t i = 0; i < count; i++) {
        if (!token_list_add(list, ids[i]))
            return false;
    }
    return true;
}

bool bpe_encode(const struct bpe *bpe, struct text piece, struct bpe_scratch *scratch,
                struct token_list *list)
{
    const token_id token = piece.size <= bpe->vocab->plain_max
                               ? vocab_find(&bpe->vocab->plain, piece)
                               : TOKEN_NONE;
    if (token == TOKEN_NONE)
        return merge(bpe, piece, scratch, list);
    atomic_uchar *whole = &bpe->whole[token];
    const unsigned char known = atomic_load_explicit(whole, memory_order_relaxed);
    if (known == BPE_WHOLE)
        return token_list_add(list, token);
    const size_t first = list->count;
    if (!merge(bpe, piece, scratch, list))
        return false;
    const bool is_one = list->count == first + 1 && list->ids[first] == token;
    if (known == BPE_WHOLE_UNKNOWN) /* whoever comes first: all find the same */
        atomic_store_explicit(whole, is_one ? BPE_WHOLE : BPE_IN_PARTS, memory_order_relaxed);
    return true;
}

void bpe_scratch_deinit(struct bpe_scratch *scratch)
{
    free(scratch->symbols);
    merge_heap_deinit(&scratch->heap);
    *scratch = (struct bpe_scratch){0};
}
