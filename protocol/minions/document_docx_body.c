/*
 * document_docx_body - see document_docx_body.h.
 *
 * WordprocessingML (ECMA-376, part 1, 17.3): w:p paragraphs of w:r runs, whose w:t is text,
 * w:tab a tab, w:br a line or page break; w:tbl of w:tr of w:tc; w:del and w:moveFrom around
 * runs that are gone; w:footnoteReference by the w:id of a w:footnote in another part. Names
 * are compared without their prefix. One pass over the tags without a stack; a declaration's
 * entities are never expanded.
 */
#include "protocol/minions/document_docx_body.h"

#include "protocol/minions/document_entity.h"
#include "protocol/minions/fold.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { HEADING_LEVEL_MAX = 6, ID_BYTES_MAX = 9 };

/* A note of the footnotes or endnotes part. */
struct note {
    int32_t id;
    size_t begin, end; /* in notes.text */
};

/* The notes of one kind, by id. */
struct notes {
    struct text_buf text; /* folded */
    struct text_buf list; /* struct note [count] */
    size_t count;
    struct text_buf told; /* [count] 1: it was shown */
    uint32_t shown;
    const char *name; /* before its number */
};

/* What of the paragraph around it waits while a text box is read. */
struct around {
    uint32_t cells;
    bool is_run, is_hidden, has_paragraph;
};

struct body {
    struct text xml;
    struct text_buf *out;
    struct text_buf *main, *aside; /* out is one of them; aside goes behind the paragraph */
    struct notes *footnotes, *endnotes;
    struct around around;
    uint32_t boxes;     /* w:txbxContent that are open */
    uint32_t gone;      /* w:del and w:moveFrom that are */
    uint32_t cells;     /* w:tc that are */
    bool is_run;        /* a w:r is: elsewhere w:tab is a setting */
    bool is_hidden;     /* the run's text is */
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
    if (body->gone > 0 || body->is_hidden)
        return;
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
    if ((!body->has_text && !is_asked) || body->gone > 0 || body->boxes > 0)
        return;
    text_buf_byte(body->out, '\f');
    body->has_text = false;
}

/* Writes what waits to stand behind a paragraph. */
static void flush_aside(struct body *body)
{
    if (body->boxes > 0)
        return;
    text_buf_add(body->main, text_buf_text(body->aside));
    body->main->failed |= body->aside->failed;
    body->has_text |= body->aside->size > 0;
    text_buf_clear(body->aside);
}

static void end_paragraph(struct body *body)
{
    if (body->cells > 0)
        text_buf_byte(body->out, ' '); /* a row stays on its line */
    else
        text_buf_add(body->out, body->has_paragraph ? TEXT("\n\n") : TEXT("\n"));
    body->has_paragraph = false;
    if (body->cells == 0)
        flush_aside(body);
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

/* A setting that is written only to be off. */
static bool is_off(struct text value)
{
    return text_equal(value, TEXT("0")) || text_equal(value, TEXT("false")) ||
           text_equal(value, TEXT("off"));
}

/* The number that a w:id is; false: none. Word's separators have 0 and -1. */
static bool read_id(struct text digits, int32_t *id)
{
    *id = 0;
    for (size_t i = 0; i < digits.size && digits.size <= ID_BYTES_MAX; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9')
            return false;
        *id = *id * 10 + (digits.data[i] - '0');
    }
    return digits.size > 0 && digits.size <= ID_BYTES_MAX;
}

static int compare_notes(const void *left, const void *right)
{
    const struct note *a = left, *b = right;
    return a->id != b->id ? (a->id > b->id) - (a->id < b->id)
                          : (a->begin > b->begin) - (a->begin < b->begin);
}

static void tell(struct notes *notes, size_t index, struct text_buf *out)
{
    const struct note *note = (const struct note *)(const void *)notes->list.data + index;
    const struct text text = text_slice(text_buf_text(&notes->text), note->begin, note->end);
    notes->told.data[index] = 1;
    text_buf_format(out, "[%s%u] %.*s\n\n", notes->name, ++notes->shown, TEXT_ARG(text));
}

/* Those that nothing refers to that was read, such as what stands in a text box. */
static void tell_rest(struct notes *notes, struct text_buf *out)
{
    const struct note *list = (const struct note *)(const void *)notes->list.data;
    for (size_t i = 0; i < notes->count; i++)
        if (notes->told.data[i] == 0 && list[i].end > list[i].begin)
            tell(notes, i, out);
}

/* A reference to a note: its number here, the note itself behind the paragraph. */
static void refer(struct body *body, struct notes *notes, struct text attributes)
{
    struct note key = {.begin = 0};
    if (!notes || body->boxes > 0 || body->gone > 0 || body->is_hidden ||
        !read_id(attribute(attributes, TEXT("id")), &key.id))
        return;
    const struct note *list = (const struct note *)(const void *)notes->list.data;
    size_t low = 0, high = notes->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (list[middle].id < key.id)
            low = middle + 1;
        else
            high = middle;
    }
    if (low >= notes->count || list[low].id != key.id || notes->told.data[low] != 0)
        return;
    tell(notes, low, body->aside);
    text_buf_format(body->out, "[%s%u]", notes->name, notes->shown);
    body->has_paragraph = true;
}

/* Tags inside a run. */
static void apply_run(struct body *body, const struct tag *tag)
{
    if (is_named(tag, "t"))
        body->is_text = !tag->is_end && !tag->is_empty;
    else if (tag->is_end)
        return;
    else if (is_named(tag, "vanish"))
        body->is_hidden = !is_off(attribute(tag->attributes, TEXT("val")));
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
    else if (is_named(tag, "footnoteReference"))
        refer(body, body->footnotes, tag->attributes);
    else if (is_named(tag, "endnoteReference"))
        refer(body, body->endnotes, tag->attributes);
}

/* Counts what is open of a kind of element; false: the tag changes nothing. */
static bool count_tag(uint32_t *open, const struct tag *tag)
{
    if (tag->is_empty || (tag->is_end && *open == 0))
        return false;
    if (tag->is_end)
        --*open;
    else
        ++*open;
    return true;
}

/* A text box is written aside; what is around it goes on where it was. */
static void apply_box(struct body *body, const struct tag *tag)
{
    const bool is_open = body->boxes > 0;
    if (!count_tag(&body->boxes, tag))
        return;
    if (!is_open) {
        body->around =
            (struct around){body->cells, body->is_run, body->is_hidden, body->has_paragraph};
        body->out = body->aside;
        body->cells = 0;
        body->is_run = body->is_hidden = body->has_paragraph = false;
    } else if (body->boxes == 0) {
        body->out = body->main;
        body->cells = body->around.cells;
        body->is_run = body->around.is_run;
        body->is_hidden = body->around.is_hidden;
        body->has_paragraph = body->around.has_paragraph;
    }
}

static void apply_paragraph(struct body *body, const struct tag *tag)
{
    body->is_run = body->is_text = body->is_hidden = false;
    if (tag->is_end || tag->is_empty)
        end_paragraph(body);
}

static void apply(struct body *body, const struct tag *tag)
{
    if (is_named(tag, "r")) {
        body->is_run = !tag->is_end && !tag->is_empty;
        body->is_hidden = false;
    } else if (is_named(tag, "p")) {
        apply_paragraph(body, tag);
    } else if (is_named(tag, "del") || is_named(tag, "moveFrom")) {
        (void)count_tag(&body->gone, tag);
    } else if (is_named(tag, "txbxContent")) {
        apply_box(body, tag);
    } else if (is_named(tag, "tc") && !tag->is_empty) {
        (void)count_tag(&body->cells, tag);
        if (tag->is_end)
            text_buf_byte(body->out, '\t');
    } else if (is_named(tag, "tr") && tag->is_end) {
        text_buf_byte(body->out, body->cells > 0 ? ' ' : '\n');
    } else if (is_named(tag, "tbl") && tag->is_end && body->cells == 0) {
        text_buf_byte(body->out, '\n');
        flush_aside(body);
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

/* Reads the tag at xml[*at], which is a '<', and moves behind it; false: it was no tag. */
static bool next_tag(struct body *body, size_t *at, struct tag *tag)
{
    const struct text xml = body->xml;
    const size_t behind = skip_special(body, *at);
    if (behind > *at) {
        *at = behind;
        return false;
    }
    *tag = read_tag(xml, *at);
    *at = tag->end;
    if (!is_named(tag, "Fallback") || tag->is_end || tag->is_empty)
        return true;
    /* The same again, for readers that do not know a newer form of it. */
    const size_t end = text_find(xml, TEXT("Fallback>"), *at);
    *at = end == SIZE_MAX ? xml.size : end + 9;
    return false;
}

/* Reads up to the end tag of that name, or to the end; where it stopped. */
static size_t read_until(struct body *body, size_t at, const char *name)
{
    const struct text xml = body->xml;
    while (at < xml.size && !body->main->failed) {
        struct tag tag;
        size_t next = text_find(xml, TEXT("<"), at);
        if (next == SIZE_MAX)
            next = xml.size;
        if (body->is_text)
            put_text(body, text_slice(xml, at, next));
        at = next;
        if (at >= xml.size || !next_tag(body, &at, &tag))
            continue;
        if (name && tag.is_end && is_named(&tag, name))
            break;
        apply(body, &tag);
    }
    body->out = body->main; /* a box that never ends ends here */
    body->boxes = 0;
    flush_aside(body);
    return at;
}

/* Reads one kind's notes; name is that of their element. */
static void read_notes(struct notes *notes, struct text xml, const char *name,
                       struct text_buf *aside)
{
    struct text_buf text = {.size_max = notes->text.size_max};
    struct body body = {.xml = xml};
    struct note note;
    for (size_t at = 0; at < xml.size && notes->count < DOCUMENT_DOCX_BODY_NOTES_MAX;) {
        at = text_find(xml, TEXT("<"), at);
        if (at == SIZE_MAX)
            break;
        const struct tag tag = read_tag(xml, at);
        at = tag.end;
        if (!is_named(&tag, name) || tag.is_end || tag.is_empty ||
            !read_id(attribute(tag.attributes, TEXT("id")), &note.id) ||
            attribute(tag.attributes, TEXT("type")).size > 0)
            continue;
        text_buf_clear(&text);
        body = (struct body){.xml = xml, .out = &text, .main = &text, .aside = aside};
        at = read_until(&body, at, name);
        note.begin = notes->text.size;
        fold_add(&notes->text, text_buf_text(&text));
        note.end = notes->text.size;
        text_buf_add(&notes->list, (struct text){(const char *)&note, sizeof(note)});
        text_buf_byte(&notes->told, 0);
        notes->count++;
    }
    notes->text.failed |= text.failed || notes->list.failed || notes->told.failed;
    text_buf_deinit(&text);
    if (notes->count > 0 && !notes->text.failed)
        qsort(notes->list.data, notes->count, sizeof(note), compare_notes);
}

static void free_notes(struct notes *notes)
{
    text_buf_deinit(&notes->text);
    text_buf_deinit(&notes->list);
    text_buf_deinit(&notes->told);
}

enum status document_docx_body_read(const struct document_docx_body_parts *parts,
                                    struct text_buf *out, struct error *err)
{
    struct text_buf aside = {.size_max = out->size_max};
    struct notes footnotes = {.text = {.size_max = out->size_max}, .name = ""};
    struct notes endnotes = {.text = {.size_max = out->size_max}, .name = "endnote "};
    struct body body = {.xml = parts->document,
                        .out = out,
                        .main = out,
                        .aside = &aside,
                        .footnotes = &footnotes,
                        .endnotes = &endnotes};
    read_notes(&footnotes, parts->footnotes, "footnote", &aside);
    read_notes(&endnotes, parts->endnotes, "endnote", &aside);
    if (footnotes.text.failed || endnotes.text.failed)
        out->failed = true;
    else
        (void)read_until(&body, 0, NULL);
    if (!out->failed) {
        tell_rest(&footnotes, out);
        tell_rest(&endnotes, out);
    }
    text_buf_deinit(&aside);
    free_notes(&footnotes);
    free_notes(&endnotes);
    if (out->failed)
        FAIL(err, ERR_LIMIT, "its text is larger than the %zu bytes that may be read",
             out->size_max);
    return OK;
}
