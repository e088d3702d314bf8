/*
 * charsmap - a SentencePiece model's own normal form: spellings and what becomes of them, as
 * the model's precompiled_charsmap has them (half-width forms made full, ligatures taken
 * apart).
 *
 * Memory   the tables lie in the arena given to charsmap_init.
 * Thread   read-only after that.
 */
#ifndef TOKENIZER_CHARSMAP_H
#define TOKENIZER_CHARSMAP_H

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* A map is refused past so many bytes, or when it makes a spelling longer than that. */
enum { CHARSMAP_BYTES_MAX = 4 << 20, CHARSMAP_CONTENT_MAX = 1024 };
enum { CHARSMAP_CLUSTER_BYTES = 6 };

struct charsmap {
    const uint32_t *units; /* [unit_count] the tree of spellings */
    uint32_t unit_count;
    struct text contents; /* what spellings become, each with a NUL behind it */
    bool is_first[256];   /* a spelling begins with this byte */
};

/* bytes: as the model file has them. ERR_FORMAT sizes that contradict each other; ERR_LIMIT. */
MUST_USE enum status charsmap_init(struct charsmap *map, struct text bytes, struct arena *arena,
                                   struct error *err);
/* Appends the changed text: at each place the longest spelling becomes its content, and a byte
 * that is no UTF-8 becomes U+FFFD. out->failed: no memory. */
void charsmap_apply(const struct charsmap *map, struct text text, struct text_buf *out);

/* The same as the Hugging Face library does it: each grapheme cluster of less than
 * CHARSMAP_CLUSTER_BYTES that begins with a spelling becomes the content of the shortest such
 * one, and the rest of it goes; of all others each character is looked up by itself. */
void charsmap_apply_clusters(const struct charsmap *map, struct text text,
                             struct text_buf *out);

/* Text without spaces (U+0020) at its ends, and with one where there are more, goes to out,
 * which must be empty. */
void charsmap_merge_spaces(struct text text, struct text_buf *out);

#endif
