/*
 * document_entity - what `&amp;`, `&#8217;` and `&#x2019;` stand for.
 */
#ifndef MINIONS_DOCUMENT_ENTITY_H
#define MINIONS_DOCUMENT_ENTITY_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads the reference that begins with the '&' at *offset: its code point, and *offset behind
 * it. False, nothing changed: there is none, and the '&' is only that. A number that is no
 * character (a surrogate, NUL, past U+10FFFF) gives U+FFFD, one of 0x80 to 0x9f what
 * Windows-1252 has there (HTML, 13.2.5.80). Names are HTML 4's and `apos`. */
bool document_entity_read(struct text text, size_t *offset, uint32_t *code_point);

#endif
