/*
 * jinja_expr - see jinja_expr.h.
 *
 * Recursive descent, loosest first, in the order of Jinja's own parser: if-else, or, and, not,
 * comparisons, + and -, ~, * / // %, **, signs, then what follows a value (members, calls) and
 * last filters and tests. So `-1 | abs` is 1 and `1 + a | length` adds.
 */
#include "tokenizer/jinja_expr.h"

#include "tokenizer/jinja_string.h"
#include "tokenizer/jinja_value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_BYTES_MAX = 64 };

enum status jinja_expr_node(struct jinja_parser *parser, enum jinja_node_kind kind,
                            struct jinja_node **node)
{
    struct jinja_node *made = JINJA_NEW(parser->jinja, struct jinja_node, 1);
    if (!made)
        return jinja_full(parser->jinja);
    made->kind = kind;
    made->line = parser->token->line;
    *node = made;
    return OK;
}

enum status jinja_expr_unexpected(struct jinja_parser *parser, const char *wanted)
{
    const struct text found = parser->token->text;
    parser->jinja->line = parser->token->line;
    JINJA_FAIL(parser->jinja, ERR_FORMAT, "expected %s, found '%.*s'", wanted,
               found.size > 40 ? 40 : (int)found.size, found.size ? found.data : "");
}

static bool is(const struct jinja_parser *parser, enum jinja_token_kind kind, const char *text)
{
    return parser->token->kind == kind && text_equal(parser->token->text, text_of(text));
}

bool jinja_expr_is_name(const struct jinja_parser *parser, const char *name)
{
    return is(parser, JINJA_TOKEN_NAME, name);
}

bool jinja_expr_is_sign(const struct jinja_parser *parser, const char *sign)
{
    return is(parser, JINJA_TOKEN_SIGN, sign);
}

bool jinja_expr_skip_name(struct jinja_parser *parser, const char *name)
{
    const bool found = jinja_expr_is_name(parser, name);
    parser->token += found;
    return found;
}

bool jinja_expr_skip_sign(struct jinja_parser *parser, const char *sign)
{
    const bool found = jinja_expr_is_sign(parser, sign);
    parser->token += found;
    return found;
}

enum status jinja_expr_name(struct jinja_parser *parser, struct text *name)
{
    if (parser->token->kind != JINJA_TOKEN_NAME)
        return jinja_expr_unexpected(parser, "a name");
    *name = parser->token++->text;
    return OK;
}

enum status jinja_expr_sign(struct jinja_parser *parser, const char *sign)
{
    return jinja_expr_skip_sign(parser, sign) ? OK : jinja_expr_unexpected(parser, sign);
}

/* A node of kind with up to two children. */
static enum status make(struct jinja_parser *parser, enum jinja_node_kind kind,
                        struct jinja_node *first, struct jinja_node *second,
                        struct jinja_node **node)
{
    TRY(jinja_expr_node(parser, kind, node));
    (*node)->child[0] = first;
    (*node)->child[1] = second;
    return OK;
}

static enum status enter(struct jinja_parser *parser)
{
    if (parser->jinja->depth == JINJA_DEPTH_MAX) {
        parser->jinja->line = parser->token->line;
        JINJA_FAIL(parser->jinja, ERR_LIMIT, "nested deeper than %d", JINJA_DEPTH_MAX);
    }
    parser->jinja->depth++;
    return OK;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* \xNN and \uNNNN at text[at], the place of the letter: the code point, or -1. */
static int32_t hex_escape(struct text text, size_t at, size_t digits)
{
    int32_t code_point = 0;
    if (text.size - at <= digits)
        return -1;
    for (size_t i = 1; i <= digits; i++) {
        const int digit = hex_digit(text.data[at + i]);
        if (digit < 0)
            return -1;
        code_point = code_point << 4 | digit;
    }
    return code_point >= 0xd800 && code_point <= 0xdfff ? -1 : code_point;
}

/* One escape, whose backslash is at *at; an unknown one stays as it is, as in Python. */
static void unescape_one(struct text text, size_t *at, struct jinja_builder *out)
{
    static const char letters[] = "ntrbfv0a\\'\"/", meanings[] = "\n\t\r\b\f\v\0\a\\'\"/";
    const char letter = text.data[*at + 1];
    const char *known = letter ? strchr(letters, letter) : NULL;
    const size_t digits = letter == 'x' ? 2 : letter == 'u' ? 4 : 0;
    const int32_t code_point = digits ? hex_escape(text, *at + 1, digits) : -1;
    if (known) {
        jinja_string_add_text(out, (struct text){&meanings[known - letters], 1}, true);
        *at += 2;
    } else if (code_point >= 0) {
        char bytes[4];
        const size_t size = text_utf8_put((uint32_t)code_point, bytes);
        jinja_string_add_text(out, (struct text){bytes, size}, true);
        *at += 2 + digits;
    } else {
        jinja_string_add_text(out, text_slice(text, *at, *at + 1), true);
        *at += letter == '\n' ? 2 : 1;
    }
}

/* The string tokens that follow each other, as one constant. */
static enum status strings(struct jinja_parser *parser, struct jinja_node **node)
{
    struct jinja_builder out = {.arena = parser->jinja->arena};
    TRY(jinja_expr_node(parser, JINJA_NODE_CONST, node));
    while (parser->token->kind == JINJA_TOKEN_STRING) {
        const struct text text = parser->token++->text;
        for (size_t at = 0; at < text.size;) {
            size_t escape = text_find(text, TEXT("\\"), at);
            escape = escape < text.size ? escape : text.size;
            jinja_string_add_text(&out, text_slice(text, at, escape), true);
            at = escape;
            if (at + 1 < text.size)
                unescape_one(text, &at, &out);
        }
    }
    return jinja_string_take(parser->jinja, &out, &(*node)->value);
}

static enum status number(struct jinja_parser *parser, struct jinja_node **node)
{
    char digits[NUMBER_BYTES_MAX];
    const struct jinja_token *token = parser->token;
    TRY(jinja_expr_node(parser, JINJA_NODE_CONST, node));
    errno = ERANGE;
    if (token->text.size < sizeof digits) {
        memcpy(digits, token->text.data, token->text.size);
        digits[token->text.size] = '\0';
        errno = 0;
        (*node)->value = token->kind == JINJA_TOKEN_INT
                             ? jinja_value_int(strtoll(digits, NULL, 10))
                             : jinja_value_float(strtod(digits, NULL));
    }
    if (errno != 0) {
        parser->jinja->line = token->line;
        JINJA_FAIL(parser->jinja, ERR_LIMIT, "a number of %zu digits", token->text.size);
    }
    parser->token++;
    return OK;
}

static enum status name(struct jinja_parser *parser, struct jinja_node **node)
{
    static const struct {
        const char *name;
        enum jinja_kind kind;
        bool boolean;
    } constants[] = {{"true", JINJA_BOOL, true},   {"True", JINJA_BOOL, true},
                     {"false", JINJA_BOOL, false}, {"False", JINJA_BOOL, false},
                     {"none", JINJA_NONE, false},  {"None", JINJA_NONE, false}};
    TRY(jinja_expr_node(parser, JINJA_NODE_NAME, node));
    (*node)->text = parser->token->text;
    for (size_t i = 0; i < sizeof constants / sizeof constants[0]; i++) {
        if (!jinja_expr_is_name(parser, constants[i].name))
            continue;
        (*node)->kind = JINJA_NODE_CONST;
        (*node)->value =
            (struct jinja_value){.kind = constants[i].kind, .boolean = constants[i].boolean};
    }
    parser->token++;
    return OK;
}

/* Items up to the closing sign, which is taken too, into node's first child. */
static enum status items(struct jinja_parser *parser, const char *close,
                         struct jinja_node *node)
{
    struct jinja_node **end = &node->child[0];
    while (!jinja_expr_skip_sign(parser, close)) {
        if (node->child[0])
            TRY(jinja_expr_sign(parser, ","));
        if (jinja_expr_skip_sign(parser, close))
            break;
        TRY(jinja_expr_parse(parser, true, end));
        if (node->kind == JINJA_NODE_MAP) {
            struct jinja_node *pair = NULL;
            TRY(make(parser, JINJA_NODE_PAIR, *end, NULL, &pair));
            TRY(jinja_expr_sign(parser, ":"));
            TRY(jinja_expr_parse(parser, true, &pair->child[1]));
            *end = pair;
        }
        end = &(*end)->next;
    }
    return OK;
}

static enum status primary(struct jinja_parser *parser, struct jinja_node **node)
{
    switch (parser->token->kind) {
    case JINJA_TOKEN_NAME:
        return name(parser, node);
    case JINJA_TOKEN_STRING:
        return strings(parser, node);
    case JINJA_TOKEN_INT:
    case JINJA_TOKEN_FLOAT:
        return number(parser, node);
    default:
        break;
    }
    if (jinja_expr_skip_sign(parser, "[")) {
        TRY(jinja_expr_node(parser, JINJA_NODE_LIST, node));
        return items(parser, "]", *node);
    }
    if (jinja_expr_skip_sign(parser, "{")) {
        TRY(jinja_expr_node(parser, JINJA_NODE_MAP, node));
        return items(parser, "}", *node);
    }
    if (!jinja_expr_skip_sign(parser, "("))
        return jinja_expr_unexpected(parser, "a value");
    if (jinja_expr_skip_sign(parser, ")"))
        return jinja_expr_node(parser, JINJA_NODE_TUPLE, node);
    TRY(jinja_expr_tuple(parser, true, node));
    return jinja_expr_sign(parser, ")");
}

/* Arguments in brackets, whose opening was taken. */
static enum status arguments(struct jinja_parser *parser, struct jinja_node **first)
{
    struct jinja_node **end = first;
    *first = NULL;
    while (!jinja_expr_skip_sign(parser, ")")) {
        if (*first)
            TRY(jinja_expr_sign(parser, ","));
        if (jinja_expr_skip_sign(parser, ")"))
            break;
        TRY(jinja_expr_node(parser, JINJA_NODE_ARG, end));
        const bool named = parser->token->kind == JINJA_TOKEN_NAME &&
                           parser->token[1].kind == JINJA_TOKEN_SIGN &&
                           text_equal(parser->token[1].text, TEXT("="));
        if (named || jinja_expr_is_sign(parser, "*") || jinja_expr_is_sign(parser, "**"))
            (*end)->text = parser->token->text;
        parser->token += named ? 2 : (*end)->text.size > 0 ? 1 : 0;
        TRY(jinja_expr_parse(parser, true, &(*end)->child[0]));
        end = &(*end)->next;
    }
    return OK;
}

/* [index] or [start:stop:step] after *node; the bracket was taken. */
static enum status subscript(struct jinja_parser *parser, struct jinja_node **node)
{
    struct jinja_node *made = NULL;
    TRY(make(parser, JINJA_NODE_ITEM, *node, NULL, &made));
    uint32_t part = 1;
    while (!jinja_expr_skip_sign(parser, "]")) {
        if (jinja_expr_skip_sign(parser, ":")) {
            made->kind = JINJA_NODE_SLICE;
            if (++part > 3)
                return jinja_expr_unexpected(parser, "]");
        } else if (made->child[part]) {
            return jinja_expr_unexpected(parser, "]");
        } else {
            TRY(jinja_expr_parse(parser, true, &made->child[part]));
        }
    }
    if (made->kind == JINJA_NODE_ITEM && !made->child[1])
        return jinja_expr_unexpected(parser, "an index");
    *node = made;
    return OK;
}

static enum status member(struct jinja_parser *parser, struct jinja_node **node)
{
    struct jinja_node *made = NULL;
    TRY(make(parser, JINJA_NODE_ATTR, *node, NULL, &made));
    *node = made;
    if (parser->token->kind == JINJA_TOKEN_INT) {
        made->kind = JINJA_NODE_ITEM;
        return number(parser, &made->child[1]);
    }
    return jinja_expr_name(parser, &made->text);
}

static enum status call(struct jinja_parser *parser, struct jinja_node **node)
{
    struct jinja_node *made = NULL;
    TRY(make(parser, JINJA_NODE_CALL, *node, NULL, &made));
    *node = made;
    return arguments(parser, &made->child[1]);
}

static enum status postfix(struct jinja_parser *parser, struct jinja_node **node)
{
    for (;;) {
        if (jinja_expr_skip_sign(parser, "."))
            TRY(member(parser, node));
        else if (jinja_expr_skip_sign(parser, "["))
            TRY(subscript(parser, node));
        else if (jinja_expr_skip_sign(parser, "("))
            TRY(call(parser, node));
        else
            return OK;
    }
}

enum status jinja_expr_filter(struct jinja_parser *parser, struct jinja_node **node)
{
    struct jinja_node *made = NULL;
    TRY(make(parser, JINJA_NODE_FILTER, *node, NULL, &made));
    *node = made;
    TRY(jinja_expr_name(parser, &made->text));
    return jinja_expr_skip_sign(parser, "(") ? arguments(parser, &made->child[1]) : OK;
}

enum status jinja_expr_filters(struct jinja_parser *parser, struct jinja_node **node)
{
    while (jinja_expr_skip_sign(parser, "|"))
        TRY(jinja_expr_filter(parser, node));
    return OK;
}

/* Whether an argument without brackets follows a test's name: `is divisibleby 3`. */
static bool has_bare_argument(const struct jinja_parser *parser)
{
    static const char *const ends[] = {"else", "or", "and", "if", "is", "not", "in"};
    if (parser->token->kind == JINJA_TOKEN_SIGN)
        return jinja_expr_is_sign(parser, "[") || jinja_expr_is_sign(parser, "{");
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        if (jinja_expr_is_name(parser, ends[i]))
            return false;
    }
    return parser->token->kind >= JINJA_TOKEN_NAME && parser->token->kind <= JINJA_TOKEN_FLOAT;
}

static enum status test(struct jinja_parser *parser, struct jinja_node **node)
{
    struct jinja_node *made = NULL;
    const bool negated = jinja_expr_skip_name(parser, "not");
    TRY(make(parser, JINJA_NODE_TEST, *node, NULL, &made));
    TRY(jinja_expr_name(parser, &made->text));
    if (jinja_expr_skip_sign(parser, "(")) {
        TRY(arguments(parser, &made->child[1]));
    } else if (has_bare_argument(parser)) {
        TRY(jinja_expr_node(parser, JINJA_NODE_ARG, &made->child[1]));
        TRY(primary(parser, &made->child[1]->child[0]));
        TRY(postfix(parser, &made->child[1]->child[0]));
    }
    *node = made;
    return negated ? make(parser, JINJA_NODE_NOT, made, NULL, node) : OK;
}

static enum status unary(struct jinja_parser *parser, bool with_filter,
                         struct jinja_node **node)
{
    TRY(enter(parser));
    if (jinja_expr_is_sign(parser, "-") || jinja_expr_is_sign(parser, "+")) {
        TRY(jinja_expr_node(parser, JINJA_NODE_UNARY, node));
        (*node)->text = parser->token++->text;
        TRY(unary(parser, false, &(*node)->child[0]));
    } else {
        TRY(primary(parser, node));
    }
    TRY(postfix(parser, node));
    for (bool more = with_filter; more;) {
        if (jinja_expr_skip_sign(parser, "|"))
            TRY(jinja_expr_filter(parser, node));
        else if (jinja_expr_skip_name(parser, "is"))
            TRY(test(parser, node));
        else if (jinja_expr_skip_sign(parser, "("))
            TRY(call(parser, node));
        else
            more = false;
    }
    parser->jinja->depth--;
    return OK;
}

/* Operators that hang together to the left, loosest level first. */
static const char *const LEVELS[][5] = {
    {"+", "-", NULL}, {"~", NULL}, {"*", "/", "//", "%", NULL}, {"**", NULL}};
enum { LEVEL_COUNT = 4 };

static enum status binary(struct jinja_parser *parser, uint32_t level, struct jinja_node **node)
{
    if (level == LEVEL_COUNT)
        return unary(parser, true, node);
    TRY(binary(parser, level + 1, node));
    for (uint32_t i = 0; LEVELS[level][i];) {
        if (!jinja_expr_is_sign(parser, LEVELS[level][i])) {
            i++;
            continue;
        }
        struct jinja_node *made = NULL;
        TRY(make(parser, JINJA_NODE_BINARY, *node, NULL, &made));
        made->text = parser->token++->text;
        TRY(binary(parser, level + 1, &made->child[1]));
        *node = made;
        i = 0;
    }
    return OK;
}

/* Goes past a comparison's operator; empty when there is none. */
static struct text compare_operator(struct jinja_parser *parser)
{
    static const char *const signs[] = {"==", "!=", "<", "<=", ">", ">="};
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        if (jinja_expr_skip_sign(parser, signs[i]))
            return text_of(signs[i]);
    }
    if (jinja_expr_skip_name(parser, "in"))
        return TEXT("in");
    const struct jinja_token *next = &parser->token[1];
    if (jinja_expr_is_name(parser, "not") && next->kind == JINJA_TOKEN_NAME &&
        text_equal(next->text, TEXT("in"))) {
        parser->token += 2;
        return TEXT("not in");
    }
    return TEXT("");
}

static enum status compare(struct jinja_parser *parser, struct jinja_node **node)
{
    TRY(binary(parser, 0, node));
    struct jinja_node *made = NULL, **end = NULL;
    for (;;) {
        const struct text operator= compare_operator(parser);
        if (operator.size == 0)
            break;
        if (!made) {
            TRY(make(parser, JINJA_NODE_COMPARE, *node, NULL, &made));
            end = &made->child[1];
            *node = made;
        }
        TRY(jinja_expr_node(parser, JINJA_NODE_OPERAND, end));
        (*end)->text = operator;
        TRY(binary(parser, 0, &(*end)->child[0]));
        end = &(*end)->next;
    }
    return OK;
}

static enum status negation(struct jinja_parser *parser, struct jinja_node **node)
{
    if (!jinja_expr_skip_name(parser, "not"))
        return compare(parser, node);
    TRY(enter(parser));
    TRY(jinja_expr_node(parser, JINJA_NODE_NOT, node));
    TRY(negation(parser, &(*node)->child[0]));
    parser->jinja->depth--;
    return OK;
}

static enum status conjunction(struct jinja_parser *parser, struct jinja_node **node)
{
    TRY(negation(parser, node));
    while (jinja_expr_skip_name(parser, "and")) {
        struct jinja_node *made = NULL;
        TRY(make(parser, JINJA_NODE_AND, *node, NULL, &made));
        TRY(negation(parser, &made->child[1]));
        *node = made;
    }
    return OK;
}

static enum status disjunction(struct jinja_parser *parser, struct jinja_node **node)
{
    TRY(conjunction(parser, node));
    while (jinja_expr_skip_name(parser, "or")) {
        struct jinja_node *made = NULL;
        TRY(make(parser, JINJA_NODE_OR, *node, NULL, &made));
        TRY(conjunction(parser, &made->child[1]));
        *node = made;
    }
    return OK;
}

enum status jinja_expr_parse(struct jinja_parser *parser, bool with_if,
                             struct jinja_node **node)
{
    TRY(enter(parser));
    TRY(disjunction(parser, node));
    while (with_if && jinja_expr_skip_name(parser, "if")) {
        struct jinja_node *made = NULL;
        TRY(make(parser, JINJA_NODE_COND, NULL, *node, &made));
        TRY(disjunction(parser, &made->child[0]));
        if (jinja_expr_skip_name(parser, "else"))
            TRY(jinja_expr_parse(parser, true, &made->child[2]));
        *node = made;
    }
    parser->jinja->depth--;
    return OK;
}

enum status jinja_expr_tuple(struct jinja_parser *parser, bool with_if,
                             struct jinja_node **node)
{
    TRY(jinja_expr_parse(parser, with_if, node));
    if (!jinja_expr_is_sign(parser, ","))
        return OK;
    struct jinja_node *made = NULL, **end = &(*node)->next;
    TRY(make(parser, JINJA_NODE_TUPLE, *node, NULL, &made));
    *node = made;
    while (jinja_expr_skip_sign(parser, ",")) {
        const enum jinja_token_kind kind = parser->token->kind;
        if (kind == JINJA_TOKEN_BLOCK_END || kind == JINJA_TOKEN_OUTPUT_END ||
            jinja_expr_is_sign(parser, ")"))
            break;
        TRY(jinja_expr_parse(parser, with_if, end));
        end = &(*end)->next;
    }
    return OK;
}

static enum status target_name(struct jinja_parser *parser, struct jinja_node **node)
{
    TRY(jinja_expr_node(parser, JINJA_NODE_NAME, node));
    TRY(jinja_expr_name(parser, &(*node)->text));
    return jinja_expr_skip_sign(parser, ".") ? member(parser, node) : OK;
}

enum status jinja_expr_target(struct jinja_parser *parser, struct jinja_node **node)
{
    const bool in_brackets = jinja_expr_skip_sign(parser, "(");
    TRY(target_name(parser, node));
    if (jinja_expr_is_sign(parser, ",")) {
        struct jinja_node *made = NULL, **end = &(*node)->next;
        TRY(make(parser, JINJA_NODE_TUPLE, *node, NULL, &made));
        *node = made;
        while (jinja_expr_skip_sign(parser, ",")) {
            TRY(target_name(parser, end));
            end = &(*end)->next;
        }
    }
    return in_brackets ? jinja_expr_sign(parser, ")") : OK;
}
