/* lower - see lower.h. Statements; expressions are in lower_expr.c. */
#include "protocol/dsl/lower.h"

#include "protocol/dsl/dict.h"
#include "protocol/dsl/lower_check.h"
#include "protocol/dsl/str.h"

#include <string.h>

/* What to write instead of a construct that the language has not. */
struct advice {
    enum syntax_kind kind;
    const char *what, *instead;
};

static const struct advice ADVICE[] = {
    {SYNTAX_CLASS, "a class definition", "use functions, dicts and tuples"},
    {SYNTAX_DECORATED, "a decorator", "call the wrapper function yourself"},
    {SYNTAX_WITH, "a with statement", "there are no files here; use plain statements"},
    {SYNTAX_MATCH, "a match statement", "use if / elif / else"},
    {SYNTAX_AWAIT, "await", "everything runs at once; call the function plainly"},
    {SYNTAX_YIELD, "yield", "build a list and return it, or use a generator expression"},
    {SYNTAX_WILDCARD_IMPORT, "a star import", "import the names one by one"},
};

void *lower_tripped(struct lower *l)
{
    if (l->fault->message[0] == '\0') {
        parse_refuse(l->fault, 0, "%s", l->in->budget);
        l->fault->kind = DSL_BUDGET;
    }
    return NULL;
}

void *lower_refuse_kind(struct lower *l, const struct syntax *s)
{
    for (size_t i = 0; i < sizeof ADVICE / sizeof ADVICE[0]; i++)
        if (ADVICE[i].kind == s->kind)
            return parse_refuse(l->fault, s->line, "%s is not part of this language: %s",
                                ADVICE[i].what, ADVICE[i].instead);
    return parse_refuse(l->fault, s->line, "`%s` is not part of this language", s->name);
}

const struct syntax *lower_field(const struct syntax *s, const char *field)
{
    for (const struct syntax *child = s->first; child; child = child->next)
        if (child->field && strcmp(child->field, field) == 0)
            return child;
    return NULL;
}

const struct syntax *lower_named(const struct syntax *s)
{
    while (s && s->kind == SYNTAX_TOKEN)
        s = s->next;
    return s;
}

uint32_t lower_child_count(const struct syntax *s)
{
    uint32_t count = 0;
    for (const struct syntax *child = s->first; child; child = child->next)
        count++;
    return count;
}

struct ast *lower_node(struct lower *l, const struct syntax *s, enum ast_kind kind)
{
    struct ast *node = INTERP_NEW(l->in, struct ast);
    if (!node)
        return lower_tripped(l);
    node->kind = kind;
    node->line = s->line;
    return node;
}

bool lower_list(struct lower *l, const struct syntax *s, struct ast_list *list)
{
    list->count = 0;
    list->items = interp_alloc(l->in, (size_t)lower_child_count(s) + 1, sizeof *list->items);
    return list->items || lower_tripped(l) != NULL;
}

struct str *lower_symbol(struct lower *l, struct text name)
{
    struct dict_entry *entry;
    struct str *str = str_view(l->in, name);
    if (!str || !dict_find(l->in, l->in->symbols, value_str(str), &entry))
        return lower_tripped(l);
    if (entry)
        return entry->key.as.str;
    if (!dict_set(l->in, l->in->symbols, value_str(str), value_none()))
        return lower_tripped(l);
    return str;
}

struct ast *lower_name(struct lower *l, const struct syntax *s, uint32_t flags)
{
    if (text_starts(s->text, TEXT("__")) && text_ends(s->text, TEXT("__")))
        return parse_refuse(l->fault, s->line,
                            "the name %.*s is not available: this language has no "
                            "double-underscore names",
                            TEXT_ARG(s->text));
    struct ast *node = lower_node(l, s, AST_NAME);
    if (!node)
        return NULL;
    node->as.name.name = lower_symbol(l, s->text);
    if (!node->as.name.name || !scope_use(l->scope, node, flags))
        return lower_tripped(l);
    return node;
}

static struct ast *lower_statement(struct lower *l, const struct syntax *s);

static bool add_statement(struct lower *l, const struct syntax *s, struct ast_list *out)
{
    switch (s->kind) {
    case SYNTAX_GLOBAL:
    case SYNTAX_NONLOCAL: {
        const uint32_t flags = s->kind == SYNTAX_GLOBAL ? SCOPE_GLOBAL : SCOPE_NONLOCAL;
        for (const struct syntax *name = lower_named(s->first); name;
             name = lower_named(name->next)) {
            struct str *symbol = lower_symbol(l, name->text);
            if (!symbol || scope_note(l->scope, symbol, flags) == UINT32_MAX)
                return lower_tripped(l) != NULL;
        }
        return true;
    }
    case SYNTAX_IMPORT:
    case SYNTAX_IMPORT_FROM:
    case SYNTAX_FUTURE_IMPORT:
        return lower_import(l, s, out) != NULL;
    default:
        out->items[out->count] = lower_statement(l, s);
        return out->items[out->count++] != NULL;
    }
}

/* An import may give several statements: so many more than children. */
static size_t statements_in(const struct syntax *block)
{
    size_t count = 1;
    for (const struct syntax *s = block->first; s; s = s->next)
        count += s->kind == SYNTAX_IMPORT || s->kind == SYNTAX_IMPORT_FROM
                     ? lower_child_count(s)
                     : 1;
    return count;
}

bool lower_block(struct lower *l, const struct syntax *block, struct ast_list *out)
{
    *out = (struct ast_list){0};
    if (!block)
        return true;
    out->items = interp_alloc(l->in, statements_in(block), sizeof *out->items);
    if (!out->items)
        return lower_tripped(l) != NULL;
    for (const struct syntax *s = lower_named(block->first); s; s = lower_named(s->next))
        if (!add_statement(l, s, out))
            return false;
    return true;
}

/* else, of a loop, a try or the end of an if chain. */
static bool lower_else(struct lower *l, const struct syntax *clause, struct ast_list *out)
{
    *out = (struct ast_list){0};
    return !clause || lower_block(l, lower_field(clause, "body"), out);
}

static struct ast *lower_if(struct lower *l, const struct syntax *s,
                            const struct syntax *alternative)
{
    struct ast *node = lower_node(l, s, AST_IF);
    if (!node)
        return NULL;
    node->as.branch.condition = lower_expr(l, lower_field(s, "condition"));
    if (!node->as.branch.condition ||
        !lower_block(l, lower_field(s, "consequence"), &node->as.branch.body))
        return NULL;
    while (alternative && alternative->kind != SYNTAX_ELIF && alternative->kind != SYNTAX_ELSE)
        alternative = alternative->next;
    struct ast_list *orelse = &node->as.branch.orelse;
    if (!alternative || alternative->kind == SYNTAX_ELSE)
        return lower_else(l, alternative, orelse) ? node : NULL;
    if (!lower_list(l, alternative, orelse))
        return NULL;
    orelse->items[orelse->count++] = lower_if(l, alternative, alternative->next);
    return orelse->items[0] ? node : NULL;
}

static struct ast *lower_for(struct lower *l, const struct syntax *s)
{
    struct ast *node = lower_node(l, s, AST_FOR);
    if (!node)
        return NULL;
    if (s->first && text_equal(s->first->text, TEXT("async")))
        return parse_refuse(l->fault, s->line, "async is not part of this language: use for");
    node->as.loop.iterable = lower_expr(l, lower_field(s, "right"));
    if (!node->as.loop.iterable)
        return NULL;
    node->as.loop.target = lower_target(l, lower_field(s, "left"));
    l->scope->loops++;
    const bool body =
        node->as.loop.target && lower_block(l, lower_field(s, "body"), &node->as.loop.body);
    l->scope->loops--;
    return body && lower_else(l, lower_field(s, "alternative"), &node->as.loop.orelse) ? node
                                                                                       : NULL;
}

static struct ast *lower_while(struct lower *l, const struct syntax *s)
{
    struct ast *node = lower_node(l, s, AST_WHILE);
    if (!node)
        return NULL;
    node->as.branch.condition = lower_expr(l, lower_field(s, "condition"));
    l->scope->loops++;
    const bool body = node->as.branch.condition &&
                      lower_block(l, lower_field(s, "body"), &node->as.branch.body);
    l->scope->loops--;
    return body && lower_else(l, lower_field(s, "alternative"), &node->as.branch.orelse) ? node
                                                                                         : NULL;
}

static const struct syntax *child_of_kind(const struct syntax *s, enum syntax_kind kind)
{
    for (const struct syntax *child = s->first; child; child = child->next)
        if (child->kind == kind)
            return child;
    return NULL;
}

/* except, except X, except X as e. */
static bool lower_handler(struct lower *l, const struct syntax *s, struct ast_handler *handler)
{
    const struct syntax *value = lower_named(s->first);
    handler->line = s->line;
    if (value && value->kind == SYNTAX_AS_PATTERN) {
        const struct syntax *target = child_of_kind(value, SYNTAX_AS_PATTERN_TARGET);
        handler->target = target ? lower_target(l, lower_named(target->first)) : NULL;
        if (!handler->target)
            return false;
        value = lower_named(value->first);
    }
    if (value && value->kind != SYNTAX_BLOCK) {
        handler->classes = lower_expr(l, value);
        if (!handler->classes)
            return false;
    }
    return lower_block(l, child_of_kind(s, SYNTAX_BLOCK), &handler->body);
}

static struct ast *lower_try(struct lower *l, const struct syntax *s)
{
    struct ast *node = lower_node(l, s, AST_TRY);
    const uint32_t handlers = l->handlers;
    l->handlers += child_of_kind(s, SYNTAX_EXCEPT) != NULL;
    if (!node || !lower_block(l, lower_field(s, "body"), &node->as.attempt.body))
        return NULL;
    l->handlers = handlers;
    node->as.attempt.handlers =
        interp_alloc(l->in, lower_child_count(s), sizeof *node->as.attempt.handlers);
    if (!node->as.attempt.handlers)
        return lower_tripped(l);
    for (const struct syntax *clause = s->first; clause; clause = clause->next) {
        bool fine = true;
        if (clause->kind == SYNTAX_EXCEPT)
            fine = lower_handler(l, clause,
                                 &node->as.attempt.handlers[node->as.attempt.handler_count++]);
        else if (clause->kind == SYNTAX_ELSE)
            fine = lower_else(l, clause, &node->as.attempt.orelse);
        else if (clause->kind == SYNTAX_FINALLY)
            fine =
                lower_block(l, child_of_kind(clause, SYNTAX_BLOCK), &node->as.attempt.finally);
        else if (clause->kind == SYNTAX_OTHER)
            return lower_refuse_kind(l, clause);
        if (!fine)
            return NULL;
    }
    return node;
}

static struct ast *lower_raise(struct lower *l, const struct syntax *s)
{
    struct ast *node = lower_node(l, s, AST_RAISE);
    const struct syntax *what = lower_named(s->first), *cause = lower_field(s, "cause");
    if (!node)
        return NULL;
    if (what && what != cause) {
        node->as.raise.exception = lower_expr(l, what);
        if (!node->as.raise.exception)
            return NULL;
    }
    if (cause) {
        node->as.raise.cause = lower_expr(l, cause);
        if (!node->as.raise.cause)
            return NULL;
    }
    return node;
}

static struct ast *lower_assert(struct lower *l, const struct syntax *s)
{
    struct ast *node = lower_node(l, s, AST_ASSERT);
    const struct syntax *condition = lower_named(s->first);
    const struct syntax *message = condition ? lower_named(condition->next) : NULL;
    if (!node)
        return NULL;
    node->as.raise.exception = lower_expr(l, condition);
    if (message)
        node->as.raise.cause = lower_expr(l, message);
    return node->as.raise.exception && (!message || node->as.raise.cause) ? node : NULL;
}

/* a = b = value: a chain of assignments, each the right side of the one before. */
static struct ast *lower_assignment(struct lower *l, const struct syntax *s)
{
    struct ast *node = lower_node(l, s, AST_ASSIGN);
    const struct syntax *value = lower_field(s, "right");
    uint32_t count = 1;
    if (!node)
        return NULL;
    if (!value) { /* x: int */
        node->kind = AST_PASS;
        return node;
    }
    for (const struct syntax *at = value; at && at->kind == SYNTAX_ASSIGNMENT;
         at = lower_field(at, "right"))
        count++;
    struct ast_list *targets = &node->as.assign.targets;
    targets->items = interp_alloc(l->in, count, sizeof(struct ast *));
    if (!targets->items)
        return lower_tripped(l);
    for (const struct syntax *at = s; at && at->kind == SYNTAX_ASSIGNMENT; at = value) {
        struct ast *target = lower_target(l, lower_field(at, "left"));
        if (!target)
            return NULL;
        targets->items[targets->count++] = target;
        value = lower_field(at, "right");
    }
    if (!value)
        return lower_refuse_kind(l, s);
    node->as.assign.value = lower_expr(l, value);
    return node->as.assign.value ? node : NULL;
}

static struct ast *lower_augmented(struct lower *l, const struct syntax *s)
{
    static const char *const SIGNS[] = {
        "+=", "-=", "*=", "/=", "//=", "%=", "**=", "&=", "|=", "^=", "<<=", ">>=", "@="};
    struct ast *node = lower_node(l, s, AST_AUGMENT);
    const struct syntax *sign = lower_field(s, "operator"), *left = lower_field(s, "left");
    if (!node)
        return NULL;
    if (left->kind != SYNTAX_IDENTIFIER && left->kind != SYNTAX_SUBSCRIPT &&
        left->kind != SYNTAX_ATTRIBUTE)
        return parse_refuse(l->fault, s->line,
                            "`%s` is an illegal expression for augmented assignment",
                            left->name);
    for (uint32_t i = 0; i < sizeof SIGNS / sizeof SIGNS[0]; i++)
        if (text_equal(sign->text, text_of(SIGNS[i])))
            node->as.binary.op = (enum ast_operator)i;
    node->as.binary.left = lower_target(l, left);
    node->as.binary.right =
        node->as.binary.left ? lower_expr(l, lower_field(s, "right")) : NULL;
    return node->as.binary.right ? node : NULL;
}

static struct ast *lower_delete(struct lower *l, const struct syntax *s)
{
    struct ast *node = lower_node(l, s, AST_DELETE);
    const struct syntax *what = lower_named(s->first);
    const bool many = what->kind == SYNTAX_EXPRESSION_LIST || what->kind == SYNTAX_TUPLE;
    if (!node || !lower_list(l, many ? what : s, &node->as.list))
        return NULL;
    for (const struct syntax *at = lower_named(many ? what->first : what); at;
         at = lower_named(at->next)) {
        struct ast *target = lower_target(l, at);
        if (!target)
            return NULL;
        node->as.list.items[node->as.list.count++] = target;
    }
    return node;
}

static struct ast *lower_return(struct lower *l, const struct syntax *s)
{
    struct ast *node = lower_node(l, s, AST_RETURN);
    const struct syntax *value = lower_named(s->first);
    if (!node)
        return NULL;
    if (!l->scope->in_function)
        return parse_refuse(l->fault, s->line, "'return' outside function");
    if (value)
        node->as.operand = lower_expr(l, value);
    return !value || node->as.operand ? node : NULL;
}

static struct ast *lower_expression(struct lower *l, const struct syntax *s)
{
    const struct syntax *inner = lower_named(s->first);
    if (inner->kind == SYNTAX_ASSIGNMENT)
        return lower_assignment(l, inner);
    if (inner->kind == SYNTAX_AUGMENTED)
        return lower_augmented(l, inner);
    struct ast *node = lower_node(l, s, AST_EXPRESSION);
    if (!node)
        return NULL;
    if (lower_named(inner->next)) { /* a, b as a statement */
        struct ast *tuple = lower_node(l, s, AST_TUPLE);
        if (!tuple || !lower_list(l, s, &tuple->as.list))
            return NULL;
        for (; inner; inner = lower_named(inner->next)) {
            struct ast *item = lower_expr(l, inner);
            if (!item)
                return NULL;
            tuple->as.list.items[tuple->as.list.count++] = item;
        }
        node->as.operand = tuple;
        return node;
    }
    node->as.operand = lower_expr(l, inner);
    return node->as.operand ? node : NULL;
}

static struct ast *lower_jump(struct lower *l, const struct syntax *s)
{
    if (l->scope->loops == 0)
        return parse_refuse(l->fault, s->line, "%s outside loop",
                            s->kind == SYNTAX_BREAK ? "'break'" : "'continue' not properly in");
    return lower_node(l, s, s->kind == SYNTAX_BREAK ? AST_BREAK : AST_CONTINUE);
}

static struct ast *lower_statement(struct lower *l, const struct syntax *s)
{
    switch (s->kind) {
    case SYNTAX_EXPRESSION_STATEMENT:
        return lower_expression(l, s);
    case SYNTAX_RETURN:
        return lower_return(l, s);
    case SYNTAX_IF:
        return lower_if(l, s, lower_field(s, "alternative"));
    case SYNTAX_FOR:
        return lower_for(l, s);
    case SYNTAX_WHILE:
        return lower_while(l, s);
    case SYNTAX_TRY:
        return lower_try(l, s);
    case SYNTAX_FUNCTION:
        return lower_function(l, s);
    case SYNTAX_PASS:
        return lower_node(l, s, AST_PASS);
    case SYNTAX_BREAK:
    case SYNTAX_CONTINUE:
        return lower_jump(l, s);
    case SYNTAX_RAISE:
        return lower_raise(l, s);
    case SYNTAX_ASSERT:
        return lower_assert(l, s);
    case SYNTAX_DELETE:
        return lower_delete(l, s);
    default:
        return lower_refuse_kind(l, s);
    }
}

struct code *lower_module(struct interp *in, const struct syntax *module,
                          struct dsl_fault *fault, struct scope **globals)
{
    struct lower l = {.in = in, .fault = fault, .sites_end = &l.sites};
    struct code *code = INTERP_NEW(in, struct code);
    struct str *missing;
    *fault = (struct dsl_fault){0};
    in->symbols = dict_new(in);
    l.scope = in->symbols ? scope_open(in, NULL, NULL) : NULL;
    if (!code || !l.scope)
        return lower_tripped(&l);
    code->name = lower_symbol(&l, TEXT("<module>"));
    if (!code->name || !lower_block(&l, module, &code->body))
        return NULL;
    if (!scope_resolve(l.scope, &missing)) {
        if (missing)
            return parse_refuse(fault, 0, "no binding for nonlocal '%.*s' found",
                                TEXT_ARG(str_text(missing)));
        return lower_tripped(&l);
    }
    *globals = l.scope;
    return lower_check_all(&l, l.scope) ? code : NULL;
}
