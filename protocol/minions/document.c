/* document - see document.h. */
#include "protocol/minions/document.h"

#include "protocol/minions/document_charset.h"
#include "protocol/minions/document_docx.h"
#include "protocol/minions/document_html.h"
#include "protocol/minions/document_kind.h"
#include "protocol/minions/document_pdf.h"

#include <string.h>

enum { PATH_SHOWN_MAX = 90 }; /* its end, so that the reason fits behind it */

static enum status read_html(struct document *document, struct text bytes, struct error *err)
{
    struct text_buf utf8 = {.size_max = document->text.size_max};
    struct text_buf source = {.size_max = document->text.size_max};
    size_t faults = 0;
    const char *charset = document_charset_declared(bytes);
    enum status status = OK;
    if (charset && text_utf8_valid(bytes) < bytes.size) {
        status = document_charset_decode(bytes, charset, &utf8, &faults, err);
        bytes = text_buf_text(&utf8);
    }
    if (status == OK)
        status = document_text_decode(bytes, &source, &document->found, err);
    document->found.faults += faults;
    text_buf_deinit(&utf8);
    if (status == OK)
        status =
            document_html_read(text_buf_text(&source), &document->text, &document->lines, err);
    text_buf_deinit(&source);
    return status;
}

static enum status read_as(struct document *document, enum document_kind kind,
                           struct text bytes, struct error *err)
{
    switch (kind) {
    case DOCUMENT_TEXT:
        return document_text_decode(bytes, &document->text, &document->found, err);
    case DOCUMENT_HTML:
        return read_html(document, bytes, err);
    case DOCUMENT_PDF:
        document->is_paged = true;
        return document_pdf_read(bytes, &document->text, err);
    case DOCUMENT_DOCX:
        TRY(document_docx_read(bytes, &document->text, err));
        document->is_paged =
            text_find(text_buf_text(&document->text), TEXT("\f"), 0) != SIZE_MAX;
        return OK;
    }
    FAIL(err, ERR_FORMAT, "it is of kind %d, which is none", (int)kind);
}

enum status document_read(struct document *document, struct text bytes, struct text path,
                          struct error *err)
{
    enum document_kind kind;
    struct error why = {0};
    TRY(document_kind_of(bytes, path, &kind, err));
    const enum status status = read_as(document, kind, bytes, &why);
    if (status == OK)
        return OK;
    document_deinit(document);
    FAIL(err, status, "%.*s: %s",
         TEXT_ARG(text_slice(path, path.size < PATH_SHOWN_MAX ? 0 : path.size - PATH_SHOWN_MAX,
                             path.size)),
         why.text);
}

void document_deinit(struct document *document)
{
    text_buf_deinit(&document->text);
    text_buf_deinit(&document->lines);
}
