/*
 * documents_fuzz - libFuzzer target: any bytes as a document. The first byte says as what: as
 * whatever they are, a page, a Word document's XML, or a .gitignore file. What comes out must
 * be UTF-8 with line feeds, within its limit, with a line of the file for each of its own.
 * PDFs are left out: they go through another program.
 *
 *     documents_fuzz -max_len=4096 -timeout=10 CORPUS
 */
#include "protocol/minions/document.h"
#include "protocol/minions/document_docx_body.h"
#include "protocol/minions/document_html.h"
#include "protocol/minions/document_ignore.h"
#include "protocol/minions/document_kind.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool is_true)
{
    if (!is_true)
        abort();
}

static size_t count_lines(struct text text)
{
    size_t lines = text.size > 0;
    for (size_t i = 0; i < text.size; i++)
        lines += text.data[i] == '\n';
    return lines;
}

static void try_any(struct text bytes)
{
    struct document document = {.text = {.size_max = TEXT_MAX}};
    enum document_kind kind;
    struct error err = {0};
    if (document_kind_of(bytes, TEXT("x"), &kind, &err) != OK) {
        check(err.text[0] != '\0');
        return;
    }
    if (kind == DOCUMENT_PDF)
        return;
    if (document_read(&document, bytes, TEXT("x"), &err) == OK) {
        const struct text text = text_buf_text(&document.text);
        check(text.size <= TEXT_MAX && text_utf8_valid(text) == text.size);
        check(kind == DOCUMENT_DOCX || text_find(text, TEXT("\r"), 0) == SIZE_MAX);
        if (kind == DOCUMENT_HTML)
            check(document.lines.size == count_lines(text) * sizeof(uint32_t));
    } else {
        check(err.text[0] == 'x' && document.text.size == 0);
    }
    document_deinit(&document);
}

static void try_page(struct text bytes)
{
    struct text_buf out = {.size_max = TEXT_MAX}, lines = {0};
    if (document_html_read(bytes, &out, &lines, NULL) == OK)
        check(lines.size == count_lines(text_buf_text(&out)) * sizeof(uint32_t));
    const size_t last = count_lines(bytes);
    for (size_t i = 0; i < lines.size / sizeof(uint32_t); i++) {
        uint32_t line;
        memcpy(&line, lines.data + i * sizeof(line), sizeof(line));
        check(line >= 1 && line <= last + 1);
    }
    text_buf_deinit(&out);
    text_buf_deinit(&lines);
}

static void try_xml(struct text bytes)
{
    struct text_buf out = {.size_max = TEXT_MAX};
    const struct document_docx_body_parts parts = {bytes, bytes, bytes};
    const enum status status = document_docx_body_read(&parts, &out, NULL);
    check(status == OK || status == ERR_LIMIT);
    text_buf_deinit(&out);
}

/* The first line is a path, the rest are rules. */
static void try_rules(struct text bytes)
{
    struct arena arena;
    struct document_ignore ignore;
    bool is_ignored;
    const size_t end = text_find(bytes, TEXT("\n"), 0);
    if (end == SIZE_MAX || arena_init(&arena, 1 << 20, NULL) != OK)
        return;
    if (document_ignore_init(&ignore, &arena, NULL) == OK &&
        document_ignore_add(&ignore, text_slice(bytes, end, bytes.size), TEXT(""), NULL) == OK)
        check(document_ignore_test(&ignore, text_slice(bytes, 0, end), bytes.size % 2 == 0,
                                   &is_ignored, NULL) == OK);
    arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const struct text bytes = {(const char *)data + 1, size - 1};
    switch (data[0] % 4) {
    case 0:
        try_any(bytes);
        break;
    case 1:
        try_page(bytes);
        break;
    case 2:
        try_xml(bytes);
        break;
    default:
        try_rules(bytes);
        break;
    }
    return 0;
}
