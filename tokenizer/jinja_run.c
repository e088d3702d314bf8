/*
 * jinja_run - see jinja_run.h.
 *
 * Scopes are Jinja's: a loop's body, a macro and `with` have their own, `if` has none. What a
 * body sets is gone after it, which is why templates use namespaces.
 */
#include "tokenizer/jinja_run.h"

#include "tokenizer/jinja_eval.h"
#include "tokenizer/jinja_print.h"
#include "tokenizer/jinja_scope.h"

enum flow { FLOW_ON, FLOW_BREAK, FLOW_CONTINUE };

static enum status run(struct jinja *jinja, const struct jinja_node *first, enum flow *flow);

/* Runs a body in a scope, writing to a builder of its own; what it wrote. */
static enum status capture(struct jinja *jinja, const struct jinja_node *body,
                           struct jinja_scope *scope, struct jinja_value *result)
{
    struct jinja_builder own = {.arena = jinja->arena};
    struct jinja_builder *const out = jinja->out;
    struct jinja_scope *const outer = jinja->scope;
    enum flow flow = FLOW_ON;
    jinja->out = &own;
    jinja->scope = scope;
    const enum status status = run(jinja, body, &flow);
    jinja->out = out;
    jinja->scope = outer;
    TRY(status);
    return jinja_string_take(jinja, &own, result);
}

static enum status assign_name(struct jinja *jinja, const struct jinja_node *target,
                               struct jinja_value value)
{
    struct jinja_value object, key;
    if (target->kind == JINJA_NODE_NAME)
        return jinja_scope_set(jinja, target->text, value);
    if (target->kind != JINJA_NODE_ATTR)
        JINJA_FAIL(jinja, ERR_FORMAT, "%s", "only names can be set");
    TRY(jinja_eval(jinja, target->child[0], &object));
    if (object.kind != JINJA_NAMESPACE)
        JINJA_FAIL(jinja, ERR_FORMAT, "a member of %s is set, not of a namespace",
                   jinja_value_type(&object));
    TRY(jinja_value_text(jinja, target->text, true, &key));
    return jinja_value_put(jinja, object.map, key, value);
}

static enum status assign(struct jinja *jinja, const struct jinja_node *target,
                          const struct jinja_value *value)
{
    if (target->kind != JINJA_NODE_TUPLE)
        return assign_name(jinja, target, *value);
    const struct jinja_list *items;
    const struct jinja_node *at = target->child[0];
    TRY(jinja_value_iterate(jinja, value, &items));
    uint32_t count = 0;
    for (; at && count < items->count; at = at->next)
        TRY(assign_name(jinja, at, items->items[count++]));
    if (at || count < items->count)
        JINJA_FAIL(jinja, ERR_FORMAT, "%u values for another number of names", items->count);
    return OK;
}

/* The items that the condition of the loop keeps. */
static enum status loop_items(struct jinja *jinja, const struct jinja_node *node,
                              const struct jinja_list **items)
{
    struct jinja_value iterable, kept;
    struct jinja_scope *const outer = jinja->scope;
    TRY(jinja_eval(jinja, node->child[1], &iterable));
    TRY(jinja_value_iterate(jinja, &iterable, items));
    if (!node->child[3])
        return OK;
    TRY(jinja_value_new(jinja, JINJA_LIST, &kept));
    TRY(jinja_scope_new(jinja, outer, &jinja->scope));
    for (uint32_t i = 0; i < (*items)->count; i++) {
        struct jinja_value keep;
        TRY(assign(jinja, node->child[0], &(*items)->items[i]));
        TRY(jinja_eval(jinja, node->child[3], &keep));
        if (jinja_value_is_true(&keep))
            TRY(jinja_value_push(jinja, kept.list, (*items)->items[i]));
    }
    jinja->scope = outer;
    *items = kept.list;
    return OK;
}

/* How many loops the innermost scope lies in. */
static enum status loop_depth(struct jinja *jinja, uint32_t *depth)
{
    struct jinja_value outer;
    TRY(jinja_scope_get(jinja, TEXT("loop"), &outer));
    *depth = outer.kind == JINJA_LOOP ? outer.loop->depth + 1 : 0;
    return OK;
}

static enum status for_loop(struct jinja *jinja, const struct jinja_node *node)
{
    struct jinja_scope *const outer = jinja->scope;
    const struct jinja_list *items;
    uint32_t depth;
    enum flow flow = FLOW_ON;
    TRY(loop_items(jinja, node, &items));
    TRY(loop_depth(jinja, &depth));
    for (uint32_t i = 0; i < items->count && flow != FLOW_BREAK; i++) {
        struct jinja_loop *loop = JINJA_NEW(jinja, struct jinja_loop, 1);
        if (!loop)
            return jinja_full(jinja);
        *loop = (struct jinja_loop){items, i, depth};
        TRY(jinja_scope_new(jinja, outer, &jinja->scope));
        const struct jinja_value value = {.kind = JINJA_LOOP, .loop = loop};
        TRY(jinja_scope_set(jinja, TEXT("loop"), value));
        TRY(assign(jinja, node->child[0], &items->items[i]));
        flow = FLOW_ON;
        TRY(run(jinja, node->child[2], &flow));
    }
    jinja->scope = outer;
    return items->count == 0 ? run(jinja, node->child[4], &flow) : OK;
}

/* if, and the elifs after it. */
static enum status if_else(struct jinja *jinja, const struct jinja_node *node, enum flow *flow)
{
    struct jinja_value test;
    for (;;) {
        TRY(jinja_eval(jinja, node->child[0], &test));
        if (jinja_value_is_true(&test))
            return run(jinja, node->child[1], flow);
        const struct jinja_node *other = node->child[2];
        if (!other || other->kind != JINJA_NODE_IF || other->next)
            return run(jinja, other, flow);
        node = other;
    }
}

/* What a body wrote, put through the filters around JINJA_NODE_BODY. */
static enum status filtered(struct jinja *jinja, const struct jinja_node *body,
                            const struct jinja_node *filters, struct jinja_value *result)
{
    const struct jinja_value *const outer = jinja->block;
    struct jinja_value *text = JINJA_NEW(jinja, struct jinja_value, 1);
    if (!text)
        return jinja_full(jinja);
    TRY(capture(jinja, body, jinja->scope, text));
    jinja->block = text;
    TRY(jinja_eval(jinja, filters, result));
    jinja->block = outer;
    return OK;
}

static enum status set_block(struct jinja *jinja, const struct jinja_node *node)
{
    struct jinja_value value;
    TRY(filtered(jinja, node->child[2], node->child[1], &value));
    return assign(jinja, node->child[0], &value);
}

static enum status write(struct jinja *jinja, const struct jinja_value *value)
{
    const size_t size = jinja->out->size;
    TRY(jinja_print_str(jinja, value, jinja->out));
    if (jinja->out->failed)
        return jinja_full(jinja);
    return jinja_step(jinja, jinja->out->size - size);
}

static enum status filter_block(struct jinja *jinja, const struct jinja_node *node)
{
    struct jinja_value value;
    TRY(filtered(jinja, node->child[1], node->child[0], &value));
    return write(jinja, &value);
}

static enum status new_macro(struct jinja *jinja, const struct jinja_node *node,
                             const struct jinja_macro *macro, struct jinja_value *value)
{
    struct jinja_macro *made = JINJA_NEW(jinja, struct jinja_macro, 1);
    if (!made)
        return jinja_full(jinja);
    *made = *macro;
    made->scope = jinja->scope;
    made->name = node->text;
    *value = (struct jinja_value){.kind = JINJA_MACRO, .macro = made};
    return OK;
}

static enum status define_macro(struct jinja *jinja, const struct jinja_node *node)
{
    const struct jinja_macro macro = {.parameters = node->child[0], .body = node->child[1]};
    struct jinja_value value;
    TRY(new_macro(jinja, node, &macro, &value));
    return jinja_scope_set(jinja, node->text, value);
}

/* Gives the parameters their values in the innermost scope. */
static enum status bind(struct jinja *jinja, const struct jinja_macro *macro,
                        const struct jinja_args *args)
{
    uint32_t index = 0;
    for (const struct jinja_node *at = macro->parameters; at; at = at->next, index++) {
        struct jinja_value value = jinja_value_undefined(at->text);
        const struct jinja_value *given = index < args->positional->count
                                              ? &args->positional->items[index]
                                              : jinja_value_get(args->named, at->text);
        if (given)
            value = *given;
        else if (at->child[0])
            TRY(jinja_eval(jinja, at->child[0], &value));
        TRY(jinja_scope_set(jinja, at->text, value));
    }
    if (args->positional->count > index)
        JINJA_FAIL(jinja, ERR_FORMAT, "macro %.*s takes %u arguments and got %u",
                   TEXT_ARG(macro->name), index, args->positional->count);
    return OK;
}

enum status jinja_run_macro(struct jinja *jinja, const struct jinja_macro *macro,
                            const struct jinja_args *args, struct jinja_value *result)
{
    struct jinja_scope *const outer = jinja->scope;
    const struct jinja_value *caller = jinja_value_get(args->named, TEXT("caller"));
    struct jinja_scope *scope;
    TRY(jinja_scope_new(jinja, macro->scope, &scope));
    jinja->scope = scope;
    TRY(bind(jinja, macro, args));
    if (caller)
        TRY(jinja_scope_set(jinja, TEXT("caller"), *caller));
    jinja->scope = outer;
    return capture(jinja, macro->body, scope, result);
}

/* {% call(parameters) macro(args) %}body{% endcall %}: the macro calls the body as caller(). */
static enum status call_block(struct jinja *jinja, const struct jinja_node *node)
{
    const struct jinja_macro body = {.parameters = node->child[1], .body = node->child[2]};
    struct jinja_value callee, caller, result;
    struct jinja_args args;
    TRY(jinja_eval(jinja, node->child[0]->child[0], &callee));
    if (callee.kind != JINJA_MACRO)
        JINJA_FAIL(jinja, ERR_FORMAT, "a %s is called with a block", jinja_value_type(&callee));
    TRY(jinja_eval_args(jinja, node->child[0]->child[1], &args));
    TRY(new_macro(jinja, node, &body, &caller));
    struct jinja_value named, name;
    TRY(jinja_value_new(jinja, JINJA_MAP, &named));
    for (uint32_t i = 0; i < args.named->count; i++)
        TRY(jinja_value_put(jinja, named.map, args.named->keys[i], args.named->values[i]));
    TRY(jinja_value_text(jinja, TEXT("caller"), true, &name));
    TRY(jinja_value_put(jinja, named.map, name, caller));
    args.named = named.map;
    TRY(jinja_run_macro(jinja, callee.macro, &args, &result));
    return write(jinja, &result);
}

static enum status with_block(struct jinja *jinja, const struct jinja_node *node,
                              enum flow *flow)
{
    struct jinja_scope *const outer = jinja->scope;
    TRY(jinja_scope_new(jinja, outer, &jinja->scope));
    TRY(run(jinja, node->child[0], flow));
    TRY(run(jinja, node->child[1], flow));
    jinja->scope = outer;
    return OK;
}

static enum status statement(struct jinja *jinja, const struct jinja_node *node,
                             enum flow *flow)
{
    struct jinja_value value;
    switch (node->kind) {
    case JINJA_NODE_TEXT:
        return write(jinja, &node->value);
    case JINJA_NODE_OUTPUT:
        TRY(jinja_eval(jinja, node->child[0], &value));
        return write(jinja, &value);
    case JINJA_NODE_IF:
        return if_else(jinja, node, flow);
    case JINJA_NODE_FOR:
        return for_loop(jinja, node);
    case JINJA_NODE_SET:
        TRY(jinja_eval(jinja, node->child[1], &value));
        return assign(jinja, node->child[0], &value);
    case JINJA_NODE_SET_BLOCK:
        return set_block(jinja, node);
    case JINJA_NODE_MACRO:
        return define_macro(jinja, node);
    case JINJA_NODE_CALL_BLOCK:
        return call_block(jinja, node);
    case JINJA_NODE_FILTER_BLOCK:
        return filter_block(jinja, node);
    case JINJA_NODE_WITH:
        return with_block(jinja, node, flow);
    default: /* JINJA_NODE_BREAK, JINJA_NODE_CONTINUE */
        *flow = node->kind == JINJA_NODE_BREAK ? FLOW_BREAK : FLOW_CONTINUE;
        return OK;
    }
}

static enum status run(struct jinja *jinja, const struct jinja_node *first, enum flow *flow)
{
    if (jinja->depth == JINJA_DEPTH_MAX)
        JINJA_FAIL(jinja, ERR_LIMIT, "nested deeper than %d", JINJA_DEPTH_MAX);
    jinja->depth++;
    for (const struct jinja_node *node = first; node && *flow == FLOW_ON; node = node->next) {
        jinja->line = node->line;
        TRY(jinja_step(jinja, 0));
        TRY(statement(jinja, node, flow));
    }
    jinja->depth--;
    return OK;
}

enum status jinja_run(struct jinja *jinja, const struct jinja_node *body)
{
    enum flow flow = FLOW_ON;
    return run(jinja, body, &flow);
}
