/*
 * normalize - Unicode's canonical composition (NFC), as Qwen's tokenizers apply it to text: an
 * e and a combining acute accent become one character.
 *
 * Bytes that are no UTF-8 stay as they are. Time is O(n log n) for any input.
 */
#ifndef TOKENIZER_NORMALIZE_H
#define TOKENIZER_NORMALIZE_H

#include "base/text.h"

/* True when text is certainly in that form already: nothing at or past U+0300. */
bool normalize_is_plain(struct text text);
/* Appends the composed text. False: no memory. */
MUST_USE bool normalize_nfc(struct text text, struct text_buf *out);

#endif
