/*
 * document_docx - see document_docx.h.
 *
 * WordprocessingML (ECMA-376, part 1, 17.3): w:p paragraphs of w:r runs, whose w:t is text,
 * w:tab a tab, w:br a line or page break; w:tbl of w:tr of w:tc. Names are compared without
 * their prefix. One pass over the tags without a stack; a declaration's entities are never
 * expanded.
 */
#include "protocol/minions/document_docx.h"

#include "base/checked.h"
#include "protocol/minions/document_entity.h"
#include "protocol/minions/document_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

enum { BLOCK_BYTES = 1 << 16, HEADING_LEVEL_MAX = 6 };

/* ---- the archive ---- */

static enum status read_entry(zip_file_t *file, size_t size_max, struct text_buf *xml,
                              struct error *err)
{
    char block[BLOCK_BYTES];
    for (;;) {
        const zip_int64_t got = zip_fread(file, block, sizeof(block));
        if (got < 0)
            FAIL(err, ERR_FORMAT, "its word/document.xml is damaged or encrypted");
        if (got == 0)
            return OK;
        if ((size_t)got > size_max - xml->size)
            FAIL(
                err, ERR_LIMIT,
                "its word/document.xml unpacks to more than the %zu bytes that may come out of "
                "it",
                size_max);
        text_buf_add(xml, (struct text){block, (size_t)got});
        if (xml->failed)
            FAIL(err, ERR_MEMORY, "no memory for its word/document.xml");
    }
}

static enum status read_archive(zip_t *archive, size_t size_max, struct text_buf *xml,
                                struct error *err)
{
    const zip_int64_t entries = zip_get_num_entries(archive, 0);
    if (entries > DOCUMENT_DOCX_ENTRIES_MAX)
        FAIL(err, ERR_LIMIT, "it is an archive of %lld files, at most %d are taken",
             (long long)entries, DOCUMENT_DOCX_ENTRIES_MAX);
    const zip_int64_t index = zip_name_locate(archive, "word/document.xml", 0);
    if (index < 0)
        FAIL(err, ERR_FORMAT,
             "it is a zip archive and no Word document (it has no word/document.xml)");
    zip_file_t *file = zip_fopen_index(archive, (zip_uint64_t)index, 0);
    if (!file)
        FAIL(err, ERR_FORMAT, "its word/document.xml is damaged or encrypted");
    const enum status status = read_entry(file, size_max, xml, err);
    (void)zip_fclose(file);
    return status;
}

static enum status unpack(struct text bytes, size_t size_max, struct text_buf *xml,
                          struct error *err)
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
    const enum status status = read_archive(archive, size_max, xml, err);
    zip_discard(archive);
    return status;
}

/* ---- the text ---- */

struct body {
    struct text xml;
    struct text_buf *out;
    uint32_t cells;     /* w:tc that are open */
    bool is_run;        /* a w:r is: elsewhere w:tab is a setting */
    bool is_text;       /* a w:t is */
    bool has_text;      /* something was written since the last form feed */
    bool has_paragraph; /* and in this paragraph */
};

struct tag {
    struct text name;       /* without its prefix */
    struct text attributes; /* up to the '>' or '/>' */
    bool is_end, is_empty;
    size_t end;
};

static void put(struct body *body, struct text text)
{
    text_buf_add(body->out, text);
    body->has_text |= text.size > 0;
    body->has_paragraph |= text.size > 0;
}

static void put_text(struct body *body, struct text text)
{
    for (size_t at = 0; at < text.size;) {
        uint32_t code_point = 0;
        char bytes[4];
        size_t end = text_find(text, TEXT("&"), at);
        if (end == SIZE_MAX)
            end = text.size;
        put(body, text_slice(text, at, end));
        at = end;
        if (at >= text.size)
            break;
        if (document_entity_read(text, &at, &code_point))
            put(body, (struct text){bytes, text_utf8_put(code_point, bytes)});
        else
            put(body, text_slice(text, at++, end + 1));
    }
}

/* A page that Word saw end and that the author ended as well ends once. */
static void end_page(struct body *body, bool is_asked)
{
    if (!body->has_text && !is_asked)
        return;
    text_buf_byte(body->out, '\f');
    body->has_text = false;
}

static void end_paragraph(struct body *body)
{
    if (body->cells > 0)
        text_buf_byte(body->out, ' '); /* a row stays on its line */
    else
        text_buf_add(body->out, body->has_paragraph ? TEXT("\n\n") : TEXT("\n"));
    body->has_paragraph = false;
}

/* The value of an attribute, by its name without a prefix; empty when there is none. */
static struct text attribute(struct text attributes, struct text name)
{
    for (size_t at = 0; (at = text_find(attributes, name, at)) != SIZE_MAX; at++) {
        const size_t equals = at + name.size;
        const bool is_begin =
            at > 0 && (attributes.data[at - 1] == ':' || attributes.data[at - 1] == ' ');
        if (!is_begin || equals + 1 >= attributes.size || attributes.data[equals] != '=')
            continue;
        const char quote = attributes.data[equals + 1];
        if (quote != '"' && quote != '\'')
            continue;
        const size_t end = text_find(attributes, (struct text){&quote, 1}, equals + 2);
        if (end != SIZE_MAX)
            return text_slice(attributes, equals + 2, end);
    }
    return (struct text){0};
}

/* The Markdown marks of a heading's style; none for other styles. */
static void put_heading(struct body *body, struct text style)
{
    static const char marks[] = "###### ";
    uint32_t level = text_equal(style, TEXT("Title")) ? 1 : 0;
    if (style.size == 8 && (style.data[0] == 'H' || style.data[0] == 'h') &&
        text_equal(text_slice(style, 1, 7), TEXT("eading")) && style.data[7] >= '1' &&
        style.data[7] <= '9')
        level = (uint32_t)(style.data[7] - '0');
    if (level > HEADING_LEVEL_MAX)
        level = HEADING_LEVEL_MAX;
    if (level > 0 && body->cells == 0)
        text_buf_add(body->out, text_of(marks + HEADING_LEVEL_MAX - level));
}

static bool is_named(const struct tag *tag, const char *name)
{
    return text_equal(tag->name, text_of(name));
}

/* Tags inside a run. */
static void apply_run(struct body *body, const struct tag *tag)
{
    if (is_named(tag, "t"))
        body->is_text = !tag->is_end && !tag->is_empty;
    else if (tag->is_end)
        return;
    else if (is_named(tag, "tab"))
        put(body, TEXT("\t"));
    else if (is_named(tag, "noBreakHyphen"))
        put(body, TEXT("-"));
    else if (is_named(tag, "lastRenderedPageBreak"))
        end_page(body, false);
    else if (is_named(tag, "br") &&
             text_equal(attribute(tag->attributes, TEXT("type")), TEXT("page")))
        end_page(body, true);
    else if (is_named(tag, "br") || is_named(tag, "cr"))
        put(body, TEXT("\n"));
}

static void apply(struct body *body, const struct tag *tag)
{
    if (is_named(tag, "r")) {
        body->is_run = !tag->is_end && !tag->is_empty;
    } else if (is_named(tag, "p")) {
        body->is_run = body->is_text = false;
        if (tag->is_end || tag->is_empty)
            end_paragraph(body);
    } else if (is_named(tag, "tc") && !tag->is_empty) {
        if (!tag->is_end)
            body->cells++;
        else if (body->cells > 0)
            body->cells--;
        if (tag->is_end)
            text_buf_byte(body->out, '\t');
    } else if (is_named(tag, "tr") && tag->is_end) {
        text_buf_byte(body->out, body->cells > 0 ? ' ' : '\n');
    } else if (is_named(tag, "tbl") && tag->is_end && body->cells == 0) {
        text_buf_byte(body->out, '\n');
    } else if (is_named(tag, "pStyle") && !tag->is_end) {
        put_heading(body, attribute(tag->attributes, TEXT("val")));
    } else if (is_named(tag, "pageBreakBefore") && !tag->is_end) {
        end_page(body, false);
    } else if (body->is_run) {
        apply_run(body, tag);
    }
}

/* Reads the tag at xml[at], which is a '<'. Attribute values hold no '<' in XML and may hold
 * '>', which Word does not write. */
static struct tag read_tag(struct text xml, size_t at)
{
    struct tag tag = {.is_end = at + 1 < xml.size && xml.data[at + 1] == '/'};
    size_t end = text_find(xml, TEXT(">"), at);
    if (end == SIZE_MAX)
        end = xml.size;
    struct text inside = text_slice(xml, at + 1 + tag.is_end, end);
    tag.end = end + 1;
    if (inside.size > 0 && inside.data[inside.size - 1] == '/') {
        tag.is_empty = true;
        inside.size--;
    }
    size_t name = 0, prefix = 0;
    for (; name < inside.size && inside.data[name] > ' '; name++)
        if (inside.data[name] == ':')
            prefix = name + 1;
    tag.name = text_slice(inside, prefix, name);
    tag.attributes = text_slice(inside, name, inside.size);
    return tag;
}

/* Behind a comment, declaration, instruction or piece of CDATA at xml[at]; at itself when there
 * is none. */
static size_t skip_special(struct body *body, size_t at)
{
    const struct text rest = text_slice(body->xml, at, body->xml.size);
    const bool is_comment = text_starts(rest, TEXT("<!--"));
    const bool is_data = text_starts(rest, TEXT("<![CDATA["));
    if (!is_comment && !is_data)
        return at;
    const size_t end =
        text_find(body->xml, is_comment ? TEXT("-->") : TEXT("]]>"), at + (is_comment ? 4 : 9));
    if (is_data && body->is_text)
        put(body, text_slice(body->xml, at + 9, end));
    return end == SIZE_MAX ? body->xml.size : end + 3;
}

enum status document_docx_read_xml(struct text xml, struct text_buf *out, struct error *err)
{
    struct body body = {.xml = xml, .out = out};
    for (size_t at = 0; at < xml.size && !out->failed;) {
        size_t next = text_find(xml, TEXT("<"), at);
        if (next == SIZE_MAX)
            next = xml.size;
        if (body.is_text)
            put_text(&body, text_slice(xml, at, next));
        at = next;
        if (at >= xml.size)
            break;
        const size_t behind = skip_special(&body, at);
        if (behind > at) {
            at = behind;
            continue;
        }
        const struct tag tag = read_tag(xml, at);
        at = tag.end;
        if (is_named(&tag, "Fallback") && !tag.is_end && !tag.is_empty) {
            /* The same again, for readers that do not know a newer form of it. */
            const size_t end = text_find(xml, TEXT("Fallback>"), at);
            at = end == SIZE_MAX ? xml.size : end + 9;
        } else {
            apply(&body, &tag);
        }
    }
    if (out->failed)
        FAIL(err, ERR_LIMIT, "its text is larger than the %zu bytes that may be read",
             out->size_max);
    return OK;
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
    struct text_buf packed = {0}, xml = {.size_max = out->size_max};
    struct document_text_found found;
    const size_t size_max = out->size_max > 0 ? out->size_max : SIZE_MAX;
    enum status status = unpack(bytes, unpacked_max(bytes.size, size_max), &packed, err);
    if (status == OK)
        status = document_text_decode(text_buf_text(&packed), &xml, &found, err);
    text_buf_deinit(&packed);
    if (status == OK)
        status = document_docx_read_xml(text_buf_text(&xml), out, err);
    text_buf_deinit(&xml);
    return status;
}
