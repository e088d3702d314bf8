/*
 * document_charset - pages in an encoding that they name themselves.
 *
 * Bytes alone cannot tell ISO 8859-2 from Windows-1251 or Shift JIS: a page says it in its head
 * as `<meta charset="...">` or in an XML declaration. The C library's iconv converts, for a
 * closed list of encodings: those without states that browsers know and that document_text
 * does not guess by itself.
 */
#ifndef MINIONS_DOCUMENT_CHARSET_H
#define MINIONS_DOCUMENT_CHARSET_H

#include "base/error.h"
#include "base/text.h"

#include <stddef.h>

/* iconv's name of the encoding that a page names in its first 1,024 bytes; NULL: none, one that
 * document_text tells by itself, or one that is not in the list. */
const char *document_charset_declared(struct text bytes);

/* Appends the bytes, which are in that encoding, as UTF-8; what is malformed as U+FFFD, and
 * counted. ERR_FORMAT this C library cannot convert it; ERR_LIMIT more than out takes. */
MUST_USE enum status document_charset_decode(struct text bytes, const char *charset,
                                             struct text_buf *out, size_t *faults,
                                             struct error *err);

#endif
