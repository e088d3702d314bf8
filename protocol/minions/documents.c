/* documents - see documents.h. */
#include "protocol/minions/documents.h"

#include "protocol/minions/document.h"
#include "protocol/minions/document_file.h"
#include "protocol/minions/document_walk.h"
#include "protocol/minions/fold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HEADING_SHOWN_MAX = 60, NOTES_MAX = 12 };

/* While documents are opened. */
struct opening {
    struct documents *documents;
    struct document_walk walk;
    uint32_t binary; /* files in folders that are of no kind that can be read */
    uint32_t unread; /* and those that failed for another reason */
    uint32_t notes;  /* lines that were asked for; the first NOTES_MAX are kept */
};

/* ---- notes ---- */

static void note(struct opening *opening, const char *line)
{
    if (opening->notes++ < NOTES_MAX)
        text_buf_format(&opening->documents->notes, "%s\n", line);
}

static void note_encoding(struct opening *opening, const struct document *document,
                          struct text name)
{
    char line[256];
    const struct document_text_found *found = &document->found;
    if (found->encoding == DOCUMENT_WINDOWS_1252)
        (void)snprintf(line, sizeof(line), "%.*s: byte %zu is not UTF-8; read as Windows-1252",
                       (int)text_slice(name, 0, 160).size, name.data, found->fault_offset);
    else if (found->faults > 0)
        (void)snprintf(line, sizeof(line), "%.*s: %zu malformed character%s, shown as U+FFFD",
                       (int)text_slice(name, 0, 160).size, name.data, found->faults,
                       found->faults == 1 ? "" : "s");
    else
        return;
    note(opening, line);
}

/* what: with a plural s where count wants one. */
static void add_count(struct text_buf *buf, uint32_t count, const char *what, bool has_plural)
{
    if (count > 0)
        text_buf_format(buf, "%s%u %s%s", buf->size > 0 ? ", " : "", count, what,
                        has_plural && count != 1 ? "s" : "");
}

/* What was left out of the folders, in one line. */
static void note_left_out(struct opening *opening)
{
    struct text_buf list = {0};
    struct text_buf *notes = &opening->documents->notes;
    if (opening->notes > NOTES_MAX)
        text_buf_format(notes, "and %u more\n", opening->notes - NOTES_MAX);
    add_count(&list, opening->walk.hidden, "hidden", false);
    add_count(&list, opening->walk.ignored, "named in .gitignore", false);
    add_count(&list, opening->binary, "of a kind that is not read", false);
    add_count(&list, opening->unread, "that could not be read", false);
    add_count(&list, opening->walk.links, "symbolic link", true);
    add_count(&list, opening->walk.specials, "pipe, socket or device", false);
    if (list.size > 0)
        text_buf_format(notes, "%u file%s read; passed over: %.*s\n", opening->documents->count,
                        opening->documents->count == 1 ? "" : "s",
                        TEXT_ARG(text_buf_text(&list)));
    text_buf_deinit(&list);
}

/* ---- reading ---- */

static void free_text(struct text text)
{
    union {
        const char *borrowed;
        void *owned;
    } memory = {.borrowed = text.data};
    free(memory.owned);
}

/* A path as people are shown it: UTF-8, one line. {NULL, 0}: no memory. */
static struct text copy_path(struct text path)
{
    char *copy = malloc(path.size + 1);
    if (!copy)
        return (struct text){0};
    for (size_t at = 0; at < path.size;) {
        const size_t before = at;
        const uint32_t code_point = text_utf8_next(path, &at);
        const bool is_shown = code_point >= ' ' && code_point != 0x7f &&
                              !(code_point >= 0x80 && code_point < 0xa0) &&
                              code_point != UINT32_MAX;
        for (size_t i = before; i < at; i++)
            copy[i] = is_shown ? path.data[i] : '?';
    }
    copy[path.size] = '\0';
    return (struct text){copy, path.size};
}

static bool has_records(struct text path)
{
    static const char *const endings[] = {".csv", ".tsv", ".jsonl", ".ndjson"};
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        const size_t size = strlen(endings[i]);
        if (path.size > size &&
            strncasecmp(path.data + path.size - size, endings[i], size) == 0)
            return true;
    }
    return false;
}

/* name_size: of the path's end that is its name. */
static enum status keep(struct documents *documents, struct document *document,
                        struct text from, size_t name_size, struct error *err)
{
    const struct text path = copy_path(from);
    if (!path.data)
        FAIL(err, ERR_MEMORY, "%.*s: no memory", TEXT_ARG(text_slice(from, 0, 150)));
    const uint32_t at = documents->count++;
    documents->texts[at] = text_buf_text(&document->text); /* takes the buffers' memory */
    documents->paths[at] = path;
    documents->names[at] = text_slice(path, path.size - name_size, path.size);
    documents->layouts[at] =
        (struct documents_layout){.lines = (uint32_t *)(void *)document->lines.data,
                                  .line_count = document->lines.size / sizeof(uint32_t),
                                  .has_records = has_records(path),
                                  .is_paged = document->is_paged};
    documents->bytes += document->text.size;
    return OK;
}

/* Reads one file as the next document. */
static enum status read_file(struct opening *opening, const struct document_walk_file *file,
                             struct error *err)
{
    struct documents *documents = opening->documents;
    struct text_buf bytes = {0};
    const size_t left = DOCUMENTS_BYTES_MAX - documents->bytes;
    struct document document = {.text = {.size_max = left}};
    const struct document_file source = {.path = file->path, .is_found = file->is_found};
    const bool is_input = strcmp(file->path, "-") == 0;
    if (left == 0)
        FAIL(err, ERR_LIMIT, "%.150s: the documents together are larger than %zu bytes",
             file->path, DOCUMENTS_BYTES_MAX);
    enum status status = document_file_read(&source, left, &bytes, err);
    if (status == OK)
        status = document_read(&document, text_buf_text(&bytes),
                               is_input ? TEXT("standard input") : text_of(file->path), err);
    text_buf_deinit(&bytes);
    if (status == OK) {
        note_encoding(opening, &document, file->name);
        status = keep(documents, &document, text_of(file->path), file->name.size, err);
    }
    if (status != OK)
        document_deinit(&document);
    return status;
}

/* Reads a file, or passes it over when it was come upon in a folder and is no document. */
static enum status add_file(struct opening *opening, const struct document_walk_file *file,
                            struct error *err)
{
    struct error why = {0};
    if (opening->documents->count >= DOCUMENTS_MAX)
        FAIL(err, ERR_LIMIT, "%.150s: it is one document too many, at most %d are read",
             file->path, DOCUMENTS_MAX);
    const enum status status = read_file(opening, file, &why);
    if (status == OK)
        return OK;
    if (!file->is_found || (status != ERR_FORMAT && status != ERR_IO)) {
        if (err)
            *err = why;
        return status;
    }
    const char *dot = strrchr(file->path, '.');
    const bool is_expected = dot && (strcasecmp(dot, ".pdf") == 0 ||
                                     strcasecmp(dot, ".docx") == 0 || status == ERR_IO);
    opening->binary += !is_expected;
    opening->unread += is_expected;
    if (is_expected)
        note(opening, why.text);
    return OK;
}

static enum status allocate(struct documents *documents, uint32_t count, struct error *err)
{
    documents->texts = calloc(count, sizeof(*documents->texts));
    documents->paths = calloc(count, sizeof(*documents->paths));
    documents->names = calloc(count, sizeof(*documents->names));
    documents->layouts = calloc(count, sizeof(*documents->layouts));
    if (!documents->texts || !documents->paths || !documents->names || !documents->layouts)
        FAIL(err, ERR_MEMORY, "documents: no memory");
    return OK;
}

/* ---- names ---- */

static int compare_names(const void *left, const void *right, void *context)
{
    const struct documents *documents = context;
    const uint32_t *a = left, *b = right;
    const int order = text_compare(documents->names[*a], documents->names[*b]);
    return order != 0 ? order : (*a > *b) - (*a < *b);
}

/* Calls by their whole paths those that would be called the same. */
static enum status part_names(struct documents *documents, struct error *err)
{
    uint32_t *order = calloc(documents->count + 1, sizeof(*order));
    bool *is_shared = calloc(documents->count + 1, sizeof(*is_shared));
    if (!order || !is_shared) {
        free(order);
        free(is_shared);
        FAIL(err, ERR_MEMORY, "documents: no memory");
    }
    for (uint32_t i = 0; i < documents->count; i++)
        order[i] = i;
    qsort_r(order, documents->count, sizeof(*order), compare_names, documents);
    for (uint32_t i = 1; i < documents->count; i++)
        if (text_equal(documents->names[order[i - 1]], documents->names[order[i]]))
            is_shared[order[i - 1]] = is_shared[order[i]] = true;
    for (uint32_t i = 0; i < documents->count; i++)
        if (is_shared[i])
            documents->names[i] = documents->paths[i];
    free(order);
    free(is_shared);
    return OK;
}

/* ---- all of them ---- */

/* An empty file among others is no harm; nothing but empty ones is a mistake. */
static enum status check_text(const struct documents *documents, const char *first,
                              struct error *err)
{
    for (uint32_t i = 0; i < documents->count; i++) {
        if (text_trim(documents->texts[i]).size > 0)
            return OK;
    }
    if (documents->count == 0)
        FAIL(err, ERR_FORMAT, "%.120s: no file in it can be read; %.100s", first,
             documents->notes.size > 0 ? documents->notes.data : "it is empty");
    FAIL(err, ERR_FORMAT, "%.200s: %zu bytes and no text among them",
         strcmp(first, "-") == 0 ? "standard input" : first, documents->bytes);
}

static enum status open_all(struct opening *opening, const char *const *paths, uint32_t count,
                            struct error *err)
{
    TRY(document_walk_init(&opening->walk, err));
    for (uint32_t i = 0; i < count; i++)
        TRY(document_walk_add(&opening->walk, paths[i], err));
    const uint32_t most =
        opening->walk.count < DOCUMENTS_MAX ? opening->walk.count : DOCUMENTS_MAX;
    TRY(allocate(opening->documents, most > 0 ? most : 1, err));
    for (uint32_t i = 0; i < opening->walk.count; i++)
        TRY(add_file(opening, &opening->walk.files[i], err));
    note_left_out(opening);
    TRY(part_names(opening->documents, err));
    return check_text(opening->documents, paths[0], err);
}

enum status documents_open(struct documents *documents, const char *const *paths,
                           uint32_t count, struct error *err)
{
    *documents = (struct documents){0};
    if (count == 0 || count > DOCUMENTS_MAX)
        FAIL(err, ERR_LIMIT, "documents: %u files given, 1 to %d can be read", count,
             DOCUMENTS_MAX);
    struct opening opening = {.documents = documents};
    const enum status status = open_all(&opening, paths, count, err);
    document_walk_deinit(&opening.walk);
    if (status != OK)
        documents_close(documents);
    return status;
}

static enum status read_given(struct documents *documents, const struct documents_file *file,
                              struct error *err)
{
    const size_t left = DOCUMENTS_BYTES_MAX - documents->bytes;
    struct opening opening = {.documents = documents};
    struct document document = {.text = {.size_max = left}};
    const struct text shown = text_slice(file->name, 0, 150);
    if (file->name.size == 0)
        FAIL(err, ERR_FORMAT, "documents: one has no name");
    if (left == 0 || file->bytes.size > left)
        FAIL(err, ERR_LIMIT, "%.*s: the documents together are larger than %zu bytes",
             TEXT_ARG(shown), DOCUMENTS_BYTES_MAX);
    enum status status = document_read(&document, file->bytes, file->name, err);
    if (status == OK) {
        note_encoding(&opening, &document, file->name);
        status = keep(documents, &document, file->name, file->name.size, err);
    }
    if (status != OK)
        document_deinit(&document);
    return status;
}

enum status documents_of(struct documents *documents, const struct documents_file *files,
                         uint32_t count, struct error *err)
{
    *documents = (struct documents){0};
    if (count == 0 || count > DOCUMENTS_MAX)
        FAIL(err, ERR_LIMIT, "documents: %u given, 1 to %d can be read", count, DOCUMENTS_MAX);
    enum status status = allocate(documents, count, err);
    for (uint32_t i = 0; status == OK && i < count; i++)
        status = read_given(documents, &files[i], err);
    if (status == OK)
        status = part_names(documents, err);
    if (status == OK)
        status = check_text(documents, "documents", err);
    if (status != OK)
        documents_close(documents);
    return status;
}

void documents_close(struct documents *documents)
{
    for (uint32_t i = 0; i < documents->count; i++) {
        free_text(documents->texts[i]);
        free_text(documents->paths[i]);
        free(documents->layouts[i].lines);
    }
    free(documents->texts);
    free(documents->paths);
    free(documents->names);
    free(documents->layouts);
    text_buf_deinit(&documents->notes);
    *documents = (struct documents){0};
}

/* ---- places ---- */

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

static size_t count_before(struct text text, size_t offset, char wanted)
{
    size_t count = 0;
    for (size_t i = 0; i < offset && i < text.size; i++)
        count += text.data[i] == wanted;
    return count;
}

/* Cut to at most size bytes, at a whole character. */
static struct text cut(struct text text, size_t size)
{
    struct text shown = text_slice(text, 0, size);
    shown.size = text_utf8_valid(shown);
    return shown;
}

/* The end of a long name says more than its beginning. */
static struct text cut_name(struct text name, size_t size)
{
    size_t begin = name.size > size ? name.size - size : 0;
    while (begin < name.size && ((unsigned char)name.data[begin] & 0xc0) == 0x80)
        begin++;
    return text_slice(name, begin, name.size);
}

void documents_place(const struct documents *documents, uint32_t index, size_t offset,
                     char place[DOCUMENTS_PLACE_MAX])
{
    const struct text text = documents->texts[index];
    const struct text name = text_equal(documents->names[index], TEXT("-"))
                                 ? TEXT("standard input")
                                 : documents->names[index];
    const struct documents_layout plain = {0};
    const struct documents_layout *layout =
        documents->layouts ? &documents->layouts[index] : &plain;
    const size_t page = count_before(text, offset, '\f') + 1;
    size_t line = count_before(text, offset, '\n') + 1;
    char page_shown[32] = "";
    struct text heading = {0};
    if (layout->is_paged) {
        snprintf(place, DOCUMENTS_PLACE_MAX, "%.*s p. %zu", TEXT_ARG(cut_name(name, 160)),
                 page);
        return;
    }
    if (layout->lines && line <= layout->line_count)
        line = layout->lines[line - 1];
    else if (text_find(text, TEXT("\f"), 0) != SIZE_MAX)
        snprintf(page_shown, sizeof(page_shown), " p. %zu", page);
    if (layout->lines || text_ends(name, TEXT(".md")) || text_ends(name, TEXT(".markdown")))
        heading = heading_above(text, offset);
    const struct text shown = cut(heading, HEADING_SHOWN_MAX);
    snprintf(place, DOCUMENTS_PLACE_MAX, "%.*s%s line %zu%s%.*s%s",
             TEXT_ARG(cut_name(name, heading.size > 0 ? 90 : 130)), page_shown, line,
             shown.size > 0 ? " (\"" : "", TEXT_ARG(shown), shown.size > 0 ? "\")" : "");
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
