/*
 * vocab_tree - a vocabulary as a tree of bytes, for walking it beside an automaton.
 *
 * Nodes lie in preorder: a node's subtree is what follows it up to its end, so that a walk is a
 * loop over an array and a dead beginning is passed over by one jump, with all tokens under it.
 *
 * Owner    the arrays lie in the arena given to vocab_tree_init.
 */
#ifndef ENGINE_VOCAB_TREE_H
#define ENGINE_VOCAB_TREE_H

#include "base/arena.h"
#include "base/text.h"
#include "base/token.h"

#include <stdint.h>

enum { VOCAB_TREE_DEPTH_MAX = 1024 };

struct vocab_tree_node {
    uint32_t end;    /* the node after the last one under this */
    uint32_t tokens; /* tokens[this .. that of the next node) stand for the bytes up to here */
    uint16_t depth;  /* bytes up to here: 1 or more */
    uint8_t byte;
};

struct vocab_tree {
    struct vocab_tree_node *nodes; /* [node_count + 1] */
    token_id *tokens;              /* [token_count] by their bytes, equal ones by number */
    uint32_t node_count, token_count;
};

/* A vocabulary's words, and which of them are wanted. */
struct vocab_tree_source {
    const struct text *bytes; /* [vocab] */
    uint32_t vocab;
    const uint32_t *without; /* [ceil(vocab / 32)] mask of tokens to leave out; NULL: none */
};

/* Puts tokens[count] in the order of their bytes, equal ones in that of their numbers if they
 * came so. spare has room for half of them. */
void vocab_tree_sort(const struct text *bytes, token_id *tokens, token_id *spare,
                     uint32_t count);

/* Tokens of no bytes or more than DEPTH_MAX are left out. ERR_MEMORY: the arena is full; it
 * wants a third more for the time of the call. */
MUST_USE enum status vocab_tree_init(struct vocab_tree *tree,
                                     const struct vocab_tree_source *source,
                                     struct arena *arena, struct error *err);

/* The token that stands for the most of the text's first bytes; TOKEN_NONE: for none. */
token_id vocab_tree_longest(const struct vocab_tree *tree, struct text text);

#endif
