/* parse - see parse.h. */
#include "protocol/dsl/parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tree_sitter/api.h>

/* Recovery from wrong syntax takes time with the square of what it skips: 32 KiB of `...` took
 * 0.8 s. The worst of correct programs takes 60 ms. Processor time is what is counted, looked
 * at once a slice, so that a busy machine refuses nothing. */
enum { PARSE_SLICE_US = 5000 };
static const double PARSE_TIME_S = 0.15;

const TSLanguage *tree_sitter_python(void);

void *parse_refuse(struct dsl_fault *fault, int32_t line, const char *format, ...)
{
    va_list arguments;
    *fault = (struct dsl_fault){.kind = DSL_REFUSED, .line = line};
    va_start(arguments, format);
    vsnprintf(fault->message, sizeof fault->message, format, arguments);
    va_end(arguments);
    return NULL;
}

/* The scan over the bytes. It knows comments and strings, so that a bracket in a regular
 * expression does not count. What the grammar does not read, though it is Python, is shown to
 * it as something else of the same size; each text of the tree is taken from the source itself:
 *     a = b, *(c)     as  a = b, ~(c)     an operator whose text is *
 *     f'{a:=+9}'      as  f'{a:x+9}'      not the assignment expression a := +9
 *     a = b, c()      as  a = b, c();     a line that begins with a bracket might go on the one
 *     [d] = e             [d] = e         before: the ; stands for a blank or for its end */
struct scan {
    struct text source;
    size_t at;
    int32_t line;
    uint32_t open, continuations;
    size_t before; /* behind the last byte of the line that is no blank, or where it begins */
    size_t begin;  /* of the line, or of the first of those that brackets make one */
    char *shown;   /* a copy of the source, or NULL */
};

static bool scan_starts(const struct scan *s, const char *what)
{
    const size_t size = strlen(what);
    return s->source.size - s->at >= size && memcmp(s->source.data + s->at, what, size) == 0;
}

static void scan_step(struct scan *s)
{
    if (s->source.data[s->at++] == '\n')
        s->line++;
}

/* A string, from its opening quote to its closing one or, when short, the end of the line. */
static void scan_string(struct scan *s)
{
    char quote[4] = {s->source.data[s->at], '\0'};
    const char triple[4] = {quote[0], quote[0], quote[0], '\0'};
    if (scan_starts(s, triple))
        memcpy(quote, triple, sizeof quote);
    s->at += strlen(quote);
    while (s->at < s->source.size && !scan_starts(s, quote)) {
        if (quote[1] == '\0' && s->source.data[s->at] == '\n')
            return;
        if (s->source.data[s->at] == '\\' && s->at + 1 < s->source.size) {
            s->continuations +=
                s->source.data[s->at + 1] == '\n' || s->source.data[s->at + 1] == '\r';
            scan_step(s);
        }
        scan_step(s);
    }
    for (size_t i = 0; i < strlen(quote) && s->at < s->source.size; i++)
        scan_step(s);
}

static bool is_name_part(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
           (uint8_t)c >= 0x80;
}

/* The name that ends before at; empty when there is none. */
static struct text name_before(struct text source, size_t at)
{
    size_t begin = at;
    while (begin > 0 && is_name_part(source.data[begin - 1]))
        begin--;
    return text_slice(source, begin, at);
}

static bool is_format_prefix(struct text prefix)
{
    return prefix.size > 0 && prefix.size <= 2 &&
           (memchr(prefix.data, 'f', prefix.size) || memchr(prefix.data, 'F', prefix.size));
}

/* From behind the bracket that opens a field to behind the one that closes it. */
static size_t scan_field(struct scan *s, size_t at, size_t end)
{
    const char *data = s->source.data;
    uint32_t open = 0;
    bool in_spec = false;
    for (char quote = '\0'; at < end; at++) {
        const char c = data[at];
        if (quote) {
            quote = c == quote ? '\0' : quote;
        } else if (!in_spec && (c == '"' || c == '\'')) {
            quote = c;
        } else if (c == '}' && open == 0) {
            return at + 1;
        } else if (!in_spec && c == ':' && open == 0) {
            in_spec = true;
            if (at + 1 < end && data[at + 1] == '=')
                s->shown[at + 1] = 'x';
        } else {
            open += c == '{' || (!in_spec && (c == '(' || c == '['));
            open -= open > 0 && (c == '}' || (!in_spec && (c == ')' || c == ']')));
        }
    }
    return end;
}

static void scan_fields(struct scan *s, size_t at, size_t end)
{
    while (at < end) {
        const bool opens = s->source.data[at++] == '{';
        if (opens && at < end && s->source.data[at] == '{')
            at++;
        else if (opens)
            at = scan_field(s, at, end);
    }
}

static bool is_constant(struct text source, size_t at)
{
    size_t end = at;
    while (end < source.size && is_name_part(source.data[end]))
        end++;
    const struct text word = text_slice(source, at, end);
    return text_equal(word, TEXT("True")) || text_equal(word, TEXT("False")) ||
           text_equal(word, TEXT("None"));
}

/* A star before a value that is no name, outside of brackets: behind a comma, a sign of
 * assignment or a word that values follow. */
static bool is_lone_star(const struct scan *s)
{
    const struct text source = s->source;
    const char last = s->before > 0 ? source.data[s->before - 1] : '\n';
    const struct text word = name_before(source, s->before);
    size_t next = s->at + 1;
    while (next < source.size && source.data[next] == ' ')
        next++;
    const char c = next < source.size ? source.data[next] : '\0';
    return s->open == 0 && c &&
           (strchr("([{'\"-+~", c) || (c >= '0' && c <= '9') || is_constant(source, next)) &&
           (last == ',' || last == '=' || text_equal(word, TEXT("return")) ||
            text_equal(word, TEXT("in")));
}

static size_t skip_blanks(struct text source, size_t at)
{
    while (at < source.size && (source.data[at] == ' ' || source.data[at] == '\t'))
        at++;
    return at;
}

/* Whether the statement of this line may have another behind it: if x: f(y) may not. */
static bool is_simple(const struct scan *s)
{
    static const char *const COMPOUND[] = {"if",  "elif",   "else",    "for", "while",
                                           "try", "except", "finally", "def", "with"};
    const size_t begin = skip_blanks(s->source, s->begin);
    size_t end = begin;
    while (end < s->source.size && is_name_part(s->source.data[end]))
        end++;
    const struct text word = text_slice(s->source, begin, end);
    bool simple = true;
    for (size_t i = 0; i < sizeof COMPOUND / sizeof COMPOUND[0]; i++)
        simple = simple && !text_equal(word, text_of(COMPOUND[i]));
    return simple;
}

/* At the end of a line that ends in a bracket, behind which another with a bracket begins. */
static void end_statement(struct scan *s)
{
    const struct text source = s->source;
    const size_t indent = skip_blanks(source, s->begin) - s->begin;
    size_t next = s->at + 1, at = skip_blanks(source, next);
    bool is_apart = false;
    if (s->before <= s->begin || !strchr(")]", source.data[s->before - 1]))
        return;
    while (at < source.size && strchr("#\r\n", source.data[at]) && source.data[at]) {
        const size_t end = text_find(source, TEXT("\n"), at);
        next = end == SIZE_MAX ? source.size : end + 1;
        at = skip_blanks(source, next);
        is_apart = true;
    }
    if (at >= source.size || (source.data[at] != '(' && source.data[at] != '['))
        return;
    if (s->before < s->at) { /* a comment, too, is room */
        memset(s->shown + s->before, ' ', s->at - s->before);
        s->shown[s->before] = ';';
    } else if (is_simple(s) && (is_apart || at - next == indent)) {
        s->shown[s->at] = ';';
    }
}

static void scan_token(struct scan *s)
{
    const char c = s->source.data[s->at];
    if (c == '\n' && s->open == 0 && (s->at == 0 || s->source.data[s->at - 1] != '\\')) {
        if (s->shown)
            end_statement(s);
        s->begin = s->at + 1;
    }
    if (c == '"' || c == '\'') {
        const size_t begin = s->at;
        scan_string(s);
        s->before = s->at;
        if (s->shown && is_format_prefix(name_before(s->source, begin)))
            scan_fields(s, begin, s->at);
        return;
    }
    if (s->shown && c == '*' && is_lone_star(s))
        s->shown[s->at] = '~';
    if (c != ' ' && c != '#' && c != '\r')
        s->before = s->at + 1;
    if (c == '#') {
        while (s->at < s->source.size && s->source.data[s->at] != '\n')
            s->at++;
        return;
    }
    s->open += c == '(' || c == '[' || c == '{';
    s->open -= (c == ')' || c == ']' || c == '}') && s->open > 0;
    s->continuations += c == '\\';
    scan_step(s);
}

bool parse_is_tame(struct text source)
{
    struct scan s = {.source = source, .line = 1};
    while (s.at < source.size && s.open <= PARSE_BRACKETS_MAX &&
           s.continuations <= PARSE_CONTINUATIONS_MAX)
        scan_token(&s);
    return s.open <= PARSE_BRACKETS_MAX && s.continuations <= PARSE_CONTINUATIONS_MAX;
}

/* *shown: what the grammar is to read. */
static bool scan_source(struct interp *in, struct text source, char **shown,
                        struct dsl_fault *fault)
{
    struct scan s = {.source = source, .line = 1};
    if (source.size > in->limits.source_bytes) {
        parse_refuse(fault, 0, "the program has %zu bytes; at most %zu are allowed: shorten it",
                     source.size, in->limits.source_bytes);
        return false;
    }
    const size_t valid = text_utf8_valid(source);
    const void *nul = source.size > 0 ? memchr(source.data, '\0', source.size) : NULL;
    if (valid != source.size || nul) {
        parse_refuse(fault, 0, "byte %zu of the program is not UTF-8 text",
                     nul ? (size_t)((const char *)nul - source.data) : valid);
        return false;
    }
    *shown = s.shown = interp_alloc(in, source.size + 1, 1);
    if (!s.shown) {
        parse_refuse(fault, 0, "%s", in->budget);
        return false;
    }
    if (source.size > 0)
        memcpy(s.shown, source.data, source.size);
    while (s.at < source.size) {
        scan_token(&s);
        if (s.open > PARSE_BRACKETS_MAX) {
            parse_refuse(fault, s.line, "brackets are nested deeper than %d: split it up",
                         PARSE_BRACKETS_MAX);
            return false;
        }
        if (s.continuations > PARSE_CONTINUATIONS_MAX) {
            parse_refuse(fault, s.line,
                         "more than %d lines end in a backslash: use brackets instead",
                         PARSE_CONTINUATIONS_MAX);
            return false;
        }
    }
    return true;
}

struct kind_name {
    const char *name;
    enum syntax_kind kind;
};

static enum syntax_kind kind_of(const char *name)
{
#define ROW(symbol, text) {text, SYNTAX_##symbol},
    static const struct kind_name NAMES[] = {SYNTAX_KINDS(ROW)};
#undef ROW
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        if (strcmp(NAMES[i].name, name) == 0)
            return NAMES[i].kind;
    return SYNTAX_OTHER;
}

/* What converting needs; kinds are looked up once per grammar symbol. */
struct convert {
    struct interp *in;
    struct text source;
    struct dsl_fault *fault;
    /* Lines are the source's, up to what is counted: a ; that is shown may stand for an end. */
    size_t counted;
    int32_t line;
    TSTreeCursor cursor;
    uint8_t *kinds; /* [symbol] kind + 1; 0: not looked up */
    uint32_t depth;
};

static enum syntax_kind convert_kind(struct convert *c, TSNode node)
{
    uint8_t *kind = &c->kinds[ts_node_symbol(node)];
    if (*kind == 0)
        *kind = (uint8_t)(1 + (ts_node_is_named(node) ? kind_of(ts_node_type(node))
                                                      : SYNTAX_TOKEN));
    return (enum syntax_kind)(*kind - 1);
}

static struct syntax *convert_node(struct convert *c);

static bool convert_children(struct convert *c, struct syntax *parent)
{
    const struct syntax **link = &parent->first;
    if (!ts_tree_cursor_goto_first_child(&c->cursor))
        return true;
    do {
        const TSNode node = ts_tree_cursor_current_node(&c->cursor);
        const char *name = ts_node_type(node);
        if (strcmp(name, "comment") == 0 || strcmp(name, "line_continuation") == 0)
            continue;
        struct syntax *child = convert_node(c);
        if (!child)
            return false;
        *link = child;
        link = &child->next;
    } while (ts_tree_cursor_goto_next_sibling(&c->cursor));
    ts_tree_cursor_goto_parent(&c->cursor);
    return true;
}

static struct syntax *convert_node(struct convert *c)
{
    const TSNode node = ts_tree_cursor_current_node(&c->cursor);
    const uint32_t begin = ts_node_start_byte(node), end = ts_node_end_byte(node);
    for (; c->counted < begin; c->counted++) /* nodes come in the order of the source */
        c->line += c->source.data[c->counted] == '\n';
    const int32_t line = c->line;
    if (c->depth >= PARSE_DEPTH_MAX)
        return parse_refuse(c->fault, line,
                            "the expression or block is nested deeper than %d: split it up",
                            PARSE_DEPTH_MAX);
    struct syntax *syntax = INTERP_NEW(c->in, struct syntax);
    if (!syntax)
        return parse_refuse(c->fault, line, "%s", c->in->budget);
    *syntax = (struct syntax){
        .kind = convert_kind(c, node),
        .line = line,
        .name = ts_node_type(node),
        .field = ts_tree_cursor_current_field_name(&c->cursor),
        .text = text_slice(c->source, begin, end),
    };
    c->depth++;
    const bool fine = convert_children(c, syntax);
    c->depth--;
    return fine ? syntax : NULL;
}

/* The first ERROR or MISSING node in reading order. */
static TSNode find_error(TSNode root)
{
    TSTreeCursor cursor = ts_tree_cursor_new(root);
    TSNode found = root;
    for (;;) {
        const TSNode node = ts_tree_cursor_current_node(&cursor);
        found = node;
        if (ts_node_is_error(node) || ts_node_is_missing(node))
            break;
        bool inside = ts_tree_cursor_goto_first_child(&cursor);
        while (inside && !ts_node_has_error(ts_tree_cursor_current_node(&cursor)))
            inside = ts_tree_cursor_goto_next_sibling(&cursor);
        if (!inside)
            break;
    }
    ts_tree_cursor_delete(&cursor);
    return found;
}

static void refuse_error(struct text source, TSNode root, struct dsl_fault *fault)
{
    const TSNode node = find_error(root);
    const size_t begin = ts_node_start_byte(node);
    int32_t line = 1;
    for (size_t i = 0; i < begin; i++)
        line += source.data[i] == '\n';
    if (ts_node_is_missing(node)) {
        parse_refuse(fault, line, "invalid syntax: `%s` is missing", ts_node_type(node));
        return;
    }
    struct text near = text_slice(source, begin, source.size);
    const size_t end = text_find(near, TEXT("\n"), 0);
    near = text_slice(near, 0, end < 60 ? end : 60);
    near.size = text_utf8_valid(near);
    parse_refuse(fault, line, "invalid syntax near `%.*s`", TEXT_ARG(near));
}

static const struct syntax *convert_tree(struct interp *in, struct text source, TSTree *tree,
                                         struct dsl_fault *fault)
{
    const TSNode root = ts_tree_root_node(tree);
    struct convert c = {.in = in, .source = source, .fault = fault, .line = 1};
    if (ts_node_has_error(root)) {
        refuse_error(source, root, fault);
        return NULL;
    }
    const uint32_t symbols = ts_language_symbol_count(tree_sitter_python());
    c.kinds = interp_alloc(in, (size_t)symbols + 1, 1);
    if (!c.kinds)
        return parse_refuse(fault, 0, "%s", in->budget);
    c.cursor = ts_tree_cursor_new(root);
    const struct syntax *syntax = convert_node(&c);
    ts_tree_cursor_delete(&c.cursor);
    return syntax;
}

static double processor_s(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

const struct syntax *parse_source(struct interp *in, struct text source,
                                  struct dsl_fault *fault)
{
    char *shown;
    if (!scan_source(in, source, &shown, fault))
        return NULL;
    TSParser *parser = ts_parser_new();
    const struct syntax *syntax = NULL;
    if (!ts_parser_set_language(parser, tree_sitter_python())) {
        ts_parser_delete(parser);
        return parse_refuse(fault, 0, "the Python grammar does not fit the parser");
    }
    ts_parser_set_timeout_micros(parser, PARSE_SLICE_US);
    const double begin = processor_s();
    TSTree *tree = NULL;
    while (!tree && processor_s() - begin < PARSE_TIME_S)
        tree = ts_parser_parse_string(parser, NULL, shown, (uint32_t)source.size);
    if (tree)
        syntax = convert_tree(in, source, tree, fault);
    else
        parse_refuse(fault, 0,
                     "the program takes too long to parse: its syntax is wrong in many places");
    ts_tree_delete(tree);
    ts_parser_delete(parser);
    return syntax;
}
