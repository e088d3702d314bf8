/*
 * document_docx - the text of a Word document (.docx): a zip archive with word/document.xml.
 *
 * Headers come first and footers last, each text once; between them the body and its notes
 * (document_docx_body.h). Comments are left out.
 *
 * An archive is not what it says: what comes out is counted as it comes, and stopped at
 * DOCUMENT_DOCX_RATIO times the archive's size and the caller's limit.
 */
#ifndef MINIONS_DOCUMENT_DOCX_H
#define MINIONS_DOCUMENT_DOCX_H

#include "base/error.h"
#include "base/text.h"

enum {
    DOCUMENT_DOCX_RATIO = 100,          /* Word's own come to 30 */
    DOCUMENT_DOCX_FREE_BYTES = 1 << 20, /* that may come out of the smallest archive */
    DOCUMENT_DOCX_ENTRIES_MAX = 1 << 14
};

/* Appends the text. ERR_FORMAT it is no Word document, damaged or encrypted; ERR_LIMIT more
 * comes out than may. The sentence does not name the file. */
MUST_USE enum status document_docx_read(struct text bytes, struct text_buf *out,
                                        struct error *err);

#endif
