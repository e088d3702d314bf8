/*
 * pretokenize - cuts text into the pieces inside which byte-pair merges happen.
 *
 * The cuts are those of the regular expression that each family of models was trained with,
 * written out by hand: no regular expression runs, and time is linear. Every byte belongs to
 * exactly one piece. A malformed byte of UTF-8 counts as a character of no class.
 */
#ifndef TOKENIZER_PRETOKENIZE_H
#define TOKENIZER_PRETOKENIZE_H

#include "base/text.h"

enum pretokenize_rule {
    PRETOKENIZE_GPT2,   /* contractions, words, numbers, others, white space */
    PRETOKENIZE_SIGNS,  /* GPT-2's between signs, which are cut off first (Falcon) */
    PRETOKENIZE_CASE,   /* as below, and a word also ends where capitals begin (Tekken) */
    PRETOKENIZE_LLAMA3, /* any one character may lead a word; line ends stay with signs */
};

/* A splitter: a rule and its settings. */
struct pretokenize {
    const char *name; /* as tokenizer.ggml.pre spells it */
    enum pretokenize_rule rule;
    uint32_t digits_max; /* longest run of \p{N}; 0: no limit */
    bool digits_first;   /* digits are cut off before the rule sees the text */
    bool compose;        /* text is put in NFC first (normalize.h) */
    bool ignore_merges;  /* a piece that is a token is that token, whatever the merges say */
    bool short_ends;     /* 's, 't and the like end a word */
};

/* NULL when the name is not known. Valid for ever. */
const struct pretokenize *pretokenize_find(struct text name);
/* The known names, with commas: for messages. */
const char *pretokenize_names(void);

/* Where the piece that begins at begin ends; begin < text.size. */
size_t pretokenize_next(const struct pretokenize *splitter, struct text text, size_t begin);

#endif
