/*
 * document_kind - what a file is, by its first bytes and its name.
 *
 * Content comes first: a name may be missing (standard input) or wrong. The name decides where
 * content cannot: a page of HTML that begins with text, a zip archive that is a spreadsheet.
 */
#ifndef MINIONS_DOCUMENT_KIND_H
#define MINIONS_DOCUMENT_KIND_H

#include "base/error.h"
#include "base/text.h"

enum document_kind { DOCUMENT_TEXT, DOCUMENT_HTML, DOCUMENT_PDF, DOCUMENT_DOCX };

/* ERR_FORMAT what it is cannot be read; the sentence names path and kind. A binary file of a
 * kind unknown here passes as text: document_text refuses it by what it holds. */
MUST_USE enum status document_kind_of(struct text bytes, struct text path,
                                      enum document_kind *kind, struct error *err);

#endif
