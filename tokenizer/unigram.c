/*
 * unigram - see unigram.h.
 *
 * Viterbi's algorithm: from each character on, all pieces that begin there, by a walk down a
 * tree of their bytes; the best way to each place is kept, and of equals the first.
 */
#include "tokenizer/unigram.h"

#include <math.h>
#include <stdlib.h>

#define UNKNOWN_PENALTY 10.0

static uint64_t edge_key(uint32_t node, char byte)
{
    return (uint64_t)node << 8 | (uint8_t)byte;
}

static void add_piece(struct unigram *unigram, uint32_t *node_count, token_id id)
{
    const struct text piece = unigram->vocab->pieces[id];
    struct pair_map_entry *edge = NULL;
    for (size_t i = 0; i < piece.size; i++) {
        bool is_new;
        edge = pair_map_put(&unigram->edges, edge_key(edge ? edge->first : 0, piece.data[i]),
                            &is_new);
        if (is_new)
            edge->first = (*node_count)++;
    }
    if (edge && edge->second == 0)
        edge->second = (uint32_t)id + 1;
}

enum status unigram_init(struct unigram *unigram, const struct vocab *vocab,
                         const struct tokenizer_source *source, struct arena *arena,
                         struct error *err)
{
    enum { BYTES_MAX = 1 << 28 };
    size_t bytes = 0;
    uint32_t node_count = 1;
    double least = HUGE_VAL;
    if (!source->scores && !source->log_probabilities)
        FAIL(err, ERR_FORMAT, "tokenizer: model unigram needs scores");
    *unigram = (struct unigram){.vocab = vocab,
                                .scores = ARENA_NEW(arena, double, vocab->count),
                                .unknown = source->unknown};
    for (uint32_t i = 0; i < vocab->count; i++)
        bytes += vocab_is_plain(vocab, (token_id)i) ? vocab->pieces[i].size : 0;
    if (bytes > BYTES_MAX)
        FAIL(err, ERR_LIMIT, "tokenizer: pieces of %zu bytes, the limit is %d", bytes,
             BYTES_MAX);
    if (!unigram->scores)
        FAIL(err, ERR_MEMORY, "tokenizer: no room for %u scores", vocab->count);
    TRY(pair_map_init(&unigram->edges, (uint32_t)bytes, arena, err));
    words_init(&unigram->words, vocab, 0);
    for (uint32_t i = 0; i < vocab->count; i++) {
        const double score = source->log_probabilities ? source->log_probabilities[i]
                                                       : (double)source->scores[i];
        if (!isfinite(score))
            FAIL(err, ERR_FORMAT, "tokenizer: the score of piece %u is no finite number", i);
        unigram->scores[i] = score;
        const bool is_plain = vocab_is_plain(vocab, (token_id)i);
        if (is_plain)
            add_piece(unigram, &node_count, (token_id)i);
        /* A tokenizer.json counts all pieces, SentencePiece's own files those of text. */
        if (is_plain || source->log_probabilities)
            least = score < least ? score : least;
    }
    unigram->unknown_score = (isfinite(least) ? least : 0.0) - UNKNOWN_PENALTY;
    return OK;
}

static void offer(struct unigram_place *place, double score, size_t begin, token_id id)
{
    if (place->begin == UINT32_MAX || score > place->score)
        *place = (struct unigram_place){score, (uint32_t)begin, id};
}

/* All pieces that begin at begin, where the character ends at end. */
static void offer_pieces(const struct unigram *unigram, struct text text, size_t begin,
                         size_t end, struct unigram_place *places)
{
    const double score = places[begin].score;
    bool is_covered = false;
    uint32_t node = 0;
    for (size_t at = begin; at < text.size; at++) {
        const struct pair_map_entry *edge =
            pair_map_get(&unigram->edges, edge_key(node, text.data[at]));
        if (!edge)
            break;
        node = edge->first;
        if (edge->second == 0)
            continue;
        const token_id id = (token_id)(edge->second - 1);
        offer(&places[at + 1], score + unigram->scores[id], begin, id);
        is_covered = is_covered || at + 1 == end;
    }
    if (!is_covered)
        offer(&places[end], score + unigram->unknown_score, begin, TOKEN_NONE);
}

/* Characters without a piece, in a row. */
static bool add_unknown(const struct unigram *unigram, struct text text,
                        struct token_list *list)
{
    bool has_bytes = true;
    for (size_t i = 0; i < text.size; i++)
        has_bytes = has_bytes && unigram->vocab->byte_ids[(uint8_t)text.data[i]] != TOKEN_NONE;
    if (!has_bytes)
        return unigram->unknown == TOKEN_NONE || token_list_add(list, unigram->unknown);
    for (size_t i = 0; i < text.size; i++) {
        if (!token_list_add(list, unigram->vocab->byte_ids[(uint8_t)text.data[i]]))
            return false;
    }
    return true;
}

/* The way that ends at size, turned to run forward: each place then tells where its piece ends
 * and which it is. */
static void turn(struct unigram_place *places, size_t size)
{
    size_t end = size, next_end = SIZE_MAX;
    token_id next_id = TOKEN_NONE;
    for (;;) {
        const struct unigram_place place = places[end];
        places[end].begin = (uint32_t)next_end;
        places[end].id = next_id;
        if (end == 0)
            return;
        next_end = end;
        next_id = place.id;
        end = place.begin;
    }
}

static bool add_way(const struct unigram *unigram, struct text text,
                    const struct unigram_place *places, struct token_list *list)
{
    for (size_t at = 0; at < text.size;) {
        size_t end = places[at].begin;
        if (places[at].id != TOKEN_NONE) {
            if (!token_list_add(list, places[at].id))
                return false;
            at = end;
            continue;
        }
        while (end < text.size && places[end].id == TOKEN_NONE)
            end = places[end].begin;
        if (!add_unknown(unigram, text_slice(text, at, end), list))
            return false;
        at = end;
    }
    return true;
}

static bool reserve(struct unigram_scratch *scratch, size_t count)
{
    if (count <= scratch->capacity)
        return true;
    struct unigram_place *places = reallocarray(scratch->places, count, sizeof *places);
    if (!places)
        return false;
    scratch->places = places;
    scratch->capacity = count;
    return true;
}

/* The score goes on from stretch to stretch, so that of ways which differ by no more than
 * rounding the same is taken as without them. */
static bool encode_stretch(const struct unigram *unigram, struct text text,
                           struct unigram_scratch *scratch, struct token_list *list)
{
    if (!reserve(scratch, text.size + 1))
        return false;
    for (size_t i = 0; i <= text.size; i++)
        scratch->places[i].begin = UINT32_MAX;
    scratch->places[0] = (struct unigram_place){scratch->score, 0, TOKEN_NONE};
    for (size_t at = 0; at < text.size;) {
        size_t end = at;
        (void)text_utf8_next(text, &end);
        offer_pieces(unigram, text, at, end, scratch->places);
        at = end;
    }
    scratch->score = scratch->places[text.size].score;
    turn(scratch->places, text.size);
    return add_way(unigram, text, scratch->places, list);
}

bool unigram_encode(const struct unigram *unigram, struct text text, bool space_before,
                    struct unigram_scratch *scratch, struct token_list *list)
{
    const size_t most = UNIGRAM_PIECE_BYTES_MAX / 4; /* escaping triples at most */
    scratch->score = 0.0;
    for (size_t begin = 0; begin < text.size || space_before; space_before = false) {
        const size_t end =
            begin < text.size ? words_end(&unigram->words, text, begin, most) : begin;
        const struct text word = text_slice(text, begin, end);
        begin = end;
        if (!words_escape(word, space_before, &scratch->escaped) ||
            !encode_stretch(unigram, text_buf_text(&scratch->escaped), scratch, list))
            return false;
    }
    return true;
}

void unigram_scratch_deinit(struct unigram_scratch *scratch)
{
    free(scratch->places);
    text_buf_deinit(&scratch->escaped);
    *scratch = (struct unigram_scratch){0};
}
