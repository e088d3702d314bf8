/*
 * document_docx_body - the text of the XML parts of a Word document.
 *
 * A paragraph is a line with a blank one behind it, the cells of a row stand with tabs between
 * them, headings become lines of Markdown, and a page ends with a form feed where the document
 * marks one: a page break of the author's, or where Word saw one when it last showed the page.
 *
 * What a reader sees is kept, and only that: of tracked changes what was inserted, not what was
 * deleted or moved away; no hidden text, no fields' code. A note stands behind the paragraph
 * that refers to it, as `[1] ...` (a footnote) or `[endnote 1] ...`, so that it is on its page;
 * so does what is in a text box.
 */
#ifndef MINIONS_DOCUMENT_DOCX_BODY_H
#define MINIONS_DOCUMENT_DOCX_BODY_H

#include "base/error.h"
#include "base/text.h"

enum { DOCUMENT_DOCX_BODY_NOTES_MAX = 1 << 16 }; /* of a kind; those past it are left out */

/* UTF-8; the notes may be empty. */
struct document_docx_body_parts {
    struct text document, footnotes, endnotes;
};

/* Appends the text. ERR_LIMIT it is larger than out takes; ERR_MEMORY. */
MUST_USE enum status document_docx_body_read(const struct document_docx_body_parts *parts,
                                             struct text_buf *out, struct error *err);

#endif
