/* vocab_tree - see vocab_tree.h. */
#include "engine/vocab_tree.h"

#include <stdbool.h>
#include <string.h>

static bool is_wanted(const struct vocab_tree_source *source, uint32_t token)
{
    const size_t size = source->bytes[token].size;
    if (size == 0 || size > VOCAB_TREE_DEPTH_MAX)
        return false;
    return !source->without || (source->without[token / 32] >> token % 32 & 1) == 0;
}

static size_t common_bytes(struct text a, struct text b)
{
    size_t common = 0;
    while (common < a.size && common < b.size && a.data[common] == b.data[common])
        common++;
    return common;
}

/* The bytes in which neighbours differ: as many as there are nodes. */
static size_t count_nodes(const struct vocab_tree *tree, const struct text *bytes)
{
    size_t count = 0;
    struct text last = TEXT("");
    for (uint32_t i = 0; i < tree->token_count; i++) {
        const struct text piece = bytes[tree->tokens[i]];
        count += piece.size - common_bytes(piece, last);
        last = piece;
    }
    return count;
}

static void fill_nodes(struct vocab_tree *tree, const struct text *bytes)
{
    uint32_t path[VOCAB_TREE_DEPTH_MAX] = {0}; /* [depth - 1] the open node there */
    size_t open = 0;
    struct text last = TEXT("");
    for (uint32_t i = 0; i < tree->token_count; i++) {
        const struct text piece = bytes[tree->tokens[i]];
        const size_t common = common_bytes(piece, last);
        while (open > common)
            tree->nodes[path[--open]].end = tree->node_count;
        for (; open < piece.size; open++) {
            path[open] = tree->node_count;
            tree->nodes[tree->node_count++] = (struct vocab_tree_node){
                .tokens = i, .depth = (uint16_t)(open + 1), .byte = (uint8_t)piece.data[open]};
        }
        last = piece;
    }
    while (open > 0)
        tree->nodes[path[--open]].end = tree->node_count;
    tree->nodes[tree->node_count] =
        (struct vocab_tree_node){.end = tree->node_count + 1, .tokens = tree->token_count};
}

/* Merge sort. */
void vocab_tree_sort(const struct text *bytes, token_id *tokens, token_id *spare,
                     uint32_t count)
{
    if (count < 2)
        return;
    const uint32_t half = count / 2;
    vocab_tree_sort(bytes, tokens, spare, half);
    vocab_tree_sort(bytes, tokens + half, spare, count - half);
    memcpy(spare, tokens, half * sizeof *tokens);
    uint32_t left = 0;
    uint32_t right = half;
    for (uint32_t out = 0; left < half; out++) {
        const bool take_right =
            right < count && text_compare(bytes[tokens[right]], bytes[spare[left]]) < 0;
        tokens[out] = take_right ? tokens[right++] : spare[left++];
    }
}

enum status vocab_tree_init(struct vocab_tree *tree, const struct vocab_tree_source *source,
                            struct arena *arena, struct error *err)
{
    struct vocab_tree made = {0};
    uint32_t count = 0;
    for (uint32_t t = 0; t < source->vocab; t++)
        count += is_wanted(source, t);
    made.tokens = ARENA_NEW(arena, token_id, count);
    const size_t mark = arena->used;
    token_id *spare = ARENA_NEW(arena, token_id, count);
    if (!made.tokens || !spare)
        FAIL(err, ERR_MEMORY, "tree of %u tokens: the arena is full", count);
    for (uint32_t t = 0; t < source->vocab; t++)
        if (is_wanted(source, t))
            made.tokens[made.token_count++] = (token_id)t;
    vocab_tree_sort(source->bytes, made.tokens, spare, count);
    arena_rewind(arena, mark);
    const size_t nodes = count_nodes(&made, source->bytes);
    if (nodes >= UINT32_MAX)
        FAIL(err, ERR_LIMIT, "tree of %u tokens: %zu bytes differ", count, nodes);
    made.nodes = ARENA_NEW(arena, struct vocab_tree_node, nodes + 1);
    if (!made.nodes)
        FAIL(err, ERR_MEMORY, "tree of %u tokens, %zu nodes: the arena is full", count, nodes);
    fill_nodes(&made, source->bytes);
    *tree = made;
    return OK;
}

token_id vocab_tree_longest(const struct vocab_tree *tree, struct text text)
{
    token_id best = TOKEN_NONE;
    uint32_t at = 0, end = tree->node_count; /* the nodes among which the next one is */
    for (size_t depth = 0; depth < text.size; depth++) {
        while (at < end && tree->nodes[at].byte != (uint8_t)text.data[depth])
            at = tree->nodes[at].end;
        if (at >= end)
            break;
        if (tree->nodes[at].tokens < tree->nodes[at + 1].tokens)
            best = tree->tokens[tree->nodes[at].tokens];
        end = tree->nodes[at].end;
        at++;
    }
    return best;
}
