/*
 * tokenizer - bytes to tokens and back, and conversations to tokens: the door of the room.
 *
 * Everything needed comes in one plain struct, filled by whoever read the model's file. Text
 * from people and documents is data: the spelling of a special token inside it becomes
 * ordinary tokens unless TOKENIZER_SPECIAL is asked for.
 *
 * Owner    tokenizer_open gives and copies what it keeps; tokenizer_close takes.
 * Thread   an open tokenizer is read-only: any number of threads.
 */
#ifndef TOKENIZER_TOKENIZER_H
#define TOKENIZER_TOKENIZER_H

#include "base/error.h"
#include "base/text.h"
#include "base/token.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { TOKENIZER_PIECES_MAX = 1 << 21, TOKENIZER_TEXT_MAX = 256 << 20 };

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
    TOKENIZER_NORMALIZED = 8   /* found after a space was put before the text */
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
    TOKENIZER_STRIP,      /* white space, left and right */
    TOKENIZER_DROP_MARKS, /* combining marks go */
    TOKENIZER_PREPEND,    /* content, to a text that is not empty */
    TOKENIZER_REPLACE     /* what pattern matches becomes content */
};

struct tokenizer_change {
    enum tokenizer_change_kind kind;
    bool left, right, is_literal; /* is_literal: pattern is the text itself */
    struct text pattern, content;
};

/* What a splitter does where the source does not say. */
enum tokenizer_choice { TOKENIZER_AS_SPLITTER, TOKENIZER_NO, TOKENIZER_YES };

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
    /* What TOKENIZER_BOUNDS puts before and after, instead of what add_bos and add_eos say. */
    bool has_bounds;
    token_id before[TOKENIZER_BOUNDS_MAX], after[TOKENIZER_BOUNDS_MAX];
    uint32_t before_count, after_count;
    struct text chat_template; /* Jinja; empty when the model has none */
};

struct tokenizer;

/* Whether texts begin with bos where a file names this splitter and no key says otherwise. */
bool tokenizer_adds_bos(struct text pre);

/* ERR_FORMAT a piece or merge that makes no sense (named); ERR_LIMIT an unknown model or
 * splitter (named, with the list of known ones), or too many pieces; ERR_MEMORY. */
MUST_USE enum status tokenizer_open(const struct tokenizer_source *source,
                                    struct tokenizer **tokenizer, struct error *err);
void tokenizer_close(struct tokenizer *tokenizer); /* NULL is fine */

uint32_t tokenizer_vocab_size(const struct tokenizer *tokenizer);
token_id tokenizer_bos(const struct tokenizer *tokenizer);
/* True for tokens that end a turn or the text: eos, eot, and the like. */
bool tokenizer_is_end(const struct tokenizer *tokenizer, token_id token);
bool tokenizer_is_control(const struct tokenizer *tokenizer, token_id token);
/* The token whose piece is spelled so (control and user-defined included); TOKEN_NONE. */
token_id tokenizer_find(const struct tokenizer *tokenizer, struct text piece);
/* The bytes that a token stands for in text; empty for control tokens. Valid as long as the
 * tokenizer. */
struct text tokenizer_bytes(const struct tokenizer *tokenizer, token_id token);

/* A growing list of tokens; zero it before first use. */
struct token_list {
    token_id *ids; /* malloc'ed */
    size_t count, capacity;
};
void token_list_deinit(struct token_list *list);
MUST_USE bool token_list_add(struct token_list *list, token_id id); /* false: no memory */

enum tokenizer_flags {
    TOKENIZER_PLAIN = 0,
    TOKENIZER_SPECIAL = 1, /* spellings of control tokens in the text become those tokens */
    TOKENIZER_BOUNDS = 2   /* add bos / eos where the model says so */
};

/* Appends text's tokens to list. ERR_LIMIT past TOKENIZER_TEXT_MAX bytes; ERR_MEMORY. Any
 * bytes are taken, valid UTF-8 or not; decoding gives them back. Three exceptions, as in
 * the reference implementations: bytes that the vocabulary has no token for are left out,
 * SentencePiece models take U+2581 for a space, and Qwen's compose characters (NFC). */
MUST_USE enum status tokenizer_encode(const struct tokenizer *tokenizer, struct text text,
                                      uint32_t flags, struct token_list *list,
                                      struct error *err);
/* Appends the bytes of count tokens, a whole text, to out; control tokens are spelled only when
 * asked. Where the model puts a space before a text (add_space_prefix), the first one goes: a
 * text in parts is for tokenizer_stream_add. */
void tokenizer_decode(const struct tokenizer *tokenizer, const token_id *ids, size_t count,
                      bool spell_control, struct text_buf *out);

/* Streaming decode that never cuts a UTF-8 character: bytes of an unfinished character wait
 * here. Zero it before first use. */
struct tokenizer_stream {
    char held[4];
    uint32_t held_count;
};
/* Appends what can be shown after this token. */
void tokenizer_stream_add(struct tokenizer_stream *stream, const struct tokenizer *tokenizer,
                          token_id token, struct text_buf *out);
/* The end: an unfinished character becomes U+FFFD. */
void tokenizer_stream_end(struct tokenizer_stream *stream, struct text_buf *out);

struct tokenizer_message {
    struct text role;    /* "system", "user", "assistant" */
    struct text content; /* data: special spellings inside never become special tokens */
};

/* Renders a conversation with the model's own chat template and appends its tokens.
 * add_generation_prompt: end with the opening of the assistant's turn.
 * ERR_LIMIT  no chat template, one past our interpreter (construct and line named), or its
 *            budget; ERR_FORMAT what the template raised. */
MUST_USE enum status tokenizer_encode_chat(const struct tokenizer *tokenizer,
                                           const struct tokenizer_message *messages,
                                           uint32_t count, bool add_generation_prompt,
                                           struct token_list *list, struct error *err);
/* Whether there is a chat template that our interpreter could read. */
bool tokenizer_has_chat(const struct tokenizer *tokenizer);

#ifdef __cplusplus
}
#endif
#endif
