/*
 * document_html - the text of a page: tags taken out, references read, structure kept.
 *
 * The title and headings become lines of Markdown (`## Install`), list items begin with `- `,
 * the cells of a row stand with tabs between them, blocks with a blank line. script, style and
 * what else is not shown as text is left out. Read in one pass without a stack, so that no
 * nesting is too deep and the time is linear in the bytes.
 */
#ifndef MINIONS_DOCUMENT_HTML_H
#define MINIONS_DOCUMENT_HTML_H

#include "base/error.h"
#include "base/text.h"

/* Appends the text of source (UTF-8 with line feeds). lines gets one uint32_t for each line of
 * it: the line of source that it comes from, counted from 1. ERR_LIMIT more than out takes;
 * ERR_MEMORY. */
MUST_USE enum status document_html_read(struct text source, struct text_buf *out,
                                        struct text_buf *lines, struct error *err);

#endif
