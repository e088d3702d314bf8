/*
 * document_docx - see document_docx.h.
 *
 * The parts of the archive are taken by their names: word/document.xml (some writers say
 * document2.xml), footnotes.xml, endnotes.xml, header1.xml, footer1.xml and so on. Those but
 * the first may be missing.
 */
#include "protocol/minions/document_docx.h"

#include "base/checked.h"
#include "protocol/minions/document_docx_body.h"
#include "protocol/minions/document_text.h"
#include "protocol/minions/fold.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <zip.h>

enum { BLOCK_BYTES = 1 << 16, NAME_BYTES_MAX = 40, MARGINS_MAX = 32 };

/* The archive, while its parts are taken out. */
struct package {
    zip_t *archive;
    size_t left; /* bytes that may still come out */
    size_t most; /* that could at first */
};

/* ---- the archive ---- */

static enum status read_entry(struct package *package, zip_file_t *file, const char *name,
                              struct text_buf *bytes, struct error *err)
{
    char block[BLOCK_BYTES];
    for (;;) {
        const zip_int64_t got = zip_fread(file, block, sizeof(block));
        if (got < 0)
            FAIL(err, ERR_FORMAT, "its %s is damaged or encrypted", name);
        if (got == 0)
            return OK;
        if ((size_t)got > package->left)
            FAIL(err, ERR_LIMIT,
                 "its %s unpacks to more than the %zu bytes that may come out of it", name,
                 package->most);
        package->left -= (size_t)got;
        text_buf_add(bytes, (struct text){block, (size_t)got});
        if (bytes->failed)
            FAIL(err, ERR_MEMORY, "no memory for its %s", name);
    }
}

/* The part of that name as UTF-8; *is_there is false, and xml empty, when there is none. */
static enum status read_part(struct package *package, const char *name, struct text_buf *xml,
                             bool *is_there, struct error *err)
{
    struct text_buf bytes = {0};
    struct document_text_found found;
    const zip_int64_t index = zip_name_locate(package->archive, name, 0);
    *is_there = index >= 0;
    text_buf_clear(xml);
    if (!*is_there)
        return OK;
    zip_file_t *file = zip_fopen_index(package->archive, (zip_uint64_t)index, 0);
    if (!file)
        FAIL(err, ERR_FORMAT, "its %s is damaged or encrypted", name);
    enum status status = read_entry(package, file, name, &bytes, err);
    (void)zip_fclose(file);
    if (status == OK)
        status = document_text_decode(text_buf_text(&bytes), xml, &found, err);
    text_buf_deinit(&bytes);
    return status;
}

/* ---- its parts ---- */

static enum status read_main(struct package *package, struct text_buf *xml, struct error *err)
{
    static const char *const names[] = {"word/document.xml", "word/document2.xml",
                                        "word/document1.xml"};
    bool is_there = false;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !is_there; i++)
        TRY(read_part(package, names[i], xml, &is_there, err));
    if (!is_there)
        FAIL(err, ERR_FORMAT,
             "it is a zip archive and no Word document (it has no word/document.xml)");
    return OK;
}

static bool has_letter(struct text text)
{
    for (size_t i = 0; i < text.size; i++)
        if ((unsigned char)text.data[i] >= 'A')
            return true;
    return false;
}

/* Adds a header's or footer's text, on one line, when it has words and they are not there. */
static enum status add_margin(struct text xml, struct text_buf *lines, struct error *err)
{
    const struct document_docx_body_parts parts = {.document = xml};
    struct text_buf text = {.size_max = lines->size_max}, line = {0};
    const enum status status = document_docx_body_read(&parts, &text, err);
    fold_add(&line, text_buf_text(&text));
    text_buf_byte(&line, '\n');
    if (status == OK && has_letter(text_buf_text(&line)) &&
        text_find(text_buf_text(lines), text_buf_text(&line), 0) == SIZE_MAX) {
        text_buf_add(lines, text_buf_text(&line));
        text_buf_byte(lines, '\n');
    }
    text_buf_deinit(&text);
    text_buf_deinit(&line);
    return status;
}

/* The headers, or the footers: a document may have some for first, odd and even pages of each
 * section, most of them the same. */
static enum status read_margins(struct package *package, const char *kind, struct text_buf *xml,
                                struct text_buf *lines, struct error *err)
{
    for (int i = 0; i <= MARGINS_MAX; i++) {
        char name[NAME_BYTES_MAX];
        bool is_there;
        if (i == 0)
            (void)snprintf(name, sizeof(name), "word/%s.xml", kind);
        else
            (void)snprintf(name, sizeof(name), "word/%s%d.xml", kind, i);
        TRY(read_part(package, name, xml, &is_there, err));
        if (is_there)
            TRY(add_margin(text_buf_text(xml), lines, err));
    }
    return OK;
}

/* xml[0]: the document; 1: footnotes; 2: endnotes; 3: one header or footer. */
static enum status read_parts(struct package *package, struct text_buf xml[4],
                              struct text_buf *out, struct error *err)
{
    struct text_buf foot = {.size_max = out->size_max};
    bool is_there;
    TRY(read_main(package, &xml[0], err));
    TRY(read_part(package, "word/footnotes.xml", &xml[1], &is_there, err));
    TRY(read_part(package, "word/endnotes.xml", &xml[2], &is_there, err));
    TRY(read_margins(package, "header", &xml[3], out, err));
    const struct document_docx_body_parts parts = {
        text_buf_text(&xml[0]), text_buf_text(&xml[1]), text_buf_text(&xml[2])};
    TRY(document_docx_body_read(&parts, out, err));
    const enum status status = read_margins(package, "footer", &xml[3], &foot, err);
    text_buf_add(out, text_buf_text(&foot));
    text_buf_deinit(&foot);
    return status;
}

static enum status read_package(struct package *package, struct text_buf *out,
                                struct error *err)
{
    struct text_buf xml[4] = {{0}};
    const zip_int64_t entries = zip_get_num_entries(package->archive, 0);
    if (entries > DOCUMENT_DOCX_ENTRIES_MAX)
        FAIL(err, ERR_LIMIT, "it is an archive of %lld files, at most %d are taken",
             (long long)entries, DOCUMENT_DOCX_ENTRIES_MAX);
    for (size_t i = 0; i < 4; i++)
        xml[i].size_max = out->size_max;
    const enum status status = read_parts(package, xml, out, err);
    for (size_t i = 0; i < 4; i++)
        text_buf_deinit(&xml[i]);
    return status;
}

static size_t unpacked_max(size_t packed, size_t size_max)
{
    size_t most;
    if (!checked_mul_size(packed, DOCUMENT_DOCX_RATIO, &most) ||
        !checked_add_size(most, DOCUMENT_DOCX_FREE_BYTES, &most))
        return size_max;
    return most < size_max ? most : size_max;
}

enum status document_docx_read(struct text bytes, struct text_buf *out, struct error *err)
{
    zip_error_t why;
    zip_error_init(&why);
    zip_source_t *source = zip_source_buffer_create(bytes.data, bytes.size, 0, &why);
    zip_t *archive = source ? zip_open_from_source(source, ZIP_RDONLY, &why) : NULL;
    zip_error_fini(&why);
    if (!archive) {
        zip_source_free(source);
        FAIL(err, ERR_FORMAT, "it is a damaged zip archive");
    }
    const size_t most = unpacked_max(bytes.size, out->size_max > 0 ? out->size_max : SIZE_MAX);
    struct package package = {.archive = archive, .left = most, .most = most};
    const enum status status = read_package(&package, out, err);
    zip_discard(archive);
    return status;
}
