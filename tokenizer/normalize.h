/*
 * normalize - Unicode's normal forms, as tokenizers put text in them: composed (an e and a
 * combining acute accent become one character) or taken apart, and either with characters that
 * only look like others (a ligature, a full-width letter) made those others. And small letters.
 *
 * Bytes that are no UTF-8 stay as they are. Time is O(n log n) for any input.
 */
#ifndef TOKENIZER_NORMALIZE_H
#define TOKENIZER_NORMALIZE_H

#include "base/text.h"

enum normalize_form { NORMALIZE_NFC, NORMALIZE_NFD, NORMALIZE_NFKC, NORMALIZE_NFKD };

/* True when text is certainly in that form already: nothing at or past the first character that
 * has something to do with it. */
bool normalize_is_plain(enum normalize_form form, struct text text);
/* Appends the text in that form. False: no memory. */
MUST_USE bool normalize_text(enum normalize_form form, struct text text, struct text_buf *out);
/* Appends the text with each capital made a small letter, by itself. */
MUST_USE bool normalize_lower(struct text text, struct text_buf *out);

#endif
