/* lower_expr - expressions and targets; see lower.h. */
#include "protocol/dsl/lower.h"

#include "protocol/dsl/lower_check.h"
#include "protocol/dsl/str.h"

#include <string.h>

static struct ast *lower_constant(struct lower *l, const struct syntax *s, struct value value)
{
    struct ast *node = lower_node(l, s, AST_CONST);
    if (node)
        node->as.constant = value;
    return node;
}

static struct ast *lower_star_of(struct lower *l, const struct syntax *s,
                                 const struct syntax *operand)
{
    struct ast *node = lower_node(l, s, AST_STAR);
    if (!node)
        return NULL;
    node->as.star.operand = lower_expr(l, operand);
    return node->as.star.operand ? node : NULL;
}

/* *x or **x; the operand is the first named child. */
static struct ast *lower_star(struct lower *l, const struct syntax *s, bool target)
{
    struct ast *node = lower_node(l, s, AST_STAR);
    const struct syntax *operand = lower_named(s->first);
    if (!node)
        return NULL;
    node->as.star.twice = s->kind == SYNTAX_DICT_SPLAT;
    node->as.star.operand = target ? lower_target(l, operand) : lower_expr(l, operand);
    return node->as.star.operand ? node : NULL;
}

/* What stands leftmost in an expression; NULL when it begins with a token of its own. */
static struct ast **leftmost(struct ast *node)
{
    switch (node->kind) {
    case AST_CALL:
        return &node->as.call.function;
    case AST_ATTRIBUTE:
        return &node->as.attribute.object;
    case AST_SUBSCRIPT:
        return &node->as.subscript.object;
    case AST_BINARY:
    case AST_AND:
    case AST_OR:
        return &node->as.binary.left;
    case AST_COMPARE:
        return &node->as.compare.operands.items[0];
    case AST_CONDITIONAL:
        return &node->as.conditional.yes;
    default:
        return NULL;
    }
}

/* The grammar reads `*x.split()` as the star of x alone: a star that stands leftmost in an item
 * is one of all of it. */
static struct ast *lower_item(struct lower *l, const struct syntax *s)
{
    struct ast *item = lower_expr(l, s);
    struct ast **at = item ? leftmost(item) : NULL;
    while (at && (*at)->kind != AST_STAR)
        at = leftmost(*at);
    if (!at || (*at)->as.star.twice)
        return item;
    struct ast *star = *at;
    *at = star->as.star.operand;
    star->as.star.operand = item;
    return star;
}

static struct ast *lower_items(struct lower *l, const struct syntax *s, enum ast_kind kind)
{
    struct ast *node = lower_node(l, s, kind);
    if (!node || !lower_list(l, s, &node->as.list))
        return NULL;
    for (const struct syntax *at = lower_named(s->first); at; at = lower_named(at->next)) {
        struct ast *item = lower_item(l, at);
        if (!item)
            return NULL;
        node->as.list.items[node->as.list.count++] = item;
    }
    return node;
}

/* key, value, key, value...; for **x a AST_STAR and NULL. */
static struct ast *lower_dict(struct lower *l, const struct syntax *s)
{
    struct ast *node = lower_node(l, s, AST_DICT);
    if (!node)
        return NULL;
    struct ast_list *list = &node->as.list;
    list->items = interp_alloc(l->in, 2 * (size_t)lower_child_count(s), sizeof *list->items);
    if (!list->items)
        return lower_tripped(l);
    for (const struct syntax *at = lower_named(s->first); at; at = lower_named(at->next)) {
        if (at->kind == SYNTAX_DICT_SPLAT) {
            list->items[list->count] = lower_star(l, at, false);
        } else {
            list->items[list->count] = lower_expr(l, lower_field(at, "key"));
            list->items[list->count + 1] = lower_expr(l, lower_field(at, "value"));
            if (!list->items[list->count + 1])
                return NULL;
        }
        if (!list->items[list->count])
            return NULL;
        list->count += 2;
    }
    return node;
}

static struct ast *lower_unary(struct lower *l, const struct syntax *s)
{
    const struct syntax *sign = lower_field(s, "operator");
    enum ast_kind kind = AST_NOT;
    if (sign && s->kind == SYNTAX_UNARY && sign->text.data[0] == '*') /* see parse.c */
        return lower_star_of(l, s, lower_field(s, "argument"));
    if (sign && s->kind == SYNTAX_UNARY)
        kind = sign->text.data[0] == '-'   ? AST_NEGATE
               : sign->text.data[0] == '+' ? AST_PLUS
                                           : AST_INVERT;
    struct ast *node = lower_node(l, s, kind);
    if (!node)
        return NULL;
    node->as.operand = lower_expr(l, lower_field(s, "argument"));
    return node->as.operand ? node : NULL;
}

/* What & and ^ of a chain have come to: sum ^ product, of which the product may still grow. */
struct bits {
    struct lower *l;
    struct ast *sum, *product;
};

static struct ast *join_bits(struct bits *b, const struct syntax *s, enum ast_operator op,
                             struct ast *right)
{
    struct ast *left = op == AST_XOR ? b->sum : b->product;
    if (!left)
        return right;
    struct ast *node = lower_node(b->l, s, AST_BINARY);
    if (!node)
        return NULL;
    node->as.binary.op = op;
    node->as.binary.left = left;
    node->as.binary.right = right;
    return node;
}

static bool is_bits(const struct syntax *s)
{
    if (s->kind != SYNTAX_BINARY)
        return false;
    const struct text sign = lower_field(s, "operator")->text;
    return text_equal(sign, TEXT("&")) || text_equal(sign, TEXT("^"));
}

/* Puts the operands of s behind what is there, as they are written; op stands before them. */
static bool add_bits(struct bits *b, const struct syntax *s, enum ast_operator op)
{
    if (is_bits(s)) {
        const bool is_and = text_equal(lower_field(s, "operator")->text, TEXT("&"));
        if (!interp_enter(b->l->in))
            return false;
        const bool fine = add_bits(b, lower_field(s, "left"), op) &&
                          add_bits(b, lower_field(s, "right"), is_and ? AST_AND_BITS : AST_XOR);
        interp_leave(b->l->in);
        return fine;
    }
    struct ast *operand = lower_expr(b->l, s);
    if (!operand)
        return false;
    if (op == AST_XOR && b->product) {
        b->sum = join_bits(b, s, AST_XOR, b->product);
        b->product = NULL;
        if (!b->sum)
            return false;
    }
    b->product = join_bits(b, s, AST_AND_BITS, operand);
    return b->product != NULL;
}

/* The grammar has it that ^ binds closer than &; in Python & does. */
static struct ast *lower_bits(struct lower *l, const struct syntax *s)
{
    struct bits b = {.l = l};
    return add_bits(&b, s, AST_XOR) ? join_bits(&b, s, AST_XOR, b.product) : NULL;
}

static struct ast *lower_binary(struct lower *l, const struct syntax *s)
{
    if (is_bits(s))
        return lower_bits(l, s);
    static const char *const SIGNS[] = {"+", "-", "*", "/",  "//", "%", "**",
                                        "&", "|", "^", "<<", ">>", "@"};
    const struct syntax *sign = lower_field(s, "operator");
    struct ast *node = lower_node(l, s, AST_BINARY);
    if (!node)
        return NULL;
    if (s->kind == SYNTAX_BOOLEAN)
        node->kind = text_equal(sign->text, TEXT("and")) ? AST_AND : AST_OR;
    for (uint32_t i = 0; i < sizeof SIGNS / sizeof SIGNS[0]; i++)
        if (text_equal(sign->text, text_of(SIGNS[i])))
            node->as.binary.op = (enum ast_operator)i;
    node->as.binary.left = lower_expr(l, lower_field(s, "left"));
    node->as.binary.right =
        node->as.binary.left ? lower_expr(l, lower_field(s, "right")) : NULL;
    return node->as.binary.right ? node : NULL;
}

static bool comparison_of(const struct syntax *sign, enum ast_comparison *out)
{
    static const char *const SIGNS[] = {"==", "!=", "<",      "<=", ">",
                                        ">=", "in", "not in", "is", "is not"};
    if (text_equal(sign->text, TEXT("<>"))) /* Python 2 */
        return false;
    for (uint32_t i = 0; i < sizeof SIGNS / sizeof SIGNS[0]; i++)
        if (strcmp(sign->name, SIGNS[i]) == 0) {
            *out = (enum ast_comparison)i;
            return true;
        }
    return false;
}

static struct ast *lower_compare(struct lower *l, const struct syntax *s)
{
    struct ast *node = lower_node(l, s, AST_COMPARE);
    if (!node || !lower_list(l, s, &node->as.compare.operands))
        return NULL;
    struct ast_list *operands = &node->as.compare.operands;
    node->as.compare.operators =
        interp_alloc(l->in, lower_child_count(s), sizeof *node->as.compare.operators);
    if (!node->as.compare.operators)
        return lower_tripped(l);
    for (const struct syntax *at = s->first; at; at = at->next) {
        if (at->kind == SYNTAX_TOKEN) {
            if (!comparison_of(at, &node->as.compare.operators[operands->count - 1]))
                return lower_refuse_kind(l, at);
            continue;
        }
        struct ast *operand = lower_expr(l, at);
        if (!operand)
            return NULL;
        operands->items[operands->count++] = operand;
    }
    return node;
}

/* getattr, hasattr and setattr take a literal name only: what a program can reach is then
 * known before it runs. */
static bool check_getattr(struct lower *l, const struct syntax *s, const struct ast *call)
{
    const struct syntax *function = lower_field(s, "function");
    const struct ast_list *arguments = &call->as.call.arguments;
    if (function->kind != SYNTAX_IDENTIFIER || arguments->count < 2 ||
        !(text_equal(function->text, TEXT("getattr")) ||
          text_equal(function->text, TEXT("hasattr")) ||
          text_equal(function->text, TEXT("setattr"))))
        return true;
    l->asks |= text_equal(function->text, TEXT("hasattr"));
    const struct ast *name = arguments->items[1];
    if (name->kind != AST_CONST || name->as.constant.kind != VALUE_STR) {
        parse_refuse(l->fault, s->line, "%.*s needs its attribute's name as a plain string",
                     TEXT_ARG(function->text));
        return false;
    }
    const struct text attribute = str_text(name->as.constant.as.str);
    if (!text_starts(attribute, TEXT("__")))
        return true;
    parse_refuse(l->fault, s->line, "the attribute %.*s is not available", TEXT_ARG(attribute));
    return false;
}

/* '{0.__class__}'.format(...), the text written out: that attribute by another way. */
static bool check_format(struct lower *l, const struct syntax *s, const struct ast *call)
{
    const struct ast *function = call->as.call.function;
    if (function->kind != AST_ATTRIBUTE || !str_is(function->as.attribute.name, "format") ||
        function->as.attribute.object->kind != AST_CONST ||
        function->as.attribute.object->as.constant.kind != VALUE_STR)
        return true;
    const struct text format = str_text(function->as.attribute.object->as.constant.as.str);
    for (size_t i = 0; i < format.size; i++) {
        const struct text rest = text_slice(format, i, format.size);
        const size_t dunder = text_find(rest, TEXT(".__"), 0);
        size_t end = 1;
        if (text_starts(rest, TEXT("{{"))) {
            i++;
            continue;
        }
        while (end < rest.size && !strchr("{}:!", rest.data[end]))
            end++;
        if (rest.data[0] != '{' || dunder >= end)
            continue;
        parse_refuse(l->fault, s->line, "the attribute %.*s is not available",
                     TEXT_ARG(text_slice(rest, dunder + 1, end)));
        return false;
    }
    return true;
}

static bool lower_argument(struct lower *l, const struct syntax *at, struct ast *call)
{
    struct ast_list *arguments = &call->as.call.arguments;
    struct ast *value = NULL;
    if (at->kind == SYNTAX_KEYWORD_ARGUMENT) {
        struct str *name = lower_symbol(l, lower_field(at, "name")->text);
        call->as.call.names[call->as.call.named_count++] = name;
        value = name ? lower_expr(l, lower_field(at, "value")) : NULL;
    } else if (at->kind == SYNTAX_DICT_SPLAT) {
        call->as.call.names[call->as.call.named_count++] = NULL;
        call->as.call.spread = true;
        value = lower_star(l, at, false);
    } else {
        value = lower_item(l, at);
        call->as.call.spread |= value && value->kind == AST_STAR;
    }
    arguments->items[arguments->count++] = value;
    return value != NULL;
}

static bool is_named(const struct syntax *argument)
{
    return argument->kind == SYNTAX_KEYWORD_ARGUMENT || argument->kind == SYNTAX_DICT_SPLAT;
}

static struct ast *lower_call(struct lower *l, const struct syntax *s)
{
    struct ast *node = lower_node(l, s, AST_CALL);
    const struct syntax *arguments = lower_field(s, "arguments");
    if (!node || !lower_list(l, arguments, &node->as.call.arguments))
        return NULL;
    node->as.call.names = interp_alloc(l->in, (size_t)lower_child_count(arguments) + 1,
                                       sizeof *node->as.call.names);
    if (!node->as.call.names)
        return lower_tripped(l);
    node->as.call.function = lower_expr(l, lower_field(s, "function"));
    if (!node->as.call.function)
        return NULL;
    if (arguments->kind == SYNTAX_GENERATOR)
        return lower_argument(l, arguments, node) ? node : NULL;
    for (int named = 0; named < 2; named++) /* plain ones first */
        for (const struct syntax *at = lower_named(arguments->first); at;
             at = lower_named(at->next))
            if (is_named(at) == (named == 1) && !lower_argument(l, at, node))
                return NULL;
    return check_getattr(l, s, node) && check_format(l, s, node) && lower_check_later(l, node)
               ? node
               : NULL;
}

static struct ast *lower_attribute(struct lower *l, const struct syntax *s)
{
    struct ast *node = lower_node(l, s, AST_ATTRIBUTE);
    const struct text name = lower_field(s, "attribute")->text;
    if (!node)
        return NULL;
    if (text_starts(name, TEXT("__")) && !text_equal(name, TEXT("__name__")))
        return parse_refuse(l->fault, s->line,
                            "the attribute %.*s is not available: this language has no "
                            "double-underscore names",
                            TEXT_ARG(name));
    node->as.attribute.name = lower_symbol(l, name);
    node->as.attribute.object = lower_expr(l, lower_field(s, "object"));
    return node->as.attribute.name && node->as.attribute.object && lower_check_later(l, node)
               ? node
               : NULL;
}

static struct ast *lower_slice(struct lower *l, const struct syntax *s)
{
    struct ast *node = lower_node(l, s, AST_SLICE);
    if (!node)
        return NULL;
    struct ast **parts[3] = {&node->as.slice.start, &node->as.slice.stop, &node->as.slice.step};
    uint32_t part = 0;
    for (const struct syntax *at = s->first; at; at = at->next) {
        if (at->kind == SYNTAX_TOKEN) {
            part++;
            continue;
        }
        *parts[part] = lower_expr(l, at);
        if (!*parts[part])
            return NULL;
    }
    return node;
}

static struct ast *lower_subscript(struct lower *l, const struct syntax *s)
{
    struct ast *node = lower_node(l, s, AST_SUBSCRIPT), *tuple = NULL;
    const struct syntax *value = lower_field(s, "value");
    if (!node)
        return NULL;
    node->as.subscript.object = lower_expr(l, value);
    if (!node->as.subscript.object)
        return NULL;
    bool comma = false;
    for (const struct syntax *at = value->next; at; at = at->next)
        comma |= at->kind == SYNTAX_TOKEN && at->text.data[0] == ',';
    if (comma) {
        tuple = lower_node(l, s, AST_TUPLE);
        if (!tuple || !lower_list(l, s, &tuple->as.list))
            return NULL;
    }
    for (const struct syntax *at = lower_named(value->next); at; at = lower_named(at->next)) {
        struct ast *index = lower_expr(l, at);
        if (!index)
            return NULL;
        if (tuple)
            tuple->as.list.items[tuple->as.list.count++] = index;
        node->as.subscript.index = tuple ? tuple : index;
    }
    return node;
}

static struct ast *lower_conditional(struct lower *l, const struct syntax *s)
{
    struct ast *node = lower_node(l, s, AST_CONDITIONAL);
    const struct syntax *yes = lower_named(s->first);
    const struct syntax *condition = lower_named(yes->next);
    if (!node)
        return NULL;
    node->as.conditional.yes = lower_expr(l, yes);
    node->as.conditional.condition = lower_expr(l, condition);
    node->as.conditional.no = lower_expr(l, lower_named(condition->next));
    return node->as.conditional.yes && node->as.conditional.condition && node->as.conditional.no
               ? node
               : NULL;
}

/* name := value binds in the function around the comprehension. */
static struct ast *lower_walrus(struct lower *l, const struct syntax *s)
{
    struct ast *node = lower_node(l, s, AST_WALRUS);
    struct scope *scope = l->scope;
    if (!node)
        return NULL;
    while (scope->is_comprehension)
        scope = scope->outer;
    struct ast *name =
        lower_name(l, lower_field(s, "name"), scope == l->scope ? SCOPE_BOUND : 0);
    if (!name)
        return NULL;
    if (scope_note(scope, name->as.name.name, SCOPE_BOUND) == UINT32_MAX)
        return lower_tripped(l);
    node->as.binary.left = name;
    node->as.binary.right = lower_expr(l, lower_field(s, "value"));
    return node->as.binary.right ? node : NULL;
}

/* On the right of a sign: (a) is no tuple. */
static struct ast *lower_tuple_pattern(struct lower *l, const struct syntax *s)
{
    const struct syntax *comma = s->first, *item = lower_named(s->first);
    while (comma && !text_equal(comma->text, TEXT(",")))
        comma = comma->next;
    return comma || !item ? lower_items(l, s, AST_TUPLE) : lower_expr(l, item);
}

struct ast *lower_expr(struct lower *l, const struct syntax *s)
{
    switch (s->kind) {
    case SYNTAX_IDENTIFIER:
        return lower_name(l, s, 0);
    case SYNTAX_INTEGER:
        return lower_integer(l, s);
    case SYNTAX_FLOAT:
        return lower_float(l, s);
    case SYNTAX_STRING:
    case SYNTAX_CONCATENATED:
        return lower_string(l, s);
    case SYNTAX_TRUE:
    case SYNTAX_FALSE:
        return lower_constant(l, s, value_bool(s->kind == SYNTAX_TRUE));
    case SYNTAX_NONE:
        return lower_constant(l, s, value_none());
    case SYNTAX_ELLIPSIS:
        return lower_constant(l, s, (struct value){.kind = VALUE_ELLIPSIS});
    case SYNTAX_LIST:
    case SYNTAX_LIST_PATTERN: /* a, [*b] = c, [*d] has patterns on the right, too */
        return lower_items(l, s, AST_LIST);
    case SYNTAX_TUPLE_PATTERN:
        return lower_tuple_pattern(l, s);
    case SYNTAX_TUPLE:
    case SYNTAX_EXPRESSION_LIST:
    case SYNTAX_PATTERN_LIST:
        return lower_items(l, s, AST_TUPLE);
    case SYNTAX_SET:
        return lower_items(l, s, AST_SET);
    case SYNTAX_DICTIONARY:
        return lower_dict(l, s);
    case SYNTAX_LIST_COMPREHENSION:
    case SYNTAX_SET_COMPREHENSION:
    case SYNTAX_DICT_COMPREHENSION:
    case SYNTAX_GENERATOR:
        return lower_comprehension(l, s);
    case SYNTAX_NOT:
    case SYNTAX_UNARY:
        return lower_unary(l, s);
    case SYNTAX_BINARY:
    case SYNTAX_BOOLEAN:
        return lower_binary(l, s);
    case SYNTAX_COMPARISON:
        return lower_compare(l, s);
    case SYNTAX_CALL:
        return lower_call(l, s);
    case SYNTAX_ATTRIBUTE:
        return lower_attribute(l, s);
    case SYNTAX_SUBSCRIPT:
        return lower_subscript(l, s);
    case SYNTAX_SLICE:
        return lower_slice(l, s);
    case SYNTAX_LAMBDA:
        return lower_lambda(l, s);
    case SYNTAX_CONDITIONAL:
        return lower_conditional(l, s);
    case SYNTAX_NAMED:
        return lower_walrus(l, s);
    case SYNTAX_PARENTHESIZED:
    case SYNTAX_PARENTHESIZED_SPLAT:
        return lower_expr(l, lower_named(s->first));
    case SYNTAX_LIST_SPLAT:
    case SYNTAX_LIST_SPLAT_PATTERN:
    case SYNTAX_DICT_SPLAT:
        return lower_star(l, s, false);
    default:
        return lower_refuse_kind(l, s);
    }
}

static struct ast *lower_target_items(struct lower *l, const struct syntax *s)
{
    struct ast *node = lower_node(l, s, AST_TUPLE);
    uint32_t stars = 0;
    if (!node || !lower_list(l, s, &node->as.list))
        return NULL;
    for (const struct syntax *at = lower_named(s->first); at; at = lower_named(at->next)) {
        struct ast *item = lower_target(l, at);
        if (!item)
            return NULL;
        stars += item->kind == AST_STAR;
        node->as.list.items[node->as.list.count++] = item;
    }
    if (stars > 1)
        return parse_refuse(l->fault, s->line, "multiple starred expressions in assignment");
    return node;
}

struct ast *lower_target(struct lower *l, const struct syntax *s)
{
    switch (s->kind) {
    case SYNTAX_IDENTIFIER:
        return lower_name(l, s, SCOPE_BOUND);
    case SYNTAX_ATTRIBUTE:
        return lower_attribute(l, s);
    case SYNTAX_SUBSCRIPT:
        return lower_subscript(l, s);
    case SYNTAX_PATTERN_LIST:
    case SYNTAX_TUPLE_PATTERN:
    case SYNTAX_LIST_PATTERN:
    case SYNTAX_TUPLE:
    case SYNTAX_LIST:
    case SYNTAX_EXPRESSION_LIST:
        return lower_target_items(l, s);
    case SYNTAX_LIST_SPLAT_PATTERN:
    case SYNTAX_LIST_SPLAT:
        return lower_star(l, s, true);
    case SYNTAX_PARENTHESIZED:
        return lower_target(l, lower_named(s->first));
    default:
        return parse_refuse(l->fault, s->line, "cannot assign to `%s`", s->name);
    }
}
