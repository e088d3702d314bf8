/*
 * document_html - see document_html.h.
 *
 * A tag is '<', an optional '/', a letter; it ends at the '>' outside of quotes. Where there is
 * none to the end of the page, that tag and all behind it end at the next '>' at all: a page
 * with one wrong quote must not lose its rest, and looking twice would take quadratic time.
 * What a page itself hides (the attribute hidden, a style of its own that says display: none)
 * is not shown; what a style sheet hides is.
 * White space runs together outside of pre, as a browser has it; a run with a line feed in it
 * stays a line feed, so that lines of the text stay near those of the source.
 */
#include "protocol/minions/document_html.h"

#include "protocol/minions/document_entity.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

enum {
    NAME_BYTES_MAX = 12,  /* what is longer is no name that is known */
    STYLE_BYTES_MAX = 200 /* that are looked at */
};

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
    struct text attributes;
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
    bool is_unquoted;                /* quotes no longer count */
    char hidden[NAME_BYTES_MAX + 1]; /* the element that is not shown; empty: none */
    uint32_t hidden_depth;           /* of that name that are open in it, itself included */
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
    tag->attributes = text_slice(source, at + name, tag->end);
    return true;
}

/* ---- what is not shown ---- */

/* Reads the attribute at or after *at, and moves behind it; false: none is left. */
static bool next_attribute(struct text text, size_t *at, struct text *name, struct text *value)
{
    size_t begin = *at;
    while (begin < text.size && (is_space(text.data[begin]) || text.data[begin] == '/'))
        begin++;
    size_t end = begin;
    while (end < text.size && !is_space(text.data[end]) && text.data[end] != '=' &&
           text.data[end] != '>' && text.data[end] != '/')
        end++;
    *name = text_slice(text, begin, end);
    *value = (struct text){0};
    *at = end + 1;
    if (end >= text.size || text.data[end] == '>')
        return name->size > 0;
    if (text.data[end] != '=')
        return true;
    begin = end + 1;
    const char quote = begin < text.size ? text.data[begin] : ' ';
    const bool is_quoted = quote == '"' || quote == '\'';
    begin += is_quoted;
    for (end = begin; end < text.size; end++)
        if (is_quoted ? text.data[end] == quote
                      : is_space(text.data[end]) || text.data[end] == '>')
            break;
    *value = text_slice(text, begin, end);
    *at = end + 1;
    return true;
}

static bool is_word(struct text text, const char *word)
{
    return strlen(word) == text.size && strncasecmp(text.data, word, text.size) == 0;
}

/* Whether a style says `display: none` or `visibility: hidden`, with or without spaces. */
static bool hides(struct text style)
{
    char plain[STYLE_BYTES_MAX + 1];
    size_t size = 0;
    for (size_t i = 0; i < style.size && size < STYLE_BYTES_MAX; i++)
        if (!is_space(style.data[i]))
            plain[size++] = style.data[i];
    plain[size] = '\0';
    return strcasestr(plain, "display:none") || strcasestr(plain, "visibility:hidden");
}

static bool is_hidden(const struct tag *tag)
{
    struct text name, value;
    for (size_t at = 0; at < tag->attributes.size;) {
        if (!next_attribute(tag->attributes, &at, &name, &value))
            break;
        if (is_word(name, "hidden") || (is_word(name, "style") && hides(value)))
            return true;
    }
    return false;
}

static bool is_among(const char *name, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(name, *list) == 0)
            return true;
    return false;
}

/* Whether the tag is inside of what is not shown. One that begins it counts as inside, one that
 * ends it as well; an element that may go without an end tag ends at the next of its name, or
 * where the element around it ends. */
static bool is_inside_hidden(struct page *page, const struct tag *tag)
{
    static const char *const outer[] = {"ul",    "ol",     "dl",   "table",   "tr",
                                        "tbody", "select", "div",  "section", "article",
                                        "main",  "body",   "html", NULL};
    static const char *const empty[] = {"area",  "base",   "br",    "col",  "embed",
                                        "hr",    "img",    "input", "link", "meta",
                                        "param", "source", "wbr",   NULL};
    static const char *const optional[] = {"p",  "li",    "dt",     "dd",   "td",   "th",
                                           "tr", "tbody", "option", "html", "body", NULL};
    const bool is_same = strcmp(page->hidden, tag->name) == 0;
    if (page->hidden_depth == 0) {
        if (tag->is_end || tag->name[0] == '\0' || is_among(tag->name, empty) ||
            !is_hidden(tag))
            return false;
        memcpy(page->hidden, tag->name, sizeof(page->hidden));
        page->hidden_depth = 1;
        return true;
    }
    if (!is_among(page->hidden, optional)) {
        if (is_same && tag->is_end)
            page->hidden_depth--;
        else if (is_same)
            page->hidden_depth++;
        return true;
    }
    if (!is_same && (!tag->is_end || !is_among(tag->name, outer)))
        return true;
    page->hidden_depth = 0;
    return is_same && (tag->is_end || is_inside_hidden(page, tag));
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

/* Where reading goes on behind a tag in what is not shown. */
static size_t pass(struct page *page, const struct tag *tag)
{
    const bool is_code = effect_of(tag) == HIDDEN && !tag->is_end && page->hidden_depth > 0;
    return is_code ? skip_hidden(page, tag) : tag->end;
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
            at = is_inside_hidden(&page, &tag) ? pass(&page, &tag) : apply(&page, &tag, at);
        } else if (page.hidden_depth > 0) {
            at++;
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
