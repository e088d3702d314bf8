/*
 * document_html - see document_html.h.
 *
 * A tag is '<', an optional '/', a letter; it ends at the '>' outside of quotes. Where there is
 * none to the end of the page, that tag and all behind it end at the next '>' at all: a page
 * with one wrong quote must not lose its rest, and looking twice would take quadratic time.
 * White space runs together outside of pre, as a browser has it; a run with a line feed in it
 * stays a line feed, so that lines of the text stay near those of the source.
 */
#include "protocol/minions/document_html.h"

#include "protocol/minions/document_entity.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

enum { NAME_BYTES_MAX = 12 }; /* what is longer is no name that is known */

/* What a tag does to the text around it. */
enum effect { NOTHING, LINE, BLOCK, ITEM, CELL, HEADING, HIDDEN, PRE };

static const struct {
    const char *name;
    enum effect effect;
} TAGS[] = {
    {"br", LINE},       {"tr", LINE},        {"dt", LINE},       {"dd", LINE},
    {"option", LINE},   {"p", BLOCK},        {"div", BLOCK},     {"section", BLOCK},
    {"article", BLOCK}, {"aside", BLOCK},    {"header", BLOCK},  {"footer", BLOCK},
    {"main", BLOCK},    {"nav", BLOCK},      {"ul", BLOCK},      {"ol", BLOCK},
    {"dl", BLOCK},      {"table", BLOCK},    {"caption", BLOCK}, {"blockquote", BLOCK},
    {"form", BLOCK},    {"fieldset", BLOCK}, {"figure", BLOCK},  {"figcaption", BLOCK},
    {"address", BLOCK}, {"hr", BLOCK},       {"details", BLOCK}, {"summary", BLOCK},
    {"body", BLOCK},    {"center", BLOCK},   {"li", ITEM},       {"td", CELL},
    {"th", CELL},       {"h1", HEADING},     {"h2", HEADING},    {"h3", HEADING},
    {"h4", HEADING},    {"h5", HEADING},     {"h6", HEADING},    {"title", HEADING},
    {"script", HIDDEN}, {"style", HIDDEN},   {"svg", HIDDEN},    {"template", HIDDEN},
    {"iframe", HIDDEN}, {"object", HIDDEN},  {"canvas", HIDDEN}, {"audio", HIDDEN},
    {"video", HIDDEN},  {"noembed", HIDDEN}, {"pre", PRE},       {"textarea", PRE},
};

struct tag {
    char name[NAME_BYTES_MAX + 1]; /* in small letters; empty: a comment or declaration */
    bool is_end;
    size_t end; /* behind its '>' */
};

struct page {
    struct text source;
    struct text_buf *out, *lines;
    size_t counted; /* source[0, counted) has line - 1 line feeds */
    uint32_t line;
    uint32_t feeds; /* line feeds owed before the next character, two at most */
    bool has_space; /* a space is owed */
    bool has_tab;   /* a tab is, between two cells, whatever blocks are in them */
    bool is_pre, is_heading;
    bool is_unquoted; /* quotes no longer count */
};

/* ---- writing ---- */

static void add_line(struct page *page, size_t at)
{
    for (; page->counted < at; page->counted++)
        page->line += page->source.data[page->counted] == '\n';
    text_buf_add(page->lines, (struct text){(const char *)&page->line, sizeof(page->line)});
}

/* Pays what is owed before something visible from source[at]. */
static void pay(struct page *page, size_t at)
{
    if (page->out->size == 0) {
        add_line(page, at);
    } else {
        for (uint32_t i = 0; i < page->feeds && !page->has_tab; i++) {
            text_buf_byte(page->out, '\n');
            add_line(page, at);
        }
        if (page->has_tab)
            text_buf_byte(page->out, '\t');
        else if (page->feeds == 0 && page->has_space)
            text_buf_byte(page->out, ' ');
    }
    page->feeds = 0;
    page->has_space = page->has_tab = false;
}

static void owe_feeds(struct page *page, uint32_t feeds)
{
    page->feeds = feeds > page->feeds ? feeds : page->feeds;
}

static void put_space(struct page *page, size_t at)
{
    const char c = page->source.data[at];
    if (page->is_pre && page->out->size > 0) {
        if (page->feeds == 0 && c != '\n') {
            text_buf_byte(page->out, c == '\f' ? ' ' : c);
            return;
        }
        pay(page, at);
        text_buf_byte(page->out, c == '\n' ? '\n' : ' ');
        if (c == '\n')
            add_line(page, at + 1);
        return;
    }
    page->has_space = true;
    if (c == '\n' && !page->is_heading)
        owe_feeds(page, 1);
}

static void put_code_point(struct page *page, size_t at, uint32_t code_point)
{
    char bytes[4];
    if (code_point == 0xa0 || code_point < ' ') { /* a space that does not break; controls */
        page->has_space = true;
        return;
    }
    pay(page, at);
    text_buf_add(page->out, (struct text){bytes, text_utf8_put(code_point, bytes)});
}

/* ---- reading ---- */

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Behind the '>' that closes the tag whose attributes begin at `at`. */
static size_t find_end(struct page *page, size_t at)
{
    const struct text source = page->source;
    char quote = '\0';
    for (size_t i = at; i < source.size && !page->is_unquoted; i++) {
        const char c = source.data[i];
        if (quote != '\0')
            quote = c == quote ? '\0' : quote;
        else if (c == '>')
            return i + 1;
        else if ((c == '"' || c == '\'') && source.data[i - 1] == '=')
            quote = c;
    }
    page->is_unquoted = true;
    const size_t first = text_find(source, TEXT(">"), at);
    return first == SIZE_MAX ? source.size : first + 1;
}

/* Reads the tag, comment or declaration at source[at]; false: the '<' is only that. */
static bool read_tag(struct page *page, size_t at, struct tag *tag)
{
    const struct text source = page->source;
    const struct text rest = text_slice(source, at, source.size);
    *tag = (struct tag){0};
    if (text_starts(rest, TEXT("<!--"))) {
        const size_t end = text_find(source, TEXT("-->"), at + 2);
        tag->end = end == SIZE_MAX ? source.size : end + 3;
        return true;
    }
    if (rest.size > 1 && (rest.data[1] == '!' || rest.data[1] == '?')) {
        tag->end = find_end(page, at + 2);
        return true;
    }
    size_t name = 1;
    tag->is_end = rest.size > 1 && rest.data[1] == '/';
    name += tag->is_end;
    if (name >= rest.size || !is_letter(rest.data[name]))
        return false;
    size_t size = 0;
    while (name < rest.size && !is_space(rest.data[name]) && rest.data[name] != '>' &&
           rest.data[name] != '/') {
        const char c = rest.data[name++];
        if (size < NAME_BYTES_MAX)
            tag->name[size++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    tag->end = find_end(page, at + name);
    return true;
}

static enum effect effect_of(const struct tag *tag)
{
    for (size_t i = 0; i < sizeof(TAGS) / sizeof(TAGS[0]); i++)
        if (strcmp(TAGS[i].name, tag->name) == 0)
            return TAGS[i].effect;
    return NOTHING;
}

/* Behind the end tag of what is not shown; the page's end when there is none. */
static size_t skip_hidden(struct page *page, const struct tag *opened)
{
    const struct text source = page->source;
    const size_t size = strlen(opened->name);
    size_t at = opened->end;
    for (;;) {
        at = text_find(source, TEXT("</"), at);
        if (at == SIZE_MAX)
            return source.size;
        at += 2;
        if (source.size - at >= size &&
            strncasecmp(source.data + at, opened->name, size) == 0 &&
            (source.size - at == size || !is_letter(source.data[at + size])))
            return find_end(page, at + size);
    }
}

static void open_heading(struct page *page, const struct tag *tag, size_t at)
{
    const int level = tag->name[0] == 't' ? 1 : tag->name[1] - '0';
    owe_feeds(page, 2);
    page->is_heading = !tag->is_end;
    if (tag->is_end)
        return;
    pay(page, at);
    for (int i = 0; i < level; i++)
        text_buf_byte(page->out, '#');
    page->has_space = true;
}

/* Does what the tag at source[at] means; where reading goes on. */
static size_t apply(struct page *page, const struct tag *tag, size_t at)
{
    switch (effect_of(tag)) {
    case NOTHING:
        break;
    case LINE:
        owe_feeds(page, 1);
        page->has_tab = false;
        break;
    case BLOCK:
        owe_feeds(page, 2);
        page->is_heading = false;
        page->has_tab &= strcmp(tag->name, "table") != 0;
        break;
    case ITEM:
        owe_feeds(page, 1);
        if (tag->is_end)
            break;
        pay(page, at);
        text_buf_byte(page->out, '-');
        page->has_space = true;
        break;
    case CELL:
        if (!tag->is_end)
            break;
        page->has_tab = true;
        page->feeds = 0; /* of blocks in it */
        break;
    case HEADING:
        open_heading(page, tag, at);
        break;
    case HIDDEN:
        page->has_space = true;
        if (!tag->is_end && page->source.data[tag->end - 2] != '/')
            return skip_hidden(page, tag);
        break;
    case PRE:
        owe_feeds(page, 2);
        page->is_pre = !tag->is_end;
        break;
    }
    return tag->end;
}

enum status document_html_read(struct text source, struct text_buf *out, struct text_buf *lines,
                               struct error *err)
{
    struct page page = {.source = source, .out = out, .lines = lines, .line = 1};
    struct tag tag;
    uint32_t code_point;
    for (size_t at = 0; at < source.size && !out->failed;) {
        const char c = source.data[at];
        size_t next = at;
        if (c == '<' && read_tag(&page, at, &tag)) {
            at = apply(&page, &tag, at);
        } else if (c == '&' && document_entity_read(source, &next, &code_point)) {
            put_code_point(&page, at, code_point);
            at = next;
        } else if (is_space(c)) {
            put_space(&page, at++);
        } else {
            pay(&page, at);
            text_buf_byte(out, source.data[at++]);
        }
    }
    if (out->failed || lines->failed)
        FAIL(err, ERR_LIMIT, "its text is larger than the %zu bytes that may be read",
             out->size_max);
    return OK;
}
