/* lower_def - what opens a scope: functions, lambdas, comprehensions; and imports. */
#include "protocol/dsl/lower.h"

#include "protocol/dsl/lower_check.h"
#include "protocol/dsl/modules.h"
#include "protocol/dsl/str.h"

#include <string.h>

/* The parameters of a function as they are read. */
struct parameters {
    struct code *code;
    struct ast **defaults; /* lowered in the scope around */
    struct scope *inner;
    bool keyword_only;
};

static bool add_parameter(struct lower *l, struct parameters *p, const struct syntax *name,
                          const struct syntax *value)
{
    struct code *code = p->code;
    struct str *symbol = lower_symbol(l, name->text);
    if (!symbol)
        return false;
    for (uint32_t i = 0; i < code->parameter_count; i++)
        if (code->parameters[i] == symbol) {
            parse_refuse(l->fault, name->line,
                         "duplicate argument '%.*s' in function definition",
                         TEXT_ARG(name->text));
            return false;
        }
    if (code->parameter_count == CODE_PARAMETERS_MAX) {
        parse_refuse(l->fault, name->line, "a function has more than %d parameters",
                     CODE_PARAMETERS_MAX);
        return false;
    }
    if (value) {
        p->defaults[code->parameter_count] = lower_expr(l, value);
        if (!p->defaults[code->parameter_count])
            return false;
    }
    code->parameters[code->parameter_count++] = symbol;
    code->positional_count += !p->keyword_only;
    return scope_note(p->inner, symbol, SCOPE_BOUND) != UINT32_MAX || lower_tripped(l) != NULL;
}

/* *args and **kwargs are kept behind the others once their number is known. */
static bool add_star(struct lower *l, struct parameters *p, const struct syntax *s,
                     struct str *stars[2])
{
    const bool twice = s->kind == SYNTAX_DICT_SPLAT_PATTERN;
    struct str *symbol = lower_symbol(l, lower_named(s->first)->text);
    if (!symbol || scope_note(p->inner, symbol, SCOPE_BOUND) == UINT32_MAX)
        return lower_tripped(l) != NULL;
    stars[twice] = symbol;
    if (!twice)
        p->keyword_only = true;
    return true;
}

static bool add_any_parameter(struct lower *l, struct parameters *p, const struct syntax *s,
                              struct str *stars[2])
{
    switch (s->kind) {
    case SYNTAX_IDENTIFIER:
        return add_parameter(l, p, s, NULL);
    case SYNTAX_DEFAULT_PARAMETER:
    case SYNTAX_TYPED_DEFAULT_PARAMETER:
        return add_parameter(l, p, lower_field(s, "name"), lower_field(s, "value"));
    case SYNTAX_TYPED_PARAMETER:
        return add_any_parameter(l, p, lower_named(s->first), stars);
    case SYNTAX_LIST_SPLAT_PATTERN:
    case SYNTAX_DICT_SPLAT_PATTERN:
        return add_star(l, p, s, stars);
    case SYNTAX_KEYWORD_SEPARATOR:
        p->keyword_only = true;
        return true;
    case SYNTAX_POSITIONAL_SEPARATOR:
        p->code->positional_only = p->code->parameter_count;
        return true;
    default:
        lower_refuse_kind(l, s);
        return false;
    }
}

static bool lower_parameters(struct lower *l, struct parameters *p, const struct syntax *s)
{
    struct code *code = p->code;
    struct str *stars[2] = {NULL, NULL};
    const size_t room = (s ? lower_child_count(s) : 0) + 3;
    code->parameters = interp_alloc(l->in, room, sizeof *code->parameters);
    code->places = interp_alloc(l->in, room, sizeof *code->places);
    p->defaults = interp_alloc(l->in, room, sizeof *p->defaults);
    if (!code->parameters || !code->places || !p->defaults)
        return lower_tripped(l) != NULL;
    for (const struct syntax *at = s ? lower_named(s->first) : NULL; at;
         at = lower_named(at->next))
        if (!add_any_parameter(l, p, at, stars))
            return false;
    code->parameters[code->parameter_count] = stars[0];
    code->parameters[code->parameter_count + 1] = stars[1];
    code->has_star = stars[0] != NULL;
    code->has_double_star = stars[1] != NULL;
    return true;
}

/* f, or around.<locals>.f: what messages call it. */
static struct str *qualified_name(struct lower *l, struct text name)
{
    const struct scope *around = l->scope;
    if (!around->code)
        return str_copy(l->in, name);
    struct str_builder b = {.in = l->in};
    str_builder_add(&b, str_text(around->code->qualified));
    str_builder_add(&b, around->is_comprehension ? TEXT(".") : TEXT(".<locals>."));
    str_builder_add(&b, name);
    return str_builder_str(&b);
}

/* The node, its code and its scope; the parameters' defaults belong to the scope around. */
static struct ast *open_function(struct lower *l, const struct syntax *s, struct text name,
                                 struct scope **inner)
{
    struct ast *node = lower_node(l, s, AST_FUNCTION);
    struct code *code = INTERP_NEW(l->in, struct code);
    if (!node || !code)
        return lower_tripped(l);
    code->name = lower_symbol(l, name);
    code->qualified = qualified_name(l, name);
    code->line = s->line;
    *inner = code->name && code->qualified ? scope_open(l->in, l->scope, code) : NULL;
    if (!*inner)
        return lower_tripped(l);
    (*inner)->in_function = true;
    struct parameters p = {.code = code, .inner = *inner};
    if (!lower_parameters(l, &p, lower_field(s, "parameters")))
        return NULL;
    node->as.function.code = code;
    node->as.function.defaults = p.defaults;
    return node;
}

static struct ast *check_slots(struct lower *l, const struct scope *scope, struct ast *node)
{
    if (scope->symbol_count > CODE_SLOTS_MAX)
        return parse_refuse(l->fault, node->line, "a function has more than %d variables",
                            CODE_SLOTS_MAX);
    return node;
}

struct ast *lower_lambda(struct lower *l, const struct syntax *s)
{
    struct scope *inner;
    struct ast *node = open_function(l, s, TEXT("<lambda>"), &inner);
    if (!node)
        return NULL;
    l->scope = inner;
    node->as.function.code->expression = lower_expr(l, lower_field(s, "body"));
    l->scope = inner->outer;
    return node->as.function.code->expression ? check_slots(l, inner, node) : NULL;
}

struct ast *lower_function(struct lower *l, const struct syntax *s)
{
    struct scope *inner;
    const struct syntax *name = lower_field(s, "name");
    if (s->first && text_equal(s->first->text, TEXT("async")))
        return parse_refuse(l->fault, s->line, "async is not part of this language: use def");
    struct ast *function = open_function(l, s, name->text, &inner);
    if (!function)
        return NULL;
    l->scope = inner;
    const bool body = lower_block(l, lower_field(s, "body"), &function->as.function.code->body);
    l->scope = inner->outer;
    if (!body || !check_slots(l, inner, function))
        return NULL;
    struct ast *node = lower_node(l, s, AST_ASSIGN);
    if (!node || !lower_list(l, s, &node->as.assign.targets))
        return NULL;
    node->as.assign.targets.items[node->as.assign.targets.count++] =
        lower_name(l, name, SCOPE_BOUND);
    node->as.assign.value = function;
    return node->as.assign.targets.items[0] ? node : NULL;
}

static bool lower_clause(struct lower *l, const struct syntax *s, struct ast_clause *clause,
                         struct scope *iterable_scope)
{
    struct scope *inner = l->scope;
    if (s->first && text_equal(s->first->text, TEXT("async"))) {
        parse_refuse(l->fault, s->line, "async is not part of this language: use for");
        return false;
    }
    l->scope = iterable_scope;
    clause->iterable = lower_expr(l, lower_field(s, "right"));
    l->scope = inner;
    clause->target = clause->iterable ? lower_target(l, lower_field(s, "left")) : NULL;
    if (!clause->target)
        return false;
    const struct syntax *after = s->next; /* the ifs up to the next for */
    size_t count = 0;
    for (const struct syntax *at = after; at && at->kind != SYNTAX_FOR_IN; at = at->next)
        count += at->kind == SYNTAX_IF_CLAUSE;
    clause->conditions.items = interp_alloc(l->in, count + 1, sizeof(struct ast *));
    if (!clause->conditions.items)
        return lower_tripped(l) != NULL;
    for (const struct syntax *at = after; at && at->kind != SYNTAX_FOR_IN; at = at->next) {
        if (at->kind != SYNTAX_IF_CLAUSE)
            continue;
        struct ast *condition = lower_expr(l, lower_named(at->first));
        if (!condition)
            return false;
        clause->conditions.items[clause->conditions.count++] = condition;
    }
    return true;
}

static bool lower_clauses(struct lower *l, const struct syntax *s, struct ast *node)
{
    struct ast_clause *clauses =
        interp_alloc(l->in, lower_child_count(s), sizeof(struct ast_clause));
    if (!clauses)
        return lower_tripped(l) != NULL;
    node->as.comprehension.clauses = clauses;
    for (const struct syntax *at = s->first; at; at = at->next) {
        uint32_t *count = &node->as.comprehension.clause_count;
        struct scope *scope = *count == 0 ? l->scope->outer : l->scope;
        if (at->kind == SYNTAX_FOR_IN && !lower_clause(l, at, &clauses[(*count)++], scope))
            return false;
    }
    return true;
}

static struct text comprehension_name(enum syntax_kind kind)
{
    return kind == SYNTAX_LIST_COMPREHENSION  ? TEXT("<listcomp>")
           : kind == SYNTAX_SET_COMPREHENSION ? TEXT("<setcomp>")
           : kind == SYNTAX_GENERATOR         ? TEXT("<genexpr>")
                                              : TEXT("<dictcomp>");
}

struct ast *lower_comprehension(struct lower *l, const struct syntax *s)
{
    struct ast *node = lower_node(l, s, AST_COMPREHENSION);
    struct code *code = INTERP_NEW(l->in, struct code);
    struct scope *inner = code ? scope_open(l->in, l->scope, code) : NULL;
    const struct syntax *body = lower_field(s, "body");
    if (!node || !inner)
        return lower_tripped(l);
    inner->is_comprehension = true;
    code->name = lower_symbol(l, comprehension_name(s->kind));
    code->qualified = qualified_name(l, comprehension_name(s->kind));
    if (!code->name || !code->qualified)
        return lower_tripped(l);
    node->as.comprehension.code = code;
    node->as.comprehension.display = s->kind == SYNTAX_LIST_COMPREHENSION  ? AST_DISPLAY_LIST
                                     : s->kind == SYNTAX_SET_COMPREHENSION ? AST_DISPLAY_SET
                                     : s->kind == SYNTAX_GENERATOR ? AST_DISPLAY_GENERATOR
                                                                   : AST_DISPLAY_DICT;
    const bool pair = body->kind == SYNTAX_PAIR;
    l->scope = inner;
    bool fine = lower_clauses(l, s, node);
    if (fine) {
        node->as.comprehension.element = lower_expr(l, pair ? lower_field(body, "key") : body);
        if (pair && node->as.comprehension.element)
            node->as.comprehension.value = lower_expr(l, lower_field(body, "value"));
        fine = node->as.comprehension.element && (!pair || node->as.comprehension.value);
    }
    l->scope = inner->outer;
    return fine ? check_slots(l, inner, node) : NULL;
}

static struct ast *import_one(struct lower *l, const struct syntax *s, struct text module,
                              const struct syntax *member, const struct syntax *target)
{
    struct ast *node = lower_node(l, s, AST_IMPORT);
    if (!node)
        return NULL;
    node->as.import.module = modules_find(module);
    if (!node->as.import.module)
        return parse_refuse(l->fault, s->line,
                            "import of %.*s is not allowed: there are re, json, math, "
                            "collections, itertools, functools, string and typing",
                            TEXT_ARG(module));
    if (member) {
        struct value ignored;
        node->as.import.member = lower_symbol(l, member->text);
        if (!node->as.import.member)
            return NULL;
        if (!modules_member(l->in, node->as.import.module, member->text, &ignored))
            return parse_refuse(
                l->fault, s->line,
                "cannot import name '%.*s' from '%.*s': the nearest there is '%s'",
                TEXT_ARG(member->text), TEXT_ARG(module),
                lower_check_nearest(node->as.import.module, member->text));
    }
    node->as.import.target = lower_name(l, target, SCOPE_BOUND);
    if (node->as.import.target)
        scope_note_import(l->scope, node);
    return node->as.import.target ? node : NULL;
}

/* The name itself, and what it is bound to. */
static void import_names(const struct syntax *s, const struct syntax **name,
                         const struct syntax **target)
{
    *name = s->kind == SYNTAX_ALIASED_IMPORT ? lower_field(s, "name") : s;
    *target = s->kind == SYNTAX_ALIASED_IMPORT ? lower_field(s, "alias") : *name;
}

struct ast *lower_import(struct lower *l, const struct syntax *s, struct ast_list *out)
{
    const struct syntax *from = lower_field(s, "module_name");
    struct ast *last = NULL;
    if (s->kind == SYNTAX_FUTURE_IMPORT)
        return out->items[out->count++] = lower_node(l, s, AST_PASS);
    for (const struct syntax *at = s->first; at; at = at->next) {
        const struct syntax *name, *target;
        if (at->kind == SYNTAX_WILDCARD_IMPORT)
            return lower_refuse_kind(l, at);
        if (!at->field || strcmp(at->field, "name") != 0)
            continue;
        import_names(at, &name, &target);
        last = import_one(l, s, from ? from->text : name->text, from ? name : NULL, target);
        if (!last)
            return NULL;
        out->items[out->count++] = last;
    }
    return last ? last : lower_refuse_kind(l, s);
}
