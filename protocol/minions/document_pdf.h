/*
 * document_pdf - the text of a PDF, drawn out by pdftotext (poppler-utils) as a child process.
 *
 * -layout keeps columns apart by spaces, and each page ends with a form feed. What pdftotext
 * reads is as strange as any document, so that it runs under document_child's limits.
 */
#ifndef MINIONS_DOCUMENT_PDF_H
#define MINIONS_DOCUMENT_PDF_H

#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>

/* Appends the text. ERR_FORMAT it is damaged, encrypted or has no text (pages of images);
 * ERR_LIMIT it takes too long or says too much; ERR_IO pdftotext is missing, and the sentence
 * says what to install. The sentence does not name the file. */
MUST_USE enum status document_pdf_read(struct text bytes, struct text_buf *out,
                                       struct error *err);

/* Whether pdftotext is here. Without it only PDFs are lost, each refused by a sentence. */
bool document_pdf_has_reader(void);

#endif
