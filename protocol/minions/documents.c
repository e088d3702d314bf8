/* documents - see documents.h. */
#include "protocol/minions/documents.h"

#include "base/checked.h"
#include "base/file_map.h"
#include "protocol/minions/fold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEADING_SHOWN_MAX = 60,
    NUL_SHARE = 100 /* one in so many may be NUL: text taken out of a PDF has some */
};

static struct text name_of(struct text path)
{
    size_t begin = path.size;
    while (begin > 0 && path.data[begin - 1] != '/')
        begin--;
    return begin < path.size ? text_slice(path, begin, path.size) : path;
}

static enum status check_text(struct text text, const char *path, struct error *err)
{
    const size_t valid = text_utf8_valid(text);
    if (valid < text.size)
        FAIL(err, ERR_FORMAT,
             "%s: byte %zu is not UTF-8; text and Markdown in UTF-8 can be read", path, valid);
    size_t nuls = 0;
    for (size_t i = 0; i < text.size; i++)
        nuls += text.data[i] == '\0';
    if (nuls > text.size / NUL_SHARE)
        FAIL(err, ERR_FORMAT, "%s: %zu of %zu bytes are NUL; this is not a text file", path,
             nuls, text.size);
    return OK;
}

/* Reads one file into documents at index count. */
static enum status add(struct documents *documents, const char *path, struct error *err)
{
    struct text_buf buf = {0};
    enum status status = file_map_read(&buf, path, DOCUMENTS_BYTES_MAX, err);
    if (status == OK)
        status = check_text(text_buf_text(&buf), path, err);
    size_t bytes = documents->bytes;
    if (status == OK &&
        (!checked_add_size(bytes, buf.size, &bytes) || bytes > DOCUMENTS_BYTES_MAX))
        status = error_set(err, ERR_LIMIT, __FILE__, __LINE__,
                           "%s: the documents together are larger than %zu bytes", path,
                           DOCUMENTS_BYTES_MAX);
    char *kept = status == OK ? strdup(path) : NULL;
    if (status == OK && !kept)
        status = error_set(err, ERR_MEMORY, __FILE__, __LINE__, "%s: no memory", path);
    if (status != OK) {
        text_buf_deinit(&buf);
        return status;
    }
    const uint32_t at = documents->count++;
    documents->texts[at] = text_buf_text(&buf); /* takes the buffer's memory */
    documents->paths[at] = text_of(kept);
    documents->names[at] = name_of(documents->paths[at]);
    documents->bytes = bytes;
    return OK;
}

/* An empty file among others is no harm; nothing but empty ones is a mistake. */
static bool has_text(const struct documents *documents)
{
    for (uint32_t i = 0; i < documents->count; i++) {
        if (text_trim(documents->texts[i]).size > 0)
            return true;
    }
    return false;
}

enum status documents_open(struct documents *documents, const char *const *paths,
                           uint32_t count, struct error *err)
{
    *documents = (struct documents){0};
    if (count == 0 || count > DOCUMENTS_MAX)
        FAIL(err, ERR_LIMIT, "documents: %u files given, 1 to %d can be read", count,
             DOCUMENTS_MAX);
    struct text *texts = calloc((size_t)count * 3, sizeof(*texts));
    if (!texts)
        FAIL(err, ERR_MEMORY, "documents: no memory");
    documents->texts = texts;
    documents->paths = texts + count;
    documents->names = texts + (size_t)2 * count;
    for (uint32_t i = 0; i < count; i++) {
        const enum status status = add(documents, paths[i], err);
        if (status != OK) {
            documents_close(documents);
            return status;
        }
    }
    if (has_text(documents))
        return OK;
    const size_t bytes = documents->bytes;
    documents_close(documents);
    FAIL(err, ERR_FORMAT, "%s: %zu bytes and no text among them", paths[0], bytes);
}

static void free_text(struct text text)
{
    union {
        const char *borrowed;
        void *owned;
    } memory = {.borrowed = text.data};
    free(memory.owned);
}

void documents_close(struct documents *documents)
{
    for (uint32_t i = 0; i < documents->count; i++) {
        free_text(documents->texts[i]);
        free_text(documents->paths[i]);
    }
    free(documents->texts);
    *documents = (struct documents){0};
}

/* The heading above offset in a Markdown text, without its marks; empty when there is none. */
static struct text heading_above(struct text text, size_t offset)
{
    struct text heading = {0};
    bool fenced = false;
    for (size_t at = 0; at < text.size && at <= offset;) {
        size_t end = text_find(text, TEXT("\n"), at);
        if (end == SIZE_MAX)
            end = text.size;
        const struct text line = text_slice(text, at, end);
        if (text_starts(line, TEXT("```")) || text_starts(line, TEXT("~~~")))
            fenced = !fenced;
        size_t marks = 0;
        while (marks < line.size && line.data[marks] == '#')
            marks++;
        if (!fenced && marks >= 1 && marks <= 6 && marks < line.size && line.data[marks] == ' ')
            heading = text_trim(text_slice(line, marks, line.size));
        at = end + 1;
    }
    return heading;
}

void documents_place(const struct documents *documents, uint32_t index, size_t offset,
                     char place[DOCUMENTS_PLACE_MAX])
{
    const struct text text = documents->texts[index], name = documents->names[index];
    size_t line = 1;
    for (size_t i = 0; i < offset && i < text.size; i++)
        line += text.data[i] == '\n';
    struct text heading = {0};
    if (text_ends(name, TEXT(".md")) || text_ends(name, TEXT(".markdown")))
        heading = heading_above(text, offset);
    if (heading.size == 0) {
        snprintf(place, DOCUMENTS_PLACE_MAX, "%.160s line %zu", name.data, line);
        return;
    }
    struct text shown = text_slice(heading, 0, HEADING_SHOWN_MAX);
    shown.size = text_utf8_valid(shown); /* cut at a whole character */
    snprintf(place, DOCUMENTS_PLACE_MAX, "%.100s line %zu (\"%.*s\")", name.data, line,
             TEXT_ARG(shown));
}

bool documents_find(const struct documents *documents, struct text passage, uint32_t *index,
                    size_t *offset, size_t *size)
{
    for (uint32_t i = 0; i < documents->count; i++) {
        if (fold_find(documents->texts[i], passage, offset, size)) {
            *index = i;
            return true;
        }
    }
    return false;
}
