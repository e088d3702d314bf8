/* base64 - bytes as text and back (RFC 4648, section 4). */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/text.h"

#include <stdbool.h>

/* Appends bytes' digits, padded. */
void base64_add(struct text_buf *out, struct text bytes);
/* Appends what digits stand for, padded or not; line ends are passed over. False: they are
 * malformed, or there is no memory. */
bool base64_decode(struct text digits, struct text_buf *out);

#endif
