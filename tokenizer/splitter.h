/*
 * splitter - the splitters that GGUF files name (tokenizer.ggml.pre), as the steps that the
 * tokenizer.json files of those models have.
 */
#ifndef TOKENIZER_SPLITTER_H
#define TOKENIZER_SPLITTER_H

#include "tokenizer/tokenizer.h"

/* How GPT-2 cuts, which is what ByteLevel does unless it is told not to. */
#define SPLITTER_GPT2                                                                          \
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
/* What the step Whitespace takes for words: a word, or signs in a row. */
#define SPLITTER_WORDS "[\\w\\x{200c}\\x{200d}]+|[^\\w\\s\\x{200c}\\x{200d}]+"

enum { SPLITTER_STEPS_MAX = 8 };

struct splitter {
    const char *names; /* as tokenizer.ggml.pre spells them, with spaces between */
    struct tokenizer_split steps[SPLITTER_STEPS_MAX];
    uint32_t step_count;
    bool compose;       /* text is put in NFC first (normalize.h) */
    bool ignore_merges; /* a piece that is a token is that token, whatever the merges say */
};

/* NULL when the name is not known. Valid for ever. */
const struct splitter *splitter_find(struct text name);
/* Whether models of that name begin texts with bos where their file does not say. */
bool splitter_adds_bos(struct text name);
/* One name of each, with commas: for messages. */
const char *splitter_names(void);

#endif
