/*
 * document - one file, from its bytes to its text: kind, encoding, structure.
 */
#ifndef MINIONS_DOCUMENT_H
#define MINIONS_DOCUMENT_H

#include "base/error.h"
#include "base/text.h"
#include "protocol/minions/document_text.h"

#include <stdbool.h>

struct document {
    struct text_buf text; /* UTF-8 with line feeds */
    struct text_buf
        lines;     /* uint32_t: the line of the file for each of its lines; empty: equal */
    bool is_paged; /* pages end with form feeds, and the file has no lines of its own */
    struct document_text_found found; /* how bytes became text; of PDF and DOCX nothing */
};

/* Reads bytes as what they are; path, for people, names them. text.size_max bounds the text.
 * ERR_FORMAT they cannot be read; ERR_LIMIT; ERR_IO pdftotext is missing; ERR_MEMORY: the
 * sentence begins with path. On failure nothing is kept. */
MUST_USE enum status document_read(struct document *document, struct text bytes,
                                   struct text path, struct error *err);
void document_deinit(struct document *document);

#endif
