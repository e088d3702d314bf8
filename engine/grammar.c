/*
 * grammar - see grammar.h.
 *
 * Masks are made by walking the vocabulary in the order of its bytes: neighbours share their
 * beginnings, so the automaton's states along the last token are kept, only the part that
 * differs is walked, and all tokens with a dead beginning are passed over by comparing one
 * number. A state of a fixed text costs a few microseconds, a state inside a string a few
 * hundred, all at start.
 */
#include "engine/grammar.h"

#include "engine/vocab_tree.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { TOKEN_BYTES_MAX = 1024, WORD_BITS = 32 };

/* The vocabulary in the order of its bytes, while masks are made. */
struct sorted {
    token_id *tokens; /* those that stand for 1 .. TOKEN_BYTES_MAX bytes */
    uint16_t *common; /* [count] leading bytes that token i shares with token i - 1 */
    token_id *spare;  /* for sorting */
    uint32_t count;
};

static void sorted_fill(struct sorted *sorted, const struct text *bytes, uint32_t vocab)
{
    sorted->count = 0;
    for (uint32_t t = 0; t < vocab; t++)
        if (bytes[t].size > 0 && bytes[t].size <= TOKEN_BYTES_MAX)
            sorted->tokens[sorted->count++] = (token_id)t;
    vocab_tree_sort(bytes, sorted->tokens, sorted->spare, sorted->count);
    for (uint32_t i = 0; i < sorted->count; i++) {
        const struct text piece = bytes[sorted->tokens[i]];
        size_t common = 0;
        if (i > 0) {
            const struct text last = bytes[sorted->tokens[i - 1]];
            while (common < piece.size && common < last.size &&
                   piece.data[common] == last.data[common])
                common++;
        }
        sorted->common[i] = (uint16_t)common;
    }
}

/* What a walk over the vocabulary from one state does with each token that stays alive. */
enum walk_kind {
    WALK_ALLOWED, /* note the token, and the state that it leads to */
    WALK_CLOSING  /* note the token when it leads nearer to the end */
};

struct walk {
    struct grammar *grammar;
    enum walk_kind kind;
    uint16_t from;
    uint32_t *mask;
    bool *reaches; /* [state_count] for WALK_ALLOWED */
};

static void walk_token(const struct walk *walk, token_id token, uint16_t to)
{
    const uint16_t *distance = walk->grammar->distance;
    if (walk->kind == WALK_CLOSING && distance[to] >= distance[walk->from])
        return;
    walk->mask[token / WORD_BITS] |= 1u << (token % WORD_BITS);
    if (walk->kind == WALK_ALLOWED)
        walk->reaches[to] = true;
}

static void walk_vocabulary(const struct walk *walk, const struct sorted *sorted)
{
    static_assert(TOKEN_BYTES_MAX <= UINT16_MAX, "a depth fits sorted.common");
    const struct grammar_shape *shape = walk->grammar->shape;
    uint16_t states[TOKEN_BYTES_MAX + 1]; /* states[d] after d bytes of the current token */
    states[0] = walk->from;
    size_t alive = 0;       /* bytes of the last token walked that did not lead to death */
    size_t dead = SIZE_MAX; /* where it died; SIZE_MAX: it lived */
    for (uint32_t i = 0; i < sorted->count; i++) {
        const token_id token = sorted->tokens[i];
        const struct text piece = walk->grammar->bytes[token];
        if (sorted->common[i] > dead)
            continue; /* it has the same dead beginning */
        size_t at = sorted->common[i] < alive ? sorted->common[i] : alive;
        dead = SIZE_MAX;
        for (; at < piece.size; at++) {
            const uint16_t next = shape->next[states[at]][(unsigned char)piece.data[at]];
            if (next == GRAMMAR_DEAD)
                break;
            states[at + 1] = next;
        }
        alive = at;
        if (at < piece.size)
            dead = at;
        else
            walk_token(walk, token, states[at]);
    }
}

/* Whether one token leads from a state to one of distance wanted. */
static bool leads_to(const struct grammar *grammar, const bool *reaches, uint16_t wanted)
{
    for (uint16_t t = 0; t < grammar->shape->state_count; t++)
        if (reaches[t] && grammar->distance[t] == wanted)
            return true;
    return false;
}

/* Fewest tokens to the end for each state, by rounds: a state one token before one of distance
 * d has distance d + 1. reaches is [state_count][state_count]. */
static void fill_distances(struct grammar *grammar, const bool *reaches)
{
    const uint16_t count = grammar->shape->state_count;
    for (uint16_t s = 0; s < count; s++)
        grammar->distance[s] = s == grammar->shape->end ? 0 : UINT16_MAX;
    bool changed = true;
    for (uint16_t round = 1; changed; round++) {
        changed = false;
        for (uint16_t s = 0; s < count; s++) {
            if (grammar->distance[s] != UINT16_MAX ||
                !leads_to(grammar, reaches + (size_t)s * count, (uint16_t)(round - 1)))
                continue;
            grammar->distance[s] = round;
            changed = true;
        }
    }
}

static void fill_worst(struct grammar *grammar, const bool *reaches)
{
    const uint16_t count = grammar->shape->state_count;
    for (uint16_t s = 0; s < count; s++) {
        grammar->worst[s] = 0;
        for (uint16_t t = 0; t < count; t++)
            if (reaches[(size_t)s * count + t] && grammar->distance[t] > grammar->worst[s])
                grammar->worst[s] = grammar->distance[t];
    }
}

static void fill_masks(struct grammar *grammar, const struct sorted *sorted, bool *reaches)
{
    const uint16_t count = grammar->shape->state_count;
    struct walk walk = {.grammar = grammar, .kind = WALK_ALLOWED};
    for (uint16_t s = 1; s < count; s++) {
        walk.from = s;
        walk.mask = grammar->allowed + (size_t)s * grammar->words;
        walk.reaches = reaches + (size_t)s * count;
        walk_vocabulary(&walk, sorted);
    }
    fill_distances(grammar, reaches);
    fill_worst(grammar, reaches);
    walk.kind = WALK_CLOSING;
    for (uint16_t s = 1; s < count; s++) {
        walk.from = s;
        walk.mask = grammar->closing + (size_t)s * grammar->words;
        walk_vocabulary(&walk, sorted);
    }
}

enum status grammar_init(struct grammar *grammar, const struct grammar_shape *shape,
                         const struct text *bytes, uint32_t vocab, struct arena *arena,
                         struct error *err)
{
    const uint32_t words = (vocab + WORD_BITS - 1) / WORD_BITS;
    const size_t count = shape->state_count;
    struct grammar made = {.shape = shape, .bytes = bytes, .vocab = vocab, .words = words};
    made.allowed = ARENA_NEW(arena, uint32_t, count * words);
    made.closing = ARENA_NEW(arena, uint32_t, count * words);
    made.distance = ARENA_NEW(arena, uint16_t, count);
    made.worst = ARENA_NEW(arena, uint16_t, count);

    const size_t mark = arena->used; /* the rest is wanted only while the masks are made */
    struct sorted sorted = {
        .tokens = ARENA_NEW(arena, token_id, vocab),
        .common = ARENA_NEW(arena, uint16_t, vocab),
        .spare = ARENA_NEW(arena, token_id, vocab),
    };
    bool *reaches = ARENA_NEW(arena, bool, count *count);
    if (!made.allowed || !made.closing || !made.distance || !made.worst || !sorted.tokens ||
        !sorted.common || !sorted.spare || !reaches)
        FAIL(err, ERR_MEMORY, "grammar of %zu states over %u tokens: the arena is full", count,
             vocab);
    sorted_fill(&sorted, bytes, vocab);
    fill_masks(&made, &sorted, reaches);
    arena_rewind(arena, mark);
    *grammar = made;
    return OK;
}

void grammar_start(const struct grammar *grammar, struct grammar_cursor *cursor)
{
    cursor->state = grammar->shape->start;
}

uint32_t grammar_tokens_min(const struct grammar *grammar)
{
    const uint16_t distance = grammar->distance[grammar->shape->start];
    return distance == UINT16_MAX ? UINT32_MAX : distance;
}

const uint32_t *grammar_allowed(const struct grammar *grammar,
                                const struct grammar_cursor *cursor, uint32_t left,
                                uint32_t total)
{
    const uint16_t state = cursor->state;
    const uint64_t used = total - left;
    const uint8_t until = grammar->shape->until_percent[grammar->shape->field[state]];
    const bool spent =
        grammar->shape->field[state] != 0 && used * 100 >= (uint64_t)total * until;
    const bool any = grammar->worst[state] < left && !spent;
    return (any ? grammar->allowed : grammar->closing) + (size_t)state * grammar->words;
}

void grammar_advance(const struct grammar *grammar, struct grammar_cursor *cursor,
                     token_id token)
{
    assert(token >= 0 && (uint32_t)token < grammar->vocab);
    const struct text piece = grammar->bytes[token];
    for (size_t i = 0; i < piece.size; i++)
        cursor->state = grammar->shape->next[cursor->state][(unsigned char)piece.data[i]];
    assert(cursor->state != GRAMMAR_DEAD);
}

size_t grammar_forced(const struct grammar *grammar, const struct grammar_cursor *cursor,
                      uint8_t *bytes, size_t most)
{
    const struct grammar_shape *shape = grammar->shape;
    uint16_t state = cursor->state;
    size_t count = 0;
    for (; count < most && state != shape->end; count++) {
        uint32_t ways = 0;
        uint16_t next = GRAMMAR_DEAD;
        for (int byte = 0; byte < 256 && ways < 2; byte++) {
            if (shape->next[state][byte] == GRAMMAR_DEAD)
                continue;
            bytes[count] = (uint8_t)byte;
            next = shape->next[state][byte];
            ways++;
        }
        if (ways != 1)
            break;
        state = next;
    }
    return count;
}

bool grammar_is_complete(const struct grammar *grammar, const struct grammar_cursor *cursor)
{
    return cursor->state == grammar->shape->end;
}
