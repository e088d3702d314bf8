/*
 * vocab - a model's pieces: how each is spelled, what bytes it stands for, and back.
 *
 * Byte-level vocabularies (GPT-2's) spell bytes with printable characters: each byte has one
 * of 256 code points, so that a space is U+0120. SentencePiece vocabularies spell a space as
 * U+2581 and single bytes as <0x0A>. Either way bytes[] holds what the piece stands for.
 *
 * Memory   in the arena, strings copied; read-only after vocab_init.
 */
#ifndef TOKENIZER_VOCAB_H
#define TOKENIZER_VOCAB_H

#include "base/arena.h"
#include "base/text.h"
#include "base/token.h"
#include "tokenizer/tokenizer.h"

#include <assert.h>

/* From bytes to a token: open addressing, at most half full. A slot holds the first bytes of
 * its key, which for most is all of it: then nothing else of the vocabulary is looked at. */
struct vocab_slot {
    uint32_t hash;
    uint32_t id_and_size; /* id + 1, 0: free; above VOCAB_ID_BITS the size, as far as it goes */
    uint64_t head;
};

enum { VOCAB_ID_BITS = 22, VOCAB_HEAD_BYTES = 8 };
static_assert(TOKENIZER_PIECES_MAX < 1 << VOCAB_ID_BITS, "an id + 1 fits");

struct vocab_index {
    struct vocab_slot *slots; /* [mask + 1] */
    const struct text *keys;  /* [id] */
    uint32_t mask;
};

struct vocab {
    uint32_t count;
    bool byte_level;
    bool spells_special;    /* user-defined pieces are looked for as they are spelled */
    struct text *pieces;    /* [count] as the file spells them */
    struct text *bytes;     /* [count] what they stand for in text; of control pieces empty */
    uint8_t *kinds;         /* [count] enum tokenizer_kind */
    uint8_t *flags;         /* [count] enum tokenizer_flag */
    float *scores;          /* [count] or NULL */
    size_t plain_max;       /* longest key in plain */
    token_id byte_ids[256]; /* the token of a single byte, TOKEN_NONE */
    struct vocab_index spelled; /* every piece by its spelling; of equals the first */
    /* Plain pieces by what merging sees, bytes (byte-level) or spelling; of equals the first.
     * Never a control or byte piece: merging must not make one out of plain text. */
    struct vocab_index plain;
};

enum { VOCAB_PIECE_BYTES_MAX = 1 << 16 };

/* Takes over the pieces of source. ERR_LIMIT too many pieces or one too long; ERR_FORMAT a kind
 * that does not exist, or a byte piece that is not <0xNN>; ERR_MEMORY the arena is full. */
MUST_USE enum status vocab_init(struct vocab *vocab, const struct tokenizer_source *source,
                                struct arena *arena, struct error *err);

/* Whether a byte-level vocabulary spells this byte by the character of the same number; the
 * others have the characters from U+0100 on, in order. */
bool vocab_spells_itself(uint32_t code_point);
/* Whether merging may make this token out of plain text. */
bool vocab_is_plain(const struct vocab *vocab, token_id id);
/* TOKEN_NONE when there is none. */
token_id vocab_find(const struct vocab_index *index, struct text key);

#endif
