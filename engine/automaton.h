/*
 * automaton - deterministic automata over bytes, made from a non-deterministic one.
 *
 * Whoever knows a notation (a regular expression, the bounds of a number, the names of an
 * object) builds a struct nfa from the back: each piece is told the node that comes after it
 * and gives the node that it begins in. automaton_make turns it into tables by the subset
 * construction. Every state that remains can still reach the end: a text is never led into a
 * dead end.
 *
 * Ends carry a label (which name of an object was read, say); a state knows all the labels that
 * end there. Bytes that no state tells apart share a class, and a table's row is one entry per
 * class.
 *
 * Owner    the caller owns the structs; tables lie in the arena given.
 * Failure  nodes past the limit set failed, checked once in automaton_make (ERR_LIMIT).
 */
#ifndef ENGINE_AUTOMATON_H
#define ENGINE_AUTOMATON_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    AUTOMATON_NODES_MAX = 60000,
    AUTOMATON_STATES_MAX = 8000,
    AUTOMATON_LABELS_MAX = 1024,
    AUTOMATON_STEPS_MAX = 1 << 27, /* of one make: under a second */
    AUTOMATON_MASKED_LABELS = 32, /* labels below are told by a mask, one above by its number */
    AUTOMATON_DEAD = 0,
    AUTOMATON_START = 1,
    AUTOMATON_NEVER = UINT16_MAX
};

enum nfa_kind { NFA_RANGE, NFA_SPLIT, NFA_BEGIN, NFA_END, NFA_ACCEPT };

struct nfa_node {
    uint8_t kind;
    uint8_t first, last; /* RANGE: these bytes lead to a */
    uint16_t a, b;       /* SPLIT: both; BEGIN, END: a where the text begins or ends */
    uint16_t label;      /* ACCEPT */
};

struct nfa {
    struct nfa_node *nodes; /* [AUTOMATON_NODES_MAX], from automaton_nfa */
    uint32_t count;
    uint16_t start; /* where texts begin: set before automaton_make. Node 0 leads nowhere. */
    size_t mark;    /* of the arena, before the nodes: automaton_make gives them back */
    bool failed;
    uint64_t *work; /* not NULL: steps that may still be taken, from which each make takes */
};

struct automaton {
    uint32_t state_count, class_count;
    uint8_t class_of[256];
    uint16_t *next;     /* [state_count][class_count]; AUTOMATON_DEAD: no way */
    uint32_t *mask;     /* [state_count] labels below MASKED_LABELS that end here */
    uint16_t *label;    /* [state_count] the least other label that ends here, or NEVER */
    uint16_t *distance; /* [state_count] fewest bytes to an end */
    uint16_t farthest;  /* the greatest of these */
    bool *plain;        /* [state_count] see automaton_plain.h; NULL: not known */
    uint16_t plain_nearest, plain_farthest; /* least and greatest distance of plain states */
};

MUST_USE enum status automaton_nfa(struct nfa *nfa, struct arena *scratch, struct error *err);
uint16_t automaton_range(struct nfa *nfa, uint8_t first, uint8_t last, uint16_t after);
uint16_t automaton_split(struct nfa *nfa, uint16_t a, uint16_t b);
uint16_t automaton_node(struct nfa *nfa, enum nfa_kind kind, uint16_t after);
uint16_t automaton_accept(struct nfa *nfa, uint16_t label);
uint16_t automaton_bytes(struct nfa *nfa, const char *bytes, size_t size, uint16_t after);

/* The texts of a made automaton, then an end with label. */
uint16_t automaton_embed(struct nfa *nfa, const struct automaton *made, uint16_t label);

/* Which labels a text must end with, and must not. {0, 0}: any end will do. So texts that match
 * several patterns at once, and not another, are one automaton. */
struct automaton_want {
    uint32_t all, none; /* of labels below MASKED_LABELS */
};

/* Tables in arena, the one that the nodes lie in: they and what came after them are given back,
 * so that they are made anew for each automaton. 24 MiB more are wanted for the time of the
 * call. An automaton that accepts nothing has state_count 2 and distance[AUTOMATON_START]
 * NEVER. */
MUST_USE enum status automaton_make(struct automaton *made, const struct nfa *nfa,
                                    struct automaton_want want, struct arena *arena,
                                    struct error *err);

static inline uint16_t automaton_step(const struct automaton *automaton, uint32_t state,
                                      uint8_t byte)
{
    return automaton->next[state * automaton->class_count + automaton->class_of[byte]];
}

static inline bool automaton_ends(const struct automaton *automaton, uint32_t state)
{
    return automaton->distance[state] == 0;
}

#endif
