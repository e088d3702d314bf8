/*
 * jinja_eval - see jinja_eval.h.
 *
 * Recursion over the nodes; jinja.depth counts it, for the parser limits only nesting and a
 * long chain of operators is as deep as it is long.
 */
#include "tokenizer/jinja_eval.h"

#include "tokenizer/jinja_filter.h"
#include "tokenizer/jinja_function.h"
#include "tokenizer/jinja_is.h"
#include "tokenizer/jinja_math.h"
#include "tokenizer/jinja_member.h"
#include "tokenizer/jinja_method.h"
#include "tokenizer/jinja_run.h"
#include "tokenizer/jinja_scope.h"
#include "tokenizer/jinja_string.h"

#include <assert.h>

static enum status spread_list(struct jinja *jinja, const struct jinja_value *value,
                               struct jinja_list *positional)
{
    const struct jinja_list *items;
    TRY(jinja_value_iterate(jinja, value, &items));
    for (uint32_t i = 0; i < items->count; i++)
        TRY(jinja_value_push(jinja, positional, items->items[i]));
    return OK;
}

static enum status spread_map(struct jinja *jinja, const struct jinja_value *value,
                              struct jinja_map *named)
{
    if (value->kind != JINJA_MAP)
        JINJA_FAIL(jinja, ERR_FORMAT, "** of %s", jinja_value_type(value));
    for (uint32_t i = 0; i < value->map->count; i++)
        TRY(jinja_value_put(jinja, named, value->map->keys[i], value->map->values[i]));
    return OK;
}

enum status jinja_eval_args(struct jinja *jinja, const struct jinja_node *first,
                            struct jinja_args *args)
{
    struct jinja_value positional, named;
    TRY(jinja_value_new(jinja, JINJA_LIST, &positional));
    TRY(jinja_value_new(jinja, JINJA_MAP, &named));
    for (const struct jinja_node *arg = first; arg; arg = arg->next) {
        struct jinja_value value, name;
        TRY(jinja_eval(jinja, arg->child[0], &value));
        if (arg->text.size == 0) {
            TRY(jinja_value_push(jinja, positional.list, value));
        } else if (text_equal(arg->text, TEXT("*"))) {
            TRY(spread_list(jinja, &value, positional.list));
        } else if (text_equal(arg->text, TEXT("**"))) {
            TRY(spread_map(jinja, &value, named.map));
        } else {
            TRY(jinja_value_text(jinja, arg->text, true, &name));
            TRY(jinja_value_put(jinja, named.map, name, value));
        }
    }
    *args = (struct jinja_args){positional.list, named.map};
    return OK;
}

static enum status name(struct jinja *jinja, const struct jinja_node *node,
                        struct jinja_value *result)
{
    TRY(jinja_scope_get(jinja, node->text, result));
    if (result->kind == JINJA_UNDEFINED && jinja_function_exists(node->text)) {
        struct jinja_method *function = JINJA_NEW(jinja, struct jinja_method, 1);
        if (!function)
            return jinja_full(jinja);
        function->name = node->text;
        *result = (struct jinja_value){.kind = JINJA_FUNCTION, .method = function};
    }
    return OK;
}

static enum status list(struct jinja *jinja, const struct jinja_node *node,
                        struct jinja_value *result)
{
    TRY(jinja_value_new(jinja, node->kind == JINJA_NODE_LIST ? JINJA_LIST : JINJA_TUPLE,
                        result));
    for (const struct jinja_node *item = node->child[0]; item; item = item->next) {
        struct jinja_value value;
        TRY(jinja_eval(jinja, item, &value));
        TRY(jinja_value_push(jinja, result->list, value));
    }
    return OK;
}

static enum status map(struct jinja *jinja, const struct jinja_node *node,
                       struct jinja_value *result)
{
    TRY(jinja_value_new(jinja, JINJA_MAP, result));
    for (const struct jinja_node *pair = node->child[0]; pair; pair = pair->next) {
        struct jinja_value key, value;
        TRY(jinja_eval(jinja, pair->child[0], &key));
        TRY(jinja_eval(jinja, pair->child[1], &value));
        if (key.kind != JINJA_STRING && !jinja_value_is_number(&key))
            JINJA_FAIL(jinja, ERR_LIMIT, "a key of a map is %s", jinja_value_type(&key));
        TRY(jinja_value_put(jinja, result->map, key, value));
    }
    return OK;
}

static enum status slice(struct jinja *jinja, const struct jinja_node *node,
                         const struct jinja_value *object, struct jinja_value *result)
{
    struct jinja_value bounds[3];
    for (uint32_t i = 0; i < 3; i++) {
        bounds[i] = (struct jinja_value){.kind = JINJA_NONE};
        if (node->child[i + 1])
            TRY(jinja_eval(jinja, node->child[i + 1], &bounds[i]));
    }
    return jinja_member_slice(jinja, object, bounds, result);
}

static enum status call(struct jinja *jinja, const struct jinja_node *node,
                        struct jinja_value *result)
{
    struct jinja_value callee;
    struct jinja_args args;
    TRY(jinja_eval(jinja, node->child[0], &callee));
    TRY(jinja_eval_args(jinja, node->child[1], &args));
    switch (callee.kind) {
    case JINJA_FUNCTION:
        return jinja_function_call(jinja, callee.method->name, &args, result);
    case JINJA_METHOD:
        return jinja_method_call(jinja, callee.method, &args, result);
    case JINJA_MACRO:
        return jinja_run_macro(jinja, callee.macro, &args, result);
    case JINJA_UNDEFINED:
        JINJA_FAIL(jinja, ERR_LIMIT, "'%.*s' is not known here and is called",
                   TEXT_ARG(callee.hint));
    default:
        JINJA_FAIL(jinja, ERR_FORMAT, "a %s is called", jinja_value_type(&callee));
    }
}

static enum status filter_or_test(struct jinja *jinja, const struct jinja_node *node,
                                  const struct jinja_value *operand, struct jinja_value *result)
{
    struct jinja_args args;
    bool truth;
    TRY(jinja_eval_args(jinja, node->child[1], &args));
    if (node->kind == JINJA_NODE_FILTER)
        return jinja_filter(jinja, node->text, operand, &args, result);
    TRY(jinja_is(jinja, node->text, operand, &args, &truth));
    *result = jinja_value_bool(truth);
    return OK;
}

/* a < b < c: as long as each holds. */
static enum status compare(struct jinja *jinja, const struct jinja_node *node,
                           const struct jinja_value *first, struct jinja_value *result)
{
    struct jinja_value left = *first;
    bool holds = true;
    for (const struct jinja_node *at = node->child[1]; at && holds; at = at->next) {
        struct jinja_value right;
        TRY(jinja_eval(jinja, at->child[0], &right));
        TRY(jinja_math_compare(jinja, at->text, &left, &right, &holds));
        left = right;
    }
    *result = jinja_value_bool(holds);
    return OK;
}

static enum status condition(struct jinja *jinja, const struct jinja_node *node,
                             struct jinja_value *result)
{
    struct jinja_value test;
    TRY(jinja_eval(jinja, node->child[0], &test));
    const struct jinja_node *chosen = node->child[jinja_value_is_true(&test) ? 1 : 2];
    *result = jinja_value_undefined(TEXT("an if without else"));
    return chosen ? jinja_eval(jinja, chosen, result) : OK;
}

static enum status binary(struct jinja *jinja, const struct jinja_node *node,
                          const struct jinja_value *left, struct jinja_value *result)
{
    struct jinja_value right;
    TRY(jinja_eval(jinja, node->child[1], &right));
    return jinja_math_binary(jinja, &(struct jinja_math){node->text, left, &right}, result);
}

/* Nodes that begin with the value of their first child. */
static enum status with_operand(struct jinja *jinja, const struct jinja_node *node,
                                struct jinja_value *result)
{
    struct jinja_value operand, index;
    TRY(jinja_eval(jinja, node->child[0], &operand));
    jinja->line = node->line;
    switch (node->kind) {
    case JINJA_NODE_ATTR:
        return jinja_member_attr(jinja, &operand, node->text, result);
    case JINJA_NODE_ITEM:
        TRY(jinja_eval(jinja, node->child[1], &index));
        return jinja_member_item(jinja, &operand, &index, result);
    case JINJA_NODE_SLICE:
        return slice(jinja, node, &operand, result);
    case JINJA_NODE_FILTER:
    case JINJA_NODE_TEST:
        return filter_or_test(jinja, node, &operand, result);
    case JINJA_NODE_UNARY:
        return jinja_math_unary(jinja, node->text, &operand, result);
    case JINJA_NODE_BINARY:
        return binary(jinja, node, &operand, result);
    case JINJA_NODE_COMPARE:
        return compare(jinja, node, &operand, result);
    case JINJA_NODE_NOT:
        *result = jinja_value_bool(!jinja_value_is_true(&operand));
        return OK;
    default: /* JINJA_NODE_AND, JINJA_NODE_OR: the operand that decides */
        if (jinja_value_is_true(&operand) == (node->kind == JINJA_NODE_AND))
            return jinja_eval(jinja, node->child[1], result);
        *result = operand;
        return OK;
    }
}

static enum status without_operand(struct jinja *jinja, const struct jinja_node *node,
                                   struct jinja_value *result)
{
    switch (node->kind) {
    case JINJA_NODE_CONST:
        *result = node->value;
        return OK;
    case JINJA_NODE_BODY:
        assert(jinja->block);
        *result = *jinja->block;
        return OK;
    case JINJA_NODE_NAME:
        return name(jinja, node, result);
    case JINJA_NODE_LIST:
    case JINJA_NODE_TUPLE:
        return list(jinja, node, result);
    case JINJA_NODE_MAP:
        return map(jinja, node, result);
    case JINJA_NODE_CALL:
        return call(jinja, node, result);
    case JINJA_NODE_COND:
        return condition(jinja, node, result);
    default:
        return with_operand(jinja, node, result);
    }
}

enum status jinja_eval(struct jinja *jinja, const struct jinja_node *node,
                       struct jinja_value *result)
{
    jinja->line = node->line;
    TRY(jinja_step(jinja, 0));
    if (jinja->depth == JINJA_DEPTH_MAX)
        JINJA_FAIL(jinja, ERR_LIMIT, "nested deeper than %d", JINJA_DEPTH_MAX);
    jinja->depth++;
    TRY(without_operand(jinja, node, result));
    jinja->depth--;
    return OK;
}
