/*
 * split_program - a splitter's expression as instructions for a machine that follows all ways
 * at once, in order of preference. Between split_parse and split_automaton.
 */
#ifndef TOKENIZER_SPLIT_PROGRAM_H
#define TOKENIZER_SPLIT_PROGRAM_H

#include "tokenizer/split_parse.h"

enum split_op {
    SPLIT_OP_SET,   /* takes one character of sets[set], goes on at the next instruction */
    SPLIT_OP_LOOK,  /* goes on when the next character is of sets[set], or none and at_end */
    SPLIT_OP_FORK,  /* goes on at first, and where that fails at second */
    SPLIT_OP_MATCH, /* the end */
};

struct split_instruction {
    enum split_op op;
    bool at_end;
    uint32_t set, first, second;
};

/* A set is a bit in a mask. */
enum { SPLIT_SETS_MAX = 64, SPLIT_INSTRUCTIONS_MAX = 1 << 13 };

struct split_program {
    struct split_instruction *code; /* [count] */
    uint32_t count;
    struct char_set sets[SPLIT_SETS_MAX];
    uint32_t set_count;
    struct arena *arena; /* while it is made */
    bool is_out_of_room;
};

/* In the arena. ERR_LIMIT too many instructions or sets. */
MUST_USE enum status split_program_make(struct split_program *program,
                                        const struct split_node *root, struct arena *arena,
                                        struct error *err);

#endif
