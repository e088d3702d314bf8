/*
 * lower_string - literals: strings with their escapes and replacement fields, and numbers.
 *
 * A string without replacement fields is a constant. An f-string is a list of parts. Pieces
 * that stand side by side are joined here, as Python does.
 */
#include "protocol/dsl/lower.h"

#include "protocol/dsl/str.h"

#include <stdlib.h>
#include <string.h>

enum { DIGITS_MAX = 400 };

/* A literal in the making: finished parts, and the constant text since the last of them. */
struct literal {
    struct lower *l;
    const struct syntax *s;
    struct ast_list parts;
    struct str_builder text;
    bool raw, format;
};

static bool flush_text(struct literal *t)
{
    struct lower *l = t->l;
    if (t->text.size == 0 && !t->text.failed)
        return true;
    struct str *str = str_builder_str(&t->text);
    struct ast *node = str ? lower_node(l, t->s, AST_CONST) : NULL;
    if (!node)
        return lower_tripped(l) != NULL;
    node->as.constant = value_str(str);
    t->parts.items[t->parts.count++] = node;
    t->text = (struct str_builder){.in = l->in};
    return true;
}

static bool put_hex(struct literal *t, struct text digits, size_t count, size_t *at)
{
    char hex[9] = {0};
    char *end;
    if (digits.size - *at < count) {
        parse_refuse(t->l->fault, t->s->line, "truncated escape in a string");
        return false;
    }
    memcpy(hex, digits.data + *at, count);
    const unsigned long code_point = strtoul(hex, &end, 16);
    if (end != hex + count || code_point > 0x10ffff ||
        (code_point >= 0xd800 && code_point < 0xe000)) {
        parse_refuse(t->l->fault, t->s->line, "the escape \\%s in a string is no character",
                     hex);
        return false;
    }
    *at += count;
    str_builder_code_point(&t->text, (uint32_t)code_point);
    return true;
}

static void put_octal(struct literal *t, struct text raw, size_t *at)
{
    uint32_t code_point = 0;
    for (int i = 0; i < 3 && *at < raw.size; i++, ++*at) {
        const char c = raw.data[*at];
        if (c < '0' || c > '7')
            break;
        code_point = code_point * 8 + (uint32_t)(c - '0');
    }
    str_builder_code_point(&t->text, code_point);
}

/* One escape; *at is past the backslash. */
static bool put_escape(struct literal *t, struct text raw, size_t *at)
{
    static const char FROM[] = "\\'\"abfnrtv", TO[] = "\\'\"\a\b\f\n\r\t\v";
    const char c = raw.data[*at];
    const char *simple = c ? strchr(FROM, c) : NULL;
    if (c >= '0' && c <= '7') {
        put_octal(t, raw, at);
        return true;
    }
    ++*at;
    if (simple) {
        str_builder_byte(&t->text, TO[simple - FROM]);
        return true;
    }
    switch (c) {
    case '\r':
        *at += *at < raw.size && raw.data[*at] == '\n';
        return true;
    case '\n':
        return true;
    case 'x':
        return put_hex(t, raw, 2, at);
    case 'u':
        return put_hex(t, raw, 4, at);
    case 'U':
        return put_hex(t, raw, 8, at);
    case 'N':
        parse_refuse(t->l->fault, t->s->line,
                     "\\N{...} in a string is not part of this language: write the character");
        return false;
    default:
        str_builder_byte(&t->text, '\\');
        str_builder_byte(&t->text, c);
        return true;
    }
}

static bool put_content(struct literal *t, struct text raw)
{
    for (size_t at = 0; at < raw.size;) {
        const char c = raw.data[at++];
        if (c == '\\' && !t->raw && at < raw.size) {
            if (!put_escape(t, raw, &at))
                return false;
            continue;
        }
        at += t->format && (c == '{' || c == '}') && at < raw.size && raw.data[at] == c;
        if (c == '\r') { /* source lines end in \n, however the file was written */
            at += at < raw.size && raw.data[at] == '\n';
            str_builder_byte(&t->text, '\n');
            continue;
        }
        str_builder_byte(&t->text, c);
    }
    return true;
}

static struct ast *lower_field_of(struct literal *t, const struct syntax *s);

/* `:>10.2f`, with replacement fields inside. */
static struct ast *lower_spec(struct lower *l, const struct syntax *s)
{
    struct literal t = {.l = l, .s = s, .text = {.in = l->in}, .raw = true};
    struct ast *node = lower_node(l, s, AST_FORMAT);
    const char *at = s->text.data + 1, *end = s->text.data + s->text.size;
    t.parts.items = interp_alloc(l->in, 2 * (size_t)lower_child_count(s) + 1, sizeof(void *));
    if (!node || !t.parts.items)
        return lower_tripped(l);
    for (const struct syntax *child = s->first; child; child = child->next) {
        if (child->kind != SYNTAX_FORMAT_EXPRESSION && child->kind != SYNTAX_INTERPOLATION)
            continue;
        if (!put_content(&t, (struct text){at, (size_t)(child->text.data - at)}) ||
            !flush_text(&t))
            return NULL;
        struct ast *field = lower_field_of(&t, child);
        if (!field)
            return NULL;
        t.parts.items[t.parts.count++] = field;
        at = child->text.data + child->text.size;
    }
    if (!put_content(&t, (struct text){at, (size_t)(end - at)}) || !flush_text(&t))
        return NULL;
    node->as.list = t.parts;
    return node;
}

/* {expression!r:spec}; for {expression=} its own text comes first. */
static struct ast *lower_field_of(struct literal *t, const struct syntax *s)
{
    struct lower *l = t->l;
    struct ast *node = lower_node(l, s, AST_FORMATTED);
    const struct syntax *expression = lower_field(s, "expression");
    const struct syntax *conversion = lower_field(s, "type_conversion");
    const struct syntax *spec = lower_field(s, "format_specifier");
    if (!node || !expression)
        return node ? lower_refuse_kind(l, s) : NULL;
    for (const struct syntax *at = expression->next; at; at = at->next) {
        if (at->kind != SYNTAX_TOKEN || !text_equal(at->text, TEXT("=")))
            continue;
        const char *begin = s->text.data + 1;
        const char *end = at->next ? at->next->text.data : at->text.data + 1;
        str_builder_add(&t->text, (struct text){begin, (size_t)(end - begin)});
        if (!flush_text(t))
            return NULL;
        node->as.formatted.conversion = conversion || spec ? 0 : 'r';
    }
    if (conversion) {
        const char letter = conversion->text.size == 2 ? conversion->text.data[1] : '\0';
        if (letter != 's' && letter != 'r' && letter != 'a')
            return parse_refuse(l->fault, s->line,
                                "the conversion %.*s of an f-string is none: there are !s, !r "
                                "and !a",
                                TEXT_ARG(conversion->text));
        node->as.formatted.conversion = letter;
    }
    node->as.formatted.value = lower_expr(l, expression);
    if (spec)
        node->as.formatted.spec = lower_spec(l, spec);
    return node->as.formatted.value && (!spec || node->as.formatted.spec) ? node : NULL;
}

/* The text is what lies between the quotes and the fields: the grammar counts some of it to the
 * closing quote, such as the whole of r'\\'. */
static bool add_string(struct literal *t, const struct syntax *s)
{
    const char *from = s->text.data;
    size_t quotes = 1;
    t->raw = t->format = false;
    for (const struct syntax *at = s->first; at; at = at->next) {
        bool fine = true;
        if (at->kind == SYNTAX_STRING_START) {
            const struct text start = at->text;
            t->raw = memchr(start.data, 'r', start.size) || memchr(start.data, 'R', start.size);
            t->format =
                memchr(start.data, 'f', start.size) || memchr(start.data, 'F', start.size);
            if (memchr(start.data, 'b', start.size) || memchr(start.data, 'B', start.size)) {
                parse_refuse(t->l->fault, s->line,
                             "bytes are not part of this language: use str, without the b");
                return false;
            }
            from = start.data + start.size;
            quotes = start.size >= 3 && start.data[start.size - 3] == from[-1] ? 3 : 1;
        } else if (at->kind == SYNTAX_INTERPOLATION) {
            fine = put_content(t, (struct text){from, (size_t)(at->text.data - from)});
            struct ast *field = fine && flush_text(t) ? lower_field_of(t, at) : NULL;
            fine = field != NULL;
            from = at->text.data + at->text.size;
            if (fine)
                t->parts.items[t->parts.count++] = field;
        } else if (!at->next) {
            const char *end = at->text.data + at->text.size - quotes;
            fine = end < from || put_content(t, (struct text){from, (size_t)(end - from)});
        }
        if (!fine)
            return false;
    }
    return true;
}

struct ast *lower_string(struct lower *l, const struct syntax *s)
{
    struct literal t = {.l = l, .s = s, .text = {.in = l->in}};
    size_t pieces = 2 * (size_t)lower_child_count(s);
    for (const struct syntax *at = s->first; at; at = at->next)
        pieces += 3 * (size_t)lower_child_count(at) + 2;
    t.parts.items = interp_alloc(l->in, pieces + 1, sizeof(void *));
    if (!t.parts.items)
        return lower_tripped(l);
    if (s->kind == SYNTAX_STRING && !add_string(&t, s))
        return NULL;
    for (const struct syntax *at = s->first; s->kind == SYNTAX_CONCATENATED && at;
         at = at->next)
        if (at->kind == SYNTAX_STRING && !add_string(&t, at))
            return NULL;
    if (!flush_text(&t))
        return NULL;
    if (t.parts.count == 1 && t.parts.items[0]->kind == AST_CONST)
        return t.parts.items[0];
    struct ast *node = lower_node(l, s, t.parts.count == 0 ? AST_CONST : AST_FORMAT);
    if (!node)
        return NULL;
    if (t.parts.count > 0) {
        node->as.list = t.parts;
        return node;
    }
    struct str *empty = str_copy(l->in, TEXT(""));
    if (!empty)
        return lower_tripped(l);
    node->as.constant = value_str(empty);
    return node;
}

/* The literal's digits without underscores, NUL-terminated; false when it is too long. */
static bool digits_of(struct lower *l, const struct syntax *s, char out[DIGITS_MAX])
{
    size_t size = 0;
    for (size_t i = 0; i < s->text.size; i++) {
        if (s->text.data[i] == '_')
            continue;
        if (size + 1 == DIGITS_MAX) {
            parse_refuse(l->fault, s->line, "the number has more than %d digits", DIGITS_MAX);
            return false;
        }
        out[size++] = s->text.data[i];
    }
    out[size] = '\0';
    if (size > 0 && strchr("jJlL", out[size - 1])) {
        parse_refuse(l->fault, s->line, "complex numbers are not part of this language");
        return false;
    }
    return true;
}

struct ast *lower_integer(struct lower *l, const struct syntax *s)
{
    char digits[DIGITS_MAX];
    struct ast *node = lower_node(l, s, AST_CONST);
    int64_t value = 0;
    if (!node || !digits_of(l, s, digits))
        return NULL;
    const char kind = digits[0] == '0' && digits[1] ? (char)(digits[1] | 0x20) : '\0';
    const int64_t base = kind == 'x' ? 16 : kind == 'o' ? 8 : kind == 'b' ? 2 : 10;
    for (const char *at = digits + (base == 10 ? 0 : 2); *at; at++) {
        const char c = (char)(*at | 0x20);
        const int64_t digit = c >= 'a' ? c - 'a' + 10 : *at - '0';
        if (__builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return parse_refuse(l->fault, s->line,
                                "the integer %.40s does not fit in 64 bits: use a float",
                                digits);
    }
    node->as.constant = value_int(value);
    return node;
}

struct ast *lower_float(struct lower *l, const struct syntax *s)
{
    char digits[DIGITS_MAX];
    struct ast *node = lower_node(l, s, AST_CONST);
    if (!node || !digits_of(l, s, digits))
        return NULL;
    node->as.constant = value_float(strtod(digits, NULL));
    return node;
}
