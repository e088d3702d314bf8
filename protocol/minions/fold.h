/*
 * fold - text compared as a reader would: runs of white space count as one space.
 *
 * A model copies a sentence without its line breaks, and a document breaks its lines where it
 * likes. A citation is verbatim when the two agree after folding; what is then shown is the
 * document's own spelling. White space is ASCII's (space, tab, line feed, carriage return,
 * vertical tab, form feed).
 */
#ifndef MINIONS_FOLD_H
#define MINIONS_FOLD_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool fold_is_space(char c);

/* Appends text with each run of white space as one space and none at either end. */
void fold_add(struct text_buf *buf, struct text text);

/* Where needle lies in hay after folding, first place first: hay[*offset, *offset + *size),
 * which begins and ends with the needle's first and last visible bytes. False: nowhere, or the
 * needle is only white space. */
bool fold_find(struct text hay, struct text needle, size_t *offset, size_t *size);

/* FNV-1a over the folded bytes: equal after folding, equal hash. */
uint64_t fold_hash(struct text text);
bool fold_equal(struct text a, struct text b);

#endif
