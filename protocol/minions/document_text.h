/*
 * document_text - bytes in whatever encoding, as UTF-8 with line feeds.
 *
 * Told by a byte order mark; else by what the bytes are: UTF-8 when they are valid as that,
 * UTF-16 when every other byte is NUL, UTF-8 with faults when most of what is above ASCII is
 * valid, and at last Windows-1252 (Latin-1's printable part and more), which any bytes fit.
 * CR LF and CR alone become LF, as a program that splits lines expects: line numbers are kept,
 * and a UTF-8 file with line feeds keeps every byte.
 */
#ifndef MINIONS_DOCUMENT_TEXT_H
#define MINIONS_DOCUMENT_TEXT_H

#include "base/error.h"
#include "base/text.h"

#include <stddef.h>
#include <stdint.h>

enum document_encoding {
    DOCUMENT_UTF8,
    DOCUMENT_UTF8_FAULTY, /* what is malformed became U+FFFD */
    DOCUMENT_UTF16_LE,
    DOCUMENT_UTF16_BE,
    DOCUMENT_WINDOWS_1252
};

struct document_text_found {
    enum document_encoding encoding;
    size_t
        fault_offset; /* the first byte that is not UTF-8; where encoding says there is one */
    size_t faults;    /* characters that became U+FFFD */
};

/* Appends the text. ERR_FORMAT it holds too many NULs or control characters for a text, and the
 * sentence says how many; ERR_LIMIT more than out takes. */
MUST_USE enum status document_text_decode(struct text bytes, struct text_buf *out,
                                          struct document_text_found *found, struct error *err);

/* The code point that a byte is in Windows-1252. */
uint32_t document_text_windows_1252(uint8_t byte);

#endif
