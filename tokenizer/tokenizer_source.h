/*
 * tokenizer_source - all that a tokenizer is made of, as a plain struct: pieces, merges, and
 * the steps before and after them.
 */
#ifndef TOKENIZER_TOKENIZER_SOURCE_H
#define TOKENIZER_TOKENIZER_SOURCE_H

#include "base/text.h"
#include "base/token.h"

#include <stdbool.h>
#include <stdint.h>

/* Kinds of piece, numbered as GGUF's tokenizer.ggml.token_type does. */
enum tokenizer_kind {
    TOKENIZER_NORMAL = 1,
    TOKENIZER_UNKNOWN = 2,
    TOKENIZER_CONTROL = 3,
    TOKENIZER_USER_DEFINED = 4,
    TOKENIZER_UNUSED = 5,
    TOKENIZER_BYTE = 6
};

/* How the spelling of a special piece is looked for: bits of tokenizer_source.flags. */
enum tokenizer_flag {
    TOKENIZER_LSTRIP = 1, /* takes the white space before it */
    TOKENIZER_RSTRIP = 2,
    TOKENIZER_SINGLE_WORD = 4, /* only where no letter, digit or _ touches it */
    TOKENIZER_NORMALIZED = 8,  /* found in changed text, spelled as the changes make it */
    TOKENIZER_IN_MODEL = 16    /* user-defined, and a piece that merging may come to as well */
};

/* What a step of a splitter does with what its expression matches. */
enum tokenizer_behavior {
    TOKENIZER_ISOLATED, /* a piece of its own */
    TOKENIZER_REMOVED,
    TOKENIZER_MERGED_PREVIOUS, /* the end of the piece before it */
    TOKENIZER_MERGED_NEXT,
    TOKENIZER_CONTIGUOUS /* matches in a row are one piece */
};

/* A step of a splitter. */
struct tokenizer_split {
    struct text pattern; /* a regular expression, as split_parse.h takes it */
    enum tokenizer_behavior behavior;
    bool is_literal;  /* pattern is the text itself */
    bool is_inverted; /* what does not match counts as matched, and the other way round */
    bool by_byte;     /* a character is a byte, as byte-level vocabularies spell it */
};

/* What is done to text before it is split. */
enum tokenizer_change_kind {
    TOKENIZER_NFC,
    TOKENIZER_NFD,
    TOKENIZER_NFKC,
    TOKENIZER_NFKD,
    TOKENIZER_LOWER,
    TOKENIZER_STRIP,             /* white space, left and right */
    TOKENIZER_DROP_MARKS,        /* combining marks go */
    TOKENIZER_PREPEND,           /* content, to a text that is not empty */
    TOKENIZER_REPLACE,           /* what pattern matches becomes content */
    TOKENIZER_CHARSMAP,          /* pattern is a SentencePiece model's precompiled_charsmap */
    TOKENIZER_CHARSMAP_CLUSTERS, /* likewise, as tokenizer.json's Precompiled: by clusters */
    TOKENIZER_MERGE_SPACES       /* one U+0020 for several in a row, none at the ends */
};

struct tokenizer_change {
    enum tokenizer_change_kind kind;
    bool left, right, is_literal; /* is_literal: pattern is the text itself */
    struct text pattern, content;
};

/* What a splitter does where the source does not say. */
enum tokenizer_choice { TOKENIZER_AS_SPLITTER, TOKENIZER_NO, TOKENIZER_YES };

/* What goes at the beginning of a text that is decoded. */
enum tokenizer_lead {
    TOKENIZER_LEAD_AS_PREFIX, /* the space that add_space_prefix put there */
    TOKENIZER_LEAD_KEPT,
    TOKENIZER_LEAD_SPACE, /* one space */
    TOKENIZER_LEAD_MARKS  /* all spaces of the first token */
};

enum { TOKENIZER_BOUNDS_MAX = 8 };
/* Borrowed for the call of tokenizer_open. */
struct tokenizer_source {
    /* tokenizer.ggml.model: "gpt2" (byte-level BPE), "llama" (SPM); and "bpe", merges by rank
     * over characters, with U+2581 for a space, "unigram", the most probable pieces likewise */
    struct text model;
    struct text pre; /* tokenizer.ggml.pre: which splitter, such as "smollm" */
    const struct tokenizer_split *splits; /* [split_count] instead of pre, unless NULL */
    uint32_t split_count;
    const struct tokenizer_change *changes; /* [change_count] before the splits, in order */
    uint32_t change_count;
    const struct text *pieces;       /* [piece_count] */
    const float *scores;             /* [piece_count] or NULL */
    const double *log_probabilities; /* [piece_count] "unigram": instead of scores, or NULL */
    const int32_t *kinds; /* [piece_count] enum tokenizer_kind, or NULL: all normal */
    const uint8_t *flags; /* [piece_count] enum tokenizer_flag, or NULL: none */
    uint32_t piece_count;
    uint32_t merge_count;
    const struct text *merges;       /* [merge_count] "left right" */
    token_id bos, eos, eot, unknown; /* TOKEN_NONE where the model has none */
    const token_id *ends;            /* [end_count] more tokens that end a text or a turn */
    uint32_t end_count;
    bool add_bos, add_eos, add_space_prefix;
    bool prefix_first_only;   /* only at the beginning of a text */
    bool prefix_unless_space; /* only where there is no space */
    bool prefix_pieces;       /* to every piece of the splits, not to the text */
    bool fuse_unknown;        /* unknown characters in a row are one token ("bpe") */
    enum tokenizer_choice ignore_merges, compose;
    enum tokenizer_lead decode_lead;
    /* What TOKENIZER_BOUNDS puts before and after, instead of what add_bos and add_eos say. */
    bool has_bounds;
    token_id before[TOKENIZER_BOUNDS_MAX], after[TOKENIZER_BOUNDS_MAX];
    uint32_t before_count, after_count;
    struct text chat_template; /* Jinja; empty when the model has none */
};

#endif
