/*
 * split_parse - the regular expressions of splitters, read into a tree.
 *
 * What is taken is what tokenizer.json files have: characters, escapes, sets (also nested, cut
 * with &&), general categories and Han by \p, groups, (?i: ), greedy, lazy and possessive
 * repetition, and looking ahead at one character. In the words of Oniguruma's Ruby syntax,
 * which the reference implementation uses: . is no line end, $ stands before one.
 *
 * Everything else is refused with its place: looking behind or further ahead, references,
 * boundaries of words, atomic groups, repetition of more than one character that is possessive,
 * repetition without limit of what may be empty.
 */
#ifndef TOKENIZER_SPLIT_PARSE_H
#define TOKENIZER_SPLIT_PARSE_H

#include "base/text.h"
#include "tokenizer/char_set.h"

enum split_kind {
    SPLIT_SET,    /* one character of set */
    SPLIT_LOOK,   /* the next character is of set, or there is none and at_end */
    SPLIT_CHAIN,  /* the children one after the other; none: nothing */
    SPLIT_CHOICE, /* the first child that leads to a match */
    SPLIT_REPEAT, /* the one child, least to most times */
};

struct split_node {
    enum split_kind kind;
    struct char_set set;
    bool at_end;
    bool is_lazy;
    bool may_be_empty;
    uint32_t least, most; /* most SPLIT_MANY: no limit */
    struct split_node *first, *last, *next;
};

enum { SPLIT_BYTES_MAX = 1 << 14, SPLIT_DEPTH_MAX = 32, SPLIT_TIMES_MAX = 1000 };
#define SPLIT_MANY UINT32_MAX

/* The tree lies in the arena. ERR_FORMAT what is no expression; ERR_LIMIT what is none that we
 * take, or one that is too long or too deep; ERR_MEMORY. */
MUST_USE enum status split_parse(struct text regex, struct arena *arena,
                                 struct split_node **root, struct error *err);
/* The expression that matches text itself. */
MUST_USE enum status split_parse_literal(struct text text, struct arena *arena,
                                         struct split_node **root, struct error *err);

#endif
